"""One page that says whether to trust a system: self-contained HTML, the same as JSON, and a block for
model cards.

In: an `Evaluation`, and the gate's decision where there is one. Out: files in a folder.

    write_report(evaluation, Path("out"))     # out/report.html, out/results.json, out/model-card.md

The page loads nothing: styles, charts and text are inside. All text goes through autoescaping or into JSON
that scripts put on the page as text, never as markup. Very large sets keep the page usable: all critical
findings and the worst segments are in it, up to MOST_SEGMENTS; results.json has everything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import MissingExtraError, OutputError
from data.files import atomic_write
from eval import verdict
from eval.charts import charts, library
from eval.results import Evaluation, OutputResult, SegmentResult, save_evaluation

if TYPE_CHECKING:
    from jinja2 import Environment

    from eval.gate import Decision

MOST_SEGMENTS = 3000
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(evaluation: Evaluation, folder: Path, decision: Decision | None = None) -> Path:
    """Returns the page's path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {error.strerror or error}") from None
    save_evaluation(folder / "results.json", evaluation)
    _write(folder / "model-card.md", model_card(evaluation))
    page = folder / "report.html"
    _write(page, html(evaluation, decision))
    return page


def html(evaluation: Evaluation, decision: Decision | None = None) -> str:
    segments = chosen_segments(evaluation)
    drawn = charts(evaluation)
    return _environment().get_template("report.html.j2").render(
        e=evaluation,
        headlines=verdict.headlines(evaluation),
        summary=verdict.summary(evaluation),
        rows=verdict.table(evaluation),
        groups=verdict.groups(evaluation),
        decision=decision,
        sections=_sections(drawn),
        charts=[chart.spec for chart in drawn],
        kinds=sorted({kind for system in evaluation.systems for kind in system.findings}),
        explorer={
            "systems": [system.name for system in evaluation.systems],
            "metric": evaluation.main_metric,
            "lower": _lower_is_better(evaluation),
            "segments": [_segment(evaluation, segment) for segment in segments],
        },
        shown=len(segments),
        library=library(),
        style=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        script=(_TEMPLATES / "report.js").read_text(encoding="utf-8"),
    )  # fmt: skip


def model_card(evaluation: Evaluation) -> str:
    return _environment().get_template("model-card.md.j2").render(
        e=evaluation, headlines=verdict.headlines(evaluation), rows=verdict.table(evaluation)
    )  # fmt: skip


def chosen_segments(evaluation: Evaluation, most: int = MOST_SEGMENTS) -> list[SegmentResult]:
    """All in order where they fit; else critical findings first, then the worst by the main metric."""
    if len(evaluation.segments) <= most:
        return list(evaluation.segments)
    up = -1 if _lower_is_better(evaluation) else 1

    def badness(segment: SegmentResult) -> tuple[bool, float]:
        values = [output.scores.get(evaluation.main_metric) for output in segment.outputs]
        known = [up * value for value in values if value is not None]
        return not any(_critical(output) for output in segment.outputs), min(known, default=math.inf)

    return sorted(evaluation.segments, key=badness)[:most]


def _segment(evaluation: Evaluation, segment: SegmentResult) -> dict[str, Any]:
    """Short keys, as they are repeated thousands of times."""
    return {
        "id": segment.id,
        "src": segment.source,
        "ref": segment.reference,
        "out": [_output(output, evaluation.main_metric) for output in segment.outputs],
    }


def _output(output: OutputResult, metric: str) -> dict[str, Any]:
    shown = {
        "t": output.text,
        "v": output.scores.get(metric),
        "f": [
            {
                "k": finding.kind,
                "s": finding.severity,
                "a": _span(finding.source_span),
                "b": _span(finding.target_span),
                "m": finding.message,
            }
            for finding in output.findings
        ],
        "j": [
            {
                "k": f"judge: {error.category}",
                "s": error.severity,
                "a": _span(error.span) if error.side == "source" else None,
                "b": _span(error.span) if error.side == "target" else None,
                "m": error.explanation or error.category,
            }
            for error in output.errors
        ],
        "w": [list(term) for term in output.missing_terms],
        "r": output.back,
        "l": output.low_round_trip,
    }
    return {key: value for key, value in shown.items() if value not in (None, [], False)}


def _span(span: Any) -> list[int] | None:
    return [span.start, span.end] if span is not None else None


def _critical(output: OutputResult) -> bool:
    return any(finding.severity == "critical" for finding in output.findings)


def _lower_is_better(evaluation: Evaluation) -> bool:
    scores = (system.score(evaluation.main_metric) for system in evaluation.systems)
    return any(score is not None and not score.higher_is_better for score in scores)


def _sections(drawn: Sequence[Any]) -> dict[str, list[tuple[int, Any]]]:
    """Charts by section, each with its number on the page."""
    found: dict[str, list[tuple[int, Any]]] = {"scores": [], "length": [], "findings": [], "terms": []}
    for number, chart in enumerate(drawn):
        found[chart.section].append((number, chart))
    return found


def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("the report", "eval") from None
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=lambda name: bool(name) and ".html" in str(name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = markdown_cell
    return environment


def markdown_cell(text: object) -> str:
    """One cell of a Markdown table: no text can end the cell, start markup or a tag."""
    shown = " ".join(str(text).split())
    for mark in "\\`*_[]<>|":
        shown = shown.replace(mark, "&lt;" if mark == "<" else "&gt;" if mark == ">" else f"\\{mark}")
    return shown


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as stream:
        stream.write(text.encode("utf-8", "replace").decode())
