"""Inline Markdown: which stretches of a paragraph are markup, so that text can be translated around them.

In: the text of one paragraph on one line. Out: `Mark`s in order. Code, images, addresses, formulas, entities,
footnote signs and `[text][]` references are atoms, kept whole; emphasis and links are an opening and a
closing mark around text that is translated; other HTML tags stand alone.

>>> [(mark.kind, mark.raw) for mark in scan("Take `x` or [**y**](z).")]
[('atom', '`x`'), ('open', '['), ('open', '**'), ('close', '**'), ('close', '](z)')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mt.layout import UNTRANSLATABLE

Kind = Literal["atom", "open", "close", "tag", "break"]

# All repetitions are bounded, so that no input takes quadratic time.
_TEXT_IN_BRACKETS = r"(?:[^\[\]\\]|\\.|\[[^\[\]]{0,300}\]){1,600}?"
_DESTINATION = (
    r"\(\s{0,3}(?:<[^<>]{0,2000}>|(?:[^()\\\s]|\\.|\([^()\s]{0,300}\)){0,2000})"
    r"(?:\s{1,3}(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?\s{0,3}\)"
)
_ADDRESS = r"(?:https?://|www\.)[^\s<>()\[\]`*]{1,2000}(?<![.,;:!?'\"_])|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6}"
_TOKEN = re.compile(
    rf"""(?P<escape>\\[!-/:-@\[-`{{-~])
    | (?P<code>(?<!`)(?P<ticks>`{{1,9}})(?!`).{{1,800}}?(?<!`)(?P=ticks)(?!`))
    | (?P<atom>!\[(?:{_TEXT_IN_BRACKETS})?\](?:{_DESTINATION}|\[[^\[\]]{{0,300}}\])
        | \[\^[^\[\]\s]{{1,100}}\] | <!--.{{0,1000}}?-->
        | <(?:[a-zA-Z][\w+.-]{{1,30}}:|[\w.+-]{{1,64}}@)[^<>\s]{{1,2000}}>
        | \$[^\s$](?:[^$]{{0,300}}[^\s$\\])?\$(?!\d) | &(?:[a-zA-Z]\w{{1,30}}|\#\w{{1,8}});
        | {_ADDRESS} | {UNTRANSLATABLE.pattern})
    | (?P<link>\[(?P<text>{_TEXT_IN_BRACKETS})(?P<target>\](?:{_DESTINATION}|\[[^\[\]]{{1,300}}\])))
    | (?P<reference>\[{_TEXT_IN_BRACKETS}\]\[\])
    | (?P<tag></?[a-zA-Z][a-zA-Z0-9-]{{0,20}}(?:\s[^<>]{{0,2000}})?/?>)
    | (?P<emphasis>\*{{1,3}}|_{{1,3}}|~~)""",
    re.VERBOSE,
)

_HINT = re.compile(rf"[`\[<$&*_~@]|://|www\.|{UNTRANSLATABLE.pattern}", re.IGNORECASE)  # is there any mark?


@dataclass(frozen=True, slots=True)
class Mark:
    """Markup at `text[start:end]`; the two marks of a pair share `pair`, others have 0."""

    start: int
    end: int
    raw: str
    kind: Kind
    pair: int = 0
    emphasis: bool = False


def scan(text: str) -> list[Mark]:
    """All marks of the text, in order, without overlap."""
    if _HINT.search(text) is None:
        return []
    return _paired(text, list(_tokens(text, 0, len(text))))


def _tokens(text: str, start: int, end: int) -> Iterator[Mark]:
    position = start
    while found := _TOKEN.search(text, position, end):
        position = found.end()
        kind = found.lastgroup
        if found["escape"]:
            continue
        if found["link"]:
            inner_start, inner_end = found.span("text")
            yield Mark(found.start(), inner_start, "[", "open", -1)
            yield from _tokens(text, inner_start, inner_end)
            yield Mark(inner_end, found.end(), found["target"], "close", -1)
        elif found["tag"]:
            yield Mark(found.start(), found.end(), found[0], "tag")
        elif found["emphasis"]:
            yield Mark(found.start(), found.end(), found[0], "open", -1, emphasis=True)
        elif kind:
            yield Mark(found.start(), found.end(), found[0], "atom")


def _paired(text: str, marks: list[Mark]) -> list[Mark]:
    """Gives pairs their number; emphasis signs without a partner are text."""
    result: list[Mark | None] = list(marks)
    stack: list[int] = []
    pairs = 0
    for index, mark in enumerate(marks):
        if mark.pair == 0:
            continue
        if mark.emphasis:
            partner = _partner(text, marks, stack, mark) if _can_close(text, mark) else None
            if partner is None:
                result[index] = None
                if _can_open(text, mark):
                    stack.append(index)
                continue
        elif mark.kind == "open":
            stack.append(index)
            continue
        else:  # emphasis may not cross the border of a link
            partner = next(index for index in reversed(stack) if not marks[index].emphasis)
        del stack[stack.index(partner) :]
        pairs += 1
        opening = marks[partner]
        result[partner] = Mark(opening.start, opening.end, opening.raw, "open", pairs, opening.emphasis)
        result[index] = Mark(mark.start, mark.end, mark.raw, "close", pairs, mark.emphasis)
    return [mark for mark in result if mark is not None]


def _partner(text: str, marks: list[Mark], stack: list[int], closing: Mark) -> int | None:
    for index in reversed(stack[-20:]):
        if not marks[index].emphasis:
            return None
        if marks[index].raw == closing.raw and marks[index].end < closing.start:
            return index
    return None


def _can_open(text: str, mark: Mark) -> bool:
    after = text[mark.end : mark.end + 1]
    before = text[mark.start - 1 : mark.start] if mark.start else ""
    return bool(after) and not after.isspace() and not (mark.raw[0] == "_" and before.isalnum())


def _can_close(text: str, mark: Mark) -> bool:
    before = text[mark.start - 1 : mark.start] if mark.start else ""
    after = text[mark.end : mark.end + 1]
    return bool(before) and not before.isspace() and not (mark.raw[0] == "_" and after.isalnum())
