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
from data.jsonl import compact_line
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
    records = blocks(read_records(inputs, reading, problems), BLOCK)
    with atomic_write(out) as stream:
        if models is None:
            work = partial(measured_lines, config.groups)
            for block, text in ordered_map(work, records, config.processes):
                stream.write(text)
                count += len(block)
        else:
            for found in _with_models(records, config, models):
                stream.writelines(map(compact_line, found))
                count += len(found)
    return Measured(count, time.perf_counter() - start, dict(problems.counts))


def _with_models(
    records: Iterable[list[Record]], config: MeasureConfig, models: ModelMeasurer
) -> Iterator[list[Record]]:
    """The models run here: they have threads of their own, and are not to be loaded by each process."""
    work = partial(measure_block, config.groups)
    for block, found in ordered_map(work, records, config.processes):
        merged = [_merged(record, own) for record, own in zip(block, found, strict=True)]
        wanted = [record for record in merged if not broken(record["measures"], config.only_if)]
        for record, own in zip(wanted, models.measures(wanted) if wanted else (), strict=True):
            record["measures"].update(own)
        yield merged


def measured_lines(groups: Sequence[str], records: Sequence[Record]) -> str:
    """What a worker process does: its lines come back ready, which costs less than values would."""
    return "".join(compact_line(_merged(record, measures_of(record, groups))) for record in records)


def _merged(record: Record, own: Measures) -> Record:
    return record | {"measures": {**(record.get("measures") or {}), **own}}


def measure_block(groups: Sequence[str], records: Sequence[Record]) -> list[Measures]:
    """The measures alone, for records that models measure too."""
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
            if not measures.keys() <= names:
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
    stream.write(compact_line(record | extra if extra else record))
