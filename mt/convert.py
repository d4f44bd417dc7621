"""A trained MarianMT folder to what runs, compared with what was trained before anybody may use it.

    manifest = convert(Path("runs/trials"), Path("runs/trials-int8"), ConvertConfig(), dev, metric)
    manifest.parity.identical        # 0.995: share of segments where float32 CTranslate2 equals transformers

In: a folder as `finetune` or transformers writes it, and a dev file. Out: a folder with `ct2/`,
`medloop.json` (what it is, from what and how it was made, what was measured) and `parity.jsonl`, the segments
whose translations differ. A model that strays too far raises `ParityError`, and only the list of
differences is left, beside the place where the model would have been.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import InputError, MissingExtraError, ModelError, OutputError
from data.jsonl import write_jsonl
from data.segments import Pair
from mt.config import ConvertConfig
from mt.finetune_models import Base, load_base
from mt.finetune_scoring import ScoreTexts, dev_pairs, quick_export
from mt.manifest import CARD, Manifest, file_sums, model_card, write_fingerprints, write_manifest
from mt.models import MANIFEST
from mt.parity import Parity, ParityError, compare, not_run_here, problem

log = logging.getLogger(__name__)

PARITY = "parity.jsonl"
# Examples whose activations say how loud each channel is, and pieces of each.
_SAMPLE, _LONGEST = 200, 120


def convert(
    checkpoint: Path,
    out: Path,
    config: ConvertConfig,
    dev: Path,
    metric: ScoreTexts,
    source: str = "",
    target: str = "",
) -> Manifest:
    _require_libraries()
    if out.exists():
        raise OutputError(f"{out}: exists already; choose a new folder")
    record = _record(checkpoint / "training.json")
    source, target = _languages(checkpoint, record, source, target)
    base = load_base(checkpoint, target)
    _require_ties(checkpoint)
    pairs = dev_pairs(dev, source, target, config.most_segments)
    if len(pairs) < config.least_segments:
        raise InputError(
            f"{dev}: {len(pairs)} segments; comparing before and after takes {config.least_segments} or more"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out.parent}: cannot be made ({error.strerror})") from None
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".converting-") as temporary:
        folder = Path(temporary) / "model"
        exact = quick_export(checkpoint, Path(temporary) / "float32", "float32")
        rounded = checkpoint
        if config.equalise and config.quantization.startswith("int8"):
            rounded = _equalised(base, checkpoint, pairs, Path(temporary) / "equalised")
        runnable = quick_export(rounded, folder / "ct2", config.quantization)
        parity, differing = compare(base, checkpoint, exact, runnable, pairs, metric)
        why = problem(parity, config)
        if why:
            report = out.with_name(f"{out.name}.{PARITY}")
            write_jsonl(report, differing)
            raise ParityError(f"{checkpoint}: {why}; the differing segments are in {report}")
        unseen = not_run_here(parity, config.quantization)
        if unseen:
            log.warning("%s: %s", out, unseen)
        write_jsonl(folder / PARITY, differing)
        write_fingerprints([], checkpoint, folder)
        manifest = _manifest(checkpoint, folder, config, parity, record, (source, target))
        write_manifest(folder, manifest)
        folder.rename(out)
    return manifest


def _equalised(base: Base, checkpoint: Path, pairs: Sequence[Pair], out: Path) -> Path:
    """The same function, with channels scaled so that 8-bit arithmetic costs less."""
    from mt.finetune_models import load_marian, save
    from mt.starter.distil import Example
    from mt.starter.equalise import equalise

    sample = pairs[:_SAMPLE]
    encoded = base.vocabulary.encode([pair.source.text for pair in sample], [pair.target for pair in sample])
    examples = [Example(tuple(source[:_LONGEST]), tuple(target[:_LONGEST])) for source, target in encoded]
    model = load_marian(checkpoint).float().eval()
    equalise(model, examples)
    save(model, base, out, "float32", {})
    return out


def _require_libraries() -> None:
    try:
        import torch
        import transformers
    except ImportError:
        raise MissingExtraError("converting a model", "train") from None
    transformers.logging.set_verbosity_error()
    del torch


def _record(path: Path) -> dict[str, Any]:
    """What `finetune` wrote; a foreign folder has none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ModelError(f"{path}: damaged; it should hold a JSON object") from None
    return found if isinstance(found, dict) else {}


def _languages(checkpoint: Path, record: Mapping[str, Any], source: str, target: str) -> tuple[str, str]:
    trained = record.get("config", {})
    tokenizer = _record(checkpoint / "tokenizer_config.json")
    source = source or trained.get("source") or tokenizer.get("source_lang") or ""
    target = target or trained.get("target") or tokenizer.get("target_lang") or ""
    if not source or not target:
        raise ModelError(f"{checkpoint}: does not say its languages; give source and target")
    return source, target


def _require_ties(checkpoint: Path) -> None:
    """One matrix serves both embeddings and the output; a file with two that differ would lose one."""
    path = checkpoint / "model.safetensors"
    if not path.exists():
        return
    import torch
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as tensors:
        names = set(tensors.keys())
        if "model.shared.weight" not in names:
            return
        shared = tensors.get_tensor("model.shared.weight")
        for name in (
            "lm_head.weight",
            "model.encoder.embed_tokens.weight",
            "model.decoder.embed_tokens.weight",
        ):
            if name in names and not torch.equal(tensors.get_tensor(name), shared):
                raise ModelError(
                    f"{path}: {name} is not the shared embedding; the model is not tied as it says"
                )


def _manifest(
    checkpoint: Path,
    folder: Path,
    config: ConvertConfig,
    parity: Parity,
    record: Mapping[str, Any],
    languages: tuple[str, str],
) -> Manifest:
    import ctranslate2
    import torch
    import transformers

    own = _record(checkpoint / MANIFEST)
    sources = record.get("sources", [])
    manifest = Manifest(
        source=languages[0],
        target=languages[1],
        licence=config.licence or str(own.get("licence") or record.get("base_licence") or ""),
        origin=config.origin or str(own.get("origin", "")) or _origin(record, checkpoint),
        quantization=config.quantization,
        parity=parity,
        base=str(record.get("base", "")),
        base_fingerprint=str(record.get("base_fingerprint", "")),
        data_digest=str(record.get("data_digest", "")),
        licences={source["name"]: source.get("licences", {}) for source in sources}
        | ({"base": record["base_licence"]} if record.get("base_licence") else {}),
        training={key: value for key, value in record.items() if key not in ("history", "sources")}
        | {"sources": [{k: v for k, v in s.items() if k in ("name", "kept", "weight")} for s in sources]},
        versions={
            "ctranslate2": ctranslate2.__version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        made=time.strftime("%Y-%m-%d", time.gmtime()),
    )
    (folder / CARD).write_text(model_card(manifest), encoding="utf-8")
    return dataclasses.replace(manifest, files=file_sums(folder))


def _origin(record: Mapping[str, Any], checkpoint: Path) -> str:
    return f"fine-tuned from {record['base']}" if record.get("base") else f"converted from {checkpoint.name}"
