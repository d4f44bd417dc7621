"""The stages from prepared pairs to a registered candidate; each calls one library function.

In: a `Run` and the results of earlier stages. Out: a `Done`, or the version in the registry.

    checkpoint = trained(run, pairs)              # .../train-ab12.../model: a MarianMT folder
    version = registered(run, converted(run, checkpoint, pairs))
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import LanguagePairError, ModelError
from flows.config import Pipeline
from flows.preparing import DEV, WRITTEN
from flows.run import Run, write_summary
from flows.step_folders import Done

if TYPE_CHECKING:
    from mt.finetune import Trained
    from mt.finetune_progress import TrainProgress
    from mt.registry import Registry

MODEL = "model"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def registry(run: Run) -> Registry:
    from mt.registry import Registry

    return Registry(run.pipeline.release.registry) if run.pipeline.release.registry else Registry.standard()


def base_folder(pipeline: Pipeline) -> Path:
    """The folder with the weights to start from; a pair without one is told which pairs have one."""
    from mt.models import STARTERS, _from_hub

    there = {
        folder.name: folder
        for folder in sorted(STARTERS.iterdir() if STARTERS.is_dir() else ())
        if any((folder / name).is_file() for name in _WEIGHTS)
    }
    name = os.environ.get("MEDLOOP_BASE", "") or pipeline.base or pipeline.pair
    if name in there:
        return there[name]
    path = Path(name).expanduser()
    if path.is_dir():
        if any((path / one).is_file() for one in _WEIGHTS):
            return path
        raise ModelError(f"{path}: has no weights to train ({' or '.join(_WEIGHTS)})")
    if pipeline.base.count("/") == 1 and not pipeline.base.startswith((".", "/", "~")):
        return _from_hub(pipeline.base)
    raise LanguagePairError(pipeline.source, pipeline.target, there)


def trained(run: Run, pairs: Done) -> Done:
    from flows.launching import Job, train_with
    from mt.finetune import finetune
    from mt.finetune_mixture import Mixture, Source

    pipeline = run.pipeline
    weights = {one.name: (one.weight, one.anchor) for one in pipeline.data.real}
    weights[WRITTEN] = (pipeline.data.generation.weight, 0.0)
    sources = []
    for path in sorted(pairs.folder.glob("train-*.jsonl")):
        name = path.stem.removeprefix("train-")
        weight, anchor = weights[name]
        sources.append(Source(name, path, weight, anchor=anchor))
    config = dataclasses.replace(pipeline.training, source=pipeline.source, target=pipeline.target)
    base = base_folder(pipeline)

    mixture, dev, launcher = Mixture(tuple(sources)), pairs.folder / DEV, pipeline.operation.launcher

    def work(folder: Path) -> None:
        if launcher:
            job = Job(base, mixture, dev, folder / MODEL, config)
            write_summary(folder, train_with(launcher, job, run.show.goes_on))
            return
        found = finetune(base, mixture, dev, folder / MODEL, config, quick_scores, progress=_told(run))
        write_summary(folder, told_result(found))

    shares = [[one.name, one.weight, one.anchor] for one in sources]
    inputs = {"base": base, "pairs": pairs, "mixture": shares, "config": dataclasses.asdict(config)}
    if launcher:
        inputs["launcher"] = launcher
    return run.step("train", inputs, work, resumes=True)


def told_result(found: Trained) -> dict[str, Any]:
    """For the step's summary."""
    before = ", ".join(f"{name} {value:.2f}" for name, value in found.base_scores.items())
    after = ", ".join(f"{name} {value:.2f}" for name, value in found.scores.items())
    return {"steps": found.steps, "tokens": found.tokens, "dev": f"{before} -> {after}"}


def _told(run: Run) -> Callable[[TrainProgress], None]:
    from mt.finetune_progress import line

    def show(progress: TrainProgress) -> None:
        if progress.scores:
            run.show.plain(f"  {line(progress)}")
        else:
            run.show.goes_on(line(progress), progress.share_done)

    return show


def quick_scores(translations: Sequence[str], references: Sequence[str]) -> Mapping[str, float]:
    """What training chooses its best state by; handed in, as `mt` does not know `eval`."""
    from sacrebleu.metrics import BLEU, CHRF

    texts, wanted = list(translations), [list(references)]
    return {
        "chrF": CHRF().corpus_score(texts, wanted).score,
        "BLEU": BLEU().corpus_score(texts, wanted).score,
    }


def converted(run: Run, checkpoint: Done, pairs: Done) -> Done:
    from mt.convert import convert
    from mt.manifest import CARD
    from mt.models import MANIFEST

    pipeline = run.pipeline

    def work(folder: Path) -> None:
        manifest = convert(
            checkpoint.folder / MODEL, folder / MODEL, pipeline.conversion, pairs.folder / DEV, quick_scores,
            pipeline.source, pipeline.target,
        )  # fmt: skip
        # Its own words about itself tell times and speeds, which differ in length from run to run.
        files = [one for one in (folder / MODEL).rglob("*") if one.name not in (MANIFEST, CARD)]
        size = sum(one.stat().st_size for one in files if one.is_file())
        write_summary(folder, {"parity": f"{manifest.parity.identical:.1%} the same", "bytes": size})

    inputs = {"checkpoint": checkpoint, "dev": pairs, "config": dataclasses.asdict(pipeline.conversion)}
    return run.step("convert", inputs, work)


def registered(run: Run, model: Done) -> str:
    """The version's name; the same content is the same version, so doing it twice does nothing."""
    pipeline = run.pipeline
    version = registry(run).register(model.folder / MODEL, pipeline.source, pipeline.target)
    run.show.plain(f"{'register':<14}{pipeline.pair} {version} (candidate)")
    return version
