"""Running pipelines from the command line: Prefect around it, lines in front of it.

In: a configuration and a server on its way. Out: what became of each pipeline.

    run_pipelines(Path("configs/all.yaml"), 2, start_server())     # ["released", "rejected"]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prefect import flow

from flows.closing import show_outcome
from flows.config import load_pipelines
from flows.full_pipeline import state_of
from flows.run import Run, run_folder
from flows.showing import Show
from flows.step_folders import StepFolders

if TYPE_CHECKING:
    from flows.engine import EmbeddedServer


def run_pipelines(config: Path, count: int, server: EmbeddedServer | None) -> list[str]:
    show = Show()
    if server is not None:
        server.join()
    states = []
    for number, pipeline in enumerate(load_pipelines(config), 1):
        if count > 1:
            show.line(f"[bold]{number} of {count}: {pipeline.name}[/bold]")
        folders = StepFolders(run_folder(pipeline), wait=pipeline.operation.at_once == "wait")
        states.append(_one(Run(config, pipeline, folders, show)))
    return states


def _one(run: Run) -> str:
    named = flow(name="full-pipeline", flow_run_name=run.pipeline.name, validate_parameters=False)(state_of)
    state: str = named(run, show_outcome)
    return state
