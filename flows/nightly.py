"""Flow: what is new since the last run, and only then the whole loop.

In: a pipeline's YAML with `operation.corrections` (a file or folder of reviewed pairs). Out: nothing-new, or
what became of the release.

    nightly("configs/starter.en-pt.yaml")        # "nothing-new"

New is what the content says, not the clock: corrections and termbases are compared by their hashes with
those of the last night that went through.
"""

from __future__ import annotations

import json
from pathlib import Path

from prefect import flow

from data.files import atomic_write
from flows.config import RealSource
from flows.full_pipeline import SKIPPED, state_of
from flows.run import Run, open_run
from flows.step_folders import content_digest

CORRECTIONS, SEEN = "corrections", "nightly.json"
NOTHING = "nothing-new"
_WEIGHT = 1.0


@flow(name="nightly", validate_parameters=False)
def nightly(config: str) -> str:
    """Learn from reviewed corrections and new terms, or stop early.

    Args:
        config: a pipeline's YAML file
    """
    run = open_run(config)
    now = sources(run)
    if now == last_seen(run):
        run.show.plain("nothing new: corrections and termbases are those of the last run")
        return NOTHING
    state = state_of(with_corrections(run))
    if state != SKIPPED:
        remember(run, now)
    return state


def sources(run: Run) -> dict[str, str]:
    """What may change by night, by its content."""
    paths = [*run.pipeline.data.termbases]
    if run.pipeline.operation.corrections is not None:
        paths.append(run.pipeline.operation.corrections)
    return {str(path): content_digest(path) for path in paths if path.exists()}


def last_seen(run: Run) -> dict[str, str] | None:
    try:
        found = json.loads((run.folders.root / SEEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def remember(run: Run, now: dict[str, str]) -> None:
    run.folders.root.mkdir(parents=True, exist_ok=True)
    with atomic_write(run.folders.root / SEEN) as stream:
        json.dump(now, stream, indent=1)


def with_corrections(run: Run) -> Run:
    """The reviewed pairs are one more source of text."""
    import dataclasses

    path: Path | None = run.pipeline.operation.corrections
    if path is None or not path.exists():
        return run
    more = RealSource.model_construct(name=CORRECTIONS, path=path, weight=_WEIGHT, anchor=0.0)
    data = run.pipeline.data.model_copy(update={"real": (*run.pipeline.data.real, more)})
    return dataclasses.replace(run, pipeline=run.pipeline.model_copy(update={"data": data}))
