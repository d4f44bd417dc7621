"""The installed models as measures of training pairs: does the one side follow from the other?

In: two languages. Out: a `ModelMeasurer` for `data.measuring.measure`; what has no model is left out.

    measurer = starters("en", "pt")
    measurer.measures([{"src": "Take 5 mg.", "tgt": "Tome 5 mg."}])   # [{"cross_entropy": 0.7, ...}]
"""

from __future__ import annotations

from collections.abc import Sequence

from data.errors import LanguagePairError
from data.scoring_models import ModelMeasurer
from mt.config import DeviceConfig
from mt.engine import LONGEST_PIECE, Engine
from mt.models import find_model


def starters(source: str, target: str, round_trip: bool = True) -> ModelMeasurer:
    """Both directions of the installed models."""
    forward, backward = (_engine(*pair) for pair in ((source, target), (target, source)))
    if forward is None and backward is None:
        raise LanguagePairError(source, target, ())
    return ModelMeasurer(
        forward=_Scores(forward) if forward else None,
        backward=_Scores(backward) if backward else None,
        back=backward.translate if backward and round_trip else None,
    )


class _Scores:
    """Scores by length, as a batch costs what its longest row does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, sources: Sequence[str], targets: Sequence[str], /) -> list[float]:
        order = sorted(range(len(sources)), key=lambda place: len(sources[place]) + len(targets[place]))
        cut = [_start(self._engine, sources), _start(self._engine, targets)]
        scores = self._engine.score([cut[0][i] for i in order], [cut[1][i] for i in order])
        by_place = dict(zip(order, scores, strict=True))
        return [by_place[place] for place in range(len(order))]


def _start(engine: Engine, texts: Sequence[str]) -> list[str]:
    """Texts that the model can read; a longer one by its first words, which will do for a measure."""
    fitting = engine.fits(texts)
    return [
        text if fits else " ".join(text.split()[: LONGEST_PIECE // 2])
        for text, fits in zip(texts, fitting, strict=True)
    ]


def _engine(source: str, target: str) -> Engine | None:
    try:
        return Engine(find_model(source, target), DeviceConfig(bulk=True))
    except LanguagePairError:
        return None
