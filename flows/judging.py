"""The stages from a candidate to a decision and a release; each calls one library function.

In: a `Run` and the results of earlier stages. Out: a `Done`; `released` changes which model is in use.

    scores = evaluated(run, version, pairs)
    verdict = gated(run, scores)                    # decision.json, report.html
    released(run, version, verdict)                 # a `Released`: in use, rejected or rolled back, and why
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import MedloopError
from data.files import atomic_write
from flows.run import Run, write_summary
from flows.step_folders import Done
from flows.training import registry

if TYPE_CHECKING:
    from data.segments import Segment
    from eval.results import Evaluation
    from terminology.termbase import Termbase

OLD, NEW = "production", "candidate"
DECISION, REPORT, DOCUMENT = "decision.json", "report.html", "translation.txt"


@dataclass(frozen=True, slots=True)
class Released:
    """`state` is released, rejected or rolled-back; `reasons` are the gate's, or what the smoke test met."""

    state: str
    version: str
    reasons: tuple[str, ...] = ()


def baseline_folder(run: Run, version: str) -> Path:
    """What the candidate would replace, also when a rerun finds that it has replaced it already."""
    from mt.models import STARTERS, find_model

    pipeline, models = run.pipeline, registry(run)
    aliases = models.aliases(pipeline.pair)
    current, before = aliases.get("production"), aliases.get("before") or []
    name = before[-1] if current == version and before else current if current != version else None
    if name:
        return models.resolve(pipeline.pair, name)
    if (STARTERS / pipeline.pair / "medloop.json").is_file():
        return STARTERS / pipeline.pair
    return find_model(pipeline.source, pipeline.target, pipeline.base).folder


def evaluated(run: Run, version: str, pairs: Done) -> Done:
    """The model in use, the candidate and outside systems, on every test set."""
    from eval.report import write_report

    pipeline, plan = run.pipeline, run.pipeline.evaluation
    old, new = baseline_folder(run, version), registry(run).resolve(pipeline.pair, version)

    def work(folder: Path) -> None:
        told = []
        for number, one in enumerate(plan.sets):
            run.show.goes_on(one.name, number / len(plan.sets))
            evaluation = _evaluation(run, one.path, one.limit, old, new, pairs)
            write_report(evaluation, folder / one.name)
            told.append(f"{one.name} {_change(evaluation)}")
        write_summary(folder, {"change": ", ".join(told)})

    settings = plan.model_dump(mode="json", exclude={"sets": {"__all__": {"path"}}})
    sets = [one.path for one in plan.sets]
    inputs = {"old": old, "new": new, "sets": sets, "settings": settings, "terms": pipeline.data.termbases}
    return run.step("evaluate", inputs, work)


def _evaluation(run: Run, path: Path, limit: int, old: Path, new: Path, pairs: Done) -> Evaluation:
    from eval.neural import Comet
    from eval.run import Plan, evaluate
    from eval.significance import Resampling
    from eval.surface import surface_metrics
    from eval.systems import System, parse_systems, translate_with
    from eval.testsets import load_testset

    pipeline = run.pipeline
    testset = load_testset(str(path), pipeline.source, pipeline.target, limit)
    systems = [System(OLD, "model", str(old)), System(NEW, "model", str(new))]
    systems += parse_systems(pipeline.evaluation.systems)
    comet = [] if pipeline.evaluation.comet == "no" else [Comet(pipeline.evaluation.comet)]
    plan = Plan(
        metrics=(*comet, *surface_metrics()),
        termbases=tuple(termbases(run)),
        training=tuple(_training(pairs)),
        resampling=Resampling(pipeline.evaluation.resamples, 12345),
    )
    return evaluate(testset, [translate_with(one, testset) for one in systems], plan)


def termbases(run: Run) -> list[Termbase]:
    from terminology.files import load_termbase

    pipeline = run.pipeline
    return [load_termbase(one, pipeline.source, pipeline.target).termbase for one in pipeline.data.termbases]


def _training(pairs: Done) -> list[Segment]:
    from data.jsonl import read_pairs

    return [pair.source for path in sorted(pairs.folder.glob("train-*.jsonl")) for pair in read_pairs(path)]


def _change(evaluation: Evaluation) -> str:
    old, new = (evaluation.system(name).value("BLEU") for name in (OLD, NEW))
    return f"BLEU {old:.2f} -> {new:.2f}" if old is not None and new is not None else ""


