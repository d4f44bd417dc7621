"""Is the difference real? Paired bootstrap and approximate randomisation, for any metric and any number of
systems.

In: each system's scores on the same segments. Out: an interval for every score, a verdict for every pair.

    found = analyse({"old": scores_of_old, "new": scores_of_new}, Resampling(resamples=1000, seed=12345))
    found.intervals["new", "BLEU"]     # Interval(low=42.1, high=44.9, ...)
    found.comparisons[0].verdict       # Verdict.BETTER: "new" is better than "old" in BLEU

A difference is called better or worse only if both hold: the approximate randomisation test (Riezler and
Maxwell, 2005), Holm-corrected over all pairs of systems within the metric, stays below 1 - level, and the
paired bootstrap interval (Koehn, 2004) of the difference leaves out zero. All samples are drawn once and
shared by all systems and metrics; a sample of sums is one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from data.errors import ConfigError, InputError
from eval.scores import Score, Statistics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from eval.scores import Floats

_CELLS = 4_000_000  # of one block of samples: 32 MB
_TOLERANCE = 1e-9  # of values that are equal but for the order of summing


class Outcome(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "no significant difference"


@dataclass(frozen=True, slots=True)
class Resampling:
    resamples: int = 1000
    seed: int = 12345
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.resamples < 100:
            raise ConfigError(f"resamples must be 100 or more, not {self.resamples}")
        if not 0.5 <= self.level < 1:
            raise ConfigError(f"the confidence level must be from 0.5 to below 1, not {self.level}")

    @property
    def signature(self) -> str:
        return (
            f"bootstrap:{self.resamples}|randomisation:{self.resamples}|seed:{self.seed}|level:{self.level:g}"
            f"|correction:holm-within-metric"
        )


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`delta` is `second` minus `baseline`; the verdict is about `second`. p values are two-sided."""

    metric: str
    baseline: str
    second: str
    delta: float
    interval: Interval
    p_bootstrap: float
    p_randomisation: float
    p_corrected: float
    outcome: Outcome

    def reversed(self) -> Comparison:
        """The same about `baseline`."""
        turned = {Outcome.BETTER: Outcome.WORSE, Outcome.WORSE: Outcome.BETTER}
        return replace(
            self,
            baseline=self.second,
            second=self.baseline,
            delta=-self.delta,
            interval=Interval(-self.interval.high, -self.interval.low),
            outcome=turned.get(self.outcome, self.outcome),
        )


@dataclass(frozen=True, slots=True)
class Significance:
    intervals: dict[tuple[str, str], Interval]
    comparisons: tuple[Comparison, ...]
    signature: str


def analyse(table: Mapping[str, Mapping[str, Score]], options: Resampling | None = None) -> Significance:
    """`table[system][metric]`; pairs are compared on the metrics that both have."""
    options = options or Resampling()
    keys = [(system, metric) for system, scores in table.items() for metric in scores]
    statistics = [table[system][metric].statistics for system, metric in keys]
    samples = dict(zip(keys, bootstrap(statistics, options), strict=True))
    intervals = {key: _interval(values, options.level) for key, values in samples.items()}
    metrics = list(dict.fromkeys(metric for _, metric in keys))
    comparisons: list[Comparison] = []
    for metric in metrics:
        having = [system for system in table if metric in table[system]]
        comparisons += _compare_all(metric, {name: table[name][metric] for name in having}, samples, options)
    return Significance(intervals, tuple(comparisons), options.signature)


def bootstrap(statistics: Sequence[Statistics], options: Resampling) -> list[Floats]:
    """For each metric its values on the same resampled test sets."""
    import numpy as np

    if not statistics:
        return []
    segments = _segments(statistics)
    rng = np.random.default_rng(options.seed)
    rows = np.hstack([one.rows for one in statistics])
    sums = [
        _drawn(rng.integers(0, segments, (count, segments)), segments) @ rows
        for count in _blocks(options.resamples, segments)
    ]
    return _valued(np.vstack(sums), statistics)


