"""A page to read what a filter did: samples kept and dropped for each reason, distributions, terms, cost.

In: the files of kept and dropped pairs. Out: one self-contained HTML file.

    write_filter_report(Path("filter.html"), Path("kept.jsonl"), Path("dropped.jsonl"))

The page loads nothing and its size does not grow with the data: of each reason SAMPLES pairs, drawn fairly;
of each measure a histogram. All text is escaped by the template.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.corpora import Record, read_records
from data.errors import MissingExtraError
from data.files import atomic_write
from data.statistics import Counting

SAMPLES = 12
MOST_TERMS = 300
LONGEST_TEXT = 600
_BINS = 30
_TEMPLATES = Path(__file__).parent / "templates"
_FONT = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"
_KEPT, _DROPPED = "#2b7a4b", "#b4472f"


@dataclass(slots=True)
class _Reason:
    """How many pairs, and a fair sample of them."""

    name: str
    count: int = 0
    samples: list[Record] = field(default_factory=list)


def write_filter_report(page: Path, kept: Path, dropped: Path) -> Path:
    """Returns the page's path."""
    dice = random.Random(0)
    parts = {"kept": Counting(), "dropped": Counting()}
    reasons: dict[str, _Reason] = {"kept": _Reason("kept")}
    for side, path in (("kept", kept), ("dropped", dropped)):
        for record in read_records([path]):
            parts[side].add(record)
            name = "kept" if side == "kept" else str(record.get("reason") or "dropped")
            _draw(reasons.setdefault(name, _Reason(name)), record, dice)
    specs = list(_charts(reasons, parts))
    text = _template().render(
        kept=parts["kept"].pairs,
        dropped=parts["dropped"].pairs,
        reasons=sorted(reasons.values(), key=lambda reason: (reason.name != "kept", -reason.count)),
        terms=_terms(parts),
        costs=_costs(parts),
        charts=specs,
        library=_library() if specs else "",
        longest=LONGEST_TEXT,
    )
    with atomic_write(page) as stream:
        stream.write(text.encode("utf-8", "replace").decode())
    return page


def _draw(reason: _Reason, record: Record, dice: random.Random) -> None:
    reason.count += 1
    if len(reason.samples) < SAMPLES:
        reason.samples.append(record)
    elif (place := dice.randrange(reason.count)) < SAMPLES:
        reason.samples[place] = record


def _terms(parts: Mapping[str, Counting]) -> list[tuple[str, int, int]]:
    """Each term with how many pairs of it were kept and dropped, the worst covered first."""
    kept, dropped = parts["kept"].terms, parts["dropped"].terms
    rows = [(term, kept[term], dropped[term]) for term in Counter(kept) | Counter(dropped)]
    return sorted(rows, key=lambda row: (row[1], -row[2], row[0]))[:MOST_TERMS]


def _costs(parts: Mapping[str, Counting]) -> list[tuple[str, float, float]]:
    names = dict.fromkeys([*parts["kept"].costs, *parts["dropped"].costs])
    return [(name, parts["kept"].costs[name], parts["dropped"].costs[name]) for name in names]


def _charts(reasons: Mapping[str, _Reason], parts: Mapping[str, Counting]) -> Iterator[dict[str, Any]]:
    dropped = [{"reason": r.name, "pairs": r.count} for r in reasons.values() if r.name != "kept" and r.count]
    if dropped:
        yield _reason_chart(dropped)
    for name in dict.fromkeys([*parts["kept"].samples, *parts["dropped"].samples]):
        values = {
            side: counting.samples[name].values
            for side, counting in parts.items()
            if name in counting.samples
        }
        rows = histogram(values)
        if len({row["from"] for row in rows}) > 1:
            yield _measure_chart(name, rows)


def histogram(values: Mapping[str, Sequence[float]], bins: int = _BINS) -> list[dict[str, Any]]:
    """Shares by bin and side; the outermost half percents are in the first and last bin."""
    ordered = sorted(value for side in values.values() for value in side)
    if not ordered:
        return []
    low, high = ordered[len(ordered) // 200], ordered[-1 - len(ordered) // 200]
    width = (high - low) / bins or 1.0
    rows = []
    for side, own in values.items():
        counts = Counter(min(bins - 1, max(0, int((value - low) / width))) for value in own)
        rows += [
            {
                "side": side,
                "from": round(low + place * width, 4),
                "to": round(low + (place + 1) * width, 4),
                "share": round(count / len(own), 4),
            }
            for place, count in sorted(counts.items())
        ]
    return rows


def _reason_chart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": "Dropped, by reason",
        **_frame(rows, height={"step": 24}),
        "mark": {"type": "bar", "color": _DROPPED, "cornerRadiusEnd": 3},
        "encoding": {
            "y": {"field": "reason", "type": "nominal", "sort": "-x", "title": None},
            "x": {"field": "pairs", "type": "quantitative", "title": "pairs"},
            "tooltip": [{"field": "reason"}, {"field": "pairs", "format": ","}],
        },
    }


def _measure_chart(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": name.replace("_", " "),
        **_frame(rows, height=150),
        "mark": {"type": "bar", "opacity": 0.55},
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "bin": {"binned": True}, "title": None},
            "x2": {"field": "to"},
            "y": {
                "field": "share",
                "type": "quantitative",
                "stack": None,
                "title": None,
                "axis": {"format": "%"},
            },
            "color": {
                "field": "side",
                "scale": {"domain": ["kept", "dropped"], "range": [_KEPT, _DROPPED]},
                "legend": None,
            },
            "tooltip": [
                {"field": "side"},
                {"field": "from"},
                {"field": "to"},
                {"field": "share", "format": ".1%"},
            ],
        },
    }


def _frame(rows: list[dict[str, Any]], height: Any) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": height,
        "background": None,
        "config": {"font": _FONT, "view": {"stroke": None}, "axis": {"grid": False, "labelLimit": 200}},
        "data": {"values": rows},
    }


def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, safe between script tags."""
    try:
        from vl_convert import javascript_bundle
    except ImportError:
        raise MissingExtraError("the report's charts", "data") from None
    bundle: Any = javascript_bundle
    return str(bundle()).replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _template() -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("the report", "data") from None
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("filter.html.j2")
