"""What waits for a batch, how a batch is computed, and why a request may be refused.

job = Job(request, Call(engine, DecodeConfig(), None), results=[None], left=1, owners=None, sentences=1)
computed([Sentence(job, 0, "Take 5 mg.", None)])          # what the engine says, sentence by sentence

QueueFull     more is waiting than the limits allow: answer 429 and `Retry-After: retry_after_seconds`
Closing       the server is going down: answer 503
Abandoned     raised in the thread of a request whose client has left
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data.errors import MedloopError
from mt.config import DecodeConfig

if TYPE_CHECKING:
    from mt.batching import Request
    from mt.engine import Engine

WINDOW = 64  # sentences of one request that wait at a time


class QueueFull(MedloopError):
    """Too much is waiting; nothing of the request was accepted."""

    def __init__(self, waiting: int, retry_after_seconds: int) -> None:
        super().__init__(f"{waiting} sentences are waiting already; try again in {retry_after_seconds} s")
        self.waiting, self.retry_after_seconds = waiting, retry_after_seconds


class Closing(MedloopError):
    """The server finishes what it has accepted and takes nothing more."""


class Abandoned(MedloopError):
    """The client has left, so its sentences were not translated."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """`batch_tokens`: padded tokens in a batch; `bulk_seconds`: how long a batch of one request's many
    sentences may last, so that who comes next waits no longer; `overdue_seconds`: after which one goes,
    whether its length fits or not; `linger_seconds`: how long a free worker waits at most for those whom it
    has just answered to come back with more; `lull_seconds`: how long for one more after another."""

    batch_tokens: int = 2048
    bulk_seconds: float = 0.18
    overdue_seconds: float = 0.2
    most_waiting: int = 4096
    workers: int = 0  # 0: one for each translation that the engine runs at once
    linger_seconds: float = 0.04
    lull_seconds: float = 0.01


@dataclass(frozen=True, slots=True)
class BatcherState:
    """For `/metrics` and `/readyz`."""

    waiting: int
    running: int
    sentences_done: int
    batches_done: int
    closing: bool


@dataclass(eq=False, slots=True)
class Job:
    """Sentences submitted together; results come in any order."""

    request: Request
    call: Call
    results: list[Any]
    left: int
    owners: Sequence[int] | None  # which sentence each piece is of, where some had to be cut
    sentences: int
    future: Future[list[Any]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Call:
    """What makes two sentences fit for one batch."""

    engine: Engine
    decode: DecodeConfig
    attention: bool | None  # None: plain translation, cut where too long


@dataclass(eq=False, slots=True)
class Sentence:
    job: Job
    place: int
    text: str
    prefix: Sequence[str] | None


def computed(sentences: Sequence[Sentence]) -> Sequence[Any]:
    call = sentences[0].job.call
    texts = [sentence.text for sentence in sentences]
    if call.attention is None:
        return next(call.engine.translate_stream([texts], call.decode))
    prefixes = [sentence.prefix for sentence in sentences]
    return call.engine.candidates(
        texts, call.decode, prefixes if any(prefixes) else None, attention=call.attention
    )


def parts_of(windows: Iterable[Sequence[str]]) -> Iterator[tuple[Sequence[str], bool]]:
    """Windows in parts that may wait at a time, and whether a part is the last of its window."""
    for window in windows:
        for start in range(0, max(1, len(window)), WINDOW):
            yield window[start : start + WINDOW], start + WINDOW >= len(window)


def outcome(future: Future[list[Any]]) -> list[Any]:
    try:
        return future.result()
    except CancelledError:
        raise Abandoned("the client has left") from None
