"""Rows of corpus files as they are, each with its number: JSON Lines, TSV, TMX, parquet, `datasets`.

In: a path, what is known of it, and a `Problems`. Out: `(number, fields)`.

    next(READERS[".tsv"](Path("set.tsv"), Reading("en", "pt"), Problems()))
    # (1, {"src": "Take 5 mg.", "tgt": "Tome 5 mg."})

All stream: a TMX unit is forgotten when it has been read, a parquet file comes by batches, a data set of the
library `datasets` by its streaming mode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, InputError, MissingExtraError
from data.lines import Problems, opened, read_lines

if TYPE_CHECKING:
    from data.corpora import Reading

Rows = Iterator[tuple[int, Mapping[str, Any]]]
_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?::(?P<config>[\w.-]+))?(?:@(?P<split>[\w.-]+))?")
_HEADER = ("src", "source", "sourceString", "source_text", "src_text", "sentence_source")
_XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def kind_of(path: Path) -> str:
    """`.tsv` of pairs.tsv and of pairs.tsv.gz."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def is_dataset(name: str) -> bool:
    """`owner/name[:config][@split]`, and no file of a known kind."""
    return bool(_NAME.fullmatch(name)) and kind_of(Path(name)) not in READERS


def _read_jsonl(path: Path, reading: Reading, problems: Problems) -> Rows:
    for number, line in read_lines(path, problems, reading.encoding):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            where = (
                f"column {error.colno}" if isinstance(error, json.JSONDecodeError) else "too large or deep"
            )
            problems.found(path, number, "not JSON", where)
            continue
        if isinstance(fields, dict):
            yield number, fields
        else:
            problems.found(path, number, "not a JSON object")


def _read_tsv(path: Path, reading: Reading, problems: Problems) -> Rows:
    """With a header if its first line names a source column; else source, then target."""
    keys = ["src", "tgt"]
    named = False
    for number, line in read_lines(path, problems, reading.encoding):
        cells = line.split("\t")
        if number == 1 and any(cell in (*_HEADER, reading.source) for cell in cells if cell):
            keys, named = cells, True
        elif not line.strip():
            continue
        elif len(cells) != len(keys):
            problems.found(path, number, "wrong columns", f"{len(cells)} where {len(keys)} should be")
        else:
            yield number, {key: cell for key, cell in zip(keys, cells, strict=True) if not named or cell}


def _read_tmx(path: Path, reading: Reading, problems: Problems) -> Rows:
    if not (reading.source and reading.target):
        raise ConfigError(f"{path}: a TMX may hold many languages; choose two with --from and --to")
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import ParseError, iterparse
    except ImportError:
        raise MissingExtraError("reading TMX", "data") from None
    number = 0
    try:
        with opened(path) as stream:
            body: Any = None
            for event, element in iterparse(stream, events=("start", "end")):
                name = element.tag.rpartition("}")[2]
                if event == "start":
                    body = element if name == "body" else body
                elif name == "tu":
                    number += 1
                    yield from _unit(path, number, element, reading, problems)
                    element.clear()
                    if body is not None:
                        body.clear()  # or a million empty units stay with their parent
    except (ParseError, DefusedXmlException) as error:
        raise InputError(f"{path}: not TMX that can be read after unit {number} ({error})") from None
    except (OSError, EOFError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _unit(path: Path, number: int, unit: Any, reading: Reading, problems: Problems) -> Rows:
    texts: dict[str, str] = {}
    for variant in unit:
        if variant.tag.rpartition("}")[2] != "tuv":
            continue
        code = variant.get(_XML_LANGUAGE) or variant.get("lang") or ""
        segment = next((part for part in variant if part.tag.rpartition("}")[2] == "seg"), None)
        if segment is not None:
            text = "".join(segment.itertext())
            texts.setdefault(code.lower(), text)
            texts.setdefault(re.split("[-_]", code)[0].lower(), text)
    missing = [code for code in (reading.source, reading.target) if code.lower() not in texts]
    if missing:
        problems.found(path, number, "unit without a language", " and ".join(missing))
        return
    fields = {"src": texts[reading.source.lower()], "tgt": texts[reading.target.lower()]}
    yield number, fields | ({"id": unit.get("tuid")} if unit.get("tuid") else {})


def _read_parquet(path: Path, reading: Reading, problems: Problems) -> Rows:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingExtraError("reading parquet", "data") from None
    number = 0
    try:
        for batch in ParquetFile(path).iter_batches(batch_size=1000):
            for fields in batch.to_pylist():
                number += 1
                yield number, fields
    except (ArrowException, OSError) as error:
        where = f"after row {number}" if number else "at its start"
        raise InputError(f"{path}: not parquet that can be read {where} ({type(error).__name__})") from None


def read_dataset(name: str) -> Rows:
    """Streams a data set; `owner/name:config@split`, the split being `train` where none is named."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise InputError(f"{name!r} is not the name of a data set (owner/name:config@split)")
    try:
        from datasets import load_dataset
    except ImportError:
        raise MissingExtraError("reading data sets by name", "train") from None
    try:
        rows = load_dataset(found["name"], found["config"], split=found["split"] or "train", streaming=True)
        yield from enumerate(rows, 1)
    except Exception as error:
        raise InputError(f"cannot load the data set {name!r} ({type(error).__name__})") from None


READERS: dict[str, Callable[[Path, Reading, Problems], Rows]] = {
    ".jsonl": _read_jsonl,
    ".tsv": _read_tsv,
    ".tmx": _read_tmx,
    ".parquet": _read_parquet,
}
