"""Approved translations of similar sentences: what post-editing shows an LLM as examples of style.

In: Pairs. Out: for a source text its nearest neighbours, each with its translation.

    memory = TranslationMemory(read_pairs("approved.jsonl"))
    memory.neighbours("Take 5 mg twice daily.")  # [("Take 5 mg once daily.", "Tome 5 mg uma vez ao dia.")]
"""

from __future__ import annotations

from collections.abc import Iterable

from data.errors import MissingExtraError
from data.segments import Pair

_LEAST_LIKENESS = 60.0  # of 100; below this a neighbour says little about style


class TranslationMemory:
    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._targets: dict[str, str] = {pair.source.text: pair.target for pair in pairs}
        self._sources = list(self._targets)

    def neighbours(self, source: str, count: int = 3) -> list[tuple[str, str]]:
        """The nearest first; none that are too far to help."""
        try:
            from rapidfuzz import fuzz, process
        except ModuleNotFoundError:
            raise MissingExtraError("translation-memory neighbours", "terms") from None
        found = process.extract(
            source, self._sources, scorer=fuzz.ratio, limit=count, score_cutoff=_LEAST_LIKENESS
        )
        return [(text, self._targets[text]) for text, _, _ in found]
