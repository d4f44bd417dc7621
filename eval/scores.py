"""A score that knows how it was made, and the parts it is made of, so that any resample can be scored again.

In: outputs beside their sources and references (`Material`). Out: a `Score`, or why there is none.

    score = Bleu().score(material)
    score.value, score.signature      # 43.87, "BLEU|nrefs:1|case:mixed|...|version:2.6.0|segments:200"

Every metric here is a formula over sums of per-segment rows (n-gram counts, edits and lengths, or plain
values). That makes significance testing a matrix product. What cannot be measured raises `Unmeasured`,
which names the reason and the command that would help; it is never a zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from data.errors import InputError, MedloopError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Unmeasured(MedloopError):
    """A metric that cannot run here and now; `enable` is the one command that would change that."""

    def __init__(self, name: str, reason: str, enable: str = "") -> None:
        super().__init__(f"{name} was not measured: {reason}" + (f"; to enable: {enable}" if enable else ""))
        self.name, self.reason, self.enable = name, reason, enable


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """The same as a value, for the report."""

    name: str
    reason: str
    enable: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """One system's outputs on one test set, side by side."""

    sources: tuple[str, ...]
    outputs: tuple[str, ...]
    references: tuple[str, ...]
    ids: tuple[str, ...]
    source_language: str = ""
    target_language: str = ""

    def __post_init__(self) -> None:
        if len({len(self.sources), len(self.outputs), len(self.references), len(self.ids)}) != 1:
            raise InputError(
                f"sources, outputs, references and ids differ in number: {len(self.sources)}, "
                f"{len(self.outputs)}, {len(self.references)}, {len(self.ids)}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Rows, one a segment; `formula` turns sums of rows (samples x columns) into values (samples)."""

    rows: Floats
    formula: Callable[[Floats], Floats]

    def value(self) -> float:
        return float(self.formula(self.rows.sum(axis=0, keepdims=True))[0])

    def per_segment(self) -> tuple[float, ...]:
        return tuple(float(value) for value in self.formula(self.rows))


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """`per_segment` is for reading and plotting; `statistics` is what significance is computed from."""

    name: str
    value: float
    signature: str
    per_segment: tuple[float, ...]
    statistics: Statistics
    higher_is_better: bool = True


class Metric(Protocol):
    """Anything that scores a system's outputs; raises `Unmeasured` where it cannot."""

    @property
    def name(self) -> str: ...

    def score(self, material: Material) -> Score: ...


def measure(metrics: Iterable[Metric], material: Material) -> tuple[list[Score], list[NotMeasured]]:
    """Every metric's score, and what could not be had."""
    scores, missing = [], []
    for metric in metrics:
        try:
            scores.append(metric.score(material))
        except Unmeasured as error:
            missing.append(NotMeasured(error.name, error.reason, error.enable))
    return scores, missing


def mean_score(
    name: str, values: Sequence[float], signature: str, ids: Sequence[str], higher_is_better: bool = True
) -> Score:
    """A score that is the mean of one value a segment; a NaN or infinity anywhere means: not measured."""
    import numpy as np

    bad = [place for place, value in enumerate(values) if not math.isfinite(value)]
    if bad:
        raise Unmeasured(
            name, f"it gave no number for {len(bad)} of {len(values)} segments (first: {ids[bad[0]]})"
        )
    if not values:
        raise Unmeasured(name, "there are no segments")
    rows = np.column_stack([np.asarray(values, dtype=np.float64), np.ones(len(values))])
    statistics = Statistics(rows, ratio)
    return Score(name, statistics.value(), signature, tuple(map(float, values)), statistics, higher_is_better)


def ratio_score(
    name: str,
    parts: Sequence[tuple[float, float]],
    signature: str,
    scale: float = 1.0,
    higher_is_better: bool = True,
) -> Score:
    """A score that is a ratio of two sums (hits of all terms, edits of all words); 0 of 0 is not measured."""
    import numpy as np

    rows = np.asarray(parts, dtype=np.float64).reshape(-1, 2) * (scale, 1.0)
    if not rows[:, 1].sum():
        raise Unmeasured(name, "nothing to count in this test set")
    statistics = Statistics(rows, ratio)
    return Score(name, statistics.value(), signature, statistics.per_segment(), statistics, higher_is_better)


def ratio(sums: Floats) -> Floats:
    """First column over the second; NaN where a sample or segment has nothing to count."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)


def sign(name: str, parts: Iterable[tuple[str, object]]) -> str:
    """`COMET|model:wmt22-comet-da|revision:...|segments:200`"""
    return "|".join([name, *(f"{key}:{str(value).replace('|', '/')}" for key, value in parts)])
