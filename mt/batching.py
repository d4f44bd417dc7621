"""Sentences of many requests in common batches: what stands between a server's threads and one engine.

    batcher = Batcher(Engine(find_model("en", "pt")))
    batcher.translate(["Take 5 mg."])                       # as the engine does, from any thread
    future = batcher.submit(["Take 5 mg."])                 # a Future; `await asyncio.wrap_future(future)`
    with batcher.request() as request:                      # everything inside has one turn among others,
        service.translate_text(text, "en")                  # and `request.abandon()` frees its place
    batcher.swap(Engine(newer))                             # requests under way end with the engine they had
    batcher.close()                                         # finishes what was accepted, takes nothing new

A batcher looks like an engine (`translate`, `translate_stream`, `candidates`, `score`, `fits`, `tokenizer`),
so a service or an enforcer works with either. A lone sentence goes straight to the model; while the model
works, sentences gather and go together. CTranslate2's own queue would not do: it keeps the sentences of two
calls apart, so 32 clients with a sentence each got a quarter of the bulk rate (benchmarks/api.py).

It refuses with `QueueFull` or `Closing`, see mt/batch_jobs.py; what comes next says mt/fairness.py.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextvars import ContextVar, Token
from itertools import islice
from typing import TYPE_CHECKING, Any

from mt.batch_jobs import (
    WINDOW,
    Abandoned,
    BatcherState,
    BatchLimits,
    Call,
    Closing,
    Job,
    QueueFull,
    Sentence,
    computed,
    outcome,
    parts_of,
)
from mt.config import DecodeConfig
from mt.fairness import FairQueue, Item, Room, work

if TYPE_CHECKING:
    from mt.engine import Candidate, Engine, Hypotheses
    from mt.models import Model
    from mt.tokenization import Tokenizer
    from mt.typography import Typography

_CHARACTERS_PER_TOKEN = 4
_LONG = 400  # characters from which a sentence may have to be cut
_PLAIN = DecodeConfig()

__all__ = ["Abandoned", "BatchLimits", "Batcher", "BatcherState", "Closing", "QueueFull", "Request"]


class Request:
    """One turn among the requests, and the engine that it started with."""

    def __init__(self, batcher: Batcher) -> None:
        self.engine = batcher.engine
        self._batcher = batcher
        self._jobs: set[Job] = set()
        self._accepted = False
        self._tokens: list[Token[Request | None]] = []
        self.abandoned = False

    def __enter__(self) -> Request:
        self._batcher._opened(1)
        self._tokens.append(_current.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._tokens.pop())
        self._batcher._opened(-1)

    def abandon(self) -> None:
        """From any thread: what waits is dropped, and the request's own thread gets `Abandoned`."""
        self.abandoned = True
        self._batcher._forget(list(self._jobs))


_current: ContextVar[Request | None] = ContextVar("medloop_request", default=None)


