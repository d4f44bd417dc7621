"""Read one line against a table: every table entry in it, once, the longest first.

In goes a text and its Table; out comes a Line with marks by kind:

>>> line = read("No more than 5 mg; no fever.", table_for("en"))
>>> [mark.value for mark in line.marks["comparison"]], [mark.value for mark in line.marks["negation"]]
(['at_most'], ['demands'])
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from data.checks.tables import Entry, Index, Table, table_for
from data.checks.values import Mark
from data.checks.words import DIGITS, TOKEN, fold, split
from data.segments import Span

__all__ = ["Line", "match_at", "read", "table_for"]


class Line:
    """A text cut into words, with what the table knows about them. Spans are worked out only when asked."""

    __slots__ = ("_spans", "digits", "marks", "table", "text", "words", "written")

    def __init__(self, text: str, table: Table | None) -> None:
        self.text = text
        self.table = table
        self.written = split(text)
        self.words = list(map(str.lower if text.isascii() else fold, self.written))
        self.digits = [i for i, word in enumerate(self.written) if word[0] in DIGITS]
        self.marks: defaultdict[str, list[Mark]] = defaultdict(list)
        self._spans: list[tuple[int, int]] | None = None

    @property
    def spans(self) -> list[tuple[int, int]]:
        if self._spans is None:
            self._spans = [match.span() for match in TOKEN.finditer(self.text)]
        return self._spans

    def span(self, first: int, last: int) -> Span:
        """Characters of the tokens `first` up to, but not including, `last`."""
        return Span(self.spans[first][0], self.spans[last - 1][1])

    def quote(self, first: int, last: int) -> str:
        span = self.span(first, last)
        return self.text[span.start : span.end]

    def touches(self, token: int) -> bool:
        """No space between this token and the next."""
        return token + 1 < len(self.words) and self.spans[token][1] == self.spans[token + 1][0]


def read(text: str, table: Table | None) -> Line:
    line = Line(text, table)
    if table is None:
        return line
    phrases, words, marks = table.phrases, line.words, line.marks
    done = 0
    for i, word in enumerate(words):
        if word in phrases and i >= done:
            entry = match_at(phrases, line, i)
            if entry is not None:
                done = i + 1 + len(entry.rest)
                for kind, value in entry.tags:
                    marks[kind].append(Mark(kind, value, i, done))
    return line


def match_at(index: Index, line: Line, i: int) -> Entry | None:
    """The longest entry of the index that starts at token `i`."""
    words = line.words
    if i >= len(words):
        return None
    for entry in index.get(words[i], ()):
        end = i + 1 + len(entry.rest)
        if entry.rest and tuple(words[i + 1 : end]) != entry.rest:
            continue
        if entry.written is None or tuple(line.written[i:end]) == entry.written:
            return entry
    return None


def tag_value(entry: Entry | None) -> Any:
    return entry.tags[0][1] if entry is not None else None
