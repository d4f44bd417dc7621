"""The report's charts as Vega-Lite specifications, made with Altair; the page draws them with the inlined
library.

In: an `Evaluation`. Out: titled specifications, in the order of the page.

    [chart.title for chart in charts(evaluation)]    # ["BLEU", "chrF2++", ..., "All findings by kind"]

Colours are CSS variables of the page (`var(--s1)`), so one chart serves light, dark and paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from data.errors import MissingExtraError
from eval.results import Evaluation, ScoreResult

MOST_POINTS = 300  # dots a system in a scatter plot: enough to see the cloud
_BINS = 6
_COLOURS = 8
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"  # a real one: labels are measured by it
_SECTIONS = {True: "terms", False: "scores"}


@dataclass(frozen=True, slots=True)
class Chart:
    """`section` says where on the page; `spec` is plain JSON."""

    section: str
    title: str
    note: str
    spec: dict[str, Any]


def charts(evaluation: Evaluation) -> list[Chart]:
    return [*_scores(evaluation), *_length(evaluation), *_findings(evaluation)]


def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, safe between script tags."""
    try:
        from vl_convert import javascript_bundle
    except ImportError:
        raise MissingExtraError("the report's charts", "eval") from None
    bundle: Any = javascript_bundle
    return str(bundle()).replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _scores(evaluation: Evaluation) -> Iterator[Chart]:
    """One small chart a metric, as their scales have nothing in common."""
    for metric in evaluation.metrics:
        found = [(system.name, score) for system in evaluation.systems if (score := system.score(metric))]
        better = "higher is better" if found[0][1].higher_is_better else "lower is better"
        yield Chart(_SECTIONS["term " in metric], metric, better, _intervals(evaluation, found))


def _intervals(evaluation: Evaluation, found: list[tuple[str, ScoreResult]]) -> dict[str, Any]:
    import altair as alt

    rows = [
        {"system": name, "value": score.value, "low": score.low, "high": score.high} for name, score in found
    ]
    base = alt.Chart(_data(rows)).encode(
        y=alt.Y("system:N", sort=None, axis=alt.Axis(title=None, labelLimit=120, ticks=False, domain=False)),
        color=_colour(evaluation, legend=False),
        tooltip=[
            alt.Tooltip("system:N"),
            *(alt.Tooltip(f"{field}:Q", format=".2f") for field in ("value", "low", "high")),
        ],
    )
    scale = alt.Scale(zero=False, nice=True, padding=8)
    axis = alt.Axis(title=None, tickCount=4, grid=True)
    interval = base.mark_rule(strokeWidth=3, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q"
    )
    point = base.mark_circle(size=90, opacity=1).encode(x=alt.X("value:Q", scale=scale, axis=axis))
    text = base.mark_text(dy=-11, fontSize=11, fontWeight=600).encode(
        x=alt.X("value:Q", scale=scale, axis=axis), text=alt.Text("value:Q", format=".1f")
    )
    return _spec(alt.layer(interval, point, text).properties(height=alt.Step(38)))


def _length(evaluation: Evaluation) -> Iterator[Chart]:
    """Means over sentences of like length, with what chance leaves open, over a cloud of sentences."""
    import altair as alt

    metric = evaluation.main_metric
    bands, dots = [], []
    for number, system in enumerate(evaluation.systems):
        points = [
            (len(segment.source.split()), value)
            for segment in evaluation.segments
            if (value := segment.outputs[number].scores.get(metric)) is not None
        ]
        bands += [{"system": system.name, **band} for band in _bands(points)]
        step = max(1, math.ceil(len(points) / MOST_POINTS))
        dots += [{"system": system.name, "words": words, "value": value} for words, value in points[::step]]
    if len(bands) <= len(evaluation.systems):
        return  # one bin a system: there is no "against length" to see
    x = alt.Axis(title="words in the source", grid=False, tickCount=8)
    y = alt.Axis(title=metric, tickCount=5)
    colour = _colour(evaluation, legend=True)
    cloud = alt.Chart(_data(dots)).mark_circle(size=14, opacity=0.22).encode(
        x=alt.X("words:Q", axis=x), y=alt.Y("value:Q", axis=y, scale=alt.Scale(zero=False)), color=colour
    )  # fmt: skip
    means = alt.Chart(_data(bands)).encode(x=alt.X("words:Q", axis=x), color=colour)
    area = means.mark_area(opacity=0.16).encode(y=alt.Y("low:Q", axis=y), y2="high:Q")
    line = means.mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=45, filled=True)).encode(
        y=alt.Y("value:Q", axis=y),
        tooltip=[
            alt.Tooltip("system:N"),
            alt.Tooltip("range:N", title="words"),
            alt.Tooltip("count:Q", title="sentences"),
            alt.Tooltip("value:Q", title=f"mean {metric}", format=".1f"),
        ],
    )
    spec = _spec(alt.layer(cloud, area, line).properties(height=280))
    yield Chart("length", f"{metric} by sentence length", "mean and 95 % interval of like lengths", spec)


