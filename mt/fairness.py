"""Whose sentence comes next: requests take turns, one sentence a turn, so that a document delays nobody.

In: sentences of many requests, each with its cost in tokens and what it may share a batch with. Out: batches.

>>> queue = FairQueue()
>>> for word in ("long", "longer", "longest"):
...     queue.add(Item(turn="document", key="greedy", cost=5, work=word))
>>> queue.add(Item(turn="one line", key="greedy", cost=5, work="short"))
>>> [item.work for item in queue.take(budget=10, most=8)]
['long', 'short']

Nothing here locks: the one who shares a queue between threads guards it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """`turn`: whose it is; `key`: only equal keys share a batch; `cost`: tokens it takes in a batch."""

    turn: Hashable
    key: Hashable
    cost: int
    work: Any


class FairQueue:
    def __init__(self) -> None:
        self._turns: dict[Hashable, deque[Item]] = {}  # in the order of their next turn
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def turns(self) -> int:
        """Requests that wait."""
        return len(self._turns)

    def add(self, item: Item) -> None:
        self._turns.setdefault(item.turn, deque()).append(item)
        self._size += 1

    def take(self, budget: int, most: int) -> list[Item]:
        """The next batch: at least one item, then more while they fit in `budget` padded to the longest."""
        if not self._turns:
            return []
        key = next(iter(self._turns.values()))[0].key
        round_ = [turn for turn, items in self._turns.items() if items[0].key == key]
        taken: list[Item] = []
        longest = 0
        while round_ and len(taken) < most:
            left: list[Hashable] = []
            for turn in round_:
                items = self._turns[turn]
                longest = max(longest, items[0].cost)
                if taken and (longest * (len(taken) + 1) > budget or len(taken) >= most):
                    left.clear()
                    break
                taken.append(items.popleft())
                if items and items[0].key == key:
                    left.append(turn)
            round_ = left
        self._size -= len(taken)
        served = dict.fromkeys(item.turn for item in reversed(taken))
        for turn in reversed(served):  # to the end, the one served last behind all others
            items = self._turns.pop(turn)
            if items:
                self._turns[turn] = items
        return taken

    def remove(self, gone: Callable[[Any], bool]) -> None:
        """Drops the items whose `work` is gone."""
        for turn in list(self._turns):
            kept = deque(item for item in self._turns[turn] if not gone(item.work))
            self._size -= len(self._turns[turn]) - len(kept)
            if kept:
                self._turns[turn] = kept
            else:
                del self._turns[turn]
