"""What a set of pairs is made of, in one pass.

In: files of pairs, measured or not. Out: counts that fit on a page.

    stats(["pairs.jsonl"]).fields["origin"]      # {"TICO-19": 955, "ReBEC": 11788}

Lengths and measures are kept as histograms of fixed bins, so memory does not grow with the data; quantiles
are read off a sample of SAMPLE values each.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.corpora import Reading, Record, read_records
from data.lines import Problems

SAMPLE = 5000
MOST_VALUES = 1000  # of a field; what comes after the first so many different ones is counted as "(others)"
FIELDS = ("src_lang", "tgt_lang", "origin", "licence", "type", "specialty", "reader", "style", "reason")
_COSTS = ("cost", "tokens", "prompt_tokens", "reply_tokens", "rounds")
_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Statistics:
    """`fields`: how often each value; `numbers`: quantiles of lengths and measures; `terms`: pairs each."""

    pairs: int
    source_words: int
    target_words: int
    documents: int
    fields: Mapping[str, Mapping[str, int]]
    numbers: Mapping[str, Sequence[float]]
    terms: Mapping[str, int]
    costs: Mapping[str, float]
    unreadable: Mapping[str, int] = field(default_factory=dict)


def stats(
    inputs: Sequence[Path | str],
    reading: Reading = Reading(),  # noqa: B008
    problems: Problems | None = None,
) -> Statistics:
    problems = problems if problems is not None else Problems()
    counter = Counting()
    for record in read_records(inputs, reading, problems):
        counter.add(record)
    return counter.statistics(problems.counts)


class Counting:
    """Record after record; also asked by the report."""

    def __init__(self) -> None:
        self.pairs = self.documents = 0
        self._last_document = ""
        self.words = [0, 0]
        self.fields: dict[str, Counter[str]] = {}
        self.samples: dict[str, Reservoir] = {}
        self.terms: Counter[str] = Counter()
        self.costs: Counter[str] = Counter()

    def add(self, record: Record) -> None:
        self.pairs += 1
        lengths = (len(record["src"].split()), len(record["tgt"].split()))
        self.words = [total + length for total, length in zip(self.words, lengths, strict=True)]
        for name in FIELDS:
            if record.get(name):
                bump(self.fields.setdefault(name, Counter()), str(record[name]))
        document = str(record.get("document") or "")
        self.documents += bool(document) and document != self._last_document
        self._last_document = document
        for term in terms_of(record):
            bump(self.terms, term)
        for name in _COSTS:
            value = record.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                self.costs[name] += value  # type: ignore[assignment]
        numbers = {"source words": lengths[0], "target words": lengths[1], **(record.get("measures") or {})}
        for name, value in numbers.items():
            self.samples.setdefault(name, Reservoir()).add(float(value))

    def statistics(self, unreadable: Mapping[str, int]) -> Statistics:
        return Statistics(
            pairs=self.pairs,
            source_words=self.words[0],
            target_words=self.words[1],
            documents=self.documents,
            fields={name: dict(counts.most_common()) for name, counts in self.fields.items()},
            numbers={name: sample.quantiles() for name, sample in self.samples.items()},
            terms=dict(self.terms.most_common()),
            costs=dict(self.costs),
            unreadable=dict(unreadable),
        )


class Reservoir:
    """A fair sample of a stream of numbers, the same in every run."""

    def __init__(self, size: int = SAMPLE) -> None:
        self.values: list[float] = []
        self.count = 0
        self._size = size
        self._dice = random.Random(size)

    def add(self, value: float) -> None:
        self.count += 1
        if len(self.values) < self._size:
            self.values.append(value)
        elif (place := self._dice.randrange(self.count)) < self._size:
            self.values[place] = value

    def quantiles(self, shares: Iterable[float] = _QUANTILES) -> list[float]:
        ordered = sorted(self.values)
        return (
            [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in shares] if ordered else []
        )


def terms_of(record: Mapping[str, Any]) -> list[str]:
    """The source side of each term that a record names."""
    terms = record.get("terms")
    if not isinstance(terms, list | tuple):
        return []
    sources = [term.get("source") or term.get("src") if isinstance(term, Mapping) else term for term in terms]
    return [str(term[0] if isinstance(term, list | tuple) and term else term) for term in sources if term]


def bump(counts: Counter[str], value: str) -> None:
    counts[value if value in counts or len(counts) < MOST_VALUES else "(others)"] += 1