class Batcher:
    def __init__(self, engine: Engine, limits: BatchLimits | None = None) -> None:
        self._engine = engine
        self._limits = limits = limits or BatchLimits()
        self._queue = FairQueue()
        self._changed = threading.Condition()
        self._running = self._under_way = 0  # batches, and sentences in them
        self._open = 0  # requests under way
        self._closing = self._stopped = False
        self._sentences = self._batches = 0
        self._rate = 100.0  # sentences per second, for Retry-After
        self._speed = 4000.0  # work per second of one worker, see mt/fairness.py
        count = limits.workers or engine.parallel
        self._workers = [
            threading.Thread(target=self._work, name=f"medloop-batch-{n}", daemon=True) for n in range(count)
        ]
        for worker in self._workers:
            worker.start()

    # The engine's face.

    @property
    def engine(self) -> Engine:
        request = _current.get()
        return request.engine if request is not None and request._batcher is self else self._engine

    @property
    def model(self) -> Model:
        return self.engine.model

    @property
    def tokenizer(self) -> Tokenizer:
        return self.engine.tokenizer

    @property
    def typography(self) -> Typography:
        return self.engine.typography

    def fits(self, sentences: Sequence[str]) -> list[bool]:
        return self.engine.fits(sentences)

    def score(self, sentences: Sequence[str], translations: Sequence[str]) -> list[float]:
        return self.engine.score(sentences, translations)

    def piece_scores(
        self, sentences: Sequence[str], beginnings: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        return self.engine.piece_scores(sentences, beginnings)

    def translate(self, sentences: Sequence[str], decode: DecodeConfig = _PLAIN) -> list[str]:
        plain = [self.typography.plain(sentence) for sentence in sentences]
        windows = (plain[start : start + WINDOW] for start in range(0, len(plain), WINDOW))
        found = [
            hypotheses[0].text for window in self.translate_stream(windows, decode) for hypotheses in window
        ]
        return [
            self.typography.restored(text, sentence) for text, sentence in zip(found, sentences, strict=True)
        ]

    def translate_stream(
        self, windows: Iterable[Sequence[str]], decode: DecodeConfig = _PLAIN, ahead: int = 2
    ) -> Iterator[list[Hypotheses]]:
        """As the engine's; a long window waits in parts, so that one request never fills the queue."""
        request = _current.get() or Request(self)
        parts = parts_of(windows)
        waiting: deque[tuple[Future[list[Hypotheses]], bool]] = deque()
        held: list[Hypotheses] = []

        def more(count: int) -> None:
            for part, last in islice(parts, count):
                waiting.append((self._submit(request, part, decode), last))

        more(1 + ahead)
        try:
            while waiting:
                future, last = waiting.popleft()
                held += outcome(future)
                more(1)
                if last:
                    yield held
                    held = []
        finally:
            for future, _ in waiting:
                future.cancel()

    def candidates(
        self,
        sentences: Sequence[str],
        decode: DecodeConfig = _PLAIN,
        prefixes: Sequence[Sequence[str] | None] | None = None,
        attention: bool = False,
    ) -> list[tuple[Candidate, ...]]:
        request = _current.get() or Request(self)
        return outcome(self._submit(request, sentences, decode, prefixes, attention))

    # The queue's face.

    def request(self) -> Request:
        return Request(self)

    def submit(self, sentences: Sequence[str], decode: DecodeConfig = _PLAIN) -> Future[list[Hypotheses]]:
        """Candidates of each sentence, best first; cancelling the future frees its place."""
        return self._submit(_current.get() or Request(self), sentences, decode)

    def state(self) -> BatcherState:
        with self._changed:
            return BatcherState(
                len(self._queue), self._running, self._sentences, self._batches, self._closing
            )

    def swap(self, engine: Engine) -> None:
        """New requests get this engine; those under way keep theirs, so none mixes two models."""
        self._engine = engine

    def close(self, timeout_seconds: float | None = None) -> bool:
        """Finishes what was accepted; True when all of it was done in time."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        with self._changed:
            self._closing = True
            done = self._changed.wait_for(
                lambda: not (self._queue or self._running or self._open),
                None if deadline is None else max(0.0, deadline - time.monotonic()),
            )
            self._stopped = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return done

    # Inside.

    def _submit(
        self,
        request: Request,
        sentences: Sequence[str],
        decode: DecodeConfig,
        prefixes: Sequence[Sequence[str] | None] | None = None,
        attention: bool | None = None,
    ) -> Future[list[Any]]:
        texts, owners = sentences, None
        if attention is None and any(len(text) > _LONG for text in sentences):
            texts, owners = request.engine.cut(sentences)
        call = Call(request.engine, decode, attention)
        job = Job(request, call, [None] * len(texts), len(texts), owners, len(sentences))
        if not texts:
            job.future.set_result([])
            return job.future
        with self._changed:
            self._admit(request, len(texts))
            request._jobs.add(job)
            # By length: batches of one document then need no padding.
            now = time.monotonic()
            for place, text in sorted(enumerate(texts), key=lambda numbered: len(numbered[1])):
                cost = (len(text) // _CHARACTERS_PER_TOKEN + 2) * decode.beams
                sentence = Sentence(job, place, text, prefixes[place] if prefixes else None)
                self._queue.add(Item(id(request), call, cost, sentence, now))
            self._changed.notify_all()
        job.future.add_done_callback(lambda future: self._forget([job]) if future.cancelled() else None)
        return job.future

    def _admit(self, request: Request, count: int) -> None:
        """What was let in is not turned away half-way."""
        if request.abandoned:
            raise Abandoned("the client has left")
        if self._stopped or (self._closing and not request._accepted):
            raise Closing("the server is shutting down")
        waiting = len(self._queue)
        if not request._accepted and waiting and waiting + count > self._limits.most_waiting:
            raise QueueFull(waiting, max(1, min(60, round(waiting / self._rate))))
        request._accepted = True

    def _opened(self, change: int) -> None:
        with self._changed:
            self._open += change
            self._changed.notify_all()

    def _forget(self, jobs: list[Job]) -> None:
        with self._changed:
            self._queue.remove(lambda sentence: sentence.job in jobs)
            for job in jobs:
                job.request._jobs.discard(job)
            self._changed.notify_all()
        for job in jobs:
            job.future.cancel()

    def _work(self) -> None:
        last = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopped)
                if self._stopped and not self._queue:
                    return
                self._linger(last)
                items = self._queue.take(self._room())
                self._running += 1
                self._under_way += len(items)
            started = time.monotonic()
            try:
                self._run([item.work for item in items])
            finally:
                last = len(items)
                with self._changed:
                    self._running -= 1
                    self._under_way -= len(items)
                    self._note(items, max(1e-4, time.monotonic() - started))
                    self._changed.notify_all()

    def _room(self) -> Room:
        """For the next batch: what waits and what is under way is dealt out evenly to the workers."""
        limits, under_way, workers = self._limits, self._under_way, len(self._workers)
        return Room(
            most=-(-(self._queue.single + under_way) // workers),
            tokens=limits.batch_tokens,
            bulk_most=-(-(len(self._queue) + under_way) // workers),
            bulk_work=self._speed * limits.bulk_seconds,
            overdue=time.monotonic() - limits.overdue_seconds,
        )

    def _note(self, items: Sequence[Item], seconds: float) -> None:
        self._sentences += len(items)
        self._batches += 1
        self._rate += 0.1 * (len(items) / seconds * len(self._workers) - self._rate)
        if items:
            done = work(max(item.cost for item in items), len(items))
            self._speed += 0.2 * (done / seconds - self._speed)

    def _linger(self, last: int) -> None:
        """After a batch of many: those clients come back within a moment, and a full batch is cheaper.

        The first is given longest: an answer passes through the audit log and the network before it is back.
        """
        before = waiting = self._queue.single
        if last < 2 or waiting < len(self._queue):
            return
        now = time.monotonic()
        end = until = now + self._limits.linger_seconds
        while waiting < before + last and now < until and not self._stopped:
            self._changed.wait(until - now)
            now = time.monotonic()
            if len(self._queue) > waiting:
                waiting, until = len(self._queue), min(end, now + self._limits.lull_seconds)

    def _run(self, sentences: list[Sentence]) -> None:
        if not sentences:
            return
        try:
            results: Sequence[Any] = computed(sentences)
        except Exception as error:
            if len(sentences) == 1:
                self._fail(sentences[0].job, error)
                return
            for sentence in sentences:  # only the one at fault is to fail
                self._run([sentence])
            return
        finished = []
        with self._changed:
            for sentence, result in zip(sentences, results, strict=True):
                job = sentence.job
                job.results[sentence.place] = result
                job.left -= 1
                if not job.left:
                    job.request._jobs.discard(job)
                    finished.append(job)
        from mt.engine import joined

        for job in finished:
            if job.future.set_running_or_notify_cancel():
                job.future.set_result(
                    joined(job.results, job.owners, job.sentences) if job.owners else job.results
                )

    def _fail(self, job: Job, error: Exception) -> None:
        with self._changed:
            first = job in job.request._jobs
            job.request._jobs.discard(job)
            self._queue.remove(lambda sentence: sentence.job is job)
        if first and job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)
