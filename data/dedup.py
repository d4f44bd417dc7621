"""Texts that are the same, or nearly: for removing duplicates, and for test sets that a model has seen.

In: segments. Out: matches with their similarity.

    find_overlap(test_segments, training_segments)   # Overlap(exact=(Match("t3", "c817", 1.0),), near=(...))

Exact means equal but for case, spaces and punctuation. Near means that the sets of character 5-grams have a
Jaccard similarity of `threshold` or more: MinHash (rensa, in Rust) proposes, the sets themselves decide, so
a near match is never a hash accident.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import MissingExtraError
from data.segments import Segment

_SHINGLE = 5
_PERMUTATIONS = 128
_BANDS = 32  # of 4: a pair at similarity 0.7 is proposed with 99.98 %, one at 0.8 with 1 - 5e-8
_SEED = 42
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Match:
    """A text, an earlier or other text that it is like, and how much (1.0: the same)."""

    id: str
    other: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """What of a test set a training set holds; at most the best match of each test segment."""

    exact: tuple[Match, ...]
    near: tuple[Match, ...]
    threshold: float

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(match.id for match in (*self.exact, *self.near))


class NearIndex:
    """Grows text by text; asks are answered from what was added."""

    def __init__(self, threshold: float = 0.8) -> None:
        try:
            from rensa import RMinHash, RMinHashLSH
        except ImportError:
            raise MissingExtraError("finding near-duplicates", "eval") from None
        self._hash = RMinHash
        self._lsh = RMinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS, num_bands=_BANDS)
        self._texts: list[tuple[str, frozenset[str]]] = []
        self.threshold = threshold

    def add(self, segment: Segment) -> None:
        grams = shingles(normal_form(segment.text))
        if grams:
            self._lsh.insert(len(self._texts), self._signature(grams))
            self._texts.append((segment.id, grams))

    def find(self, segment: Segment) -> list[Match]:
        """All that are near, the most similar first."""
        grams = shingles(normal_form(segment.text))
        if not grams:
            return []
        found = [
            Match(segment.id, self._texts[place][0], similarity)
            for place in set(self._lsh.query(self._signature(grams)))
            if (similarity := jaccard(grams, self._texts[place][1])) >= self.threshold
        ]
        return sorted(found, key=lambda match: (-match.similarity, match.other))

    def _signature(self, grams: frozenset[str]) -> Any:
        signature = self._hash(num_perm=_PERMUTATIONS, seed=_SEED)
        signature.update(sorted(grams))
        return signature


def find_overlap(test: Sequence[Segment], training: Iterable[Segment], threshold: float = 0.8) -> Overlap:
    """Which test segments stand in the training text; the training text streams by."""
    index = NearIndex(threshold)
    for segment in test:
        index.add(segment)
    normal = [normal_form(segment.text) for segment in test]
    by_text: dict[str, list[str]] = {}
    for segment, text in zip(test, normal, strict=True):
        if text:
            by_text.setdefault(text, []).append(segment.id)
    exact: dict[str, Match] = {}
    near: dict[str, Match] = {}
    for segment in training:
        for test_id in by_text.get(normal_form(segment.text), ()):
            exact.setdefault(test_id, Match(test_id, segment.id, 1.0))
        for found in index.find(segment):
            match = Match(found.other, segment.id, found.similarity)
            if match.id not in near or near[match.id].similarity < match.similarity:
                near[match.id] = match
    order = [segment.id for segment in test]
    return Overlap(
        tuple(exact[name] for name in order if name in exact),
        tuple(near[name] for name in order if name in near and name not in exact),
        threshold,
    )


def normal_form(text: str) -> str:
    """Lower case, composed, words and numbers only: what two copies of a sentence share.

    >>> normal_form("Take 2.5 mg,  ONCE daily!")
    'take 2 5 mg once daily'
    """
    return _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def shingles(normal: str) -> frozenset[str]:
    """Character 5-grams; a shorter text is its own only one."""
    if len(normal) <= _SHINGLE:
        return frozenset((normal,)) if normal else frozenset()
    return frozenset(normal[start : start + _SHINGLE] for start in range(len(normal) - _SHINGLE + 1))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    common = len(first & second)
    return common / (len(first) + len(second) - common) if common else 0.0
