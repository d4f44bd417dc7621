"""Measures that models make: cross-entropy both ways, round trip, similarity of sentence embeddings.

In: callables handed in by whoever may load models (this package loads none), and blocks of records. Out: the
records' numbers:

    cross_entropy        how unlikely a side is given the other, a token, the mean of both ways; 0 is perfect
    dual_cross_entropy   the same with how much the two ways differ on top (Junczys-Dowmunt 2018)
    round_trip           chrF of the target translated back, beside the source; 0 to 100
    similarity           cosine of the two sides' embeddings; -1 to 1
    <any name>           what a further callable says of a pair: COMET-QE, a critic's score

    measurer = ModelMeasurer(forward=engine.score, backward=reverse.score, back=reverse.translate)
    measurer.measures([{"src": "Take 5 mg.", "tgt": "Tome 5 mg."}])     # [{"dual_cross_entropy": 0.61, ...}]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from data.errors import InputError, MissingExtraError

_LONGEST = 1000  # characters of a side that go to a model; what is longer is no sentence, and costs most


class Score(Protocol):
    """Of each pair a number: mean log-probability a token, or a quality."""

    def __call__(self, sources: Sequence[str], targets: Sequence[str], /) -> Sequence[float]: ...


class Translate(Protocol):
    def __call__(self, sentences: Sequence[str], /) -> Sequence[str]: ...


class Embed(Protocol):
    """A vector for each text."""

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[float]]: ...


@dataclass(frozen=True, slots=True)
class ModelMeasurer:
    """Whatever of it is there is measured."""

    forward: Score | None = None
    backward: Score | None = None
    back: Translate | None = None
    embed: Embed | None = None
    more: Mapping[str, Score] = field(default_factory=dict)

    def measures(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
        """The numbers of each record, in order."""
        sources = [record["src"][:_LONGEST] for record in records]
        targets = [record["tgt"][:_LONGEST] for record in records]
        found: list[dict[str, float]] = [{} for _ in records]
        if self.forward:
            _add(found, "forward_log_probability", self.forward(sources, targets))
        if self.backward:
            _add(found, "backward_log_probability", self.backward(targets, sources))
        if self.forward and self.backward:
            pairs = [(m["forward_log_probability"], m["backward_log_probability"]) for m in found]
            _add(found, "cross_entropy", [-sum(pair) / 2 for pair in pairs])
            _add(found, "dual_cross_entropy", [dual_cross_entropy(*pair) for pair in pairs])
        if self.back:
            _add(found, "round_trip", likeness(self.back(targets), sources))
        if self.embed:
            similar = map(cosine, self.embed(sources), self.embed(targets))
            _add(found, "similarity", list(similar))
        for name, score in self.more.items():
            _add(found, name, score(sources, targets))
        return found


def dual_cross_entropy(forward: float, backward: float) -> float:
    """From the two mean log-probabilities; 0 is perfect (https://aclanthology.org/W18-6478/)."""
    return abs(forward - backward) - (forward + backward) / 2


def likeness(texts: Sequence[str], references: Sequence[str]) -> list[float]:
    """chrF of each text with its reference, capitals aside."""
    try:
        from sacrebleu.metrics import CHRF
    except ImportError:
        raise MissingExtraError("the round trip", "data") from None
    chrf = CHRF(lowercase=True)
    both = zip(texts, references, strict=True)
    return [chrf.sentence_score(text, [reference]).score for text, reference in both]


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    product = sum(a * b for a, b in zip(first, second, strict=True))
    lengths = math.sqrt(sum(a * a for a in first) * sum(b * b for b in second))
    return float(product / lengths) if lengths else 0.0


def _add(found: Sequence[dict[str, float]], name: str, values: Sequence[float]) -> None:
    if len(values) != len(found):
        raise InputError(f"the measure {name} gave {len(values)} numbers for {len(found)} pairs")
    for measures, value in zip(found, values, strict=True):
        measures[name] = round(float(value), 4)
