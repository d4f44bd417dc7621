"""JSON lines (.jsonl, .ndjson): one field of each record is translated into another.

    {"id": 1, "src": "Take 5 mg."}   ->   {"id": 1, "src": "Take 5 mg.", "tgt": "Tome 5 mg."}

The rest of the line stays byte for byte when the target field is new; where it is there already, its record
is written anew with the other values kept. Bad JSON, a record that is no object and a field that is missing
or no text raise `RecordError`, which names file and line. Blank lines are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from data.errors import RecordError
from mt.formats.chunks import Chunk, ReadOptions
from mt.formats.decoding import numbered_lines
from mt.layout import Layout, parse

SOURCE_FIELDS = ("src", "text")
_BATCH_CHARACTERS = 1 << 16


@dataclass(frozen=True, slots=True)
class Record:
    """One line; `layout` is None for a blank one. `fields` is set only when `target` must be replaced."""

    line: str
    target: str = ""
    layout: Layout | None = None
    fields: Mapping[str, object] | None = None

    def render(self, translations: Sequence[str]) -> str:
        if self.layout is None:
            return self.line
        translation = self.layout.render(translations)
        body = self.line.rstrip()
        ending = self.line[len(body) :]
        if self.fields is not None:
            return _dump({**self.fields, self.target: translation}) + ending
        return f"{body[:-1].rstrip()}, {_dump(self.target)}: {_dump(translation)}}}{ending}"


@dataclass(frozen=True, slots=True)
class RecordChunk:
    records: tuple[Record, ...]
    sentences: tuple[str, ...]

    def render(self, translations: Sequence[str]) -> str:
        if len(translations) != len(self.sentences):
            raise ValueError(f"{len(translations)} translations for {len(self.sentences)} sentences")
        lines = []
        start = 0
        for record in self.records:
            end = start + (len(record.layout.sentences) if record.layout else 0)
            lines.append(record.render(translations[start:end]))
            start = end
        return "".join(lines)


def read_jsonl(decoded: Iterable[str], name: str, options: ReadOptions) -> Iterator[Chunk]:
    records: list[Record] = []
    size = 0
    for number, line in numbered_lines(decoded):
        records.append(_record(line, name, number, options))
        size += len(line)
        if size >= _BATCH_CHARACTERS:
            yield _chunk(records)
            records, size = [], 0
    if records:
        yield _chunk(records)


def _chunk(records: Sequence[Record]) -> RecordChunk:
    layouts = (record.layout for record in records if record.layout)
    return RecordChunk(tuple(records), tuple(sentence for layout in layouts for sentence in layout.sentences))


def _record(line: str, name: str, number: int, options: ReadOptions) -> Record:
    body = line.strip().removeprefix("\ufeff") if number == 1 else line.strip()
    if not body:
        return Record(line)
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = (
            f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        )
        raise RecordError(name, number, f"not JSON: {reason}") from None
    if not isinstance(fields, dict):
        raise RecordError(name, number, f"not a JSON object but {type(fields).__name__}")
    field = options.field or next((field for field in SOURCE_FIELDS if field in fields), "")
    text = fields.get(field)
    if not isinstance(text, str):
        wanted = repr(field) if field else " or ".join(map(repr, SOURCE_FIELDS))
        fault = "no field" if field not in fields else "no text in field"
        there = ", ".join(map(repr, fields)) or "none"
        raise RecordError(name, number, f"{fault} {wanted}; fields: {there}")
    target = options.target_field or ("tgt" if field == "src" else "translation")
    layout = parse(text, options.language, split=options.split)
    return Record(line, target, layout, fields if target in fields else None)


def _dump(value: object) -> str:
    dumped = json.dumps(value, ensure_ascii=False)
    try:
        dumped.encode()
    except UnicodeEncodeError:  # a lone surrogate can only be written as an escape
        return json.dumps(value)
    return dumped
