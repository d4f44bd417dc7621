"""What pairs around terms are made of: the terms, how many, in which languages; and what came of it.

In: values. Out: terms that a sentence can be written around.

>>> usable_terms([Term("fever", "febre"), Term(" Fever", "febre"), Term("19", "19")])
(Term(source='Fever', target='febre'),)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from data.errors import ConfigError

LICENCE: Final = "synthetic; no source text"


@dataclass(frozen=True, slots=True)
class Term:
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class TermWriting:
    """`sentences` usable ones in all, or as many as `seconds` allow (0: no limit)."""

    sentences: int = 200
    seconds: float = 0
    source_language: str = "en"
    target_language: str = "pt"
    seed: int = 7
    prompts_per_round: int = 64
    most_per_term: int = 0
    purpose: str = "train"


@dataclass(frozen=True, slots=True)
class TermCounts:
    """`reasons` of what was dropped; `terms` how many have a sentence at all; `least` of the scarcest."""

    pairs: int
    written: int
    reasons: dict[str, int]
    terms: int
    all_terms: int
    least: int
    seconds: float
    stopped: str


def usable_terms(terms: Iterable[Term]) -> tuple[Term, ...]:
    """One of each source term; without those of no letter, or too long for a sentence around them."""
    kept = {
        term.source.strip().casefold(): Term(term.source.strip(), term.target.strip())
        for term in terms
        if any(map(str.isalpha, term.source)) and len(term.source.split()) <= 6 and term.target.strip()
    }
    if not kept:
        raise ConfigError("no terms to write about: give terms with a source and a target wording")
    return tuple(kept.values())
