"""Which words of a translation belong to which of its source: the model's own attention, for any translation.

In: sentences and their translations, whoever made them. Out: for each a table, target words by source words.

    aligner = EngineAligner(engine)
    aligner.links(["Two red tablets."], ["Dois comprimidos vermelhos."])[0][1]   # [0.0, 0.1, 0.9, 0.0]

The translation is given to the decoder as a forced beginning, so it need not be what the model would have
said: one with enforced terms, or corrected by hand, aligns as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mt.config import DecodeConfig
from mt.engine import Candidate
from mt.markup_projection import Links, even_links, spans
from mt.tokenization import Tokenizer, piece_spans
from mt.typography import shouted


class AttentiveEngine(Protocol):
    """An engine, or a batcher before one."""

    @property
    def tokenizer(self) -> Tokenizer: ...

    def fits(self, sentences: Sequence[str]) -> list[bool]: ...

    def candidates(
        self,
        sentences: Sequence[str],
        decode: DecodeConfig = ...,
        prefixes: Sequence[Sequence[str] | None] | None = None,
        attention: bool = False,
    ) -> list[tuple[Candidate, ...]]: ...


class EngineAligner:
    def __init__(self, engine: AttentiveEngine) -> None:
        self._engine = engine

    def links(self, sources: Sequence[str], targets: Sequence[str]) -> list[Links]:
        found: list[Links] = [
            even_links(len(spans(source)), len(spans(target)))
            for source, target in zip(sources, targets, strict=True)
        ]
        pairs = [_calm(source, target) for source, target in zip(sources, targets, strict=True)]
        known = [i for i, fits in enumerate(self._engine.fits([source for source, _ in pairs])) if fits]
        if not known:
            return found
        tokenizer = self._engine.tokenizer
        prefixes = tokenizer.encode_target([pairs[i][1] for i in known])
        results = self._engine.candidates(
            [pairs[i][0] for i in known], DecodeConfig(), prefixes, attention=True
        )
        for i, prefix, (best, *_) in zip(known, prefixes, results, strict=True):
            if len(best.attention) >= len(prefix) > 0:
                found[i] = _between_words(tokenizer, *pairs[i], best.attention[: len(prefix)])
        return found


def _calm(source: str, target: str) -> tuple[str, str]:
    """Shouted text as the model knows it; only where no letter changes its length."""
    if shouted(source) and len(source.lower()) == len(source) and len(target.lower()) == len(target):
        return source.lower(), target.lower()
    return source, target


def _between_words(
    tokenizer: Tokenizer, source: str, target: str, attention: Sequence[Sequence[float]]
) -> list[list[float]]:
    left = _pieces_of_words(tokenizer.source, source)
    right = _pieces_of_words(tokenizer.target, target)
    shift = 1 if tokenizer.language_token else 0
    table: list[list[float]] = []
    for own in right:
        row = [
            sum(
                share * weight * attention[t][s + shift]
                for t, share in own
                for s, weight in word
                if t < len(attention) and s + shift < len(attention[t])
            )
            for word in left
        ]
        total = sum(row)
        table.append([value / total for value in row] if total else row)
    return table


def _pieces_of_words(processor: object, text: str) -> list[list[tuple[int, int]]]:
    """For each word the pieces that overlap it, and in how many letters."""
    pieces = piece_spans(processor, text)
    found: list[list[tuple[int, int]]] = []
    first = 0
    for start, end in spans(text):
        while first < len(pieces) and pieces[first].end <= start:
            first += 1
        own = []
        number = first
        while number < len(pieces) and pieces[number].start < end:
            piece = pieces[number]
            overlap = min(end, piece.end) - max(start, piece.start)
            if overlap > 0:
                own.append((number, overlap))
            number += 1
        found.append(own)
    return found
