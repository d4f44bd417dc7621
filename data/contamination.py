"""Training text without the test sets: exact copies, near ones, and texts that hold one.

In: files of pairs and the test sets. Out: a file of those kept and one of those dropped, each with the test
segment that it is like.

    decontaminate(["pairs.jsonl"], ["wmt.jsonl", "own.tsv"], Path("clean.jsonl"), Path("seen.jsonl"))

Both sides of a pair are compared with both sides of every test set, so a test set of the other direction
counts as well. A test segment of at least LEAST_HELD letters that stands whole inside a longer text is found
too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from data.blocks import blocks, ordered_map
from data.corpora import Reading, Record, read_records
from data.dedup import NearIndex, normal_form
from data.errors import ConfigError
from data.files import atomic_write
from data.jsonl import json_line
from data.lines import Problems
from data.segments import Segment

LEAST_HELD = 40
_RUN = 6  # words by which a text that holds another is looked up
_WORD = re.compile(r"\S+")
REASONS = ("test_exact", "test_near", "test_inside")


@dataclass(frozen=True, slots=True)
class Decontaminated:
    pairs: int
    kept: int
    reasons: Mapping[str, int]
    unreadable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What of a test set a text is, and how."""

    reason: str
    other: str
    similarity: float


class TestTexts:
    """Both sides of the test sets, to be asked about any text."""

    __test__ = False  # pytest takes the name for a class of tests

    def __init__(self, segments: Iterable[Segment], threshold: float) -> None:
        self._near = NearIndex(threshold)
        self._exact: dict[str, str] = {}
        self._runs: dict[str, list[tuple[str, str]]] = {}
        for segment in segments:
            normal = normal_form(segment.text)
            if not normal or normal in self._exact:
                continue
            self._exact[normal] = segment.id
            self._near.add(segment)
            words = normal.split()
            if len(words) >= _RUN and len(normal) >= LEAST_HELD:
                self._runs.setdefault(" ".join(words[:_RUN]), []).append((normal, segment.id))

    def find(self, text: str) -> Seen | None:
        normal = normal_form(text)
        if normal in self._exact:
            return Seen("test_exact", self._exact[normal], 1.0)
        near = self._near.find(Segment("", text))
        if near:
            return Seen("test_near", near[0].other, near[0].similarity)
        return self._inside(normal)

    def _inside(self, normal: str) -> Seen | None:
        words = normal.split()
        for start in range(len(words) - _RUN + 1):
            for held, name in self._runs.get(" ".join(words[start : start + _RUN]), ()):
                if held in normal:
                    return Seen("test_inside", name, len(held) / len(normal))
        return None


def decontaminate(
    inputs: Sequence[Path | str],
    testsets: Sequence[Path | str],
    out: Path,
    dropped: Path,
    threshold: float = 0.8,
    reading: Reading = Reading(),  # noqa: B008
    processes: int = 0,
    problems: Problems | None = None,
) -> Decontaminated:
    """Short texts (a term, a heading) that a test set has word for word are dropped as well."""
    if not testsets:
        raise ConfigError("no test set to keep out of training; name at least one")
    if not 0.5 <= threshold <= 1:
        raise ConfigError(f"the threshold must be from 0.5 to 1, not {threshold}")
    problems = problems if problems is not None else Problems()
    reasons: Counter[str] = Counter()
    count = 0
    work = partial(find_block, tuple(map(str, testsets)), threshold, reading)
    with ExitStack() as files:
        keep, drop = (files.enter_context(atomic_write(path)) for path in (out, dropped))
        for block, found in ordered_map(work, blocks(read_records(inputs, reading, problems)), processes):
            for record, seen in zip(block, found, strict=True):
                count += 1
                if seen is None:
                    keep.write(json_line(record))
                    continue
                reasons[seen.reason] += 1
                extra: dict[str, Any] = {"reason": seen.reason, "like": seen.other}
                drop.write(json_line(record | extra | {"similarity": round(seen.similarity, 3)}))
    return Decontaminated(count, count - reasons.total(), dict(reasons.most_common()), dict(problems.counts))


def find_block(
    testsets: tuple[str, ...], threshold: float, reading: Reading, records: Sequence[Record]
) -> list[Seen | None]:
    """What a worker process does: it reads the test sets once."""
    index = _index(testsets, threshold, reading)
    return [index.find(record["src"]) or index.find(record["tgt"]) for record in records]


@cache
def _index(testsets: tuple[str, ...], threshold: float, reading: Reading) -> TestTexts:
    return TestTexts(_segments(testsets, reading), threshold)


def _segments(testsets: Sequence[str], reading: Reading) -> Iterator[Segment]:
    for record in read_records(testsets, reading):
        yield Segment(record["id"], record["src"])
        yield Segment(record["id"], record["tgt"])
