"""The loaded models, one batcher each; a new version in production comes in without a dropped request.

In: languages and perhaps a model's name (of those installed; never a path). Out: a `Batcher`.

    engines = Engines(load_engine, installed_models, find_model)
    with engines.batcher("en", "pt").request() as turn: ...
    engines.refresh()                                  # ["en-pt"]: pairs whose alias points elsewhere by now
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.errors import LanguagePairError, MedloopError
from mt.api.problems import Problem
from mt.batching import Batcher, BatcherState, BatchLimits
from mt.models import Model, find_model, installed_models

if TYPE_CHECKING:
    from mt.engine import Engine

_MOST_NAMED = 6
_ALIASES = ("production", "candidate")
_LOOK_SECONDS = 1.0  # so long the list of models on the disk holds good


@dataclass(frozen=True, slots=True)
class Source:
    """Where engines come from; tests hand in their own."""

    load: Callable[[Model], Engine]
    installed: Callable[[], Sequence[Model]] = installed_models
    find: Callable[[str, str, str], Model] = find_model


def load_engine(model: Model) -> Engine:
    from mt.config import DeviceConfig
    from mt.engine import Engine

    return Engine(model, DeviceConfig(bulk=True), model.target)


class Engines:
    def __init__(self, source: Source | None = None, limits: BatchLimits | None = None) -> None:
        self._source = source or Source(load_engine)
        self._limits = limits or BatchLimits()
        self._batchers: dict[tuple[str, str, str], Batcher] = {}
        self._installed: tuple[float, Sequence[Model]] = (0.0, ())
        self._lock = threading.Lock()

    def models(self) -> Sequence[Model]:
        looked, found = self._installed
        now = time.monotonic()
        if not looked or now - looked > _LOOK_SECONDS:
            found = self._source.installed()
            self._installed = (now, found)
        return found

    def pairs(self) -> list[tuple[str, str]]:
        return sorted({(one.source, one.target) for one in self.models() if one.source and one.target})

    def resolve(self, source: str, target: str) -> tuple[str, str]:
        """The pair of a model for languages as clients write them: `EN` and `pt-BR` are `en` and `pt`."""
        pairs = self.pairs()
        for wanted in ((source, target), (source.lower(), target.lower()), (base(source), base(target))):
            if wanted in pairs:
                return wanted
        for pair in pairs:
            if (base(pair[0]), base(pair[1])) == (base(source), base(target)):
                return pair
        raise LanguagePairError(base(source), base(target), [f"{one}-{other}" for one, other in pairs])

    def batcher(self, source: str, target: str, name: str = "") -> Batcher:
        key = (*self.resolve(source, target), name)
        found = self._batchers.get(key)
        if found is not None:
            return found
        if name and name not in {*_ALIASES, *(model.name for model in self.models())}:
            raise Problem(404, "model-unknown", "no model of this name; GET /v1/models lists them")
        with self._lock:
            if key not in self._batchers:
                if name and sum(bool(one[2]) for one in self._batchers) >= _MOST_NAMED:
                    raise Problem(503, "models-full", "too many models are loaded; use the standard one")
                model = self._source.find(*key)
                self._batchers[key] = Batcher(self._source.load(model), self._limits)
            return self._batchers[key]

    def refresh(self) -> list[str]:
        """Loads what is in production by now; requests under way end with the model they had."""
        swapped = []
        with self._lock:
            self._installed = (0.0, ())
            for (source, target, name), batcher in self._batchers.items():
                try:
                    model = self._source.find(source, target, name)
                    if model.folder == batcher.model.folder:
                        continue
                    batcher.swap(self._source.load(model))
                except MedloopError:
                    continue  # a damaged new version: the old one goes on
                swapped.append(f"{source}-{target}")
        return swapped

    def states(self) -> dict[str, BatcherState]:
        return {"-".join(filter(None, key)): batcher.state() for key, batcher in self._batchers.items()}

    def close(self, timeout_seconds: float) -> bool:
        with self._lock:
            # each, whatever the first says
            done = [batcher.close(timeout_seconds) for batcher in self._batchers.values()]
            return all(done)


def base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()
