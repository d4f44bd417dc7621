"""A smaller set in which no kind of text drowns the others.

In: files of pairs whose records say what they are. Out: a file with a balanced choice.

    sample(["pairs.jsonl"], Path("sample.jsonl"), SampleConfig(50_000, by=("type",), per_term=40))

Each combination of the fields in `by` gets a share of `size` by its number of pairs to the power of
`flatness`: 1 keeps the proportions, 0 gives all the same, 0.5 is between. Which pairs of a combination stay
depends on their ids and the seed alone. `per_term` limits how many pairs a term may have; a pair stays while
one of its terms still needs it, or if it has none.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from data.corpora import Reading, Record, read_records
from data.errors import ConfigError
from data.files import atomic_write
from data.jsonl import json_line
from data.lines import Problems

_MOST_KINDS = 100_000


@dataclass(frozen=True, slots=True)
class SampleConfig:
    """`per_term` 0 is no limit."""

    size: int
    by: tuple[str, ...] = ()
    flatness: float = 0.5
    per_term: int = 0
    seed: str = "medloop"

    def __post_init__(self) -> None:
        if self.size < 1 or self.per_term < 0 or not 0 <= self.flatness <= 1:
            raise ConfigError(
                "a sample needs a size of 1 or more, per_term of 0 or more, flatness from 0 to 1"
            )


@dataclass(frozen=True, slots=True)
class Sampled:
    """`kinds`: of each combination how many there were and how many stayed."""

    pairs: int
    kept: int
    kinds: Mapping[str, tuple[int, int]]
    unreadable: Mapping[str, int] = field(default_factory=dict)


def sample(
    inputs: Sequence[Path | str],
    out: Path,
    config: SampleConfig,
    reading: Reading = Reading(),  # noqa: B008
    problems: Problems | None = None,
) -> Sampled:
    """Reads three times rather than keep the texts: counts, chooses, writes."""
    problems = problems if problems is not None else Problems()
    counts: Counter[str] = Counter()
    for record in read_records(inputs, reading, problems):
        counts[kind_of(record, config.by)] += 1
        if len(counts) > _MOST_KINDS:
            raise ConfigError(
                f"more than {_MOST_KINDS:,} combinations of {', '.join(config.by)}: too many to balance"
            )
    again = Problems(skip=problems.skip)
    chosen = _chosen(read_records(inputs, reading, again), quotas(counts, config), config)
    kept: Counter[str] = Counter()
    terms: Counter[str] = Counter()
    with atomic_write(out) as stream:
        for number, record in enumerate(read_records(inputs, reading, Problems(skip=problems.skip))):
            if number in chosen and _needed(record, terms, config.per_term):
                stream.write(json_line(record))
                kept[kind_of(record, config.by)] += 1
    kinds = {kind: (count, kept[kind]) for kind, count in counts.most_common()}
    return Sampled(counts.total(), kept.total(), kinds, dict(problems.counts))


def quotas(counts: Mapping[str, int], config: SampleConfig) -> dict[str, int]:
    """Shares of the size; what a small kind cannot fill goes to the others."""
    left, size = dict(counts), config.size
    given: dict[str, int] = {}
    while left and size > 0:
        weights = {kind: count**config.flatness for kind, count in left.items()}
        total = sum(weights.values())
        full = {kind: left[kind] for kind, weight in weights.items() if size * weight / total >= left[kind]}
        if not full:
            exact = {kind: size * weight / total for kind, weight in weights.items()}
            given |= {kind: int(share) for kind, share in exact.items()}
            rest = size - sum(map(int, exact.values()))
            for kind in sorted(exact, key=lambda kind: (int(exact[kind]) - exact[kind], kind))[:rest]:
                given[kind] += 1
            break
        given |= full
        size -= sum(full.values())
        left = {kind: count for kind, count in left.items() if kind not in full}
    return given


def kind_of(record: Mapping[str, Any], by: Sequence[str]) -> str:
    return " · ".join(str(record.get(name, "")) or "(none)" for name in by)


def _chosen(records: Any, quota: Mapping[str, int], config: SampleConfig) -> set[int]:
    """The numbers of the records with the lowest hashes, of each kind as many as it may have."""
    best: dict[str, list[tuple[int, int]]] = {}
    for number, record in enumerate(records):
        kind = kind_of(record, config.by)
        most = quota.get(kind, 0)
        if not most:
            continue
        heap = best.setdefault(kind, [])
        entry = (-_hash(record, config.seed), -number)
        if len(heap) < most:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    return {-number for heap in best.values() for _, number in heap}


def _needed(record: Record, terms: Counter[str], most: int) -> bool:
    own = [str(term) for term in record.get("terms") or ()]
    if not most or not own:
        return True
    if all(terms[term] >= most for term in own):
        return False
    terms.update(own)
    return True


def _hash(record: Mapping[str, Any], seed: str) -> int:
    text = f"{seed}\x1f{record['id']}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
