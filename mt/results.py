"""What the service hands out: per segment the translation, how its terms fare, and what is doubtful.

In: values of `data`. Out: `SegmentResult` and `Part`, and one JSON form for the command and the API:

>>> record(SegmentResult(Translation(Segment("1", "Rest."), "Descanse.", -0.25)))
{'id': '1', 'source': 'Rest.', 'target': 'Descanse.', 'score': -0.25}
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data.segments import Hypothesis, Segment, Span, Translation
from data.term_records import TermRecord

if TYPE_CHECKING:
    from data.checks.findings import Finding

_DOUBTFUL = ("critical", "major")


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """A translated segment; `terms` is absent without an enforcer, `findings` is absent without a checker."""

    translation: Translation
    terms: TermRecord | None = None
    findings: tuple[Finding, ...] | None = None

    @property
    def needs_review(self) -> bool:
        """A person should look: a grave finding, or the termbase's word is not there."""
        if self.terms is not None and not self.terms.ok:
            return True
        return any(finding.severity in _DOUBTFUL for finding in self.findings or ())


@dataclass(frozen=True, slots=True)
class Part:
    """A translated stretch of the document, and its sentences one by one."""

    text: str
    segments: tuple[SegmentResult, ...]

    @property
    def translations(self) -> tuple[Translation, ...]:
        return tuple(segment.translation for segment in self.segments)


def record(result: SegmentResult) -> dict[str, Any]:
    """As JSON has it; what was not asked for is left out."""
    one = result.translation
    found: dict[str, Any] = {
        "id": one.source.id,
        "source": one.source.text,
        "target": one.target,
        "score": _rounded(one.score),
    }
    if one.alternatives:
        found["alternatives"] = [_alternative(other) for other in one.alternatives]
    if result.terms is not None:
        found["terms"] = _terms(result.terms)
    if result.findings is not None:
        found["findings"] = [_finding(finding) for finding in result.findings]
    if result.terms is not None or result.findings is not None:
        found["needs_review"] = result.needs_review
    return found


def summary(results: Iterable[SegmentResult]) -> dict[str, int]:
    """Counts for a log line or a page's foot."""
    counts = {"segments": 0, "needs_review": 0, "findings": 0, "terms": 0, "terms_missing": 0}
    for result in results:
        counts["segments"] += 1
        counts["needs_review"] += result.needs_review
        counts["findings"] += len(result.findings or ())
        if result.terms is not None:
            counts["terms"] += len(result.terms.required)
            counts["terms_missing"] += len(result.terms.missing)
    return counts


def plain(segment: Segment, hypotheses: tuple[Hypothesis, ...]) -> Translation:
    best, *others = hypotheses
    return Translation(segment, best.text, best.score, tuple(others))


def _alternative(other: Hypothesis) -> dict[str, Any]:
    return {"target": other.text, "score": _rounded(other.score)}


def _terms(terms: TermRecord) -> dict[str, Any]:
    found: dict[str, Any] = {"step": str(terms.step)}
    if terms.required:
        found["required"] = [
            _without_empty(
                source=use.source,
                target=use.target,
                state=str(use.state),
                source_span=_span(use.source_span),
                target_span=_span(use.target_span),
                reason=use.reason,
            )
            for use in terms.required
        ]
    if terms.forbidden:
        found["forbidden"] = list(terms.forbidden)
    if terms.edits:
        found["edits"] = [
            _without_empty(step=str(edit.step), term=edit.term, refused=edit.reason) for edit in terms.edits
        ]
    return found


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": finding.severity,
        "source_span": _span(finding.source_span),
        "target_span": _span(finding.target_span),
        "message": finding.message,
    }


def _without_empty(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _span(span: Span | None) -> list[int] | None:
    return None if span is None else [span.start, span.end]


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)
