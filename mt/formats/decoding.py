"""Bytes into text, block by block, UTF-8 only.

A byte order mark stays in the text (the output has one when the input had). Invalid bytes raise `InputError`
with the file and the offset of the first bad byte, also across block borders:

    notes.txt: not UTF-8: invalid start byte 0xff at byte offset 70000
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from data.errors import InputError

BLOCK_BYTES = 1 << 16
_LONGEST_LINE = 1 << 18  # characters; a longer "line" is cut at a space to keep memory flat


def decode(stream: BinaryIO, name: str) -> Iterator[str]:
    """Text in blocks of up to `BLOCK_BYTES`; line breaks are left as they are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    while True:
        block = stream.read(BLOCK_BYTES)
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            bad = error.object[error.start]
            where = offset - pending + error.start
            raise InputError(
                f"{name}: not UTF-8: {error.reason} 0x{bad:02x} at byte offset {where}"
            ) from None
        offset += len(block)
        if text:
            yield text
        if not block:
            return


def whole_lines(decoded: Iterable[str]) -> Iterator[str]:
    """Regroups into blocks that end with a line break, but for the last and for overlong lines."""
    rest = ""
    for text in decoded:
        rest += text
        cut = _last_break(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _last_break(text: str) -> int:
    cut = text.rfind("\n") + 1 or text.rfind("\r", 0, len(text) - 1) + 1
    if not cut and len(text) > _LONGEST_LINE:
        cut = text.rfind(" ", 0, len(text) - 1) + 1 or len(text)
    return cut


def numbered_lines(decoded: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their number from 1; only \\n ends a line, and it stays with it."""
    number = 0
    rest = ""
    for text in decoded:
        *lines, tail = text.split("\n")
        if not lines:
            rest += tail
            continue
        lines[0] = rest + lines[0]
        for line in lines:
            number += 1
            yield number, line + "\n"
        rest = tail
    if rest:
        yield number + 1, rest
