"""The engine: sentences in, translations out, as fast as CTranslate2 alone.

    engine = Engine(find_model("en", "pt"))
    engine.translate(["Take 5 mg once daily."])            # ["Tome 5 mg uma vez por dia."]
    engine.candidates(["Hold metoprolol."], DecodeConfig(n_best=4))   # scored, best first
    engine.candidates(["Hold metoprolol."], prefixes=[["▁Suspender"]])
    engine.score(["Take 5 mg."], ["Tome 5 mg."])            # mean log-probability per token

`translate` takes any text: signs that the model cannot read, capitals and quotes are seen to
(mt/typography.py). All else takes text as the model reads it, that is after `engine.typography.plain`.

A sentence that is longer than the model reads is cut at clause marks before and joined after, never
truncated. One engine serves many threads. Nothing here logs or keeps text.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from data.errors import ModelError
from data.segments import Hypothesis
from mt.clauses import split_long
from mt.config import DecodeConfig, DeviceConfig
from mt.models import Model
from mt.tokenization import Tokenizer
from mt.typography import Typography

# Source tokens of one piece; the starters saw sentences of up to 200 in training.
LONGEST_PIECE = 160
# More than any translation of such a piece needs, and a bound for one that repeats itself.
LONGEST_TRANSLATION = 400
# Padded tokens a batch; found by measurement (benchmarks/engine.py) to be on the plateau for one and two
# threads.
BATCH_TOKENS = 2048
# The same for scores: those of all 32,000 pieces are kept for every token, so small batches, which stay in
# the processor's cache, are twice as fast.
SCORING_TOKENS = 128
# A translation this much longer than its source is decoded again, with repetition forbidden.
_RUNAWAY_FACTOR, _RUNAWAY_EXTRA, _FORBIDDEN_REPEAT = 2, 24, 4


Hypotheses = tuple[Hypothesis, ...]


@dataclass(frozen=True, slots=True)
class Candidate(Hypothesis):
    """A translation with its pieces; `attention[t][s]`: how much target piece t looked at source piece s."""

    score: float = 0.0
    pieces: tuple[str, ...] = ()
    attention: Sequence[Sequence[float]] = ()

    def aligned(self) -> list[int]:
        """For each target piece the source piece it looked at most."""
        return [max(range(len(row)), key=row.__getitem__) for row in self.attention]


@dataclass(frozen=True, slots=True)
class _Window:
    """Sentences under way: which pieces belong to which sentence, and CTranslate2's promises."""

    sentences: Sequence[str]
    owners: Sequence[int] | None
    rows: list[list[str]]
    promises: list[Any]


