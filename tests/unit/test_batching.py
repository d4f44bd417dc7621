"""Batches of many requests: fair, bounded, abandoned, closed, swapped, and no request pays for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any, cast

import pytest

from data.segments import Hypothesis
from mt.batching import Abandoned, Batcher, BatchLimits, Closing, QueueFull
from mt.config import DecodeConfig
from mt.engine import Engine
from mt.fairness import FairQueue, Item, Room
from tests.fake_engine import Plain


class Fake:
    """An engine that shouts; a batch takes its time, or waits at the gate."""

    parallel = 1
    typography = Plain()

    def __init__(self, name: str = "", seconds: float = 0.0) -> None:
        self.name, self.seconds = name, seconds
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()

    def translate_stream(
        self, windows: Iterable[Sequence[str]], decode: DecodeConfig | None = None
    ) -> Iterator[list[tuple[Hypothesis, ...]]]:
        for window in windows:
            self.batches.append(list(window))
            self.gate.wait(5)
            time.sleep(self.seconds)
            if "poison" in window:
                raise ValueError("cannot be read")
            yield [(Hypothesis(self.name + text.upper()),) for text in window]

    def cut(self, sentences: Sequence[str]) -> tuple[list[str], list[int]]:
        pieces = [(word, i) for i, text in enumerate(sentences) for word in text.split()]
        return [word for word, _ in pieces], [owner for _, owner in pieces]


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def batcher(fake: Fake) -> Iterator[Batcher]:
    made = Batcher(cast(Engine, fake), BatchLimits(most_waiting=10))
    yield made
    fake.gate.set()
    made.close(5)


def held(fake: Fake, batcher: Batcher) -> Any:
    """The worker is busy with a first sentence until the gate opens."""
    fake.gate.clear()
    first = batcher.submit(["first"])
    while not fake.batches:
        time.sleep(0.001)
    return first


def texts(found: Sequence[Sequence[Hypothesis]]) -> list[str]:
    return [one[0].text for one in found]


def test_it_translates_as_the_engine_does(batcher: Batcher) -> None:
    assert batcher.translate(["b", "a longer one", "", "b"]) == ["B", "A LONGER ONE", "", "B"]
    assert batcher.translate([]) == []
    assert [texts(window) for window in batcher.translate_stream([["a"], [], ["b", "c"]])] == [
        ["A"],
        [],
        ["B", "C"],
    ]
    many = [str(number) for number in range(500)]
    assert batcher.translate(many) == many


def test_what_waits_goes_together_and_each_gets_its_own(fake: Fake, batcher: Batcher) -> None:
    first = held(fake, batcher)
    others = [batcher.submit([f"s{number}"]) for number in range(6)]
    fake.gate.set()
    assert texts(first.result(5)) == ["FIRST"]
    assert [texts(one.result(5)) for one in others] == [[f"S{number}"] for number in range(6)]
    assert [len(batch) for batch in fake.batches] == [1, 6]


def test_different_settings_share_no_batch(fake: Fake, batcher: Batcher) -> None:
    held(fake, batcher)
    plain = [batcher.submit(["a"]), batcher.submit(["b"])]
    wide = batcher.submit(["c"], DecodeConfig(beam_size=4))
    fake.gate.set()
    assert texts(wide.result(5)) == ["C"]
    assert [texts(one.result(5)) for one in plain] == [["A"], ["B"]]
    assert fake.batches[1:] == [["a", "b"], ["c"]]


def test_a_document_does_not_hold_a_single_sentence() -> None:
    fake = Fake(seconds=0.02)
    batcher = Batcher(cast(Engine, fake))
    with ThreadPoolExecutor(1) as pool:
        document = pool.submit(batcher.translate, [f"sentence number {n} of many" * 3 for n in range(200)])
        while len(fake.batches) < 2:
            time.sleep(0.001)
        before = len(fake.batches)
        batcher.translate(["one"])
        waited = len(fake.batches) - before
        assert not document.done()
        assert waited <= 2
        assert len(document.result(20)) == 200
    batcher.close(5)


def test_too_much_is_refused_with_a_time_to_come_back(fake: Fake, batcher: Batcher) -> None:
    held(fake, batcher)
    batcher.submit(["x"] * 8)
    with pytest.raises(QueueFull, match=r"8 sentences are waiting already; try again in \d+ s") as refused:
        batcher.submit(["y"] * 3)
    assert refused.value.retry_after_seconds >= 1
    fitting = batcher.submit(["z"])
    fake.gate.set()
    assert texts(fitting.result(5)) == ["Z"]


def test_a_request_that_was_let_in_is_not_refused_half_way(fake: Fake, batcher: Batcher) -> None:
    with batcher.request():
        batcher.translate(["a"])
        held(fake, batcher)
        other = threading.Thread(target=batcher.submit, args=(["x"] * 9,))
        other.start()
        other.join()
        mine = batcher.submit(["b"] * 5)
        fake.gate.set()
        assert texts(mine.result(5)) == ["B"] * 5


def test_a_client_that_leaves_frees_its_place(fake: Fake, batcher: Batcher) -> None:
    held(fake, batcher)
    gone = batcher.submit(["gone"] * 7)
    assert batcher.state().waiting == 7
    assert gone.cancel()
    assert batcher.state().waiting == 0
    with pytest.raises(CancelledError):
        gone.result()
    request = batcher.request()
    caught: list[BaseException] = []

    def work() -> None:
        with request:
            try:
                batcher.translate(["left"] * 5)
            except Abandoned as error:
                caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while batcher.state().waiting < 5:
        time.sleep(0.001)
    request.abandon()
    thread.join(5)
    assert len(caught) == 1
    assert batcher.state().waiting == 0
    fake.gate.set()
    assert batcher.translate(["next"]) == ["NEXT"]
    assert not any("gone" in batch or "left" in batch for batch in fake.batches)


def test_only_the_sentence_at_fault_fails(fake: Fake, batcher: Batcher) -> None:
    held(fake, batcher)
    good, bad, other = (batcher.submit([text]) for text in ("good", "poison", "other"))
    fake.gate.set()
    assert texts(good.result(5)) == ["GOOD"]
    assert texts(other.result(5)) == ["OTHER"]
    with pytest.raises(ValueError, match="cannot be read"):
        bad.result(5)


def test_closing_finishes_what_was_accepted(fake: Fake, batcher: Batcher) -> None:
    first = held(fake, batcher)
    second = batcher.submit(["second"])
    with ThreadPoolExecutor(1) as pool:
        closed = pool.submit(batcher.close, 5)
        while not batcher.state().closing:
            time.sleep(0.001)
        with pytest.raises(Closing):
            batcher.submit(["late"])
        fake.gate.set()
        assert closed.result(5)
    assert texts(first.result(0)) == ["FIRST"]
    assert texts(second.result(0)) == ["SECOND"]


def test_a_new_engine_takes_over_without_a_loss(fake: Fake, batcher: Batcher) -> None:
    held(fake, batcher)
    with batcher.request():
        old = batcher.submit(["a"])
        batcher.swap(cast(Engine, Fake("new ")))
        still_old = batcher.submit(["b"])
    new = batcher.submit(["c"])
    fake.gate.set()
    assert [texts(one.result(5)) for one in (old, still_old, new)] == [["A"], ["B"], ["new C"]]


def test_one_huge_sentence_is_cut_and_joined(batcher: Batcher) -> None:
    huge = " ".join(["word"] * 300)
    assert batcher.translate([huge, "b"]) == [huge.upper(), "B"]


def test_many_threads_and_nothing_is_mixed_up() -> None:
    fake = Fake(seconds=0.001)
    batcher = Batcher(cast(Engine, fake), BatchLimits(workers=3))
    with ThreadPoolExecutor(32) as pool:
        wanted = [f"text {number}" for number in range(400)]
        assert list(pool.map(lambda text: batcher.translate([text])[0], wanted)) == [
            t.upper() for t in wanted
        ]
    assert batcher.close(5)
    assert batcher.state().waiting == 0
    assert sum(map(len, fake.batches)) == 400


def filled(**counts: int) -> FairQueue:
    queue = FairQueue()
    for turn, count in counts.items():
        for number in range(count):
            queue.add(Item(turn, "key", 10, f"{turn}{number}"))
    return queue


def taken(queue: FairQueue, room: Room) -> list[str]:
    return [item.work for item in queue.take(room)]


def test_bulk_takes_turns_and_keeps_to_its_work() -> None:
    queue = filled(a=15, b=20)
    assert taken(queue, Room(100, 1000, 100, 10 * (3 + 10))) == ["a0", "b0", "a1"]
    assert taken(queue, Room(100, 1000, 100, 0)) == ["b1", "a2"]  # two last hardly longer than one
    assert taken(queue, Room(100, 1, 100, 0)) == ["b2"]  # at least one, however dear
    assert taken(queue, Room(100, 30, 100, 1000)) == ["a3", "b3", "a4"]
    assert taken(queue, Room(100, 1000, 1, 1000)) == ["b4"]
    assert len(queue) == 25


def test_what_came_alone_goes_before_bulk_and_does_not_starve_it() -> None:
    queue = filled(bulk=100)
    room = Room(4, 1000, 4, 10 * (4 + 10))
    seen: list[str] = []
    for number in range(40):  # four clients with a sentence each, always
        for client in "abcd"[: 4 - queue.single]:
            queue.add(Item(f"{client}{number}", "key", 10, client))
        seen += taken(queue, room)
    assert seen[:4] == ["a", "b", "c", "d"]
    assert 25 <= sum(one.startswith("bulk") for one in seen) <= 35  # one in five


def test_single_sentences_go_by_length_and_none_waits_for_ever() -> None:
    queue = FairQueue()
    for number, cost in enumerate((50, 4, 48, 5, 6, 49)):
        queue.add(Item(number, "key", cost, cost, time=number))
    late = Room(2, 1000, 2, 1000, overdue=2.0)
    assert [item.work for item in queue.take(late)] == [49, 50]
    assert [item.work for item in queue.take(late)] == [4, 5]
    assert [item.work for item in queue.take(Room(8, 20, 2, 1000))] == [6]  # 48 more would be padding
    assert [item.work for item in queue.take(Room(8, 20, 2, 1000))] == [48]
    assert queue.take(late) == []


def test_what_is_gone_is_not_taken() -> None:
    queue = filled(a=2, b=1)
    queue.remove(lambda work: work.startswith("b") or work == "a0")
    assert len(queue) == 1
    assert taken(queue, Room(8, 1000, 8, 1000)) == ["a1"]
