"""Many questions at once: bounded, in order, one slot per question.

In: a chat model and lists of messages. Out: for each, its `Reply` or the `ChatError` that came in its place.

    complete_many(chat, [[Message("user", "1")], [Message("user", "2")]], concurrency=8)

Threads rather than coroutines: the work is waiting, the SDK's client is safe to share, and any `ChatModel`
will do, with its cache and its budget around it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar, runtime_checkable

from data.llm_values import ChatError, ChatModel, Message, Reply

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@runtime_checkable
class BatchingChat(Protocol):
    """A model that is faster with many requests in one call, as the embedded one is."""

    def complete_all(self, requests: Sequence[Sequence[Message]]) -> list[Reply]: ...


def complete_many(
    model: ChatModel, requests: Sequence[Sequence[Message]], concurrency: int = 8, *, as_json: bool = False
) -> list[Reply | ChatError]:
    if isinstance(model, BatchingChat) and len(requests) > 1:
        try:
            return list(model.complete_all(requests))
        except ChatError:  # one that is too long must not cost the others theirs
            concurrency = 1
    return list(
        each(lambda messages: model.complete(messages, as_json=as_json), requests, concurrency=concurrency)
    )


def each(
    work: Callable[[_In], _Out], inputs: Iterable[_In], concurrency: int = 8
) -> Iterator[_Out | ChatError]:
    """The results of `work` in order, as they come; holds no more than twice `concurrency` of them.

    Any other error than a `ChatError` is a bug, and ends the whole.
    """
    waiting: deque[Future[_Out | ChatError]] = deque()
    pool = ThreadPoolExecutor(max_workers=max(concurrency, 1), thread_name_prefix="chat")
    try:
        for one in inputs:
            waiting.append(pool.submit(_kept, work, one))
            if len(waiting) >= 2 * concurrency:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _kept(work: Callable[[_In], _Out], one: _In) -> _Out | ChatError:
    try:
        return work(one)
    except ChatError as error:
        return error
