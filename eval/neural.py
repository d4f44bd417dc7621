"""Metrics that need a model: COMET and BERTScore. Offline first; what is not there is named, never guessed.

In: a `Material` with references. Out: a `Score` with the model's revision in its signature.

    Comet().score(material)                     # the default model
    Comet("/srv/models/wmt22-comet-da").score(material)

The checkpoint is looked for as a path (a folder, or the .ckpt itself), then in the Hugging Face cache; the
hub is asked last, and not at all where HF_HUB_OFFLINE is set.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from eval.scores import Material, Score, Unmeasured, mean_score, sign
from eval.surface import need_references

COMET_MODEL = "Unbabel/wmt22-comet-da"
BERT_MODEL = "bert-base-multilingual-cased"
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Comet:
    """wmt22-comet-da is Apache-2.0; CometKiwi and XCOMET are not for commercial use, so no default."""

    model: str = ""
    name: str = "COMET"

    def score(self, material: Material) -> Score:
        need_references(self.name, material)
        wanted = self.model or os.environ.get("MEDLOOP_COMET_MODEL", "") or COMET_MODEL
        checkpoint = find_checkpoint(wanted)
        rows = [
            {"src": source, "mt": output, "ref": reference}
            for source, output, reference in zip(
                material.sources, material.outputs, material.references, strict=True
            )
        ]
        with _quiet():
            values = [100 * float(value) for value in _load(checkpoint, wanted).predict(
                rows, batch_size=_BATCH, gpus=_gpus(), progress_bar=False, num_workers=0
            ).scores]  # fmt: skip
        parts = [
            ("model", wanted if not Path(wanted).exists() else checkpoint.parent.parent.name),
            ("revision", revision(checkpoint)),
            ("scale", 100),
            ("version", version("unbabel-comet")),
            ("segments", len(values)),
        ]
        return mean_score(self.name, values, sign(self.name, parts), material.ids)


@dataclass(frozen=True, slots=True)
class BertScore:
    """F1 of contextual word similarity; the model from MEDLOOP_BERTSCORE_MODEL, a folder or the cache."""

    model: str = ""
    name: str = "BERTScore"

    def score(self, material: Material) -> Score:
        need_references(self.name, material)
        wanted = self.model or os.environ.get("MEDLOOP_BERTSCORE_MODEL", "") or BERT_MODEL
        folder = _model_folder(self.name, wanted, "MEDLOOP_BERTSCORE_MODEL")
        layers = _layers(folder)
        try:
            from bert_score import score
        except ImportError:
            raise Unmeasured(self.name, "bert-score is not installed", "pip install '.[eval]'") from None
        with _quiet():
            found = score(
                list(material.outputs), list(material.references), model_type=str(folder),
                num_layers=layers, batch_size=_BATCH, verbose=False,
            )[2]  # fmt: skip
        parts = [
            ("model", wanted if not Path(wanted).exists() else folder.name),
            ("revision", folder.name[:12] if not Path(wanted).exists() else "local"),
            ("layer", layers), ("idf", "no"), ("rescaled", "no"), ("value", "F1"),
            ("version", version("bert-score")), ("segments", len(found)),
        ]  # fmt: skip
        values = [100 * float(value) for value in found]
        return mean_score(self.name, values, sign(self.name, parts), material.ids)


def find_checkpoint(wanted: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The checkpoint file of a COMET model: by path, or from the Hugging Face cache, or from the hub."""
    path = Path(wanted).expanduser()
    if path.is_file():
        return path
    folder = path if path.is_dir() else _model_folder("COMET", wanted, "MEDLOOP_COMET_MODEL")
    found = [*sorted(folder.glob("checkpoints/*.ckpt")), *sorted(folder.glob("*.ckpt"))]
    if not found:
        raise Unmeasured("COMET", f"{folder} has no checkpoints/*.ckpt", _how("MEDLOOP_COMET_MODEL", wanted))
    return found[0]


def revision(checkpoint: Path) -> str:
    """The hub's revision where the path holds it, else a hash of the file's ends and size."""
    parts = checkpoint.absolute().parts
    if "snapshots" in parts:
        return parts[parts.index("snapshots") + 1][:12]
    size = checkpoint.stat().st_size
    with checkpoint.open("rb") as stream:
        head = stream.read(1 << 20)
        stream.seek(max(0, size - (1 << 20)))
        tail = stream.read()
    return "sha256-ends-" + hashlib.sha256(head + tail + str(size).encode()).hexdigest()[:12]


@lru_cache(maxsize=1)
def _load(checkpoint: Path, wanted: str) -> Any:
    """Kept for the next system: loading takes longer than scoring."""
    try:
        from comet import load_from_checkpoint
    except ImportError:
        raise Unmeasured("COMET", "unbabel-comet is not installed", "pip install '.[eval]'") from None
    try:
        with _quiet():
            return load_from_checkpoint(str(checkpoint), reload_hparams=True, local_files_only=_offline())
    except Exception as error:  # torch, lightning, yaml and the hub each fail in their own ways
        reason = f"{checkpoint} cannot be loaded ({type(error).__name__}: {_first_line(error)})"
        raise Unmeasured("COMET", reason, _how("MEDLOOP_COMET_MODEL", wanted)) from None


def _model_folder(name: str, wanted: str, variable: str) -> Path:
    path = Path(wanted).expanduser()
    if path.is_dir():
        return path
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise Unmeasured(name, "huggingface-hub is not installed", "pip install '.[eval]'") from None
    for local in (True,) if _offline() else (True, False):
        with contextlib.suppress(Exception), _quiet():  # not cached, no line, no such name: all the same here
            return Path(snapshot_download(wanted, local_files_only=local))
    reason = f"{wanted} is neither a folder nor in the Hugging Face cache, and the hub cannot be reached"
    raise Unmeasured(name, reason, _how(variable, wanted))


def _how(variable: str, wanted: str) -> str:
    encoder = " && hf download FacebookAI/xlm-roberta-large" if variable == "MEDLOOP_COMET_MODEL" else ""
    return f"hf download {wanted}{encoder} (where there is a line; or copy it here and set {variable}=FOLDER)"


def _layers(folder: Path) -> int:
    """bert-score knows the best layer of well-known models; of others the last but a quarter is near it."""
    import json

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return max(1, round(0.75 * int(config["num_hidden_layers"])))
    except (OSError, KeyError, ValueError):
        raise Unmeasured("BERTScore", f"{folder} has no readable config.json", "") from None


def _gpus() -> int:
    import torch

    return 1 if torch.cuda.is_available() else 0


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """These libraries talk a lot about themselves."""
    names = ("pytorch_lightning", "lightning", "transformers", "huggingface_hub", "comet")
    loggers = {name: logging.getLogger(name) for name in names}
    levels = {name: logger.level for name, logger in loggers.items()}
    try:
        for logger in loggers.values():
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, logger in loggers.items():
            logger.setLevel(levels[name])
