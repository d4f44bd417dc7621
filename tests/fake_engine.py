"""An engine without a model, for tests of the server: it shouts, at once or when the gate opens.

In: a folder. Out: `source(engines)` for `create_app`, whose `production` may be changed as an alias may.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from data.errors import ModelError
from data.segments import Hypothesis
from mt.api.engines import Source
from mt.config import DecodeConfig
from mt.engine import Engine
from mt.models import Model


class Plain:
    """No typography."""

    def plain(self, sentence: str) -> str:
        return sentence

    def restored(self, translation: str, _sentence: str) -> str:
        return translation


class FakeEngine:
    parallel = 2
    tokenizer = None
    typography = Plain()

    def __init__(self, model: Model, seconds: float = 0.0) -> None:
        self.model, self.seconds = model, seconds
        self.sentences: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def translate_stream(
        self, windows: Iterable[Sequence[str]], decode: DecodeConfig | None = None
    ) -> Iterator[list[tuple[Hypothesis, ...]]]:
        for window in windows:
            self.gate.wait(20)
            time.sleep(self.seconds)
            if any("poison" in text for text in window):
                raise ValueError(f"cannot read {window}")
            self.sentences += window
            name = "" if self.model.name == "one" else f"{self.model.name} "
            yield [(Hypothesis(name + text.upper()),) for text in window]

    def cut(self, sentences: Sequence[str]) -> tuple[list[str], list[int]]:
        return list(sentences), list(range(len(sentences)))

    def fits(self, sentences: Sequence[str]) -> list[bool]:
        return [len(one) < 1000 for one in sentences]


class Fakes:
    """Where the server gets its engines; `missing`: the model cannot be loaded; `none`: nothing installed."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.production = "one"
        self.missing = self.none = False
        self.loaded: dict[str, FakeEngine] = {}

    def source(self) -> Source:
        return Source(self._load, self._installed, self._find)

    def _model(self, name: str) -> Model:
        return Model(name, Path("/models") / name, Path("/models") / name, "en", "pt")

    def _installed(self) -> list[Model]:
        return [] if self.none else [self._model(name) for name in ("one", "two")]

    def _find(self, _source: str, _target: str, name: str) -> Model:
        return self._model(name or self.production)

    def _load(self, model: Model) -> Engine:
        if self.missing:
            raise ModelError(f"{model.folder}: no model.bin")
        found: Any = self.loaded.setdefault(model.name, FakeEngine(model, self.seconds))
        return cast(Engine, found)
