"""The clinical checks over whole outputs, and what can be said about a text that has no reference.

In: a `Material`. Out: findings per segment; two scores (segments with a critical finding, findings of any
severity, each per 100 segments) so that they are compared like every other metric; the round trip through
the reverse model.

    findings = find_all(material)
    critical_score(findings, material).value     # 1.5: critical findings in 1.5 of 100 segments
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from data.clinical import Finding, NameTable, Severity, check_pair, checks_for
from eval.scores import Material, NotMeasured, Score, mean_score, sign

SegmentFindings = tuple[tuple[Finding, ...], ...]
LOW_ROUND_TRIP = 40.0  # chrF2++ of the back-translation; below it a person should look
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor")


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Each segment's source as the reverse model gives it back, and how like the source that is."""

    back: tuple[str, ...]
    score: Score
    low: tuple[bool, ...]


def find_all(material: Material, names: NameTable | None = None) -> SegmentFindings:
    languages = (material.source_language, material.target_language)
    return tuple(
        check_pair(source, output, *languages, names=names)
        for source, output in zip(material.sources, material.outputs, strict=True)
    )


def critical_score(findings: SegmentFindings, material: Material) -> Score:
    return _share("critical segments", findings, material, ("critical",))


def finding_score(findings: SegmentFindings, material: Material) -> Score:
    return _share("flagged segments", findings, material, SEVERITIES)


def count_kinds(findings: SegmentFindings) -> dict[str, dict[str, int]]:
    """How many findings of each kind and severity."""
    counts = Counter((found.kind, found.severity) for of_one in findings for found in of_one)
    kinds = sorted({kind for kind, _ in counts})
    return {
        kind: {severity: counts[kind, severity] for severity in SEVERITIES if counts[kind, severity]}
        for kind in kinds
    }


def skipped_checks(source_language: str, target_language: str) -> list[NotMeasured]:
    """The kinds of check that have no table for these languages."""
    coverage = checks_for(source_language, target_language)
    if not coverage.skipped:
        return []
    listed = ", ".join(coverage.skipped)
    return [
        NotMeasured(f"clinical checks: {listed}", coverage.reason, "add a table in data/tables/clinical/")
    ]


def round_trip(material: Material, back: Sequence[str], model: str) -> RoundTrip:
    """chrF2++ between the source and its back-translation; low is a reason to look, not a verdict."""
    from eval.surface import Chrf

    turned = Material(
        sources=material.outputs,
        outputs=tuple(back),
        references=material.sources,
        ids=material.ids,
        source_language=material.target_language,
        target_language=material.source_language,
    )
    found = Chrf().score(turned)
    score = Score(
        "round trip", found.value, found.signature.replace("chrF2++", f"round trip chrF2++|back:{model}", 1),
        found.per_segment, found.statistics,
    )  # fmt: skip
    return RoundTrip(tuple(back), score, tuple(value < LOW_ROUND_TRIP for value in found.per_segment))


def _share(
    name: str, findings: SegmentFindings, material: Material, severities: tuple[Severity, ...]
) -> Score:
    flagged = [100.0 * any(found.severity in severities for found in of_one) for of_one in findings]
    parts = [("severity", "+".join(severities)), ("per", "100 segments"), ("segments", len(flagged))]
    return mean_score(name, flagged, sign(name, parts), material.ids, higher_is_better=False)
