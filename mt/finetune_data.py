"""Pair files to piece numbers, and everything that is wrong with them said before training starts.

    corpora = read_corpora(mixture, vocabulary, config)
    corpora[0].counts          # Counts(read=10000, kept=9871, dropped={"duplicate": 120, "too_long": 9})

Dropped and counted: rows with an empty side, of another language pair, longer than the model should read,
and repeated ones. A row of the opposite direction is turned round, so one file serves both directions.
What makes a whole source useless stops the run: nothing left, copies of one pair, the wrong language on a
side, letters that the vocabulary cannot write.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from data.errors import InputError, ModelError
from data.fingerprints import Collector, Fingerprints
from data.jsonl import read_pairs
from data.segments import Pair, Segment
from mt.config import TrainConfig
from mt.finetune_mixture import Mixture, Source
from mt.tokenization import Tokenizer
from mt.typography import Typography

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

# Returns the likeliest languages with confidences, the best first.
Detector = Callable[[str], Sequence[tuple[str, float]]]
# A pair to its source text with hints in it (required terms), or None where there is nothing to say.
Annotator = Callable[[Pair], str | None]

_LANGUAGE_SAMPLE = 300
# Shorter texts, as a label or a title, are guessed wrongly too often.
_LANGUAGE_LETTERS = 40
_LEAST_DISTINCT = 0.01
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces of both sides and their numbers in the model."""

    tokenizer: Tokenizer
    numbers: Mapping[str, int]
    end: int
    unknown: int

    def encode(self, sources: Sequence[str], targets: Sequence[str]) -> Iterator[tuple[list[int], list[int]]]:
        get, unknown = self.numbers.get, self.unknown
        for source, target in zip(
            self.tokenizer.encode(sources), self.tokenizer.encode_target(targets), strict=True
        ):
            yield (
                [get(piece, unknown) for piece in source],
                [
                    *[get(piece, unknown) for piece in target],
                    self.end,
                ],
            )


@dataclass(frozen=True, slots=True)
class Counts:
    read: int
    kept: int
    dropped: Mapping[str, int]

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.dropped.items()))
        return f"{self.kept} of {self.read} pairs kept" + (f" (dropped: {reasons})" if reasons else "")


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """One source's pairs as piece numbers, end to end in two arrays; `prints` tells its sentences again."""

    source: Source
    ids: Sequence[str]
    counts: Counts
    licences: Mapping[str, int]
    digest: str
    prints: Fingerprints
    _sources: NDArray[np.int32]
    _source_starts: NDArray[np.int64]
    _targets: NDArray[np.int32]
    _target_starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def target_tokens(self) -> int:
        return len(self._targets)

    def source_length(self, pair: int) -> int:
        return int(self._source_starts[pair + 1] - self._source_starts[pair])

    def target_length(self, pair: int) -> int:
        return int(self._target_starts[pair + 1] - self._target_starts[pair])

    def source_row(self, pair: int) -> NDArray[np.int32]:
        return self._sources[self._source_starts[pair] : self._source_starts[pair + 1]]

    def target_row(self, pair: int) -> NDArray[np.int32]:
        return self._targets[self._target_starts[pair] : self._target_starts[pair + 1]]


def read_corpora(
    mixture: Mixture,
    vocabulary: Vocabulary,
    config: TrainConfig,
    annotate: Annotator | None = None,
    detect: Detector | None = None,
) -> list[Corpus]:
    found = []
    for source in mixture.sources:
        corpus = _read(source, vocabulary, config, annotate, detect)
        log.info("source %s: %s, %d target tokens", source.name, corpus.counts, corpus.target_tokens)
        found.append(corpus)
    return found


def _read(
    source: Source,
    vocabulary: Vocabulary,
    config: TrainConfig,
    annotate: Annotator | None,
    detect: Detector | None,
) -> Corpus:
    import numpy as np

    # Signs as the model will meet them in use, and as it will be understood (mt/symbols.py).
    heard = Typography(vocabulary.tokenizer, config.source, config.target)
    written = Typography(vocabulary.tokenizer, config.target, config.source)
    dropped: Counter[str] = Counter()
    pairs = list(_usable(source, config, dropped))
    read = len(pairs) + dropped.total()
    _require_variety(source, Counts(read, len(pairs), dropped))
    if detect is not None and config.source and config.target:
        _require_languages(source, pairs, config, detect)
    ids: list[str] = []
    sides: tuple[list[int], list[int]] = ([], [])
    starts: tuple[list[int], list[int]] = ([0], [0])
    unknown = [0, 0]
    digest = hashlib.sha256()
    prints = Collector()
    for start in range(0, len(pairs), _BATCH):
        some = pairs[start : start + _BATCH]
        texts = [_source_text(pair, source, annotate) for pair in some]
        rows = vocabulary.encode(
            [heard.readable(text) for text in texts], [written.readable(pair.target) for pair in some]
        )
        for pair, text, both in zip(some, texts, rows, strict=True):
            digest.update(f"{text}\0{pair.target}\0".encode(errors="surrogatepass"))
            for side in (0, 1):
                unknown[side] += both[side].count(vocabulary.unknown)
            if max(map(len, both)) > config.longest:
                dropped["too_long"] += 1
                continue
            ids.append(pair.id)
            prints.add(pair.source.text)
            for side in (0, 1):
                sides[side].extend(both[side])
                starts[side].append(len(sides[side]))
    counts = Counts(read, len(ids), dict(dropped))
    if not ids:
        raise InputError(f"{source.path}: nothing to train on: {counts}")
    _require_letters(source, config, unknown, [len(side) for side in sides])
    return Corpus(
        source,
        ids,
        counts,
        Counter(pair.licence or "not stated" for pair in pairs),
        digest.hexdigest(),
        prints.done(),
        np.asarray(sides[0], np.int32),
        np.asarray(starts[0], np.int64),
        np.asarray(sides[1], np.int32),
        np.asarray(starts[1], np.int64),
    )


