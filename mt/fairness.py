"""Whose sentences come next: what came alone before what came in hundreds, and neither starves the other.

In: sentences of many requests, each with its cost in tokens and what it may share a batch with. Out: batches.

>>> queue = FairQueue()
>>> for number in range(200):
...     queue.add(Item(turn="document", key="greedy", cost=5, work=number))
>>> queue.add(Item(turn="one line", key="greedy", cost=5, work="short"))
>>> [[item.work for item in queue.take(Room(8, 2048, 8, 60))] for _ in range(2)]
[['short'], [0, 1]]

A turn with more than a few waiting sentences is `bulk`. Bulk has batches of its own, small enough that who
comes next waits no longer than one, and gets them when no other sentence waits or when the others have had
their share: one sentence each for every sentence of bulk. Sentences of the others go by length, so that a
batch needs little padding; who has waited too long goes first.

Nothing here locks: the one who shares a queue between threads guards it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import attrgetter, itemgetter
from typing import Any

_FEW = 8  # sentences that wait of a turn which is not bulk
_STEP = 10


@dataclass(frozen=True, slots=True)
class Item:
    """`turn`: whose it is; `key`: only equal keys share a batch; `cost`: tokens it takes in a batch;
    `time`: when it came, in seconds."""

    turn: Hashable
    key: Hashable
    cost: int
    work: Any
    time: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Room:
    """How much a batch takes: sentences, tokens padded to the longest, and of bulk so much `work`.

    What came before `overdue` is not left out for its length.
    """

    most: int
    tokens: int
    bulk_most: int
    bulk_work: float
    overdue: float = float("-inf")

    def full(self, longest: int, sentences: int) -> bool:
        """Of bulk, there is no room for another one; two last hardly longer than one."""
        more = sentences + 1
        too_long = longest * more > self.tokens or (more > 2 and work(longest, more) > self.bulk_work)
        return too_long or sentences >= self.bulk_most


def work(longest: int, sentences: int) -> int:
    """What a batch takes of a worker's time: a step of the decoder, of which there are as many as the longest
    needs, costs about as much as ten sentences however few are in it."""
    return longest * (sentences + _STEP)


class FairQueue:
    def __init__(self) -> None:
        self._turns: dict[Hashable, deque[Item]] = {}  # in the order of their next turn
        self._size = 0
        self._credit = 0.0  # tokens that bulk may have before those who wait beside it

    def __len__(self) -> int:
        return self._size

    @property
    def single(self) -> int:
        """Sentences that wait and are not bulk."""
        return sum(len(items) for items in self._turns.values() if len(items) <= _FEW)

    def add(self, item: Item) -> None:
        self._turns.setdefault(item.turn, deque()).append(item)
        self._size += 1

    def take(self, room: Room) -> list[Item]:
        """The next batch: at least one item, then more while there is room."""
        bulk = [turn for turn, items in self._turns.items() if len(items) > _FEW]
        if len(bulk) == len(self._turns):
            taken = self._rounds(bulk, room)
            self._credit = 0.0
        elif bulk and self._credit >= room.bulk_work / 2:
            taken = self._rounds(bulk, room)
            self._credit -= sum(item.cost for item in taken)
        else:
            taken = self._alike(room)
            spent = sum(item.cost for item in taken) / max(1, len({item.turn for item in taken}))
            self._credit = self._credit + spent * len(bulk) if bulk else 0.0
        self._size -= len(taken)
        return taken

    def remove(self, gone: Callable[[Any], bool]) -> None:
        """Drops the items whose `work` is gone."""
        for turn in list(self._turns):
            kept = deque(item for item in self._turns[turn] if not gone(item.work))
            self._size -= len(self._turns[turn]) - len(kept)
            self._keep(turn, kept)

    def _alike(self, room: Room) -> list[Item]:
        """Of the turns that are not bulk, those whose lengths fit best."""
        waiting = [item for items in self._turns.values() if len(items) <= _FEW for item in items]
        oldest = min(waiting, key=attrgetter("time"))
        fitting = sorted((one for one in waiting if one.key == oldest.key), key=attrgetter("cost"))
        late = fitting.index(oldest) if oldest.time < room.overdue else None
        taken = list(_best(fitting, room, late))
        chosen = set(map(id, taken))
        for turn in dict.fromkeys(item.turn for item in taken):
            self._keep(turn, deque(item for item in self._turns[turn] if id(item) not in chosen))
        return taken

    def _rounds(self, turns: Iterable[Hashable], room: Room) -> list[Item]:
        """One of each turn, and again; who was served goes to the end, the one served last behind all."""
        round_ = list(turns)
        key = self._turns[round_[0]][0].key if round_ else None
        taken: list[Item] = []
        longest = 0
        while round_ := [turn for turn in round_ if self._turns[turn] and self._turns[turn][0].key == key]:
            for turn in round_:
                longest = max(longest, self._turns[turn][0].cost)
                if taken and room.full(longest, len(taken)):
                    return self._served(taken)
                taken.append(self._turns[turn].popleft())
        return self._served(taken)

    def _served(self, taken: list[Item]) -> list[Item]:
        served = dict.fromkeys(item.turn for item in reversed(taken))
        for turn in reversed(served):
            self._keep(turn, self._turns.pop(turn))
        return taken

    def _keep(self, turn: Hashable, items: deque[Item]) -> None:
        if items:
            self._turns[turn] = items
        else:
            self._turns.pop(turn, None)


def _best(items: Sequence[Item], room: Room, late: int | None) -> Sequence[Item]:
    """Of neighbours by length as many as there is room for, and with the late one where there is one.

    Best is the most tokens for each step of the decoder.
    """
    sums = [0, *accumulate(item.cost for item in items)]
    best: tuple[float, Sequence[Item]] = (-1.0, ())
    for end, longest in enumerate(items, 1):
        start = max(0, end - max(1, min(room.most, room.tokens // longest.cost)))
        if late is None or start <= late < end:
            best = max(best, ((sums[end] - sums[start]) / longest.cost, items[start:end]), key=itemgetter(0))
    return best[1]
