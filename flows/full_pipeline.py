"""The loop in one piece, the file to read first: from seeds and corpora to a model in use.

In: a pipeline's YAML. Out: an `Outcome`: what was decided, and where everything lies.

    full_pipeline("configs/starter.en-pt.yaml")

Each line below is a task or a few; each task is one library function with a folder of results. What is done
already is not done again, so the way to go on after a stop is to start the same thing again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from prefect import flow

from flows import steps
from flows.evaluate_model import evaluate
from flows.judging import REPORT, Released
from flows.notifying import notify
from flows.prepare_data import prepare
from flows.release_model import release
from flows.run import Run, open_run
from flows.step_folders import Done, LockedError, locked
from flows.train_model import train

SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    run: Run
    released: Released
    scores: Done
    report: Path
    document: Done | None


@flow(name="full-pipeline", validate_parameters=False)
def full_pipeline(config: str) -> str:
    """Everything, from seeds to a model in use.

    Args:
        config: a pipeline's YAML file
    """
    return state_of(open_run(config))


def state_of(run: Run, show: Callable[[Outcome], None] = lambda _: None) -> str:
    """What became of the release; `skipped` where another run is at it and the configuration wants that."""
    try:
        outcome = whole(run)
    except LockedError as error:
        if run.pipeline.operation.at_once != "skip":
            raise
        run.show.plain(f"{error}; skipped, as the configuration says")
        return SKIPPED
    show(outcome)
    return outcome.released.state


def whole(run: Run) -> Outcome:
    """One run of a pipeline at a time; what another does meanwhile is the configuration's `at_once`."""
    lock = run.folders.root / ".pipeline.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with locked(lock, f"pipeline {run.pipeline.name}", wait=run.folders.wait):
        try:
            return _whole(run)
        except Exception as error:
            notify(run.pipeline, "failed", (type(error).__name__,))
            raise


def _whole(run: Run) -> Outcome:
    pairs = prepare(run)
    version = train(run, pairs)
    scores = evaluate(run, version, pairs)
    released, verdict = release(run, version, scores)
    document: Done | None = steps.document(run)
    return Outcome(run, released, scores, verdict.folder / REPORT, document)
