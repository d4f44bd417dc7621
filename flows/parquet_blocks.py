"""Rows of a parquet file as blocks of JSON lines, so that bulk work reads them as it reads JSONL.

In: a path, local or wherever fsspec reaches. Out: blocks of so many rows, and the lines of one:

    found = list(parquet_blocks("corpus.parquet", 256))      # [Block("corpus.parquet", 0, 0, 256, 1), ...]
    ParquetRows()(found[0])                                  # 256 lines; empty fields are left out

The cut is by rows alone, whatever the groups that they were written in. A group is read as a whole, so write
groups that fit into memory; the last two stay there, as blocks follow each other.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any, TypeVar

from data.errors import InputError, MissingExtraError
from flows.blocks import Block, open_anywhere

Found = TypeVar("Found")


def parquet_blocks(path: str, lines: int, skip: int = 0) -> Iterator[Block]:
    """`offset` counts rows; what a block takes of the file is not known before it is read."""
    rows = _starts(path)[-1]
    for first in range(skip * lines, rows, lines):
        yield Block(path, first, 0, min(lines, rows - first), first + 1)


class ParquetRows:
    """Reads blocks; each worker has its own, shared by its threads."""

    def __init__(self) -> None:
        self._starts = lru_cache(maxsize=1)(_starts)
        self._group = lru_cache(maxsize=2)(_group)
        self._lock = threading.Lock()  # or several threads would read the same group

    def __call__(self, block: Block) -> list[str]:
        return [_line(row) for row in self._rows(block)]

    def _rows(self, block: Block) -> Iterator[dict[str, Any]]:
        row, end = block.offset, block.offset + block.lines
        while row < end:
            with self._lock:
                starts = self._starts(block.path)
                number = bisect_right(starts, row) - 1
                group = self._group(block.path, number)
            taken = min(end, starts[number + 1]) - row
            yield from group.slice(row - starts[number], taken).to_pylist()
            row += taken


def _line(row: dict[str, Any]) -> str:
    known = {name: value for name, value in row.items() if value is not None}
    return json.dumps(known, ensure_ascii=False, default=str)


def _starts(path: str) -> list[int]:
    """The number of each group's first row, from 0; last that of all rows."""

    def sizes(file: Any) -> list[int]:
        return [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]

    return [0, *accumulate(_read(path, sizes))]


def _group(path: str, number: int) -> Any:
    return _read(path, lambda file: file.read_row_group(number))


def _read(path: str, what: Callable[[Any], Found]) -> Found:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingExtraError("reading parquet", "data") from None
    with open_anywhere(path) as stream:
        try:
            return what(ParquetFile(stream))
        except (ArrowException, OSError) as error:
            raise InputError(f"{path}: not parquet that can be read ({type(error).__name__})") from None
