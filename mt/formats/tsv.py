"""Tab-separated values (.tsv): one column of each row is translated, the translation is appended as the last.

    12<tab>Take 5 mg.   ->   12<tab>Take 5 mg.<tab>Tome 5 mg.      (with column=2)

A tab ends a cell and \\n a row, and nothing else does: quotes are text, as in most corpora. All rows must
have as many columns as the first; blank lines are kept. The line ending of each row is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from data.errors import RecordError
from mt.formats.chunks import Chunk, ReadOptions
from mt.formats.decoding import numbered_lines
from mt.layout import layout_of, text_parts

_BATCH_CHARACTERS = 1 << 16


def read_tsv(decoded: Iterable[str], name: str, options: ReadOptions) -> Iterator[Chunk]:
    parts: list[tuple[bool, str]] = []
    size = 0
    columns = 0
    for number, line in numbered_lines(decoded):
        row = line.rstrip("\r\n")
        parts.append((False, row))
        if row.strip("\ufeff"):
            cells = row.split("\t")
            columns = columns or len(cells)
            _check(cells, columns, name, number, options.column)
            parts.append((False, "\t"))
            cell = cells[options.column - 1].removeprefix("\ufeff")
            parts += text_parts(cell, options.language, split=options.split)
        parts.append((False, line[len(row) :]))
        size += len(line)
        if size >= _BATCH_CHARACTERS:
            yield layout_of(parts)
            parts, size = [], 0
    if parts:
        yield layout_of(parts)


def _check(cells: list[str], columns: int, name: str, number: int, column: int) -> None:
    if len(cells) != columns:
        raise RecordError(name, number, f"{len(cells)} columns where the first row has {columns}")
    if not 1 <= column <= columns:
        raise RecordError(name, number, f"no column {column}; columns: 1 to {columns}")
