"""Measuring and filtering of files: stream in, stream out, counts at the end.

    measure(["pairs.jsonl"], Path("measured.jsonl"))
    filtered = filter_pairs(["measured.jsonl"], Path("kept.jsonl"), Path("dropped.jsonl"), load_limits())
    filtered.reasons       # {"wrong_language": 412, "critical_number": 96}

A measured record is the record with one more field, `measures`; a dropped one has `reason` and `reasons` too.
Outputs appear when they are whole.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from data.blocks import BLOCK, blocks, ordered_map
from data.corpora import Reading, Record, read_records
from data.errors import ConfigError, RecordError
from data.files import atomic_write
from data.filtering import Limit, broken
from data.jsonl import json_line
from data.lines import Problems
from data.scoring import GROUPS, Measures, measures_of
from data.scoring_models import ModelMeasurer


@dataclass(frozen=True, slots=True)
class MeasureConfig:
    """Which groups; `only_if` spares the models what these limits drop already; `processes` 0: all cores."""

    groups: tuple[str, ...] = ("form", "clinical", "terms")
    only_if: tuple[Limit, ...] = ()
    processes: int = 0

    def __post_init__(self) -> None:
        for group in self.groups:
            if group not in GROUPS:
                raise ConfigError(f"no measures {group!r}; valid: {', '.join(GROUPS)}")


@dataclass(frozen=True, slots=True)
class Measured:
    pairs: int
    seconds: float
    unreadable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filtered:
    """`reasons` counts each dropped pair once; `not_applied` are limits whose measure no pair had."""

    pairs: int
    kept: int
    reasons: Mapping[str, int]
    not_applied: tuple[str, ...] = ()
    unreadable: Mapping[str, int] = field(default_factory=dict)

    @property
    def dropped(self) -> int:
        return self.pairs - self.kept


def measure(
    inputs: Sequence[Path | str],
    out: Path,
    config: MeasureConfig = MeasureConfig(),
    models: ModelMeasurer | None = None,
    reading: Reading = Reading(),  # noqa: B008
    problems: Problems | None = None,
) -> Measured:
    """Adds measures to those that records have already, so that groups can be measured one after another."""
    problems = problems if problems is not None else Problems()
    start, count = time.perf_counter(), 0
    with atomic_write(out) as stream:
        for records in measured(read_records(inputs, reading, problems), config, models):
            stream.writelines(map(json_line, records))
            count += len(records)
    return Measured(count, time.perf_counter() - start, dict(problems.counts))


def measured(
    records: Iterable[Record], config: MeasureConfig, models: ModelMeasurer | None = None
) -> Iterator[list[Record]]:
    """Blocks of records with their measures."""
    work = partial(measure_block, config.groups)
    for block, found in ordered_map(work, blocks(records, BLOCK), config.processes):
        merged = [
            record | {"measures": {**(record.get("measures") or {}), **own}}
            for record, own in zip(block, found, strict=True)
        ]
        if models is not None:
            wanted = [record for record in merged if not broken(record["measures"], config.only_if)]
            for record, own in zip(wanted, models.measures(wanted) if wanted else (), strict=True):
                record["measures"].update(own)
        yield merged


def measure_block(groups: Sequence[str], records: Sequence[Record]) -> list[Measures]:
    """What a worker process does; a module's own function, so that it can be sent there."""
    return [measures_of(record, groups) for record in records]


def filter_pairs(
    inputs: Sequence[Path | str],
    kept: Path,
    dropped: Path,
    limits: Sequence[Limit],
    problems: Problems | None = None,
) -> Filtered:
    """Each measured record goes into one of the two files."""
    problems = problems if problems is not None else Problems()
    reasons: Counter[str] = Counter()
    names: set[str] = set()
    pairs = 0
    with ExitStack() as files:
        keep, drop = (files.enter_context(atomic_write(path)) for path in (kept, dropped))
        for record in read_records(inputs, problems=problems):
            pairs += 1
            measures = record.get("measures")
            if not measures:
                problem = f"the record {record['id']!r} has no measures; `medloop data measure` adds them"
                raise RecordError(str(inputs[0]), pairs, problem)
            names.update(measures)
            against = broken(measures, limits)
            _write(drop if against else keep, record, against)
            reasons.update(against[:1])
    missing = [limit.reason for limit in limits if not any(_known(b.measure, names) for b in limit.bounds)]
    ordered = dict(reasons.most_common())
    return Filtered(pairs, pairs - reasons.total(), ordered, tuple(missing), dict(problems.counts))


def _known(measure: str, names: set[str]) -> bool:
    """A count of findings is left out where it is 0, so its group having been measured is enough."""
    return measure in names or (
        measure.startswith(("clinical_", "critical_")) and "clinical_critical" in names
    )


def _write(stream: TextIO, record: Record, against: Sequence[str]) -> None:
    extra: dict[str, Any] = {"reason": against[0], "reasons": list(against)} if against else {}
    stream.write(json_line(record | extra))
