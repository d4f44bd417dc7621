"""`medloop check`: the clinical safety findings of a translation, line by line.

    medloop check notes.en notes.pt
    medloop check pairs.jsonl --json        # {"line": 1, "findings": [{"kind": "number", ...}]}

Exit code 3 says that something critical was found, 0 that nothing was.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from data.commands import new_app

CRITICAL_FOUND = 3

app = new_app("Check a translation for what could hurt a patient.")


@app.command()
def check(
    source: Annotated[
        Path, typer.Argument(help="Source text, one segment a line; or one .jsonl or .tsv of pairs.")
    ],
    target: Annotated[Path | None, typer.Argument(help="Its translation, line by line.")] = None,
    source_language: Annotated[
        str | None,
        typer.Option("--from", metavar="<str>", help="Source language.  [default: the rows', or en]"),
    ] = None,
    target_language: Annotated[
        str | None,
        typer.Option("--to", metavar="<str>", help="Target language.  [default: the rows', or pt]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a pair.")] = False,
) -> int:
    """Doses, numbers, units, negation, sides, medicines: what differs between a text and its translation.

    Exit code 3: something critical was found.
    """
    from data.clinical import check_pair
    from eval.check_input import Languages, read_rows

    severities: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    rows = 0
    for row in read_rows(source, target, Languages(source_language, target_language)):
        findings = check_pair(row.source, row.target, row.source_language, row.target_language)
        rows += 1
        pairs[row.source_language, row.target_language] += 1
        severities.update(finding.severity for finding in findings)
        if as_json:
            record = {"line": row.line, "findings": [finding_record(finding) for finding in findings]}
            typer.echo(json.dumps(record, ensure_ascii=False))
        else:
            for finding in findings:
                typer.echo(f"{row.line}: {finding.severity} {finding.kind}: {finding.message}")
    _summary(rows, severities, pairs)
    return CRITICAL_FOUND if severities["critical"] else 0


def finding_record(finding: Any) -> dict[str, object]:
    """A finding as JSON: spans are [start, end], or null where that side has none."""
    spans = {
        name: [span.start, span.end] if span is not None else None
        for name, span in (("source_span", finding.source_span), ("target_span", finding.target_span))
    }
    return {"kind": finding.kind, "severity": finding.severity, **spans, "message": finding.message}


def _summary(rows: int, severities: Counter[str], pairs: Counter[tuple[str, str]]) -> None:
    from data.clinical import checks_for

    found = ", ".join(f"{severities[name]} {name}" for name in ("critical", "major", "minor"))
    typer.echo(f"{rows} pairs checked: {found}", err=True)
    for source_language, target_language in pairs:
        coverage = checks_for(source_language, target_language)
        if coverage.skipped:
            skipped = ", ".join(coverage.skipped)
            typer.echo(
                f"{source_language}-{target_language}: not checked: {skipped} ({coverage.reason})", err=True
            )
