"""Rows of test set files: TSV, TMX, parquet and JSON Lines, each row with its number.

In: a path and the two languages. Out: `(number, record)`, the record's fields named as in the file.

    next(READERS[".tsv"](Path("set.tsv"), "en", "pt"))    # (1, {"src": "Take 5 mg.", "tgt": "Tome 5 mg."})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data.errors import ConfigError, InputError, MissingExtraError
from data.jsonl import read_jsonl

Rows = Iterator[tuple[int, Mapping[str, object]]]
SOURCES = ("src", "source", "sourceString", "source_text", "src_text", "sentence_source")


def _read_jsonl(path: Path, source: str, target: str) -> Rows:
    yield from read_jsonl(path)


def _read_tsv(path: Path, source: str, target: str) -> Rows:
    """With a header if its first line names a source column; else source, then reference."""
    lines = read_text(path).split("\n")
    names = lines[0].lstrip("\ufeff").rstrip("\r").split("\t")
    header = any(name in (*SOURCES, source) for name in names if name)
    keys = names if header else ["src", "tgt"]
    for number, line in enumerate(lines, 1):
        if (number == 1 and header) or not line.strip():
            continue
        yield number, dict(zip(keys, line.rstrip("\r").split("\t"), strict=False))


def _read_tmx(path: Path, source: str, target: str) -> Rows:
    if not (source and target):
        raise ConfigError(f"{path}: a TMX may hold many languages; choose two with --from and --to")
    try:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import ParseError, iterparse
    except ImportError:
        raise MissingExtraError("reading TMX", "terms") from None
    number = 0
    try:
        for _, unit in iterparse(path, events=("end",)):
            if unit.tag.rpartition("}")[2] != "tu":
                continue
            number += 1
            texts = _tmx_texts(unit)
            record = {"id": unit.get("tuid", ""), "src": texts.get(source), "tgt": texts.get(target, "")}
            unit.clear()
            if record["src"] is not None:
                yield number, record
    except (ParseError, DefusedXmlException) as error:
        raise InputError(f"{path}: not TMX that can be read ({error})") from None


def _tmx_texts(unit: Any) -> dict[str, str]:
    texts: dict[str, str] = {}
    for variant in unit.iter():
        if variant.tag.rpartition("}")[2] != "tuv":
            continue
        code = variant.get("{http://www.w3.org/XML/1998/namespace}lang") or variant.get("lang") or ""
        segment = next((part for part in variant.iter() if part.tag.rpartition("}")[2] == "seg"), None)
        if segment is not None:
            text = "".join(segment.itertext())
            texts.setdefault(code, text)
            texts.setdefault(code.replace("_", "-").split("-")[0].lower(), text)
    return texts


def _read_parquet(path: Path, source: str, target: str) -> Rows:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingExtraError("reading parquet", "train") from None
    number = 0
    try:
        for batch in ParquetFile(path).iter_batches():
            for record in batch.to_pylist():
                number += 1
                yield number, record
    except (ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: not a parquet file that can be read ({type(error).__name__})") from None


def read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte offset {error.start})") from None


READERS = {
    ".jsonl": _read_jsonl,
    ".tsv": _read_tsv,
    ".tmx": _read_tmx,
    ".parquet": _read_parquet,
}
