"""Schedules: a process that holds the deployments of `prefect.yaml` and runs them when they are due.

    PREFECT_API_URL=http://prefect:4200/api python -m flows.serve configs/starter.en-pt.yaml

In: pipelines' YAML files. Out: for each one deployments for the night (what is new since the last run), the
week (the full evaluation) and the month (new text), as long as the process runs. What is due while the last
run still goes waits or is skipped, as `operation.at_once` says; with a hard stop nothing is lost, as every
step goes on where it was. It needs a Prefect server that stays: `prefect server start`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from data.errors import ConfigError, MedloopError
from flows.config import load_pipeline
from flows.engine import prepare_environment

NIGHTLY, WEEKLY, MONTHLY = "30 1 * * *", "0 3 * * 0", "0 4 1 * *"


def deployments(configs: list[Path]) -> list[Any]:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy

    from flows.evaluate_model import evaluate_model
    from flows.full_pipeline import full_pipeline
    from flows.nightly import nightly

    found = []
    for config in configs:
        pipeline = load_pipeline(config)
        skip = pipeline.operation.at_once == "skip"
        strategy = ConcurrencyLimitStrategy.CANCEL_NEW if skip else ConcurrencyLimitStrategy.ENQUEUE
        for flow, word, cron in (
            (nightly, "nightly", NIGHTLY),
            (evaluate_model, "weekly-evaluation", WEEKLY),
            (full_pipeline, "monthly-regeneration", MONTHLY),
        ):
            found.append(
                flow.to_deployment(
                    name=f"{word}-{pipeline.name}",
                    cron=cron,
                    parameters={"config": str(config.absolute())},
                    tags=[pipeline.pair],
                    concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=strategy),
                )
            )
    return found


def main(arguments: list[str]) -> int:
    prepare_environment()
    try:
        if not os.environ.get("PREFECT_API_URL"):
            raise ConfigError("schedules need a Prefect server that stays: set PREFECT_API_URL")
        if not arguments:
            raise ConfigError("give the pipelines to serve: python -m flows.serve configs/NAME.yaml ...")
        found = deployments([Path(argument) for argument in arguments])
    except MedloopError as error:
        sys.stderr.write(f"flows.serve: {error}\n")
        return 2
    from prefect import serve

    serve(*found, pause_on_shutdown=False)  # a restart must not silently end the schedule
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
