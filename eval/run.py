"""Puts an evaluation together: all systems, the same segments, every metric, every pair.

In: a test set, each system's outputs, what to measure. Out: an `Evaluation`.

    evaluation = evaluate(testset, [outputs_of_a, outputs_of_b], Plan(termbases=(termbase,)))
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from data.clinical import NameTable
from data.dedup import Overlap, find_overlap
from data.fingerprints import Fingerprints
from data.segments import Segment
from eval import judging, language, safety
from eval.judge import ErrorSpans
from eval.results import (
    ContaminationResult,
    Evaluation,
    OutputResult,
    ScoreResult,
    SegmentResult,
    SystemResult,
)
from eval.scores import Material, Metric, NotMeasured, Score, Statistics, measure
from eval.significance import Resampling, Significance, analyse
from eval.systems import Outputs
from eval.term_accuracy import TermMetrics, missing_terms
from eval.testsets import TestSet
from terminology.checking import TermCheck
from terminology.termbase import Termbase

Table = dict[str, dict[str, Score]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. `back_translate` and `judge` are None where they were not asked for."""

    metrics: tuple[Metric, ...] = ()
    termbases: tuple[Termbase, ...] = ()
    random_termbase: Termbase | None = None
    names: NameTable | None = None
    training: tuple[Segment, ...] | None = None  # of all systems
    fingerprints: Mapping[str, Fingerprints] = field(default_factory=dict)  # by system, where it has its own
    near_threshold: float = 0.8
    reference_free: bool = False
    back_translate: Callable[[Sequence[str]], Sequence[str]] | None = None
    back_model: str = ""
    judge: judging.JudgePlan | None = None
    resampling: Resampling = field(default_factory=Resampling)
    not_measured: tuple[NotMeasured, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """All about one system, before significance."""

    outputs: Outputs
    material: Material
    scores: list[Score]
    findings: safety.SegmentFindings
    checks: list[TermCheck] | None
    trip: safety.RoundTrip | None
    errors: dict[int, ErrorSpans]


def evaluate(testset: TestSet, outputs: Sequence[Outputs], plan: Plan) -> Evaluation:
    start = time.perf_counter()
    terms = TermMetrics(plan.termbases, testset.documents) if plan.termbases else None
    missing: list[NotMeasured] = list(plan.not_measured)
    seen = [_look(one, testset, plan, terms, missing) for one in outputs]
    table: Table = {one.outputs.system.name: {score.name: score for score in one.scores} for one in seen}
    found = analyse(table, plan.resampling)
    overlaps = _overlaps(testset, outputs, plan)
    contaminated = frozenset(name for overlap in overlaps.values() for name in overlap.ids)
    clean_table = _without(table, testset, contaminated)
    clean = analyse(clean_table, plan.resampling) if clean_table else None
    spent = sum(one.seconds or 0.0 for one in outputs)
    return Evaluation(
        testset=testset.name,
        testset_digest=testset.digest,
        source_language=testset.source_language,
        target_language=testset.target_language,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - start + spent, 2),
        signature=f"{found.signature}|segments:{len(testset.pairs)}|testset:{testset.name}@{testset.digest}",
        main_metric=_main_metric(table),
        systems=tuple(
            _system(one, found, clean_table, clean, overlaps.get(one.outputs.system.name), plan)
            for one in seen
        ),
        comparisons=found.comparisons,
        clean_comparisons=clean.comparisons if clean else (),
        clean_segments=len(testset.pairs) - len(contaminated) if contaminated else None,
        not_measured=tuple(_merged(missing)) + _notes(testset, outputs, plan),
        warnings=(*plan.warnings, *_warnings(outputs, testset)),
        segments=tuple(_segments(testset, seen)),
        preferences=judging.preferences(testset, outputs, plan.judge),
        reference_findings=_reference_findings(testset, plan),
    )


def _look(
    outputs: Outputs, testset: TestSet, plan: Plan, terms: TermMetrics | None, missing: list[NotMeasured]
) -> _Seen:
    material = testset.material(outputs.texts)
    findings = safety.find_all(material, plan.names)
    metrics = [] if plan.reference_free else list(plan.metrics)
    checks = None
    if terms is not None:
        metrics += terms.metrics()
        checks = terms.checks(material)
    if plan.random_termbase is not None and plan.random_termbase.terms:
        control = TermMetrics([plan.random_termbase], testset.documents, "random")
        metrics += control.metrics()[:1]
    scores, unmeasured = measure(metrics, material)
    trip = None
    if plan.back_translate is not None:
        trip = safety.round_trip(material, plan.back_translate(material.outputs), plan.back_model)
        scores.append(trip.score)
    scores += [safety.critical_score(findings, material), safety.finding_score(findings, material)]
    errors = judging.errors(material, plan.judge)
    judged, gaps = judging.error_score(errors, material, plan.judge)
    scores += judged
    missing += [
        NotMeasured(one.name, one.reason, one.enable, outputs.system.name) for one in (*unmeasured, *gaps)
    ]
    return _Seen(outputs, material, scores, findings, checks, trip, errors)