def randomise(first: Statistics, others: Sequence[Statistics], options: Resampling) -> list[Floats]:
    """Differences other minus first when it is tossed, per segment, which output is whose."""
    import numpy as np

    segments = _segments([first, *others])
    rng = np.random.default_rng(options.seed + 1)
    changes = np.hstack([other.rows - first.rows for other in others])
    swapped = np.vstack(
        [
            rng.integers(0, 2, (count, segments), dtype=np.int8).astype(np.float64) @ changes
            for count in _blocks(options.resamples, segments)
        ]
    )
    width = first.rows.shape[1]
    found = []
    for place, other in enumerate(others):
        moved = swapped[:, place * width : (place + 1) * width]
        ours = first.formula(first.rows.sum(axis=0) + moved)
        theirs = other.formula(other.rows.sum(axis=0) - moved)
        found.append(theirs - ours)
    return found


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, as adjusted p values in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        corrected[place] = highest
    return corrected


def _compare_all(
    metric: str,
    scores: Mapping[str, Score],
    samples: Mapping[tuple[str, str], Floats],
    options: Resampling,
) -> list[Comparison]:
    found = []
    names = list(scores)
    for place, baseline in enumerate(names[:-1]):
        later = names[place + 1 :]
        tossed = randomise(scores[baseline].statistics, [scores[name].statistics for name in later], options)
        for second, differences in zip(later, tossed, strict=True):
            delta = scores[second].value - scores[baseline].value
            drawn = samples[second, metric] - samples[baseline, metric]
            p_randomisation = _share(differences, delta)
            found.append(
                Comparison(
                    metric,
                    baseline,
                    second,
                    delta,
                    _interval(drawn, options.level),
                    _share(drawn - drawn.mean(), delta),
                    p_randomisation,
                    p_randomisation,
                    Outcome.UNDECIDED,
                )
            )
    corrected = holm([one.p_randomisation for one in found])
    better_up = {name: score.higher_is_better for name, score in scores.items()}
    return [
        _decided(replace(one, p_corrected=p), better_up[one.second], 1 - options.level)
        for one, p in zip(found, corrected, strict=True)
    ]


def _decided(one: Comparison, higher_is_better: bool, alpha: float) -> Comparison:
    apart = one.interval.low > 0 or one.interval.high < 0
    if not apart or one.p_corrected >= alpha:
        return one
    up = one.delta > 0
    return replace(one, outcome=Outcome.BETTER if up == higher_is_better else Outcome.WORSE)


def _share(differences: Floats, delta: float) -> float:
    """How often chance does as much as `delta`; never 0, as the sample itself is one such draw."""
    import numpy as np

    usable = differences[np.isfinite(differences)]
    extreme = int((np.abs(usable) >= abs(delta) - _TOLERANCE).sum())
    return (extreme + 1) / (len(usable) + 1)


def _interval(values: Floats, level: float) -> Interval:
    import numpy as np

    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return Interval(float(low), float(high))


def _drawn(indices: NDArray[np.int64], segments: int) -> Floats:
    """How often each segment was drawn, a row a sample."""
    import numpy as np

    offsets = np.arange(len(indices))[:, None] * segments
    counts = np.bincount((indices + offsets).ravel(), minlength=len(indices) * segments)
    return counts.reshape(len(indices), segments).astype(np.float64)


def _valued(sums: Floats, statistics: Sequence[Statistics]) -> list[Floats]:
    values, start = [], 0
    for one in statistics:
        width = one.rows.shape[1]
        values.append(one.formula(sums[:, start : start + width]))
        start += width
    return values


def _blocks(samples: int, segments: int) -> Iterator[int]:
    size = max(1, _CELLS // max(1, segments))
    for start in range(0, samples, size):
        yield min(size, samples - start)


def _segments(statistics: Sequence[Statistics]) -> int:
    counts = {len(one.rows) for one in statistics}
    if len(counts) != 1 or 0 in counts:
        raise InputError(f"systems are compared on the same segments, at least one; got {sorted(counts)}")
    return counts.pop()
