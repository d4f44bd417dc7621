"""Flow: sources of text to files that training reads.

In: a pipeline's YAML. Out: the folder of the prepared pairs.

    prepare_data("configs/starter.en-pt.yaml")
"""

from __future__ import annotations

from prefect import flow

from flows import steps
from flows.run import Run, open_run
from flows.step_folders import Done


@flow(name="prepare-data", validate_parameters=False)
def prepare_data(config: str) -> str:
    """Generate, measure, filter, deduplicate, decontaminate, split.

    Args:
        config: a pipeline's YAML file
    """
    return str(prepare(open_run(config)).folder)


def prepare(run: Run) -> Done:
    gathered = steps.gather(run, steps.generate(run))
    kept = steps.filter_pairs(run, steps.measure(run, gathered))
    clean = steps.decontaminate(run, steps.deduplicate(run, kept))
    pairs: Done = steps.prepare(run, clean)
    return pairs
