"""Pairs to a better small model: a MarianMT folder and a mixture in, a MarianMT folder out.

    trained = finetune(
        Path("mt/starter/models/en-pt"),
        Mixture((Source("trials", Path("trials.jsonl"), 4), Source("replay", Path("self.jsonl"), 1))),
        dev=Path("trials-dev.jsonl"),
        out=Path("artifacts/runs/trials"),
        config=TrainConfig(source="en", target="pt", epochs=2),
        metric=lambda translations, references: {"chrF": ..., "BLEU": ...},
        progress=plain_lines(print),
    )
    trained.scores        # {"chrF": 73.1, ...} of the state that was kept; trained.base_scores before

The metric is handed in, as is all else that other packages know: hints for the source (`annotate`) and the
language of a text (`detect`). A killed run goes on when it is called again with the same arguments. Called in
each of several processes that torchrun started, they train one model together (`mt.finetune_parallel`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, MissingExtraError
from data.files import atomic_write
from mt.config import TrainConfig
from mt.finetune_blend import State, blended
from mt.finetune_data import Annotator, Corpus, Detector, read_corpora
from mt.finetune_mixture import Mixture, batches
from mt.finetune_models import Base, load_base, load_marian, save, trainable
from mt.finetune_parallel import ALONE, Team
from mt.finetune_progress import Show
from mt.finetune_scoring import DevSets, ScoreTexts
from mt.manifest import write_fingerprints

if TYPE_CHECKING:
    from mt.finetune_step import Stepper

log = logging.getLogger(__name__)

RECORD = "training.json"
# Settings that change nothing of the result, so that they may differ when a run goes on.
_HARMLESS = ("checkpoint_seconds", "report_seconds", "threads", "max_wrong_language")


@dataclass(frozen=True, slots=True)
class Trained:
    """The folder, the scores on dev before, after and at each evaluation, the share of the tuned weights."""

    folder: Path
    scores: Mapping[str, float]
    base_scores: Mapping[str, float]
    history: tuple[Mapping[str, float], ...]
    steps: int
    tokens: int
    seconds: float
    ended: str
    data_digest: str
    share: float = 1.0


def finetune(
    base: Path | str,
    mixture: Mixture,
    dev: Path | Mapping[str, Path],
    out: Path,
    config: TrainConfig,
    metric: ScoreTexts,
    progress: Show = lambda _: None,
    annotate: Annotator | None = None,
    detect: Detector | None = None,
) -> Trained:
    _require_torch()
    from mt.finetune_checkpoints import Checkpoints
    from mt.finetune_loop import Loop

    team = Team.of_environment(config.device)
    start = load_base(base, config.target)
    corpora = read_corpora(mixture, start.vocabulary, config, annotate, detect or _detector())
    dev_sets = DevSets.read(dev, start, config, metric)
    identity = _identity(start, mixture, corpora, dev_sets, config, team)
    checkpoints = team.in_turn(lambda: Checkpoints(out, identity))
    _set_threads(config)
    stepper = _stepper(start, corpora, config, team)
    total = config.max_tokens or int(config.epochs * sum(corpus.target_tokens for corpus in corpora))
    kept = checkpoints.folder / "base.json"
    base_scores = _base_scores(kept, dev_sets, stepper.model) if team.first else {}
    loop = Loop(
        stepper, config, total, checkpoints, lambda state: dev_sets.score(stepper.model, state), progress
    )
    ended = loop.run(batches(corpora, total, config.batch_tokens, config.seed))
    best = ended.position.best[0][1]
    scores = next(scores for scores in ended.position.scores if scores["step"] == best)
    state: State = ended.state
    share = 1.0
    if team.first:
        if len(ended.position.best) > 1:  # a mean of states is another model than any of them
            scores = dev_sets.score(stepper.model, ended.state)
        if config.blend:
            found = blended(
                start.folder,
                ended.state,
                scores,
                config.blend,
                lambda one: dev_sets.score(stepper.model, one),
                config.dev_metric,
            )
            state, share, scores = found.state, found.share, found.scores
        save(stepper.model, start, out, config.weights, state)
    digest = hashlib.sha256("".join(corpus.digest for corpus in corpora).encode()).hexdigest()
    trained = Trained(
        folder=out,
        scores={name: value for name, value in scores.items() if name not in ("step", "tokens")},
        base_scores=base_scores,
        history=tuple(ended.position.scores),
        steps=ended.position.step,
        tokens=ended.position.tokens,
        seconds=ended.position.seconds,
        ended=ended.why,
        data_digest=digest,
        share=share,
    )
    if team.first:
        write_fingerprints([corpus.prints for corpus in corpora], start.folder, out)
        _write_record(out / RECORD, trained, start, mixture, corpora, config, team.size)
        checkpoints.remove()
    team.leave()
    return trained


def _detector() -> Detector | None:
    """The project's own, where its library is installed; without it the languages are believed."""
    from mt.detection import detect

    try:
        detect("Take one tablet twice a day.")
    except (ImportError, MissingExtraError):
        log.warning("the languages of the data are not checked: pip install '.[data]'")
        return None
    return detect


