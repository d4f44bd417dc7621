"""Work on a long stream with every core, in order, in flat memory.

In: a function, and blocks of items. Out: each block with what became of it, in the order they came.

    for block, lengths in ordered_map(partial(map_all, len), blocks(words, 500), processes=2): ...

The function and what it takes and gives must be picklable. A stream that fits one block is worked on here,
without starting processes; so is everything where `processes` is 1.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import TypeVar

from data.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
BLOCK = 500
_AHEAD = 3  # blocks under way for each process


def blocks(items: Iterable[Item], size: int = BLOCK) -> Iterator[list[Item]]:
    """The items in lists of `size`, the last one shorter."""
    source = iter(items)
    while block := list(islice(source, size)):
        yield block


def cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ordered_map(
    work: Callable[[list[Item]], Result], parts: Iterable[list[Item]], processes: int = 0
) -> Iterator[tuple[list[Item], Result]]:
    """Each block with its result; `processes` 0 is one for each core."""
    processes = processes or cores()
    source = iter(parts)
    first = list(islice(source, 2))
    if len(first) < 2 or processes == 1:
        yield from ((block, work(block)) for block in chain(first, source))
        return
    yield from _in_processes(work, chain(first, source), processes)


def _in_processes(
    work: Callable[[list[Item]], Result], parts: Iterator[list[Item]], processes: int
) -> Iterator[tuple[list[Item], Result]]:
    # Not forked from here: the parent may hold threads (CTranslate2's), and a fork of those can hang.
    context = multiprocessing.get_context(
        "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    )
    pool = ProcessPoolExecutor(processes, mp_context=context)
    waiting: deque[tuple[list[Item], Future[Result]]] = deque()
    try:
        for block in parts:
            waiting.append((block, pool.submit(work, block)))
            if len(waiting) >= processes * _AHEAD:
                done, promise = waiting.popleft()
                yield done, promise.result()
        while waiting:
            done, promise = waiting.popleft()
            yield done, promise.result()
    except BrokenProcessPool:
        raise InputError(
            "a worker process was ended from outside (out of memory?); try --processes 1"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
