"""Orders of any protocol through the service: detect, enforce, translate, check, put back together.

    desk = Desk(Engines(), GlossaryStore(engine))
    done = desk.translate(Order(("Take 5 mg.",), "en", "pt"), key)
    done.texts[0].text, done.texts[0].segments[0].findings, done.model

The texts of one order are one document to its terms. Results are kept, for the same order with the same
model and the same glossaries, unless the order is private.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from mt.alignment import EngineAligner
from mt.api.engines import Engines, base
from mt.api.glossaries import GlossaryStore
from mt.api.keys import Key
from mt.api.problems import Problem
from mt.config import DecodeConfig
from mt.decoder import EngineDecoder
from mt.detection import detect
from mt.markup import MarkupChunk
from mt.results import SegmentResult
from mt.service import Checker, Enforcer, TranslationService, clinical_checker
from terminology.enforcement import enforcer_for
from terminology.medicines import medicine_names

if TYPE_CHECKING:
    from mt.batching import Batcher, Request
    from mt.engine import Engine

_WINDOW, _STREAMED = 256, 8
_MOST_ENFORCERS = 16
_ENTRY_BYTES = 250  # what an entry of the cache takes beside its results


@dataclass(frozen=True, slots=True)
class Order:
    """`source` may be "auto"; `private`: keep nothing, and let no outside model see it."""

    texts: tuple[str, ...]
    source: str
    target: str
    model: str = ""
    glossaries: tuple[str, ...] = ()
    kind: str = "text"
    n_best: int = 1
    enforce: bool = True
    post_edit: bool = False
    check: bool = True
    private: bool = False
    split: bool = True
    ignore_tags: tuple[str, ...] = ()

    @property
    def characters(self) -> int:
        return sum(map(len, self.texts))


@dataclass(frozen=True, slots=True)
class Translated:
    text: str
    segments: tuple[SegmentResult, ...]
    others: tuple[str, ...] = ()  # the text with each sentence's second, third… candidate


@dataclass(frozen=True, slots=True)
class Outcome:
    texts: tuple[Translated, ...]
    source: str
    target: str
    confidence: float | None  # of the detection, where there was one
    model: str
    glossary: str

    @property
    def findings(self) -> int:
        return sum(len(segment.findings or ()) for text in self.texts for segment in text.segments)


@dataclass(frozen=True, slots=True)
class _Window:
    sentences: Sequence[str]

    def render(self, _translations: Sequence[str]) -> str:
        return ""


class Desk:
    def __init__(self, engines: Engines, glossaries: GlossaryStore, cache_bytes: int = 0) -> None:
        self.engines, self.glossaries = engines, glossaries
        self._cache = ResultCache(cache_bytes)
        self._enforcers: OrderedDict[tuple[str, str, str], Enforcer] = OrderedDict()
        self._checkers: OrderedDict[tuple[str, str, str], Checker] = OrderedDict()
        self._lock = threading.Lock()

    def translate(self, order: Order, key: Key, started: Callable[[Request], None] | None = None) -> Outcome:
        """`started` gets the place in the queue, to be abandoned when the client leaves."""
        prepared = self.prepare(order, key)
        with prepared.batcher.request() as turn:
            if started is not None:
                started(turn)
            slot = _fingerprint(order, prepared, str(turn.engine.model.folder))
            known = None if order.private else self._cache.get(slot)
            if known is None:
                chunks = _chunks(order, prepared)
                results = [one for _, part in self._run(chunks, order, prepared, _WINDOW) for one in part]
                known = tuple(_split(chunks, results, order.n_best))
                if not order.private:
                    self._cache.put(slot, known)
            return self._outcome(prepared, known, turn)

    def stream(
        self, order: Order, key: Key, started: Callable[[Request], None] | None = None
    ) -> Iterator[SegmentResult | Outcome]:
        """Segments as they finish, the whole at the end."""
        prepared = self.prepare(order, key)
        with prepared.batcher.request() as turn:
            if started is not None:
                started(turn)
            chunks, results = _chunks(order, prepared), []
            for start, part in self._run(chunks, order, prepared, _STREAMED):
                for number, one in enumerate(part, start + 1):
                    source = replace(one.translation.source, id=str(number))
                    one = replace(one, translation=replace(one.translation, source=source))
                    results.append(one)
                    yield one
            yield self._outcome(prepared, tuple(_split(chunks, results, order.n_best)), turn)

    def prepare(self, order: Order, key: Key) -> Prepared:
        """All that can be refused is refused here, before anything waits."""
        if order.post_edit and (order.private or not key.may("post-edit")):
            why = "private text stays on this server" if order.private else "the key may not post-edit"
            raise Problem(403, "post-edit", why)
        source, confidence = order.source, None
        if source == "auto":
            source, confidence = self.detected(order)
        pair = self.engines.resolve(source, order.target)
        termbases, version = self.glossaries.termbases(order.glossaries, pair, key)
        batcher = self.engines.batcher(*pair, order.model)
        return Prepared(batcher, pair, termbases, version, confidence)

    def detected(self, order: Order) -> tuple[str, float]:
        """The likeliest of the languages that can be translated into the target."""
        languages = sorted({pair[0] for pair in self.engines.pairs() if base(pair[1]) == base(order.target)})
        if not languages:
            self.engines.resolve("auto", order.target)
        found = detect(" ".join(order.texts[:20])[:4000], languages)
        return found[0] if found else (languages[0], 0.0)

    def _run(
        self, chunks: Sequence[MarkupChunk], order: Order, prepared: Prepared, size: int
    ) -> Iterator[tuple[int, Sequence[SegmentResult]]]:
        sentences = [sentence for chunk in chunks for sentence in chunk.sentences]
        decode = DecodeConfig(n_best=order.n_best, beam_size=order.n_best, scores=order.check)
        starts = range(0, len(sentences), size)
        windows = [_Window(sentences[start : start + size]) for start in starts]
        parts = self.service(order, prepared).translate_chunks(windows, decode)
        for start, part in zip(starts, parts, strict=True):
            yield start, part.segments

    def service(self, order: Order, prepared: Prepared) -> TranslationService:
        return TranslationService(
            prepared.batcher,
            self._enforcer(order, prepared),
            self._checker(prepared) if order.check else None,
            prepared.batcher.typography,
        )

    def _enforcer(self, order: Order, prepared: Prepared) -> Enforcer | None:
        if not prepared.termbases or not order.enforce:
            return None
        decoder = EngineDecoder(cast("Engine", prepared.batcher))  # which it looks like
        if order.post_edit:
            from data.llm_roles import chat_model

            return enforcer_for(decoder, prepared.termbases, chat_model("postedit"))
        slot = (prepared.version, "-".join(prepared.pair), str(prepared.batcher.model.folder) + order.model)
        with self._lock:
            found = self._enforcers.pop(slot, None)
        found = found or enforcer_for(decoder, prepared.termbases)
        with self._lock:
            self._enforcers[slot] = found
            while len(self._enforcers) > _MOST_ENFORCERS:
                self._enforcers.popitem(last=False)
        return found

    def _checker(self, prepared: Prepared) -> Checker:
        """What a glossary calls a medicine is no other medicine to the checks."""
        slot = (prepared.version, *prepared.pair)
        with self._lock:
            found = self._checkers.pop(slot, None)
        found = found or clinical_checker(*prepared.pair, medicine_names(prepared.termbases))
        with self._lock:
            self._checkers[slot] = found
            while len(self._checkers) > _MOST_ENFORCERS:
                self._checkers.popitem(last=False)
        return found

    def _outcome(self, prepared: Prepared, texts: tuple[Translated, ...], turn: Request) -> Outcome:
        return Outcome(texts, *prepared.pair, prepared.confidence, turn.engine.model.name, prepared.version)


@dataclass(frozen=True, slots=True)
class Prepared:
    batcher: Batcher
    pair: tuple[str, str]
    termbases: list[Any]
    version: str
    confidence: float | None


class ResultCache:
    """Exact: the same order with the same model and glossaries; the oldest goes first.

    Packed, as the objects themselves take ten times their text: 20,000 sentences fit in 16 MB.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most, self._held = most_bytes, 0
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, slot: str) -> tuple[Translated, ...] | None:
        with self._lock:
            found = self._entries.get(slot)
            if found is None:
                return None
            self._entries.move_to_end(slot)
        texts: tuple[Translated, ...] = pickle.loads(zlib.decompress(found))
        return texts

    def put(self, slot: str, texts: tuple[Translated, ...]) -> None:
        packed = zlib.compress(pickle.dumps(texts, pickle.HIGHEST_PROTOCOL), 1)
        if len(packed) + _ENTRY_BYTES > self._most:
            return
        with self._lock:
            before = self._entries.pop(slot, None)
            self._held += len(packed) - len(before) if before is not None else len(packed) + _ENTRY_BYTES
            self._entries[slot] = packed
            while self._held > self._most:
                self._held -= len(self._entries.popitem(last=False)[1]) + _ENTRY_BYTES


def _chunks(order: Order, prepared: Prepared) -> list[MarkupChunk]:
    aligner = EngineAligner(prepared.batcher)
    return [
        MarkupChunk.of(text, order.kind, prepared.pair[0], aligner, order.ignore_tags, order.split)
        for text in order.texts
    ]


def _split(
    chunks: Sequence[MarkupChunk], results: Sequence[SegmentResult], n_best: int
) -> Iterator[Translated]:
    position = 0
    for chunk in chunks:
        end = position + len(chunk.sentences)
        own = tuple(results[position:end])
        position = end
        others = dict.fromkeys(
            chunk.render([_candidate(one, rank) for one in own]) for rank in range(n_best - 1)
        )
        text = chunk.render([one.translation.target for one in own])
        yield Translated(text, own, tuple(other for other in others if other != text))


def _candidate(result: SegmentResult, rank: int) -> str:
    others = result.translation.alternatives
    return others[rank].text if rank < len(others) else result.translation.target


def _fingerprint(order: Order, prepared: Prepared, model: str) -> str:
    parts = repr((order, prepared.pair, prepared.version, model))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
