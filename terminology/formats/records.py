"""JSON Lines termbases, in and out: one object a line.

In: `{"source": "hold", "target": "suspender", "status": "preferred"}`, the `src`/`tgt` of Pair files, or all
variants of a term at once:

    {"id": "7", "source": "hold", "targets": [{"text": "suspender", "status": "preferred"},
     {"text": "segurar", "status": "forbidden"}], "note": "of a drug"}

Out: `TermRow` values; or a file of the second kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.errors import RecordError, TermbaseError
from data.jsonl import read_jsonl, write_jsonl
from terminology.formats.rows import TermRow, row_of, status_word
from terminology.termbase import Term, Termbase


def read_records(path: Path, source_language: str = "", target_language: str = "") -> Iterator[TermRow]:
    try:
        for line, record in read_jsonl(path):
            yield from _rows(line, record, source_language, target_language)
    except RecordError as error:
        raise TermbaseError(path, error.line, error.problem) from None


def write_records(path: Path, termbase: Termbase) -> None:
    languages = {"source_language": termbase.source_language, "target_language": termbase.target_language}
    write_jsonl(path, (term_record(term) | languages for term in termbase.terms))


def term_record(term: Term) -> dict[str, object]:
    """A term as a JSON object; empty fields are left out."""
    record: dict[str, object] = {"id": term.id, "source": term.source}
    record["targets"] = [{"text": variant.text, "status": variant.status.value} for variant in term.targets]
    for field in ("part_of_speech", "domain", "note", "keep", "priority"):
        if getattr(term, field):
            record[field] = getattr(term, field)
    return record | {"case": term.case.value}


def _rows(line: int, record: dict[str, object], source: str, target: str) -> Iterator[TermRow]:
    targets = record.pop("targets", None)
    cells = {name: _text(value) for name, value in record.items() if not isinstance(value, (dict, list))}
    row = row_of(line, cells, source, target)
    if targets is None:
        yield row
        return
    if not isinstance(targets, list):
        yield row._replace(problem="field 'targets' is not a list")
        return
    if not targets:
        yield row
    for variant in targets:
        text, status = (
            (variant.get("text"), variant.get("status", "")) if isinstance(variant, dict) else (variant, "")
        )
        if isinstance(text, str) and isinstance(status, str):
            yield row._replace(target=text.strip(), status=status_word(status))
        else:
            yield row._replace(problem="a target is neither text nor an object with 'text' and 'status'")


def _text(value: object) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