def _usable(source: Source, config: TrainConfig, dropped: Counter[str]) -> Iterator[Pair]:
    seen: set[bytes] = set()
    for row in read_pairs(source.path):
        pair = turned(row, config.source, config.target)
        if pair is None:
            dropped["other_languages"] += 1
        elif not pair.source.text.strip() or not pair.target.strip():
            dropped["empty"] += 1
        else:
            both = f"{pair.source.text.strip()}\0{pair.target.strip()}".encode(errors="surrogatepass")
            key = hashlib.blake2b(both, digest_size=12).digest()
            if key in seen:
                dropped["duplicate"] += 1
                continue
            seen.add(key)
            yield pair


def turned(pair: Pair, source: str, target: str) -> Pair | None:
    """The pair in the direction wanted; None if it is of other languages. Unlabelled pairs are believed."""
    have = _base(pair.source_language), _base(pair.target_language)
    wanted = _base(source), _base(target)
    if not all(have) or not all(wanted) or have == wanted:
        return pair
    if have == wanted[::-1]:
        return replace(
            pair,
            source=Segment(pair.id, pair.target),
            target=pair.source.text,
            source_language=pair.target_language,
            target_language=pair.source_language,
        )
    return None


def _source_text(pair: Pair, source: Source, annotate: Annotator | None) -> str:
    text = pair.source.text.strip()
    if annotate is not None and source.annotated and random.Random(pair.id).random() < source.annotated:
        text = annotate(pair) or text
    return f"{source.tag} {text}" if source.tag else text


def _require_variety(source: Source, counts: Counts) -> None:
    if not counts.read:
        raise InputError(f"{source.path}: empty; source {source.name!r} needs pairs")
    if not counts.kept:
        raise InputError(f"{source.path}: nothing to train on: {counts}")
    repeated = counts.dropped.get("duplicate", 0)
    if repeated and counts.kept <= max(1, _LEAST_DISTINCT * (counts.kept + repeated)):
        raise InputError(f"{source.path}: all duplicates: {counts}; deduplicate, and look for more data")


def _require_languages(source: Source, pairs: list[Pair], config: TrainConfig, detect: Detector) -> None:
    chosen = random.Random(1).sample(pairs, min(_LANGUAGE_SAMPLE, len(pairs)))
    for side, language, texts in (
        ("source", config.source, [pair.source.text for pair in chosen]),
        ("target", config.target, [pair.target for pair in chosen]),
    ):
        heard = _languages(texts, detect)
        wrong = Counter({name: count for name, count in heard.items() if name != _base(language)})
        if heard.total() >= 5 and wrong.total() > config.max_wrong_language * heard.total():
            listed = ", ".join(f"{count} {name}" for name, count in wrong.most_common(3))
            raise InputError(
                f"{source.path}: the {side} side should be {language!r}, but of {heard.total()} segments "
                f"looked at {wrong.total()} are not ({listed}); are the sides swapped?"
            )


def _languages(texts: Iterable[str], detect: Detector) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        guesses = detect(text) if len(text) >= _LANGUAGE_LETTERS else ()
        if guesses:
            found[_base(guesses[0][0])] += 1
    return found


def _require_letters(source: Source, config: TrainConfig, unknown: list[int], totals: list[int]) -> None:
    for side, bad, total in zip(("source", "target"), unknown, totals, strict=True):
        share = bad / max(1, total)
        if share > config.max_unknown:
            raise ModelError(
                f"{source.path}: the model's vocabulary cannot write the {side} side: {share:.1%} of its "
                f"pieces are unknown, {config.max_unknown:.0%} is the most; choose a base model whose "
                f"vocabulary has these letters"
            )
        if bad:
            log.info("source %s: %.2f %% of the %s pieces are unknown", source.name, 100 * share, side)


def _base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def load_vocabulary(folder: Any, tokenizer: Tokenizer, numbers: Mapping[str, int]) -> Vocabulary:
    missing = [name for name in ("</s>", "<unk>") if name not in numbers]
    if missing:
        raise ModelError(f"{folder}/vocab.json: has no {missing[0]}; MarianMT models need it")
    return Vocabulary(tokenizer, numbers, numbers["</s>"], numbers["<unk>"])
