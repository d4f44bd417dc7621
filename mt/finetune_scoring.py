"""Dev sets translated as they will be in use: a quick CTranslate2 export, then the metric handed in.

    dev = DevSets.read({"trials": Path("trials-dev.jsonl")}, base, config, metric)
    dev.score(model, state)       # {"chrF": 68.1, "BLEU": 44.0} ; of several sets also "trials/chrF"

With several sets the plain name is their mean, so early stopping looks at all of them.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, InputError
from data.jsonl import read_pairs
from data.segments import Pair
from mt.config import DecodeConfig, DeviceConfig, TrainConfig
from mt.engine import Engine
from mt.finetune_data import turned
from mt.finetune_models import Base, save
from mt.models import Model

if TYPE_CHECKING:
    from torch import Tensor

# Translations and references in, named scores out.
ScoreTexts = Callable[[Sequence[str], Sequence[str]], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class DevSets:
    sets: Mapping[str, Sequence[Pair]]
    base: Base
    config: TrainConfig
    metric: ScoreTexts

    @classmethod
    def read(
        cls, dev: Path | Mapping[str, Path], base: Base, config: TrainConfig, metric: ScoreTexts
    ) -> DevSets:
        paths = dev if isinstance(dev, Mapping) else {"dev": dev}
        sets = {
            name: dev_pairs(path, config.source, config.target, config.dev_segments)
            for name, path in paths.items()
        }
        return cls(sets, base, config, metric)

    def score(self, model: Any, state: Mapping[str, Tensor]) -> dict[str, float]:
        import torch

        with tempfile.TemporaryDirectory(prefix="medloop-dev-") as temporary, torch.random.fork_rng():
            folder = Path(temporary) / "model"
            save(model, self.base, folder, "float32", state)
            runnable = quick_export(folder, Path(temporary) / "ct2")
            engine = Engine(
                Model("dev", folder, runnable),
                DeviceConfig(device=self.config.device, threads=self.config.threads),
                self.config.target,
            )
            found = {name: self._score_set(engine, pairs) for name, pairs in self.sets.items()}
        metrics = list(next(iter(found.values())))
        if self.config.dev_metric not in metrics:
            raise ConfigError(
                f"no dev_metric {self.config.dev_metric!r}; the metric gives {', '.join(metrics)}"
            )
        means = {metric: sum(scores[metric] for scores in found.values()) / len(found) for metric in metrics}
        if len(found) == 1:
            return means
        return means | {
            f"{name}/{metric}": value for name, scores in found.items() for metric, value in scores.items()
        }

    def _score_set(self, engine: Engine, pairs: Sequence[Pair]) -> Mapping[str, float]:
        translations = engine.translate([pair.source.text for pair in pairs], DecodeConfig())
        return self.metric(translations, [pair.target for pair in pairs])


def dev_pairs(path: Path, source: str, target: str, most: int) -> list[Pair]:
    """The pairs of a dev file in the direction wanted; of a large one the same sample in every run."""
    rows = (turned(pair, source, target) for pair in read_pairs(path))
    pairs = [pair for pair in rows if pair and pair.source.text.strip() and pair.target.strip()]
    if not pairs:
        raise InputError(f"{path}: no pairs of {source}-{target} with both sides; dev needs some")
    if len(pairs) > most:
        chosen = sorted(random.Random(1).sample(range(len(pairs)), most))
        pairs = [pairs[i] for i in chosen]
    return pairs


def quick_export(folder: Path, out: Path, quantization: str = "int8") -> Path:
    import ctranslate2

    converter = ctranslate2.converters.TransformersConverter(
        str(folder), copy_files=["source.spm", "target.spm"]
    )
    converter.convert(str(out), quantization=quantization, force=True)
    return out
