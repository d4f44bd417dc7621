"""What every document format makes of a file: chunks, each translated as one batch and written in order.

for chunk in read_chunks(Path("notes.md"), ReadOptions(language="en")):
    out.write(chunk.render(translate(chunk.sentences)))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a document; what a format does not know, it ignores."""

    language: str
    split: bool = True  # False: one line is one sentence
    field: str = ""  # .jsonl: the field to translate; "" takes `src`, else `text`
    target_field: str = ""  # .jsonl: where the translation goes; "" is `tgt` for `src`, else `translation`
    column: int = 1  # .tsv: the column to translate, counted from 1


class Chunk(Protocol):
    """A part of a document: translate `sentences` in one batch, then `render`."""

    @property
    def sentences(self) -> Sequence[str]: ...

    def render(self, translations: Sequence[str]) -> str: ...


class DocumentFormat(Protocol):
    """`decoded` is the text in blocks of any size; `name` stands in error messages."""

    def __call__(self, decoded: Iterable[str], name: str, options: ReadOptions) -> Iterator[Chunk]: ...