def _bands(points: list[tuple[int, float]]) -> Iterator[dict[str, Any]]:
    """Bins with about equally many sentences."""
    points = sorted(points)
    size = max(5, math.ceil(len(points) / _BINS))
    for start in range(0, len(points), size):
        part = points[start : start + size]
        if len(part) < min(5, len(points)):
            continue
        values = [value for _, value in part]
        margin = 1.96 * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
        mean = fmean(values)
        yield {
            "words": fmean(words for words, _ in part),
            "range": f"{part[0][0]} to {part[-1][0]}",
            "count": len(part),
            "value": mean,
            "low": mean - margin,
            "high": mean + margin,
        }


def _findings(evaluation: Evaluation) -> Iterator[Chart]:
    import altair as alt

    for title, severities in (
        ("Critical findings by kind", ("critical",)),
        ("All findings by kind", ("critical", "major", "minor")),
    ):
        rows = [
            {"system": system.name, "kind": kind, "count": total}
            for system in evaluation.systems
            for kind, counts in system.findings.items()
            if (total := sum(counts.get(severity, 0) for severity in severities))
        ]
        if not rows:
            continue
        base = alt.Chart(_data(rows)).encode(
            y=alt.Y("kind:N", sort="-x", axis=alt.Axis(title=None, ticks=False, domain=False)),
            yOffset=alt.YOffset("system:N", sort=None),
            x=alt.X("count:Q", axis=alt.Axis(title="findings", tickMinStep=1, tickCount=5)),
            tooltip=["system:N", "kind:N", "count:Q"],
        )
        bars = base.mark_bar(cornerRadiusEnd=3).encode(color=_colour(evaluation, legend=True))
        height = alt.Step(max(9, 26 // len(evaluation.systems)))
        yield Chart("findings", title, "lower is better", _spec(bars.properties(height=height)))


def _colour(evaluation: Evaluation, legend: bool) -> Any:
    import altair as alt

    names = [system.name for system in evaluation.systems]
    colours = [f"var(--s{number % _COLOURS + 1})" for number in range(len(names))]
    where = None
    if legend and len(names) > 1:
        where = alt.Legend(title=None, orient="top", symbolType="circle", symbolOpacity=1)
    return alt.Color("system:N", scale=alt.Scale(domain=names, range=colours), sort=None, legend=where)


def _data(rows: list[dict[str, Any]]) -> Any:
    import altair as alt

    data: Any = alt.Data
    return data(values=rows)


def _spec(chart: Any) -> dict[str, Any]:
    ink, faint, line = "var(--ink)", "var(--ink-2)", "var(--line)"
    autosize = {"type": "fit-x", "contains": "padding"}
    configured = (
        chart.properties(width="container")
        .configure(font=_FONT, background="transparent", autosize=autosize)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=faint, titleColor=faint, gridColor=line, domainColor=line, tickColor=line,
            labelFontSize=11, titleFontSize=11, titleFontWeight=500,
        )
        .configure_axisY(labelColor=ink, labelFontSize=12)
        .configure_legend(labelColor=ink, labelFontSize=12)
    )  # fmt: skip
    spec: dict[str, Any] = configured.to_dict()
    return spec
