"""Pairs out of text in one language, made by the engine: text is easier to get than its translation.

    articles = monolingual(Path("articles.pt.jsonl"))       # people's targets, sources made:
    back_translate(articles, Engine(find_model("pt", "en")), Path("back.jsonl"), Made("en", "pt", sampled()))
    general = monolingual(Path("general.en.txt.gz"))        # replay, the model's own habits, for the anchor:
    self_translate(general, Engine(find_model("en", "pt")), Path("replay.jsonl"), Made("en", "pt"))
    best_of(pairs, engine, Path("near.jsonl"), closeness, n=8)      # of 8 the nearest to the reference

Rows are Pair rows whose `origin` names the model, so training can tag and weigh them. With `least_score` and
`judge`, made pairs are filtered, and what was dropped is counted by reason.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from data.errors import InputError, RecordError
from data.jsonl import read_jsonl, write_pairs
from data.segments import Hypothesis, Pair, Segment, Verdict
from mt.config import DecodeConfig
from mt.engine import Engine

_WINDOW = 512
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Made:
    """What the pairs are: their languages, how to decode, and which to keep."""

    source: str
    target: str
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    licence: str = ""
    least_score: float | None = None
    judge: Callable[[Pair], Verdict] | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    read: int
    kept: int
    dropped: Mapping[str, int]


def sampled(words: int = 10, temperature: float = 1.0) -> DecodeConfig:
    """Drawn sources vary as people's do; models learn more from them than from beam search's."""
    return DecodeConfig(sampling_topk=words, sampling_temperature=temperature)


def monolingual(path: Path) -> Iterator[Segment]:
    """Lines of a text file (.gz too), or the field `text` (else `src`) of JSON Lines."""
    if path.name.endswith(".jsonl"):
        for number, record in read_jsonl(path):
            text = record.get("text", record.get("src"))
            if not isinstance(text, str):
                raise RecordError(path, number, "has no text; a monolingual row has the field text")
            yield Segment(str(record.get("id", f"{path.stem}:{number}")), text)
        return
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield Segment(f"{path.name.split('.')[0]}:{number}", line.strip())
    except (OSError, EOFError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason})") from None


def back_translate(texts: Iterable[Segment], reverse: Engine, out: Path, made: Made) -> Summary:
    """The texts become targets; `reverse` translates them into sources."""

    def pair(text: Segment, translation: str) -> Pair:
        origin = f"back-translated by {reverse.model.name}"
        return Pair(
            Segment(f"back:{text.id}", translation), text.text, made.source, made.target, origin, made.licence
        )

    return _write(texts, reverse, out, made, pair)


def self_translate(texts: Iterable[Segment], engine: Engine, out: Path, made: Made) -> Summary:
    """The texts become sources; the model's own translations targets: replay, or self-training."""

    def pair(text: Segment, translation: str) -> Pair:
        origin = f"translated by {engine.model.name}"
        return Pair(
            Segment(f"self:{text.id}", text.text),
            translation,
            made.source,
            made.target,
            origin,
            made.licence,
        )

    return _write(texts, engine, out, made, pair)


def best_of(
    pairs: Iterable[Pair], engine: Engine, out: Path, closeness: Callable[[str, str], float], n: int = 8
) -> int:
    """Each pair with, for its target, that of the model's n best which is closest to the reference.

    Such targets teach the reference's choices in words that the model would say anyway.
    """
    decode = DecodeConfig(beam_size=n, n_best=n)

    def chosen() -> Iterator[Pair]:
        windows = _windows(pairs)
        for window in windows:
            found = next(engine.translate_stream([[pair.source.text for pair in window]], decode))
            for pair, candidates in zip(window, found, strict=True):
                best = max(candidates, key=lambda candidate: closeness(candidate.text, pair.target))
                origin = f"{pair.origin}; best of {n} by {engine.model.name}"
                yield replace(pair, target=best.text, origin=origin)

    return write_pairs(out, chosen())


def _write(
    texts: Iterable[Segment], engine: Engine, out: Path, made: Made, pair: Callable[[Segment, str], Pair]
) -> Summary:
    dropped: Counter[str] = Counter()
    decode = replace(made.decode, scores=made.decode.scores or made.least_score is not None)

    def kept() -> Iterator[Pair]:
        for text, best in _translated(texts, engine, decode):
            found = pair(text, best.text)
            reason = _reason(found, best.score, made)
            if reason:
                dropped[reason] += 1
            else:
                yield found

    count = write_pairs(out, kept())
    return Summary(count + dropped.total(), count, dict(dropped))


def _translated(
    texts: Iterable[Segment], engine: Engine, decode: DecodeConfig
) -> Iterator[tuple[Segment, Hypothesis]]:
    waiting: list[Sequence[Segment]] = []

    def windows() -> Iterator[list[str]]:
        for window in _windows(texts):
            waiting.append(window)
            yield [text.text for text in window]

    for found in engine.translate_stream(windows(), decode):
        for text, hypotheses in zip(waiting.pop(0), found, strict=True):
            yield text, hypotheses[0]


def _windows(items: Iterable[_T]) -> Iterator[list[_T]]:
    source = iter(items)
    while window := list(islice(source, _WINDOW)):
        yield window


def _reason(pair: Pair, score: float | None, made: Made) -> str:
    if not pair.source.text.strip() or not pair.target.strip():
        return "empty"
    if made.least_score is not None and (score is None or score < made.least_score):
        return "score"
    verdict = made.judge(pair) if made.judge is not None else Verdict(keep=True)
    return "" if verdict.keep else verdict.reason or "judge"