def _system(
    one: _Seen,
    found: Significance,
    clean_table: Table,
    clean: Significance | None,
    overlap: Overlap | None,
    plan: Plan,
) -> SystemResult:
    system = one.outputs.system
    clean_scores = clean_table.get(system.name, {})
    contamination = None
    if overlap is not None:
        own = plan.fingerprints.get(system.name, ())
        contamination = ContaminationResult(
            len(overlap.exact),
            len(overlap.near),
            overlap.threshold,
            len(plan.training if plan.training is not None else own),
            tuple(sorted(overlap.ids)),
        )
    return SystemResult(
        name=system.name,
        kind=system.kind,
        origin=system.target,
        condition=system.condition,
        scores=tuple(_result(score, found, system.name) for score in one.scores),
        clean_scores=tuple(_result(score, clean, system.name) for score in clean_scores.values())
        if clean
        else (),
        critical=sum(item.severity == "critical" for of_one in one.findings for item in of_one),
        findings=safety.count_kinds(one.findings),
        words_per_second=one.outputs.words_per_second,
        contamination=contamination,
    )


def _result(score: Score, found: Significance, system: str) -> ScoreResult:
    interval = found.intervals[system, score.name]
    return ScoreResult(
        score.name, score.value, interval.low, interval.high, score.signature, score.higher_is_better
    )


def _segments(testset: TestSet, seen: Sequence[_Seen]) -> list[SegmentResult]:
    missing = [missing_terms(one.checks) if one.checks is not None else None for one in seen]
    rows = []
    for place, (pair, document) in enumerate(zip(testset.pairs, testset.documents, strict=True)):
        outputs = tuple(
            _output(one, place, terms[place] if terms is not None else [])
            for one, terms in zip(seen, missing, strict=True)
        )
        rows.append(SegmentResult(pair.id, document, pair.source.text, pair.target, outputs))
    return rows


def _output(one: _Seen, place: int, missing: list[tuple[str, str]]) -> OutputResult:
    judged = one.errors.get(place)
    return OutputResult(
        text=one.material.outputs[place],
        scores={score.name: _number(score.per_segment[place]) for score in one.scores},
        findings=one.findings[place],
        missing_terms=tuple(missing),
        errors=judged.errors if judged else (),
        judged=judged.judged if judged else None,
        back=one.trip.back[place] if one.trip else None,
        low_round_trip=one.trip.low[place] if one.trip else False,
    )


def _number(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def _overlaps(testset: TestSet, outputs: Sequence[Outputs], plan: Plan) -> dict[str, Overlap]:
    """By system: with the training text where it was given, else with what the model says of its own."""
    sources = [pair.source for pair in testset.pairs]
    names = [one.system.name for one in outputs]
    if plan.training is not None:
        found = find_overlap(sources, plan.training, plan.near_threshold)
        return dict.fromkeys(names, found)
    return {name: plan.fingerprints[name].overlap(sources) for name in names if name in plan.fingerprints}


def _without(table: Table, testset: TestSet, contaminated: frozenset[str]) -> Table:
    """The scores of the segments that no training text holds; nothing where all or none are clean."""
    if not contaminated or len(contaminated) == len(testset.pairs):
        return {}
    kept = [place for place, pair in enumerate(testset.pairs) if pair.id not in contaminated]
    return {
        system: {name: _subset(score, kept) for name, score in scores.items()}
        for system, scores in table.items()
    }


def _subset(score: Score, kept: list[int]) -> Score:
    statistics = Statistics(score.statistics.rows[kept], score.statistics.formula)
    signature = f"{score.signature}|clean-segments:{len(kept)}"
    per_segment = tuple(score.per_segment[place] for place in kept)
    return Score(score.name, statistics.value(), signature, per_segment, statistics, score.higher_is_better)


def _main_metric(table: Table) -> str:
    measured = {name for scores in table.values() for name in scores}
    return next((name for name in ("COMET", "chrF2++", "round trip") if name in measured), "flagged segments")


def _notes(testset: TestSet, outputs: Sequence[Outputs], plan: Plan) -> tuple[NotMeasured, ...]:
    notes = safety.skipped_checks(testset.source_language, testset.target_language)
    if not plan.termbases:
        notes.append(NotMeasured("term metrics", "no glossary was given", "medloop eval ... --glossary FILE"))
    unknown = [one.system.name for one in outputs if one.system.name not in plan.fingerprints]
    if plan.training is None and unknown:
        reason = "no training text was given, and the model does not say what it was trained on"
        enable = "medloop eval ... --trained-on FILE"
        notes.append(NotMeasured("contamination", reason, enable, ", ".join(unknown)))
    if plan.judge is None:
        notes.append(NotMeasured("LLM judge", "no judge was given", "medloop eval ... --judge MODEL"))
    return tuple(notes)


def _merged(missing: Sequence[NotMeasured]) -> list[NotMeasured]:
    """The same reason for several systems is said once."""
    names: dict[tuple[str, str, str], list[str]] = {}
    for one in missing:
        names.setdefault((one.name, one.reason, one.enable), []).append(one.system)
    return [NotMeasured(*key, ", ".join(filter(None, systems))) for key, systems in names.items()]


def _warnings(outputs: Sequence[Outputs], testset: TestSet) -> list[str]:
    found = []
    for one in outputs:
        name = one.system.target if one.system.kind == "file" else one.system.name
        found.append(language.wrong_language(name, one.texts, testset.target_language))
        empty = sum(not text.strip() for text in one.texts)
        found.append(f"{name}: {empty} of {len(one.texts)} outputs are empty" if empty else None)
    return [warning for warning in found if warning]


def _reference_findings(testset: TestSet, plan: Plan) -> dict[str, dict[str, int]] | None:
    """What the checks say of the references: how many alarms a human translation gives here."""
    if plan.reference_free or not testset.has_references:
        return None
    references = testset.material(pair.target for pair in testset.pairs)
    return safety.count_kinds(safety.find_all(references, plan.names))