def _require_torch() -> None:
    try:
        import torch
        import transformers
    except ImportError:
        raise MissingExtraError("fine-tuning", "train") from None
    transformers.logging.set_verbosity_error()
    del torch


def _set_threads(config: TrainConfig) -> None:
    import torch

    if config.threads:
        torch.set_num_threads(config.threads)


def _stepper(base: Base, corpora: list[Corpus], config: TrainConfig, team: Team = ALONE) -> Stepper:
    import torch

    from mt.finetune_step import Stepper

    device = torch.device(_device(config.device))
    model = trainable(base, config, device.type).to(device).train()
    teachers = []
    if any(corpus.source.anchor for corpus in corpora):
        for name in config.anchor_models or (str(base.folder),):
            folder = load_base(name, config.target)
            if folder.vocabulary.numbers != base.vocabulary.numbers:
                raise ConfigError(f"anchor {name}: its vocabulary is not the base's; choose one of its kin")
            teacher = load_marian(folder.folder, device.type).to(device).eval()
            teachers.append(teacher.requires_grad_(False))
    dtype = _dtype(config.precision, device.type)
    return Stepper(model, teachers, corpora, base.pad, config, dtype, device, team)


def _device(wanted: str) -> str:
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device 'cuda' is not here; valid here: auto, cpu")
    return wanted


def _dtype(precision: str, device: str) -> Any:
    """bf16 where the hardware multiplies it faster than fp32."""
    import torch

    if precision == "auto":
        if device == "cuda":
            fast = torch.cuda.is_bf16_supported()
        else:
            fast = bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
        precision = "bfloat16" if fast else "float32"
    return getattr(torch, precision)


def _base_scores(kept: Path, dev_sets: DevSets, model: Any) -> dict[str, float]:
    """Before the first step; a resumed run reads what the first one found."""
    if kept.exists():
        found: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    scores = dev_sets.score(model, {})
    with atomic_write(kept) as stream:
        json.dump(scores, stream)
    return scores


def _identity(
    base: Base, mixture: Mixture, corpora: list[Corpus], dev_sets: DevSets, config: TrainConfig, team: Team
) -> dict[str, Any]:
    settings = {name: value for name, value in dataclasses.asdict(config).items() if name not in _HARMLESS}
    dev = {name: [(pair.source.text, pair.target) for pair in pairs] for name, pairs in dev_sets.sets.items()}
    sources = [dataclasses.asdict(source) | {"path": ""} for source in mixture.sources]
    return {
        "base": base.fingerprint,
        "mixture": sources,
        "data": [corpus.digest for corpus in corpora],
        "dev": hashlib.sha256(json.dumps(dev, sort_keys=True).encode()).hexdigest(),
        **settings,
        **({"processes": team.size} if team.size > 1 else {}),
    }


def _licence(manifest: Path) -> str:
    try:
        return str(json.loads(manifest.read_text(encoding="utf-8")).get("licence", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _write_record(
    path: Path,
    trained: Trained,
    base: Base,
    mixture: Mixture,
    corpora: list[Corpus],
    config: TrainConfig,
    processes: int,
) -> None:
    """What the manifest of the finished model will say about its making."""
    import torch
    import transformers

    record = {
        "base": base.folder.name,
        "base_fingerprint": base.fingerprint,
        "base_licence": _licence(base.folder / "medloop.json"),
        "data_digest": trained.data_digest,
        "sources": [
            dataclasses.asdict(corpus.source)
            | {
                "path": corpus.source.path.name,
                "tokens": corpus.target_tokens,
                "licences": dict(corpus.licences),
                "digest": corpus.digest,
            }
            | dataclasses.asdict(corpus.counts)
            for corpus in corpora
        ],
        "config": dataclasses.asdict(config),
        "share_of_tuned_weights": trained.share,
        "scores": dict(trained.scores),
        "base_scores": dict(trained.base_scores),
        "history": [dict(scores) for scores in trained.history],
        "steps": trained.steps,
        "tokens": trained.tokens,
        "seconds": round(trained.seconds, 1),
        "ended": trained.ended,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "processes": processes,
    }
    with atomic_write(path) as stream:
        json.dump(record, stream, indent=1, ensure_ascii=False, default=str)
