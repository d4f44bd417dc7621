"""Files of lines as blocks that machines can share: where each begins, and the reading of one.

In: a JSONL file, on a disk or wherever fsspec reaches (s3://, gs://, hdfs://). Out: blocks of so many lines.

    found = list(blocks_of("corpus.jsonl", 256))        # [Block("corpus.jsonl", 0, 61440, 256), ...]
    read_block(found[0])                                # 256 lines, without their ends

The cut depends on the file alone, so that one machine and a hundred translate the same batches and write the
same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from data.errors import InputError, MissingExtraError, RecordError

LINES = 256


@dataclass(frozen=True, slots=True)
class Block:
    """`first` is the number of its first line, from 1, for messages."""

    path: str
    offset: int
    length: int
    lines: int
    first: int


def open_anywhere(path: str, mode: str = "rb") -> IO[Any]:
    if "://" not in path:
        try:
            stream: IO[Any] = open(path, mode)  # noqa: SIM115
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from None
        return stream
    try:
        import fsspec  # type: ignore[import-untyped]
    except ImportError:
        raise MissingExtraError(f"reading {path}", "cluster") from None
    try:
        found: IO[Any] = fsspec.open(path, mode).open()
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return found


def blocks_of(path: str, lines: int = LINES, skip: int = 0) -> Iterator[Block]:
    """`skip` leaves out so many blocks at the beginning, done by an earlier run."""
    with open_anywhere(path) as stream:
        offset = length = count = number = 0
        first = 1
        for raw in stream:
            length += len(raw)
            count += 1
            if count == lines:
                if number >= skip:
                    yield Block(path, offset, length, count, first)
                number, offset, first = number + 1, offset + length, first + count
                length = count = 0
        if count and number >= skip:
            yield Block(path, offset, length, count, first)


def read_block(block: Block) -> list[str]:
    with open_anywhere(block.path) as stream:
        stream.seek(block.offset)
        content: bytes = stream.read(block.length)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = block.first + content[: error.start].count(b"\n")
        raise RecordError(block.path, line, f"not UTF-8: byte 0x{content[error.start]:02x}") from None
    return text.removesuffix("\n").split("\n")
