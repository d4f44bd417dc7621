"""Plain text (.txt, stdin): every line is kept, its sentences are translated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mt.formats.chunks import Chunk, ReadOptions
from mt.formats.decoding import whole_lines
from mt.layout import parse


def read_plain(decoded: Iterable[str], name: str, options: ReadOptions) -> Iterator[Chunk]:
    for block in whole_lines(decoded):
        yield parse(block, options.language, split=options.split)
