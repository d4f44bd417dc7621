"""The values that cross packages: small, frozen, and traceable by `id`.

>>> pair = Pair(Segment("trial-7:s01", "Take 5 mg once daily."), "Tome 5 mg uma vez ao dia.", "en", "pt")
>>> pair.id
'trial-7:s01'
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of characters, `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One source sentence or line; `id` survives every step, so any output can be traced back."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A source segment and its translation, with where it came from and what one may do with it."""

    source: Segment
    target: str
    source_language: str = ""
    target_language: str = ""
    origin: str = ""
    licence: str = ""
    document: str = ""

    @property
    def id(self) -> str:
        return self.source.id


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One candidate translation; `score` is the model's mean log-probability per token."""

    text: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """What came out for one source segment: the text to use first, then the other candidates."""

    source: Segment
    target: str
    score: float | None = None
    alternatives: tuple[Hypothesis, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Keep or drop; `reason` is a stable key for counting, empty when kept."""

    keep: bool
    reason: str = ""
