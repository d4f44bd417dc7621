"""Prefect's tasks: each wraps one stage. Retries are for what can pass (an LLM, a network), nothing else.

In: a `Run` and results of earlier tasks: paths, never data. Out: what the stage returns.

    pairs = prepare(run, decontaminate(run, unique))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from data.llm import ChatError
from flows import generating, judging, preparing, training

if TYPE_CHECKING:
    from flows.config import Operation
    from flows.run import Run

_LONGER = 6  # each further attempt waits so many times as long


def can_pass(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """A server that did not answer may answer later; a budget that is spent stays spent."""
    error = state.result(raise_on_failure=False)
    passing = (ChatError, ConnectionError, TimeoutError)
    return isinstance(error, passing) and not type(error).__name__.startswith("Budget")


def _task(stage: Any, name: str, tags: tuple[str, ...] = ()) -> Any:
    return task(name=name, tags=set(tags), persist_result=False, cache_policy=NO_CACHE)(stage)


def retrying(stage: Task[..., Any], operation: Operation) -> Task[..., Any]:
    """The same task with the attempts that the pipeline's file asks for."""
    delays = [operation.retry_seconds * _LONGER**number for number in range(operation.retries)]
    return stage.with_options(
        retries=operation.retries, retry_delay_seconds=delays or 0, retry_condition_fn=can_pass
    )


# Tags are Prefect's limits for several runs at once: `prefect concurrency-limit create llm 4`.
_generate = _task(generating.generated, "generate", ("llm",))
gather = _task(preparing.gather, "gather")
measure = _task(preparing.measured, "measure")
filter_pairs = _task(preparing.filtered, "filter")
deduplicate = _task(preparing.deduplicated, "deduplicate")
decontaminate = _task(preparing.decontaminated, "decontaminate")
prepare = _task(preparing.prepared, "prepare")
train = _task(training.trained, "train", ("training",))
convert = _task(training.converted, "convert")
register = _task(training.registered, "register")
_evaluate = _task(judging.evaluated, "evaluate", ("llm",))
gate = _task(judging.gated, "gate")
release = _task(judging.released, "release")
document = _task(judging.document_translated, "document")


def generate(run: Run) -> Any:
    return retrying(_generate, run.pipeline.operation)(run)


def evaluate(run: Run, version: str, pairs: Any) -> Any:
    return retrying(_evaluate, run.pipeline.operation)(run, version, pairs)
