"""Flow: the candidate beside the model in use and outside systems, on all test sets.

In: a pipeline's YAML. Out: the folder of the reports.

    evaluate_model("configs/starter.en-pt.yaml")
"""

from __future__ import annotations

from prefect import flow

from flows import steps
from flows.artifacts import show_scores
from flows.prepare_data import prepare
from flows.run import Run, open_run
from flows.step_folders import Done
from flows.train_model import train


@flow(name="evaluate-model", validate_parameters=False)
def evaluate_model(config: str) -> str:
    """Score all systems and write the reports.

    Args:
        config: a pipeline's YAML file
    """
    run = open_run(config)
    pairs = prepare(run)
    return str(evaluate(run, train(run, pairs), pairs).folder)


def evaluate(run: Run, version: str, pairs: Done) -> Done:
    scores: Done = steps.evaluate(run, version, pairs)
    show_scores(run, scores)
    return scores
