"""The model under training: from a MarianMT folder, and back into one.

base = load_base(Path("mt/starter/models/en-pt"))       # a folder, or a name of the hub
model = trainable(base, config)                          # frozen parts, LoRA, dropout
save(model, base, folder, weights)                       # what transformers and the converter read
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import MissingExtraError, ModelError
from mt.config import TrainConfig
from mt.finetune_data import Vocabulary, load_vocabulary
from mt.tokenization import Tokenizer

if TYPE_CHECKING:
    from torch import Tensor, nn

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_COPIED = (
    "vocab.json",
    "source.spm",
    "target.spm",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
)


@dataclass(frozen=True, slots=True)
class Base:
    """A MarianMT folder that was found complete."""

    folder: Path
    config: Mapping[str, Any]
    vocabulary: Vocabulary
    fingerprint: str

    @property
    def pad(self) -> int:
        return int(self.config["pad_token_id"])


def load_base(base: Path | str, target: str = "") -> Base:
    folder = _folder(base)
    config = _json(folder / "config.json")
    kind = config.get("model_type")
    if kind != "marian":
        raise ModelError(f"{folder}: a base of architecture {kind!r}; fine-tuning takes 'marian' models")
    if not any((folder / name).exists() for name in _WEIGHTS):
        raise ModelError(
            f"{folder / _WEIGHTS[0]}: missing; this folder can translate but not be trained further"
        )
    numbers = _json(folder / "vocab.json")
    _require_whole_vocabulary(folder, config, numbers)
    token = ""
    marks = sorted(piece for piece in numbers if piece.startswith(">>") and piece.endswith("<<"))
    if marks:
        token = _language_mark(folder, marks, target)
    vocabulary = load_vocabulary(folder, Tokenizer.load(folder, token), numbers)
    return Base(folder, config, vocabulary, _fingerprint(folder))


def _folder(base: Path | str) -> Path:
    folder = Path(base).expanduser()
    if folder.is_dir():
        return folder
    if isinstance(base, str) and base.count("/") == 1 and not base.startswith((".", "/", "~")):
        from mt.models import _from_hub

        return _from_hub(base)
    raise ModelError(f"{folder}: no such folder; a base is a MarianMT folder or a name of the hub")


def _language_mark(folder: Path, marks: list[str], target: str) -> str:
    from mt.models import _three_letters

    base = target.replace("_", "-").split("-")[0]
    for code in (target, base, _three_letters().get(base, "")):
        if f">>{code}<<" in marks:
            return f">>{code}<<"
    known = ", ".join(mark[2:-2] for mark in marks)
    raise ModelError(f"{folder}: does not translate into {target!r}; its targets: {known}")


def _require_whole_vocabulary(folder: Path, config: Mapping[str, Any], numbers: Mapping[str, int]) -> None:
    size = config.get("vocab_size")
    if len(numbers) != size:
        raise ModelError(
            f"{folder}: vocab.json has {len(numbers)} pieces, the weights {size}; "
            "tokens were added to one and not to the other"
        )
    if config.get("share_encoder_decoder_embeddings") is False:
        raise ModelError(
            f"{folder}: separate vocabularies for the two sides; only shared ones can be trained"
        )
    if numbers.get("<pad>") != len(numbers) - 1 or config.get("pad_token_id") != len(numbers) - 1:
        raise ModelError(
            f"{folder}: <pad> is entry {numbers.get('<pad>')} of {len(numbers)}; it must be the last one, "
            "or rows shift when the model is converted"
        )


def load_marian(folder: Path, device: str = "cpu") -> Any:
    """In fp32, whatever the folder holds; ties are made anew, as files hold one copy.

    On a CPU the backward pass of the fused attention costs several times the plain one's for sentences:
    plain attention made whole training steps 1.29 times as fast.
    """
    try:
        import torch
        import transformers
        from safetensors import SafetensorError
    except ImportError:
        raise MissingExtraError("training", "train") from None
    library: Any = transformers
    with torch.random.fork_rng():  # weights start random before they are read; that must not move the run's
        try:
            model = library.MarianMTModel.from_pretrained(
                str(folder),
                dtype=torch.float32,
                attn_implementation="eager" if device == "cpu" else "sdpa",
            )
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(f"{folder}: cannot be loaded ({str(error).splitlines()[0]})") from None
    model.tie_weights()
    return model


def trainable(base: Base, config: TrainConfig, device: str = "cpu") -> nn.Module:
    model = load_marian(base.folder, device)
    if config.dropout is not None:
        model.config.dropout = config.dropout
        for part in model.modules():
            if isinstance(getattr(part, "dropout", None), float):
                part.dropout = config.dropout
    if config.lora is not None:
        return _with_lora(model, config)
    model.requires_grad_(True)
    positions = [p for name, p in model.named_parameters() if "embed_positions" in name]
    for parameter in positions:  # sinusoids, not learnt
        parameter.requires_grad_(False)
    frozen = {
        "embeddings": [model.get_input_embeddings()],
        "encoder": list(model.model.encoder.layers),
        "decoder": list(model.model.decoder.layers),
    }
    for part in config.freeze:
        for module in frozen[part]:
            module.requires_grad_(False)
    return model  # type: ignore[no-any-return]


def _with_lora(model: Any, config: TrainConfig) -> nn.Module:
    import torch

    try:
        import peft
    except ImportError:
        raise MissingExtraError("LoRA", "train") from None
    lora = config.lora
    if lora is None:
        raise ModelError("no LoRA settings")
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        return peft.get_peft_model(
            model,
            peft.LoraConfig(
                r=lora.rank,
                lora_alpha=lora.alpha,
                lora_dropout=lora.dropout,
                target_modules=list(lora.layers),
                bias="none",
            ),
        )


def marian_of(model: Any) -> Any:
    """The MarianMT model inside, with or without LoRA around it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def save(model: Any, base: Base, folder: Path, weights: str, state: Mapping[str, Tensor]) -> None:
    """A whole MarianMT folder of the model with `state` in place of its free parameters; LoRA is merged."""
    import torch

    whole = copy.deepcopy(model)
    names = dict(whole.named_parameters())
    with torch.no_grad():
        for name, values in state.items():
            names[name].copy_(values)
    if hasattr(whole, "merge_and_unload"):
        whole = whole.merge_and_unload()
    whole.config.dropout = base.config.get("dropout", 0.0)
    if weights == "float16":
        whole = whole.half()
    folder.mkdir(parents=True, exist_ok=True)
    whole.save_pretrained(str(folder), safe_serialization=True)
    for name in _COPIED:
        if (base.folder / name).exists():
            shutil.copyfile(base.folder / name, folder / name)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: missing; a base is a MarianMT folder as transformers writes it") from None
    except (OSError, ValueError):
        raise ModelError(f"{path}: damaged; it should hold a JSON object") from None
    if not isinstance(found, dict):
        raise ModelError(f"{path}: damaged; it should hold a JSON object")
    return found


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("config.json", "vocab.json", "source.spm", "target.spm", *_WEIGHTS):
        path = folder / name
        if path.exists():
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
