"""Excel workbooks (XLSX) as termbases: the first sheet, its first row the header.

In: a workbook; rows stream through openpyxl's read-only mode. Out: `TermRow` values; `line` is the row.
A formula is text like any other (`=1+1`): it is never worked out, and written back as a string.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from data.errors import MissingExtraError, TermbaseError
from data.files import atomic_write_bytes
from terminology.formats.delimited import COLUMNS, Table, escaped, table_rows
from terminology.formats.rows import TermRow
from terminology.termbase import Termbase

_LARGEST_EXPANDED = 2_000_000_000  # bytes; a zip bomb unpacks to more


def read_spreadsheet(path: Path, source_language: str = "", target_language: str = "") -> Iterator[TermRow]:
    table: Table | None = None
    for line, cells in _sheet_rows(path):
        if table is None:
            table = Table(cells, source_language, target_language)
            if table.has_header:
                continue
        yield table.row(line, cells)


def write_spreadsheet(path: Path, termbase: Termbase) -> None:
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ModuleNotFoundError:
        raise MissingExtraError("writing XLSX", "terms") from None
    book = Workbook(write_only=True)
    sheet = book.create_sheet("terms")
    sheet.append(list(COLUMNS))
    for row in table_rows(termbase):
        cells = [WriteOnlyCell(sheet, value=escaped(cell)) for cell in row]
        for cell in cells:
            cell.data_type = "s"
        sheet.append(cells)
    with atomic_write_bytes(path) as stream:
        book.save(stream)


def _sheet_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ModuleNotFoundError:
        raise MissingExtraError("reading XLSX", "terms") from None
    try:
        _refuse_bomb(path)
        book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
        for line, row in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            cells = ["" if value is None else str(value) for value in row]
            if any(cell.strip() for cell in cells):
                yield line, cells
        book.close()
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        IndexError,
        SyntaxError,
        OSError,
    ) as error:
        raise TermbaseError(path, 1, f"not an XLSX workbook: {type(error).__name__}") from None


def _refuse_bomb(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        expanded = sum(part.file_size for part in archive.infolist())
    if expanded > _LARGEST_EXPANDED:
        raise TermbaseError(path, 1, f"unpacks to {expanded:,} bytes, over {_LARGEST_EXPANDED:,}; split it")
