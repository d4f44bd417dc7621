"""CSV and TSV termbases, in and out.

In: a file with a header (`source,target,status,...`, or languages: `en,pt-BR,note`), or two columns without
one. Out: `TermRow` values; or a file that reads back as the same terms, one row for each target variant.

    source,target,status,note
    hold,suspender,preferred,of a drug
    hold,segurar,forbidden,

A cell that a spreadsheet would run (`=cmd|...`, `-itis`) is written with a quote in front, and read without.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from data.errors import TermbaseError
from data.files import atomic_write
from terminology.formats.rows import Columns, TermRow, is_header, named_languages
from terminology.termbase import Termbase, Variant

COLUMNS = (
    "id", "source", "target", "status", "case", "part_of_speech", "domain", "note", "keep", "priority",
    "source_language", "target_language",
)  # fmt: skip
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
_LONGEST_CELL = 1_000_000


def read_delimited(path: Path, source_language: str = "", target_language: str = "") -> Iterator[TermRow]:
    table: Table | None = None
    for line, cells, problem in _records(path):
        if problem:
            yield TermRow(line, problem=problem)
        elif table is None:
            table = Table(cells, source_language, target_language)
            if not table.has_header:
                yield table.row(line, cells)
        else:
            yield table.row(line, cells)


class Table:
    """Rows under the header that a first row is, or, where it is none, under source, target and note."""

    def __init__(self, first: list[str], source_language: str, target_language: str) -> None:
        self.has_header = is_header(first, source_language, target_language)
        names = first if self.has_header else ["source", "target", "note"]
        if not source_language:
            source_language, target_language = [*named_languages(names), "", ""][:2]
        self.width = len(names)
        self.columns = Columns(names, source_language, target_language)

    def row(self, line: int, cells: list[str]) -> TermRow:
        """More cells than columns mean a separator that was not quoted."""
        if len(cells) > self.width and any(cell.strip() for cell in cells[self.width :]):
            problem = (
                f"has {len(cells)} cells for {self.width} columns; quote a cell that holds the separator"
            )
            return TermRow(line, problem=problem)
        return self.columns.row(line, [unescaped(cell) if cell[:1] == "'" else cell for cell in cells])


def write_delimited(path: Path, termbase: Termbase, delimiter: str = ",") -> None:
    with atomic_write(path) as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        writer.writerow(COLUMNS)
        for cells in table_rows(termbase):
            writer.writerow(map(escaped, cells))


def table_rows(termbase: Termbase) -> Iterable[tuple[str, ...]]:
    """The terms as rows under COLUMNS."""
    for term in termbase.terms:
        for variant in term.targets or (Variant(""),):
            yield (
                term.id, term.source, variant.text, variant.status.value if variant.text else "",
                term.case.value, term.part_of_speech, term.domain, term.note, "yes" if term.keep else "",
                str(term.priority or ""), termbase.source_language, termbase.target_language,
            )  # fmt: skip


def escaped(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell


def _records(path: Path) -> Iterator[tuple[int, list[str], str]]:
    """Each record with the line it starts on, or what is wrong with it; blank lines are passed over."""
    csv.field_size_limit(_LONGEST_CELL)
    lines = _lines(path)
    reader = csv.reader(lines, delimiter=_delimiter(path), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield start, [], f"not a row of a table: {error}"
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield start, cells, ""


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as stream:
        encoding = "utf-16" if stream.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    number = 0
    try:
        with path.open(encoding=encoding, newline="") as text:
            for line in text:
                number += 1
                yield line
    except UnicodeError:
        problem = f"not {encoding.removesuffix('-sig').upper()} near here; save the table as 'CSV UTF-8'"
        raise TermbaseError(path, number + 1, problem) from None


def _delimiter(path: Path) -> str:
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    first = next((line for line in _lines(path) if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(",;\t", key=unquoted.count)
