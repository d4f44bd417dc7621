"""Flow: prepared pairs to a candidate in the registry.

In: a pipeline's YAML. Out: the candidate's version; what is prepared already is not prepared again.

    train_model("configs/starter.en-pt.yaml")        # "2026-11-21-3f2a9c1e"
"""

from __future__ import annotations

from prefect import flow

from flows import steps
from flows.prepare_data import prepare
from flows.run import Run, open_run
from flows.step_folders import Done


@flow(name="train-model", validate_parameters=False)
def train_model(config: str) -> str:
    """Fine-tune, convert, compare, register as candidate.

    Args:
        config: a pipeline's YAML file
    """
    run = open_run(config)
    return train(run, prepare(run))


def train(run: Run, pairs: Done) -> str:
    checkpoint = steps.train(run, pairs)
    version: str = steps.register(run, steps.convert(run, checkpoint, pairs))
    return version
