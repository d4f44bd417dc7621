"""What to learn from, in which proportion, and which examples come when.

    Mixture((
        Source("trials", Path("rebec.jsonl"), weight=4),
        Source("articles", Path("scielo.jsonl"), weight=4, anchor=0.5),
        Source("back", Path("mono.back.jsonl"), weight=2, tag="[BT]"),
        Source("replay", Path("general.self.jsonl"), weight=2, cross_entropy=0.0, anchor=1.0),
    ))

`weight` is a source's share of the target tokens seen, whatever its size: small sources come round more
often. With `end_weight` it moves there in a straight line over the run (general text first, one's own last).
The order depends on the seed alone, so a resumed run sees what an undisturbed one would have seen.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import ConfigError

if TYPE_CHECKING:
    from mt.finetune_data import Corpus

# Batches drawn at a time and sorted by length among themselves.
_POOL_BATCHES = 96
# Source tokens of a batch may exceed its target tokens by this much.
_SOURCE_ROOM = 1.4
# Targets whose lengths differ by less than one part in so many count as equally long.
_FINENESS = 8


@dataclass(frozen=True, slots=True)
class Source:
    """One file of pairs. Its loss is `cross_entropy` times cross-entropy plus `anchor` times divergence from
    the anchor model; replay that only keeps the base's habits has 0 and 1. `tag` is text before each source
    sentence. `annotated` is the share of examples that the annotator handed in may rewrite.
    """

    name: str
    path: Path
    weight: float = 1.0
    end_weight: float | None = None
    cross_entropy: float = 1.0
    anchor: float = 0.0
    tag: str = ""
    annotated: float = 0.0

    def __post_init__(self) -> None:
        for field in ("weight", "cross_entropy", "anchor", "annotated"):
            if getattr(self, field) < 0:
                raise ConfigError(f"source {self.name!r}: {field} must be 0 or more")
        if self.cross_entropy == 0 and self.anchor == 0:
            raise ConfigError(f"source {self.name!r}: cross_entropy and anchor are both 0: nothing to learn")

    def weight_at(self, share_done: float) -> float:
        last = self.weight if self.end_weight is None else self.end_weight
        return self.weight + (last - self.weight) * min(1.0, share_done)


@dataclass(frozen=True, slots=True)
class Mixture:
    sources: tuple[Source, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", tuple(self.sources))
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names:
            raise ConfigError("the mixture has no sources; it needs at least one file of pairs")
        if twice:
            raise ConfigError(f"two sources of the mixture are called {twice[0]!r}")
        for share in (0.0, 1.0):
            if sum(source.weight_at(share) for source in self.sources) <= 0:
                raise ConfigError("the weights of all sources are 0; give at least one more")


@dataclass(frozen=True, slots=True)
class Example:
    """A place in the corpora: which one, and which pair of it."""

    corpus: int
    pair: int


def batches(
    corpora: Sequence[Corpus], total_tokens: int, batch_tokens: int, seed: int
) -> Iterator[tuple[Example, ...]]:
    """Endless batches of like length, of up to `batch_tokens` target tokens, padding counted."""
    streams = [_stream(corpus, number, seed) for number, corpus in enumerate(corpora)]
    owed = [0.0] * len(corpora)
    drawn, pool_number = 0, 0
    pool_tokens = min(_POOL_BATCHES * batch_tokens, max(total_tokens // 8, batch_tokens))
    while True:
        weights = [corpus.source.weight_at(drawn / max(1, total_tokens)) for corpus in corpora]
        pool: list[Example] = []
        for number, corpus in enumerate(corpora):
            owed[number] += pool_tokens * weights[number] / sum(weights)
            while owed[number] > 0:
                example = next(streams[number])
                pool.append(example)
                length = corpus.target_length(example.pair)
                owed[number] -= length
                drawn += length
        cut = list(_cut(corpora, pool, batch_tokens))
        random.Random(f"{seed}-{pool_number}").shuffle(cut)
        pool_number += 1
        yield from cut


def _stream(corpus: Corpus, number: int, seed: int) -> Iterator[Example]:
    """A corpus over and over, each time in another order."""
    import numpy as np

    epoch = 0
    while True:
        for pair in np.random.default_rng([seed, number, epoch]).permutation(len(corpus)):
            yield Example(number, int(pair))
        epoch += 1


def _cut(corpora: Sequence[Corpus], pool: list[Example], batch_tokens: int) -> Iterator[tuple[Example, ...]]:
    def lengths(example: Example) -> tuple[int, int]:
        corpus = corpora[example.corpus]
        return corpus.target_length(example.pair), corpus.source_length(example.pair)

    measured = sorted(((*lengths(example), i) for i, example in enumerate(pool)), key=_near)
    start, widest, widest_source = 0, 0, 0
    for end, (target, source, _) in enumerate(measured):
        rows = end + 1 - start
        widest, widest_source = max(widest, target), max(widest_source, source)
        if rows > 1 and (rows * widest > batch_tokens or rows * widest_source > _SOURCE_ROOM * batch_tokens):
            yield tuple(pool[i] for _, _, i in measured[start:end])
            start, widest, widest_source = end, target, source
    if start < len(measured):
        yield tuple(pool[i] for _, _, i in measured[start:])


def _near(measured: tuple[int, int, int]) -> tuple[int, int, int]:
    """Targets of about the same length, then sources in order: little padding on both sides."""
    target, source, place = measured
    return int(_FINENESS * math.log(target)), source, place