class Engine:
    """Loads the model once; `bulk` in the device settings is for text of many sentences."""

    def __init__(self, model: Model, device: DeviceConfig = DeviceConfig(), language: str = "") -> None:  # noqa: B008
        import ctranslate2

        self.model = model
        self.tokenizer = Tokenizer.load(model.runnable, model.language_token(language))
        self.typography = Typography(self.tokenizer, model.source, language or model.target)
        cores = device.threads or _cores()
        try:
            self._translator = ctranslate2.Translator(
                str(model.runnable),
                device=device.device,
                compute_type=device.compute_type,
                inter_threads=cores if device.bulk else 1,
                intra_threads=1 if device.bulk else cores,
                max_queued_batches=-1,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{model.runnable}: cannot be loaded ({_first_line(error)})") from None

    def translate(self, sentences: Sequence[str], decode: DecodeConfig = DecodeConfig()) -> list[str]:  # noqa: B008
        """The best translation of each sentence; empty ones stay empty."""
        plain = [self.typography.plain(sentence) for sentence in sentences]
        found = self._finish(self._start(plain, decode), decode)
        return [
            self.typography.restored(hypotheses[0].text, sentence)
            for hypotheses, sentence in zip(found, sentences, strict=True)
        ]

    def translate_stream(
        self,
        windows: Iterable[Sequence[str]],
        decode: DecodeConfig = DecodeConfig(),  # noqa: B008
        ahead: int = 2,
    ) -> Iterator[list[Hypotheses]]:
        """What each window's sentences became, in order; up to `ahead` further windows are under way."""
        source = iter(windows)
        waiting = deque(self._start(window, decode) for window in islice(source, ahead))
        while waiting:
            first = waiting.popleft()
            waiting.extend(self._start(window, decode) for window in islice(source, 1))
            yield self._finish(first, decode)

    def candidates(
        self,
        sentences: Sequence[str],
        decode: DecodeConfig = DecodeConfig(),  # noqa: B008
        prefixes: Sequence[Sequence[str] | None] | None = None,
        attention: bool = False,
    ) -> list[tuple[Candidate, ...]]:
        """Scored candidates of each sentence, each starting with its prefix of target pieces where given.

        For single sentences that the model can read whole; use `fits` to know.
        """
        rows = self.tokenizer.encode(sentences)
        results = self._translator.translate_batch(
            rows,
            target_prefix=[list(p) if p else None for p in prefixes] if prefixes is not None else None,
            beam_size=decode.beams,
            num_hypotheses=decode.n_best,
            length_penalty=decode.length_penalty,
            return_scores=True,
            return_attention=attention,
            **_LIMITS,
        )
        flat = self.tokenizer.decode([pieces for result in results for pieces in result.hypotheses])
        texts = iter(flat)
        found = []
        for result in results:
            found.append(_candidates(result, texts, attention))
        return found

    def score(self, sentences: Sequence[str], translations: Sequence[str]) -> list[float]:
        """Mean log-probability per token that the model gives to existing translations."""
        results = self._translator.score_batch(
            self.tokenizer.encode(sentences),
            [row[:LONGEST_TRANSLATION] for row in self.tokenizer.encode_target(translations)],
            max_batch_size=BATCH_TOKENS,
            batch_type="tokens",
            max_input_length=0,
        )
        return [sum(result.log_probs) / max(1, len(result.log_probs)) for result in results]

    @property
    def parallel(self) -> int:
        """Translations that run at the same time."""
        return int(self._translator.num_translators)

    def cut(self, sentences: Sequence[str]) -> tuple[list[str], list[int]]:
        """Sentences in pieces that the model can read, and which sentence each piece is of; see `joined`."""
        rows = self.tokenizer.encode(sentences)
        return self._cut(sentences, rows, LONGEST_PIECE + 1 + bool(self.tokenizer.language_token))

    def piece_scores(
        self, sentences: Sequence[str], beginnings: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Log-probability of each target piece of how a translation begins, the end not counted."""
        results = self._translator.score_batch(
            self.tokenizer.encode(sentences),
            [list(pieces) for pieces in beginnings],
            max_batch_size=SCORING_TOKENS,
            batch_type="tokens",
            max_input_length=0,
        )
        return [
            list(result.log_probs[: len(pieces)]) for result, pieces in zip(results, beginnings, strict=True)
        ]

    def fits(self, sentences: Sequence[str]) -> list[bool]:
        return [count <= LONGEST_PIECE for count in self.tokenizer.count(sentences)]

    def _start(self, sentences: Sequence[str], decode: DecodeConfig) -> _Window:
        rows = self.tokenizer.encode(sentences)
        owners: list[int] | None = None
        limit = LONGEST_PIECE + 1 + bool(self.tokenizer.language_token)  # marks are no part of the sentence
        if any(len(row) > limit for row in rows):
            pieces, owners = self._cut(sentences, rows, limit)
            rows = self.tokenizer.encode(pieces)
        promises = self._translator.translate_batch(
            rows,
            beam_size=decode.beams,
            num_hypotheses=decode.n_best,
            length_penalty=decode.length_penalty,
            sampling_topk=decode.sampling_topk,
            sampling_temperature=decode.sampling_temperature,
            return_scores=decode.scores or decode.attention,
            return_attention=decode.attention,
            asynchronous=True,
            **_LIMITS,
        )
        return _Window(sentences, owners, rows, promises)

    def _finish(self, window: _Window, decode: DecodeConfig) -> list[Hypotheses]:
        results = [promise.result() for promise in window.promises]
        self._tame(window.rows, results, decode)
        flat = iter(self.tokenizer.decode([row for result in results for row in result.hypotheses]))
        found: list[Hypotheses] = [
            _candidates(result, flat, True) if decode.attention else _hypotheses(result, flat, decode.scores)
            for result in results
        ]
        return found if window.owners is None else joined(found, window.owners, len(window.sentences))

    def _tame(self, sources: list[list[str]], results: list[Any], decode: DecodeConfig) -> None:
        """Decode again, without repetition, what grew far beyond its source."""
        runaways = [
            i
            for i, (source, result) in enumerate(zip(sources, results, strict=True))
            if len(result.hypotheses[0]) > _RUNAWAY_FACTOR * len(source) + _RUNAWAY_EXTRA
        ]
        if not runaways:
            return
        again = self._translator.translate_batch(
            [sources[i] for i in runaways],
            beam_size=max(2, decode.beams),
            num_hypotheses=decode.n_best,
            length_penalty=decode.length_penalty,
            no_repeat_ngram_size=_FORBIDDEN_REPEAT,
            return_scores=decode.scores or decode.attention,
            return_attention=decode.attention,
            **_LIMITS,
        )
        for i, result in zip(runaways, again, strict=True):
            if len(result.hypotheses[0]) < len(results[i].hypotheses[0]):
                results[i] = result

    def _cut(
        self, sentences: Sequence[str], rows: list[list[str]], limit: int
    ) -> tuple[list[str], list[int]]:
        pieces: list[str] = []
        owners: list[int] = []
        for i, (sentence, row) in enumerate(zip(sentences, rows, strict=True)):
            parts = (
                split_long(sentence, LONGEST_PIECE, self.tokenizer.count) if len(row) > limit else [sentence]
            )
            pieces += [part.strip() for part in parts]
            owners += [i] * len(parts)
        return pieces, owners


_LIMITS: dict[str, Any] = {
    "max_batch_size": BATCH_TOKENS,
    "batch_type": "tokens",
    "max_input_length": 0,
    "max_decoding_length": LONGEST_TRANSLATION,
}


def _hypotheses(result: Any, texts: Iterator[str], scores: bool) -> Hypotheses:
    return tuple(
        Hypothesis(next(texts), result.scores[i] if scores else None) for i in range(len(result.hypotheses))
    )


def _candidates(result: Any, texts: Iterator[str], attention: bool) -> tuple[Candidate, ...]:
    looked = result.attention if attention else [()] * len(result.hypotheses)
    return tuple(
        Candidate(next(texts), score, tuple(pieces), rows)
        for pieces, score, rows in zip(result.hypotheses, result.scores, looked, strict=True)
    )


def joined(found: Sequence[Hypotheses], owners: Sequence[int], sentences: int) -> list[Hypotheses]:
    """Parts of a sentence back together, n-th best with n-th best; a score is the mean of the parts'."""
    parts: list[list[Hypotheses]] = [[] for _ in range(sentences)]
    for owner, hypotheses in zip(owners, found, strict=True):
        parts[owner].append(hypotheses)
    joined: list[Hypotheses] = []
    for own in parts:
        if len(own) == 1:  # whole, so it keeps its pieces where they were asked for
            joined.append(own[0])
            continue
        ranks = []
        for rank in range(min(map(len, own))):
            scores = [hypotheses[rank].score for hypotheses in own]
            known = [score for score in scores if score is not None]
            text = " ".join(filter(None, (hypotheses[rank].text for hypotheses in own)))
            ranks.append(Hypothesis(text, sum(known) / len(known) if known else None))
        joined.append(tuple(ranks))
    return joined


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
