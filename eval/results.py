"""What an evaluation found, as values that go to disk and come back: for the report, the gate and the next
reader.

In: nothing; `eval.run` fills them. Out: JSON, and the same values from JSON.

    save_evaluation("out/results.json", evaluation)
    load_evaluation(Path("out/results.json")).system("starter").value("chrF2++")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.checks.findings import Finding
from data.errors import ConfigError, InputError
from data.files import atomic_write_bytes
from eval.judge import JudgedError, PreferenceSummary
from eval.scores import NotMeasured
from eval.significance import Comparison

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """`low` to `high` is the bootstrap interval; how it was drawn stands in the evaluation's signature."""

    name: str
    value: float
    low: float
    high: float
    signature: str
    higher_is_better: bool = True


@dataclass(frozen=True, slots=True)
class ContaminationResult:
    """How many test segments stand in the training text of the system, exactly and nearly."""

    exact: int
    near: int
    threshold: float
    training_segments: int
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemResult:
    """`findings` counts kind by severity; `clean_scores` leave out the segments that any system has seen."""

    name: str
    kind: str
    origin: str
    condition: str
    scores: tuple[ScoreResult, ...]
    clean_scores: tuple[ScoreResult, ...]
    critical: int
    findings: dict[str, dict[str, int]]
    words_per_second: float | None = None
    contamination: ContaminationResult | None = None

    def score(self, name: str) -> ScoreResult | None:
        return next((score for score in self.scores if score.name == name), None)

    def value(self, name: str) -> float | None:
        found = self.score(name)
        return found.value if found else None


@dataclass(frozen=True, slots=True)
class OutputResult:
    """One system's output for one segment, and all that was noticed about it."""

    text: str
    scores: dict[str, float | None]
    findings: tuple[Finding, ...] = ()
    missing_terms: tuple[tuple[str, str], ...] = ()
    errors: tuple[JudgedError, ...] = ()
    judged: bool | None = None
    back: str | None = None
    low_round_trip: bool = False


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """Outputs in the order of the evaluation's systems."""

    id: str
    document: str
    source: str
    reference: str
    outputs: tuple[OutputResult, ...]


@dataclass(frozen=True, slots=True)
class PreferenceResult:
    first: str
    second: str
    summary: PreferenceSummary


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`main_metric` is what segments are ranked by; `seconds` is how long it took, translation included."""

    testset: str
    testset_digest: str
    source_language: str
    target_language: str
    created: str
    seconds: float
    signature: str
    main_metric: str
    systems: tuple[SystemResult, ...]
    comparisons: tuple[Comparison, ...]
    clean_comparisons: tuple[Comparison, ...]
    clean_segments: int | None
    not_measured: tuple[NotMeasured, ...]
    warnings: tuple[str, ...]
    segments: tuple[SegmentResult, ...]
    preferences: tuple[PreferenceResult, ...] = ()
    reference_findings: dict[str, dict[str, int]] | None = None
    format: int = FORMAT

    def system(self, name: str) -> SystemResult:
        for system in self.systems:
            if system.name == name:
                return system
        known = ", ".join(system.name for system in self.systems)
        raise ConfigError(f"no system {name!r} in the evaluation on {self.testset}; there are: {known}")

    def comparison(self, metric: str, baseline: str, second: str) -> Comparison | None:
        """As asked for: turned round where the evaluation compared them the other way."""
        for one in self.comparisons:
            if one.metric == metric and (one.baseline, one.second) == (baseline, second):
                return one
            if one.metric == metric and (one.second, one.baseline) == (baseline, second):
                return one.reversed()
        return None

    @property
    def metrics(self) -> tuple[str, ...]:
        names = (score.name for system in self.systems for score in system.scores)
        return tuple(dict.fromkeys(names))


def save_evaluation(path: Path | str, evaluation: Evaluation) -> None:
    from pydantic import TypeAdapter

    with atomic_write_bytes(path) as stream:
        stream.write(TypeAdapter(Evaluation).dump_json(evaluation, indent=1))
        stream.write(b"\n")


def load_evaluation(path: Path) -> Evaluation:
    """Of a results.json, or the folder that holds it."""
    from pydantic import TypeAdapter, ValidationError

    path = path / "results.json" if path.is_dir() else path
    try:
        return TypeAdapter(Evaluation).validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path}: not the results of an evaluation ({place}: {first['type']})") from None
