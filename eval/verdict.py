"""What an evaluation says, in sentences and table cells; nothing is called better unless it is significant.

In: an `Evaluation`. Out: headlines with a tone (good, bad, even, note), and a table with marks.

    headlines(evaluation)[0]    # Headline("good", "new is significantly better than old in BLEU.")
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

from eval.results import Evaluation, ScoreResult, SystemResult
from eval.significance import Comparison, Outcome

QUALITY = ("COMET", "BLEU", "chrF2++", "TER", "ROUGE-L", "METEOR", "BERTScore", "round trip")
SAFETY = ("critical segments", "flagged segments")
_MOST_ALL_PAIRS = 3  # systems; of more, each is set against the first, and results.json has all pairs
_MARKS = {Outcome.BETTER: "better", Outcome.WORSE: "worse", Outcome.UNDECIDED: "even"}


@dataclass(frozen=True, slots=True)
class Headline:
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """`mark` is about the first system: better, worse, even, or empty; `best` is the best of its column."""

    score: ScoreResult | None
    mark: str = ""
    best: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    system: SystemResult
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure at the top of the page."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


def headlines(evaluation: Evaluation) -> list[Headline]:
    names = [system.name for system in evaluation.systems if system.condition != "random"]
    pairs = combinations(names, 2) if len(names) <= _MOST_ALL_PAIRS else product(names[:1], names[1:])
    found = [line for first, second in pairs for line in _pair(evaluation, first, second)]
    controls = [system.name for system in evaluation.systems if system.condition == "random"]
    if controls:
        text = (
            f"{listed(controls)}: the control, given words of the references; not to be compared in quality."
        )
        found.append(Headline("note", text))
    if len(evaluation.systems) == 1:
        found.append(
            Headline("note", f"Only {evaluation.systems[0].name} was evaluated: nothing to compare.")
        )
    return [*found, *_safety(evaluation), *_contamination(evaluation)]


def _pair(evaluation: Evaluation, first: str, second: str) -> list[Headline]:
    names = (
        *QUALITY,
        *(name for name in evaluation.metrics if name not in QUALITY and not name.startswith("random ")),
    )
    measured = [one for name in names if (one := evaluation.comparison(name, first, second))]
    if not measured:
        return []
    by_outcome = {outcome: [one.metric for one in measured if one.outcome is outcome] for outcome in Outcome}
    lines = []
    for outcome, tone in ((Outcome.BETTER, "good"), (Outcome.WORSE, "bad")):
        if by_outcome[outcome]:
            where = listed(by_outcome[outcome])
            lines.append(
                Headline(tone, f"{second} is significantly {outcome.value} than {first} in {where}.")
            )
    if by_outcome[Outcome.UNDECIDED]:
        where = listed(by_outcome[Outcome.UNDECIDED])
        lines.append(Headline("even", f"No significant difference between {first} and {second} in {where}."))
    return lines


def _safety(evaluation: Evaluation) -> list[Headline]:
    counts = [f"{system.name} {system.critical}" for system in evaluation.systems]
    total = sum(system.critical for system in evaluation.systems)
    if not total:
        return [Headline("good", "The clinical checks found nothing critical.")]
    text = f"Critical findings of the clinical checks: {listed(counts)}"
    human = evaluation.reference_findings
    if human is not None:
        text += f" (in the human references: {sum(kind.get('critical', 0) for kind in human.values())})"
    return [Headline("bad", f"{text}. Read each of them below.")]


def _contamination(evaluation: Evaluation) -> list[Headline]:
    seen = [system.contamination for system in evaluation.systems if system.contamination]
    found = max((one.exact + one.near for one in seen), default=0)
    if not found:
        return []
    text = f"{found} of {len(evaluation.segments)} test segments stand in the training text"
    return [Headline("bad", f"{text}; the scores without them are given as well.")]


def table(evaluation: Evaluation) -> list[Row]:
    names = evaluation.metrics
    best = {name: _best(evaluation, name) for name in names}
    first = evaluation.systems[0].name
    rows = []
    for system in evaluation.systems:
        cells = []
        for name in names:
            score = system.score(name)
            compared = evaluation.comparison(name, first, system.name) if system.name != first else None
            cells.append(
                Cell(score, _mark(compared), score is not None and score.value == best[name], _said(compared))
            )
        rows.append(Row(system, tuple(cells)))
    return rows


def groups(evaluation: Evaluation) -> list[tuple[str, list[int]]]:
    """The places of the metrics under a heading each, so that a long table reads."""
    found: dict[str, list[int]] = {"Quality": [], "Terms": [], "Safety": [], "Judge": []}
    for place, name in enumerate(evaluation.metrics):
        found[_group(name)].append(place)
    return [(name, places) for name, places in found.items() if places]


def _group(metric: str) -> str:
    if "term " in metric:
        return "Terms"
    if metric.startswith("judge"):
        return "Judge"
    return "Safety" if metric in SAFETY else "Quality"


def _best(evaluation: Evaluation, name: str) -> float | None:
    scores = [score for system in evaluation.systems if (score := system.score(name))]
    if len(scores) < 2:
        return None
    pick = max if scores[0].higher_is_better else min
    return pick(score.value for score in scores)


def _mark(found: Comparison | None) -> str:
    return _MARKS[found.outcome] if found else ""


def _said(found: Comparison | None) -> str:
    if found is None:
        return ""
    return (
        f"{found.delta:+.2f} [{found.interval.low:+.2f}, {found.interval.high:+.2f}] "
        f"against {found.baseline}; "
        f"p = {found.p_corrected:.3f} (randomisation, corrected), {found.p_bootstrap:.3f} (bootstrap)"
    )


def summary(evaluation: Evaluation) -> list[Fact]:
    languages = f"{evaluation.source_language} → {evaluation.target_language}"
    critical = [system.critical for system in evaluation.systems]
    spread = f"{min(critical)}" if min(critical) == max(critical) else f"{min(critical)} to {max(critical)}"
    return [
        Fact("Test set", evaluation.testset, f"{len(evaluation.segments):,} segments, {languages}"),
        Fact(
            "Systems", str(len(evaluation.systems)), ", ".join(system.name for system in evaluation.systems)
        ),
        Fact("Critical findings", spread, "per system", "bad" if max(critical) else "good"),
        Fact(
            "Not measured",
            str(len(evaluation.not_measured)),
            "reasons below" if evaluation.not_measured else "",
        ),
    ]


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`"""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
