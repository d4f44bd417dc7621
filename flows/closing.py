"""What a newcomer sees last: before and after in one table, and what it is worth.

In: an `Outcome`. Out: lines.

    show_outcome(outcome)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eval.significance import Outcome as Difference
from flows.judging import DOCUMENT, NEW, OLD, evaluations
from flows.preparing import dropped_files

if TYPE_CHECKING:
    from eval.results import Evaluation
    from flows.full_pipeline import Outcome
    from flows.showing import Show

METRICS = ("COMET", "BLEU", "chrF2++", "term success")
_DROPPING = ("filter", "deduplicate", "decontaminate")
_WORDS = {Difference.BETTER: "better", Difference.WORSE: "worse", Difference.UNDECIDED: "no clear difference"}


def show_outcome(outcome: Outcome) -> None:
    run, show = outcome.run, outcome.run.show
    show.plain("")
    for role, evaluation in evaluations(run, outcome.scores).items():
        _table(show, role, evaluation)
    show.plain(f"{run.pipeline.pair} {outcome.released.state}: {outcome.released.version}")
    for reason in outcome.released.reasons:
        show.plain(f"  {reason}")
    for path in dropped_files(*(one for one in run.steps.done if one.name in _DROPPING)):
        show.plain(f"dropped, with reasons: {path}")
    if outcome.document is not None:
        show.plain(f"translated document:   {outcome.document.folder / DOCUMENT}")
    show.plain(f"report:                {outcome.report}")
    show.plain("")
    show.plain(honest(outcome))


def _table(show: Show, role: str, evaluation: Evaluation) -> None:
    count = len(evaluation.segments)
    show.line(f"[bold]{role}: {evaluation.testset}, {count} segments[/bold]".ljust(1))
    show.plain(f"  {'':<22}{'before':>9}{'after':>9}")
    old, new = evaluation.system(OLD), evaluation.system(NEW)
    for metric in evaluation.metrics:
        before, after = old.value(metric), new.value(metric)
        if before is None or after is None or not _shown(metric):
            continue
        found = evaluation.comparison(metric, OLD, NEW)
        word = _WORDS[found.outcome] if found else ""
        show.plain(f"  {metric:<22}{before:>9.2f}{after:>9.2f}  {word}")
    show.plain(f"  {'critical findings':<22}{old.critical:>9}{new.critical:>9}")


def _shown(metric: str) -> bool:
    return metric in METRICS or "term" in metric or "segments" in metric


def honest(outcome: Outcome) -> str:
    found = evaluations(outcome.run, outcome.scores).values()
    sizes = " and ".join(str(len(one.segments)) for one in found)
    return (
        "What this shows: that the loop runs from text to a judged release on this machine.\n"
        f"What it does not: a better model in earnest. With {sizes} test segments only large\n"
        "differences can be told from chance, the training text is a few hundred sentences,\n"
        "and no clinician has read the output. Train on your own text, and test on your own text."
    )
