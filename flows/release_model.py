"""Flow: gate, then promote or reject with reasons; a smoke test after the switch, and back if it fails.

In: a pipeline's YAML. Out: released, rejected or rolled-back.

    release_model("configs/starter.en-pt.yaml")
"""

from __future__ import annotations

from prefect import flow

from flows import steps
from flows.artifacts import show_release
from flows.evaluate_model import evaluate
from flows.judging import Released
from flows.notifying import notify
from flows.prepare_data import prepare
from flows.run import Run, open_run
from flows.step_folders import Done
from flows.train_model import train


@flow(name="release-model", validate_parameters=False)
def release_model(config: str) -> str:
    """Decide by the gate, switch, try, and switch back if need be.

    Args:
        config: a pipeline's YAML file
    """
    run = open_run(config)
    pairs = prepare(run)
    version = train(run, pairs)
    return release(run, version, evaluate(run, version, pairs))[0].state


def release(run: Run, version: str, scores: Done) -> tuple[Released, Done]:
    verdict: Done = steps.gate(run, scores)
    found: Released = steps.release(run, version, verdict)
    show_release(run, found, verdict)
    if found.state != "released":
        notify(run.pipeline, found.state, found.reasons)
    return found, verdict
