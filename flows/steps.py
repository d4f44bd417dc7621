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
from flows.engine import has_embedded_server

if TYPE_CHECKING:
    from flows.config import Operation
    from flows.run import Run

_LONGER = 6  # each further attempt waits so many times as long


def can_pass(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """A server that did not answer may answer later; a budget that is spent stays spent."""
    error = state.result(raise_on_failure=False)
    passing = (ChatError, ConnectionError, TimeoutError)
    return isinstance(error, passing) and not type(error).__name__.startswith("Budget")


def _task(stage: Any, name: str) -> Any:
    return task(name=name, persist_result=False, cache_policy=NO_CACHE)(stage)


def limited(stage: Task[..., Any], tag: str) -> Task[..., Any]:
    """Prefect's limits for several runs at once go by tag: `prefect concurrency-limit create llm 4`.

    An embedded server serves one run alone and has none. Asking it often meets SQLite at its bookkeeping, and
    the client asks again only after two seconds.
    """
    return stage if has_embedded_server() else stage.with_options(tags={tag})


def retrying(stage: Task[..., Any], operation: Operation) -> Task[..., Any]:
    """The same task with the attempts that the pipeline's file asks for."""
    delays = [operation.retry_seconds * _LONGER**number for number in range(operation.retries)]
    return stage.with_options(
        retries=operation.retries, retry_delay_seconds=delays or 0, retry_condition_fn=can_pass
    )


_generate = _task(generating.generated, "generate")
gather = _task(preparing.gather, "gather")
measure = _task(preparing.measured, "measure")
filter_pairs = _task(preparing.filtered, "filter")
deduplicate = _task(preparing.deduplicated, "deduplicate")
decontaminate = _task(preparing.decontaminated, "decontaminate")
prepare = _task(preparing.prepared, "prepare")
_train = _task(training.trained, "train")
convert = _task(training.converted, "convert")
register = _task(training.registered, "register")
_evaluate = _task(judging.evaluated, "evaluate")
gate = _task(judging.gated, "gate")
release = _task(judging.released, "release")
document = _task(judging.document_translated, "document")


def generate(run: Run) -> Any:
    return retrying(limited(_generate, "llm"), run.pipeline.operation)(run)


def train(run: Run, pairs: Any) -> Any:
    return limited(_train, "training")(run, pairs)


def evaluate(run: Run, version: str, pairs: Any) -> Any:
    return retrying(limited(_evaluate, "llm"), run.pipeline.operation)(run, version, pairs)
