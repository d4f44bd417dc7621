"""Files into chunks to translate, by format; memory stays flat however long the file.

In: a path or a binary stream, and `ReadOptions`. Out: `Chunk`s in order, to be written in order.

    with path.open("rb") as stream:
        for chunk in read_stream(stream, path.name, path.suffix, ReadOptions(language="en")):
            out.write(chunk.render(translate(chunk.sentences)))

A new format is one function and one line: `FORMATS[".srt"] = read_subtitles` (see `DocumentFormat`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from data.errors import InputError
from mt.formats.chunks import Chunk, DocumentFormat, ReadOptions
from mt.formats.decoding import decode
from mt.formats.jsonl import read_jsonl
from mt.formats.plain import read_plain
from mt.formats.tsv import read_tsv

__all__ = [
    "FORMATS",
    "Chunk",
    "DocumentFormat",
    "ReadOptions",
    "document_format",
    "read_chunks",
    "read_stream",
]


def _read_markdown(decoded: Iterable[str], name: str, options: ReadOptions) -> Iterator[Chunk]:
    from mt.formats.markdown import read_markdown  # 30 ms that other formats need not pay

    return read_markdown(decoded, name, options)


FORMATS: dict[str, DocumentFormat] = {
    ".txt": read_plain,
    ".text": read_plain,
    ".md": _read_markdown,
    ".markdown": _read_markdown,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".tsv": read_tsv,
}


def document_format(suffix: str) -> DocumentFormat:
    """The format of files that end so; raises `InputError` with the valid choices."""
    try:
        return FORMATS[suffix.lower()]
    except KeyError:
        raise InputError(f"no document format for {suffix!r}; valid: {', '.join(sorted(FORMATS))}") from None


def read_chunks(path: Path, options: ReadOptions) -> Iterator[Chunk]:
    """Chunks of the file, by its suffix."""
    document_format(path.suffix)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    with stream:
        yield from read_stream(stream, str(path), path.suffix, options)


def read_stream(stream: BinaryIO, name: str, suffix: str, options: ReadOptions) -> Iterator[Chunk]:
    """Chunks of an open binary stream (`sys.stdin.buffer`, say); `name` stands in error messages."""
    return document_format(suffix)(decode(stream, name), name, options)