def evaluations(run: Run, scores: Done) -> dict[str, Evaluation]:
    """By role; the sets of the role `extra` under their names."""
    from eval.results import load_evaluation

    found = {}
    for one in run.pipeline.evaluation.sets:
        found[one.name if one.role == "extra" else one.role] = load_evaluation(scores.folder / one.name)
    return found


def gated(run: Run, scores: Done) -> Done:
    from eval.gate import decide
    from eval.report import write_report

    def work(folder: Path) -> None:
        found = evaluations(run, scores)
        domain, general = found.get("domain"), found.get("general")
        decision = decide(general, domain, OLD, NEW, run.pipeline.gate)
        write_report(domain or general or next(iter(found.values())), folder, decision)
        with atomic_write(folder / DECISION) as stream:
            json.dump(dataclasses.asdict(decision), stream, indent=1, ensure_ascii=False)
        write_summary(folder, {"verdict": decision.verdict})

    policy = dataclasses.asdict(run.pipeline.gate)
    roles = [[one.name, one.role] for one in run.pipeline.evaluation.sets]
    return run.step("gate", {"scores": scores, "policy": policy, "roles": roles}, work)


def decision(verdict: Done) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((verdict.folder / DECISION).read_text(encoding="utf-8"))
    return found


def released(run: Run, version: str, verdict: Done) -> Released:
    """Switches, tries the model in its new place, and switches back should it fail there."""
    found = decision(verdict)
    if not found["promote"]:
        against = tuple(f"{one['rule']}: {one['detail']}" for one in found["reasons"] if not one["passed"])
        return Released("rejected", version, against)
    models, pair = registry(run), run.pipeline.pair
    _keep_a_way_back(run, version)
    models.promote(pair, version)
    try:
        problem = smoke(run, models.resolve(pair, "production"))
    except MedloopError as error:
        problem = str(error)
    if not problem:
        return Released("released", version)
    before = models.rollback(pair)
    return Released("rolled-back", before, (f"smoke test of {version}: {problem}",))


def _keep_a_way_back(run: Run, version: str) -> None:
    """The first release replaces a starter, which no registry knows: it becomes the version before."""
    models, pipeline = registry(run), run.pipeline
    if models.aliases(pipeline.pair).get("production"):
        return
    first = models.register(baseline_folder(run, version), pipeline.source, pipeline.target)
    models.promote(pipeline.pair, first)


def smoke(run: Run, folder: Path) -> str:
    """What is wrong with the translations of the smoke sentences; empty where nothing is."""
    from data.clinical import check_pair
    from mt.config import DeviceConfig
    from mt.engine import Engine
    from mt.models import find_model

    source, target = run.pipeline.source, run.pipeline.target
    engine = Engine(find_model(source, target, str(folder)), DeviceConfig(threads=1), target)
    sentences = run.pipeline.release.smoke
    for number, (sentence, text) in enumerate(zip(sentences, engine.translate(sentences), strict=True), 1):
        if not text.strip():
            return f"sentence {number} came out empty"
        grave = [one.kind for one in check_pair(sentence, text, source, target) if one.severity == "critical"]
        if grave:
            return f"sentence {number} has critical findings: {', '.join(grave)}"
    return ""


def document_translated(run: Run) -> Done | None:
    """The document of the configuration, by what is now in use, with the termbase enforced."""
    from mt.models import find_model

    pipeline = run.pipeline
    path = pipeline.release.document
    if path is None:
        return None
    models = registry(run)
    in_use = str(models.resolve(pipeline.pair)) if models.aliases(pipeline.pair).get("production") else ""
    model = find_model(pipeline.source, pipeline.target, in_use)

    def work(folder: Path) -> None:
        from mt.config import DeviceConfig
        from mt.decoder import EngineDecoder
        from mt.engine import Engine
        from mt.service import TranslationService, clinical_checker
        from terminology.enforcement import Enforcer
        from terminology.matching import TermMatcher
        from terminology.medicines import medicine_names

        engine = Engine(model, DeviceConfig(), pipeline.target)
        bases = termbases(run)
        enforcer = Enforcer(EngineDecoder(engine), TermMatcher(bases)) if bases else None
        checker = clinical_checker(pipeline.source, pipeline.target, medicine_names(bases))
        service = TranslationService(engine, enforcer, checker, engine.typography)
        part = service.translate_document(path.read_text(encoding="utf-8"), pipeline.source)
        with atomic_write(folder / DOCUMENT) as stream:
            stream.write(part.text)
        review = sum(one.needs_review for one in part.segments)
        write_summary(folder, {"segments": len(part.segments), "to review": review})

    inputs = {"document": path, "model": model.runnable, "terms": pipeline.data.termbases}
    return run.step("document", inputs, work)
