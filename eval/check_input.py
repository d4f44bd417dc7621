"""Pairs of lines to check, from two aligned files or from one TSV or JSON Lines file.

In: paths and languages. Out: Rows, each with the number of its line:

    next(read_rows(Path("pairs.jsonl"), None, Languages()))   # Row(1, "Take 5 mg.", "Tome 5 mg.", "en", "pt")

Nothing is held in memory but the line at hand; two files are counted before the first row comes out.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.errors import InputError, RecordError
from data.jsonl import read_jsonl

SOURCE_FIELDS = ("src", "source")
TARGET_FIELDS = ("tgt", "target")
_SOURCE_LANGUAGE = ("src_lang", "source_language", "from")
_TARGET_LANGUAGE = ("tgt_lang", "target_language", "to")


@dataclass(frozen=True, slots=True)
class Languages:
    """As given on the command line; where nothing is given a row may say, else it is en and pt."""

    source: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    source: str
    target: str
    source_language: str
    target_language: str


def read_rows(first: Path, second: Path | None, languages: Languages) -> Iterator[Row]:
    if second is not None:
        yield from _aligned(first, second, languages)
    elif first.suffix.lower() in (".jsonl", ".json", ".ndjson"):
        yield from _records(first, languages)
    elif first.suffix.lower() in (".tsv", ".tab"):
        yield from _table(first, languages)
    else:
        raise InputError(
            f"{first}: one file must be .jsonl or .tsv; or give two files, the source and its translation"
        )


def _aligned(first: Path, second: Path, languages: Languages) -> Iterator[Row]:
    counts = [sum(1 for _ in _lines(path)) for path in (first, second)]
    for path, count in zip((first, second), counts, strict=True):
        if count == 0:
            raise InputError(f"{path} is empty")
    if counts[0] != counts[1]:
        raise InputError(
            f"{first} has {counts[0]} lines, {second} has {counts[1]}: they must match line by line"
        )
    pairs = zip(_lines(first), _lines(second), strict=True)
    for (number, source), (_, target) in pairs:
        yield Row(number, source, target, languages.source or "en", languages.target or "pt")


def _records(path: Path, languages: Languages) -> Iterator[Row]:
    empty = True
    for number, record in read_jsonl(path):
        empty = False
        source, target = (_text(path, number, record, names) for names in (SOURCE_FIELDS, TARGET_FIELDS))
        ours = languages.source or _said(record, _SOURCE_LANGUAGE) or "en"
        theirs = languages.target or _said(record, _TARGET_LANGUAGE) or "pt"
        yield Row(number, source, target, ours, theirs)
    if empty:
        raise InputError(f"{path} is empty")


def _text(path: Path, number: int, record: dict[str, object], names: tuple[str, str]) -> str:
    name = next((name for name in names if name in record), None)
    if name is None:
        raise RecordError(
            path, number, f"no field {' or '.join(names)}; there are: {', '.join(record) or 'none'}"
        )
    value = record[name]
    if not isinstance(value, str):
        raise RecordError(path, number, f"field {name!r} is not text")
    return value


def _said(record: dict[str, object], names: tuple[str, ...]) -> str | None:
    value = next((record[name] for name in names if record.get(name)), None)
    return value if isinstance(value, str) else None


def _table(path: Path, languages: Languages) -> Iterator[Row]:
    """With a header line that names its columns, or with the source and the target first."""
    columns: dict[str, int] | None = None
    empty = True
    for number, line in _lines(path):
        cells = line.split("\t")
        if columns is None:
            columns = _columns(cells)
            if columns:
                continue
        if not line.strip():
            continue
        empty = False
        yield _row(path, number, cells, columns, languages)
    if empty:
        raise InputError(f"{path} is empty")


def _columns(cells: list[str]) -> dict[str, int]:
    names = {cell.strip().lower(): place for place, cell in enumerate(cells)}
    has_both = any(name in names for name in SOURCE_FIELDS) and any(name in names for name in TARGET_FIELDS)
    return names if has_both else {}


def _row(path: Path, number: int, cells: list[str], columns: dict[str, int], languages: Languages) -> Row:
    source = next((columns[name] for name in SOURCE_FIELDS if name in columns), 0)
    target = next((columns[name] for name in TARGET_FIELDS if name in columns), 1)
    if len(cells) <= max(source, target):
        problem = f"{len(cells)} of the {max(source, target) + 1} tab-separated columns needed"
        raise RecordError(path, number, problem)
    said = {name: cells[place] for name, place in columns.items() if place < len(cells)}
    ours = languages.source or next((said[n] for n in _SOURCE_LANGUAGE if said.get(n)), "en")
    theirs = languages.target or next((said[n] for n in _TARGET_LANGUAGE if said.get(n)), "pt")
    return Row(number, cells[source], cells[target], ours, theirs)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line without its end, with its number from 1; a byte that is no UTF-8 is named by its place."""
    offset = 0
    try:
        with path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                start = len(codecs.BOM_UTF8) if number == 1 and raw.startswith(codecs.BOM_UTF8) else 0
                try:
                    yield number, raw[start:].decode().rstrip("\r\n")
                except UnicodeDecodeError as error:
                    bad = start + error.start
                    problem = f"not UTF-8: byte 0x{raw[bad]:02x} at byte offset {offset + bad}"
                    raise RecordError(path, number, problem) from None
                offset += len(raw)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
