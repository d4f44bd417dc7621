"""Values to and from JSON Lines, one at a time, and files that appear only when they are whole.

In: a path, or values. Out: values, or a file. A line of a Pair file:

    {"id": "t1", "src": "Take 5 mg.", "tgt": "Tome 5 mg.", "src_lang": "en", "tgt_lang": "pt",
     "origin": "TICO-19", "licence": "CC0-1.0"}

Errors name the place and never the text: `pairs.jsonl:7: not JSON: Expecting value at column 12`.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from data.errors import InputError, RecordError
from data.files import atomic_write
from data.segments import Pair, Segment

_FIELDS = {  # field of a Pair file -> attribute of Pair
    "src_lang": "source_language",
    "tgt_lang": "target_language",
    "origin": "origin",
    "licence": "licence",
    "document": "document",
}


def read_jsonl(path: Path | str) -> Iterator[tuple[int, dict[str, object]]]:
    """Each record with its line number, from 1; blank lines are passed over."""
    for number, line in _lines(Path(path)):
        if line.strip():
            yield number, _record(path, number, line)


def read_pairs(path: Path | str) -> Iterator[Pair]:
    """Pairs of a file; one without an `id` is called after its file and line (`pairs:7`)."""
    for number, record in read_jsonl(path):
        yield _pair(path, number, record)


def write_jsonl(path: Path | str, records: Iterable[Mapping[str, object]]) -> int:
    """Writes all records or leaves no file; returns how many there were."""
    count = 0
    with atomic_write(path) as stream:
        for record in records:
            stream.write(json_line(record))
            count += 1
    return count


def write_pairs(path: Path | str, pairs: Iterable[Pair]) -> int:
    return write_jsonl(path, map(pair_record, pairs))


def pair_record(pair: Pair) -> dict[str, object]:
    """A Pair as a line of a Pair file; empty fields are left out."""
    record: dict[str, object] = {"id": pair.source.id, "src": pair.source.text, "tgt": pair.target}
    named = ((field, getattr(pair, attribute)) for field, attribute in _FIELDS.items())
    return record | {field: value for field, value in named if value}


def json_line(record: Mapping[str, object]) -> str:
    """One record as a line of readable UTF-8, or of plain ASCII where it holds a lone surrogate."""
    line = json.dumps(record, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        line = json.dumps(record)
    return line + "\n"


def compact_line(record: Mapping[str, object]) -> str:
    """The same without spaces, for files of millions: a tenth of the time where orjson is installed.

    What orjson does not write (numbers beyond 64 bits, lone surrogates) is written as `json_line` does.
    """
    dump = _orjson_dump()
    if dump is None:
        return json_line(record)
    try:
        return dump(record).decode() + "\n"
    except TypeError:
        return json_line(record)


@cache
def _orjson_dump() -> Callable[[object], bytes] | None:
    try:
        import orjson
    except ImportError:
        return None
    return orjson.dumps


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as stream:
            offset = 0
            for number, raw in enumerate(stream, start=1):
                yield number, _decoded(path, number, offset, raw)
                offset += len(raw)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


def _decoded(path: Path, number: int, offset: int, raw: bytes) -> str:
    start = len(codecs.BOM_UTF8) if number == 1 and raw.startswith(codecs.BOM_UTF8) else 0
    try:
        return raw[start:].decode()
    except UnicodeDecodeError as error:
        bad = start + error.start
        raise RecordError(
            path, number, f"not UTF-8: byte 0x{raw[bad]:02x} at byte offset {offset + bad}"
        ) from None


def _record(path: Path | str, number: int, line: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise RecordError(path, number, f"not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets thousands deep
        raise RecordError(path, number, "not JSON that can be read: a number or nesting too large") from None
    if not isinstance(record, dict):
        raise RecordError(path, number, "not a JSON object ({...})")
    return record


def _pair(path: Path | str, number: int, record: dict[str, object]) -> Pair:
    def text(field: str, default: str | None = None) -> str:
        value = record.get(field, default)
        if not isinstance(value, str):
            problem = "is missing" if field not in record else "is not text"
            raise RecordError(
                path, number, f"field {field!r} {problem}; a pair has src and tgt, and may have id"
            )
        return value

    segment = Segment(text("id", f"{Path(path).stem}:{number}"), text("src"))
    rest = {attribute: text(field, "") for field, attribute in _FIELDS.items()}
    return Pair(segment, text("tgt"), **rest)
