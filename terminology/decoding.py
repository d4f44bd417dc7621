"""What enforcement asks of a translation model; `mt.engine` happens to answer it, and tests fake it.

In: source sentences, and prefixes of target pieces that a translation must start with. Out: `Draft` values:
text, pieces, score, and how much each target piece looked at each source piece.

    drafts = decoder.drafts(["Hold metoprolol."], prefixes=[["▁Suspender"]], attention=True)
    drafts[0][0].text                                        # "Suspender metoprolol."
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from data.segments import Span


class Draft(Protocol):
    """One candidate; `score` is its mean log-probability per piece and end, forced pieces counting as sure.

    `attention[t][s]` tells how much target piece t looked at source piece s.
    """

    @property
    def text(self) -> str: ...
    @property
    def pieces(self) -> tuple[str, ...]: ...
    @property
    def score(self) -> float: ...
    @property
    def attention(self) -> Sequence[Sequence[float]]: ...


class Decoder(Protocol):
    """Everything in batches: all segments and all variants of a step go to the model together."""

    def drafts(
        self,
        sentences: Sequence[str],
        count: int = 1,
        prefixes: Sequence[Sequence[str] | None] | None = None,
        attention: bool = False,
    ) -> Sequence[Sequence[Draft]]:
        """`count` candidates of each sentence, best first, each starting with its prefix."""

    def beginning_scores(
        self, sentences: Sequence[str], beginnings: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Log-probability of each target piece of the beginning of a translation, the end not counted."""

    def score(self, sentences: Sequence[str], translations: Sequence[str]) -> list[float]:
        """Mean log-probability per piece of whole translations, the end counted."""

    def fits(self, sentences: Sequence[str]) -> list[bool]:
        """Whether the model reads each sentence whole; others are left as they are."""

    def source_spans(self, sentence: str) -> list[Span]:
        """The characters behind each source piece, in the order of the attention's columns."""

    def target_pieces(self, text: str) -> list[str]:
        """A target text as the pieces that a prefix is given in."""
