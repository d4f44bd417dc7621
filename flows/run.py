"""What all stages of one pipeline share: its settings, its folder of steps, and where its news goes.

In: a configuration file. Out: a `Run`.

    run = open_run("configs/starter.en-pt.yaml")
    run.step("filter", {"pairs": measured}, work)     # a `Done`: the folder, and whether it was there already
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.files import atomic_write
from data.settings import home
from flows.config import Pipeline, load_pipeline
from flows.showing import Show
from flows.step_folders import Done, StepFolders

SUMMARY = "summary.json"


class Steps:
    """A list of what was done; no list, for Prefect hands copies of lists to its tasks."""

    def __init__(self) -> None:
        self.done: list[Done] = []


@dataclass(frozen=True, slots=True)
class Run:
    """`steps` is filled as the run goes: what was done, in order, for `status` and the benchmark."""

    config: Path
    pipeline: Pipeline
    folders: StepFolders
    show: Show
    steps: Steps = field(default_factory=Steps)

    def step(
        self, name: str, inputs: Mapping[str, Any], work: Callable[[Path], None], resumes: bool = False
    ) -> Done:
        with self.show.stage(name):
            done = self.folders.run(name, inputs, work, resumes)
        self.steps.done.append(done)
        self.show.ends(done, summary(done))
        return done


def open_run(config: Path | str, show: Show | None = None) -> Run:
    path = Path(config)
    pipeline = load_pipeline(path)
    folders = StepFolders(run_folder(pipeline), wait=pipeline.operation.at_once == "wait")
    return Run(path, pipeline, folders, show or Show())


def run_folder(pipeline: Pipeline) -> Path:
    return home() / "pipelines" / pipeline.name


def write_summary(work: Path, counts: Mapping[str, Any]) -> None:
    with atomic_write(work / SUMMARY) as stream:
        json.dump(dict(counts), stream, indent=1, ensure_ascii=False, default=str)


def summary(done: Done) -> dict[str, Any]:
    """What the step counted; empty where it counted nothing."""
    try:
        found = json.loads((done.folder / SUMMARY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}
