"""XML read as a stream of entries, whatever the size of the file, and without any of XML's traps.

In: a path and the names of the elements that are entries (`conceptEntry`, `tu`). Out: one `Node` tree for
each, with the line it starts on; memory holds a few entries at a time.

    for entry in read_entries(path, {"conceptEntry", "termEntry"}, on_header=note_language):
        ...

The parser is expat, which comes with Python: it counts lines exactly and never fetches anything. Files that
declare entities are refused, so neither bombs nor external entities can begin; this is defusedxml's own
guard, set on the parser underneath it. A `<!DOCTYPE martif SYSTEM "TBXcoreStructV02.dtd">` is common and
harmless: nobody opens it.
"""

from __future__ import annotations

import xml.parsers.expat as expat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import TermbaseError

_CHUNK_BYTES = 1 << 18
_DEEPEST = 100  # elements inside one another; TBX needs ten


@dataclass(slots=True)
class Node:
    """An element: name without namespace, attributes, text (that of inner mark-up too), children."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Node]:
        """Elements of these names, at any depth, in the order of the file."""
        for child in self.children:
            if child.name in names:
                yield child
            yield from child.all(*names)

    def value(self, *names: str) -> str:
        """The text of the first such element."""
        return next((node.clean for node in self.all(*names)), "")

    def typed(self, name: str) -> str:
        """What a data category says: `<termNote type="x">value</termNote>` (DCA) or `<x>value</x>` (DCT)."""
        for node in self.all(name):
            return node.clean
        return next((node.clean for node in self.walk() if node.attributes.get("type") == name), "")

    def walk(self) -> Iterator[Node]:
        for child in self.children:
            yield child
            yield from child.walk()

    @property
    def clean(self) -> str:
        return " ".join(self.text.split())

    @property
    def language(self) -> str:
        return self.attributes.get("xml:lang", "") or self.attributes.get("lang", "")


class _Refused(Exception):
    pass


class _Reader:
    """Builds the trees of entries as expat reports their parts."""

    def __init__(self, entries: set[str], on_header: Callable[[Node], None]) -> None:
        self.entries, self.on_header = entries, on_header
        self.done: list[Node] = []
        self.open: list[Node] = []
        self.depth = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.EntityDeclHandler = self._entity

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Refused(f"elements lie more than {_DEEPEST} deep")
        node = Node(name.rpartition(":")[2], attributes, self.parser.CurrentLineNumber)
        if self.open:
            self.open[-1].children.append(node)
            self.open.append(node)
        elif node.name in self.entries:
            self.open.append(node)
        else:
            self.on_header(node)

    def _end(self, _name: str) -> None:
        self.depth -= 1
        if not self.open:
            return
        node = self.open.pop()
        if self.open:
            self.open[-1].text += node.text
        else:
            self.done.append(node)

    def _text(self, text: str) -> None:
        if self.open:
            self.open[-1].text += text

    def _entity(self, name: str, *_rest: object) -> None:
        raise _Refused(f"declares the entity {name[:40]!r}; entities are not read, for they can hide a bomb")


def read_entries(
    path: Path, entries: set[str], on_header: Callable[[Node], None] = lambda node: None
) -> Iterator[Node]:
    """Entries one by one; elements outside them go to `on_header`, childless."""
    reader = _Reader(entries, on_header)
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(_CHUNK_BYTES)
            try:
                reader.parser.Parse(chunk, not chunk)
            except (expat.ExpatError, _Refused, ValueError, LookupError) as error:
                yield from reader.done
                raise TermbaseError(path, reader.parser.CurrentLineNumber, _said(error)) from None
            yield from reader.done
            reader.done.clear()
            if not chunk:
                return


def _said(error: Exception) -> str:
    if isinstance(error, expat.ExpatError):
        return f"not well-formed XML: {expat.ErrorString(error.code)}"
    return str(error)
