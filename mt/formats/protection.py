"""A paragraph with markup into sentences that a model can translate, and back with every mark in place.

In: the paragraph on one line and its `Mark`s. Out: kept text and `MarkedSentence`s. The model gets the whole
sentence with signs in the marks' places, which it copies ("Take X1 [1]now[2]."), and beside it the stretches
between the marks. When each sign comes back once and pairs are still nested, the first is used; otherwise the
stretches are, so that no mark is ever lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mt.formats.inline import Mark
from mt.layout import LETTER, Layout, Part, layout_of, line_parts, one_line, trimmed_parts
from mt.wrapping import rewrapped

_NO_PIECES = Layout(("",), ())
_SIGN_LETTERS = ("X", "Z", "XQ", "ZX9")


@dataclass(frozen=True, slots=True)
class MarkedSentence:
    """`signs` are the marks by what stands for them; `breaks` the line breaks inside, by position."""

    text: str
    signs: dict[str, Mark] = field(default_factory=dict)
    breaks: tuple[tuple[int, str], ...] = ()
    pieces: Layout = _NO_PIECES

    @property
    def sentences(self) -> tuple[str, ...]:
        return (self.text, *self.pieces.sentences)

    def render(self, translations: Sequence[str]) -> str:
        whole = one_line(translations[0])
        if not self.signs:
            return rewrapped(whole, len(self.text), self.breaks)
        if not self._survived(whole):
            return self.pieces.render(translations[1:])
        return self._restored(rewrapped(whole, len(self.text), self.breaks))

    def _survived(self, translation: str) -> bool:
        found = re.findall(_any_of(self.signs), translation)
        if sorted(found) != sorted(self.signs):
            return False
        stack: list[int] = []
        for mark in map(self.signs.__getitem__, found):
            if mark.kind == "open":
                stack.append(mark.pair)
            elif mark.kind == "close" and (not stack or stack.pop() != mark.pair):
                return False
        return not stack

    def _restored(self, translation: str) -> str:
        def raw(found: re.Match[str]) -> str:
            before, sign, after = found.groups()
            mark = self.signs[sign]
            if mark.emphasis and mark.kind == "open" and after:  # "** word**" would be no emphasis
                return f"{before or after}{mark.raw}"
            if mark.emphasis and mark.kind == "close" and before:
                return f"{mark.raw}{after or before}"
            return f"{before}{mark.raw}{after}"

        return re.sub(rf"( *)({_any_of(self.signs)})( *)", raw, translation)


def protect(text: str, marks: Sequence[Mark], language: str) -> Iterator[str | MarkedSentence]:
    """Kept text and sentences; rendered with their own text they join to `text` with its breaks put back."""
    visible, places = _visible(text, marks)
    if not _has_words(visible, places, 0, len(visible)):
        yield _raw(visible, places, 0, len(visible))
        return
    start = first = 0
    for translate, part in line_parts(visible, language):
        end = start + len(part)
        last = first
        while last < len(places) and _belongs(places[last], end):
            last += 1
        here = places[first:last]
        if not translate:
            yield _raw(visible, here, start, end)
        else:
            yield from _sentence(visible, here, start, end, text)
        start, first = end, last
    yield "".join(mark.raw for _, _, mark in places[first:])


Place = tuple[int, int, Mark]


def _visible(text: str, marks: Sequence[Mark]) -> tuple[str, list[Place]]:
    """The text with atoms as signs and without other marks, and where the marks are in it."""
    letter = next((sign for sign in _SIGN_LETTERS if not re.search(rf"{sign}\d", text)), "QXZ7")
    parts: list[str] = []
    places: list[Place] = []
    position = length = atoms = 0
    for mark in marks:
        sign = ""
        if mark.kind == "break":
            sign = " "
        elif mark.kind == "atom":
            atoms += 1
            sign = f"{letter}{atoms}"
        parts += (text[position : mark.start], sign)
        length += mark.start - position
        places.append((length, length + len(sign), mark))
        length += len(sign)
        position = mark.end
    return "".join((*parts, text[position:])), places


def _has_words(visible: str, places: Sequence[Place], start: int, end: int) -> bool:
    """False when there is nothing but signs between `start` and `end`."""
    for place_start, place_end, _ in places:
        if LETTER.search(visible, start, place_start):
            return True
        start = place_end
    return LETTER.search(visible, start, end) is not None


def _belongs(place: Place, end: int) -> bool:
    start, _, mark = place
    return start < end or (start == end and mark.kind == "close")


def _raw(visible: str, places: Sequence[Place], start: int, end: int) -> str:
    parts: list[str] = []
    for place_start, place_end, mark in places:
        parts += (visible[start:place_start], mark.raw)
        start = place_end
    return "".join((*parts, visible[start:end]))


def _sentence(
    visible: str, places: Sequence[Place], start: int, end: int, text: str
) -> Iterator[str | MarkedSentence]:
    before = 0
    while before < len(places) and places[before][1] == start:
        before += 1
    after = len(places)
    while after > before and places[after - 1][0] == end:
        after -= 1
    yield "".join(mark.raw for _, _, mark in places[:before])
    inner = places[before:after]
    if _has_words(visible, inner, start, end):
        yield _marked(visible, inner, start, end, text)
    else:
        yield _raw(visible, inner, start, end)
    yield "".join(mark.raw for _, _, mark in places[after:])


def _marked(visible: str, places: Sequence[Place], start: int, end: int, text: str) -> MarkedSentence:
    signs: dict[str, Mark] = {}
    breaks: list[tuple[int, str]] = []
    parts: list[str] = []
    position = start
    length = number = 0
    for place_start, place_end, mark in places:
        sign = visible[place_start:place_end]
        if mark.kind not in ("atom", "break"):
            number += 1
            while f"[{number}]" in text:
                number += 1
            sign = f"[{number}]"
        length += place_start - position
        if mark.kind == "break":
            breaks.append((length, mark.raw))
        else:
            signs[sign] = mark
        parts += (visible[position:place_start], sign)
        length += len(sign)
        position = place_end
    parts.append(visible[position:end])
    pieces = layout_of(_pieces(visible, places, start, end)) if signs else _NO_PIECES
    return MarkedSentence("".join(parts), signs, tuple(breaks), pieces)


def _pieces(visible: str, places: Sequence[Place], start: int, end: int) -> Iterator[Part]:
    for place_start, place_end, mark in places:
        if start < place_start:
            yield from trimmed_parts(visible[start:place_start])
        yield False, mark.raw
        start = place_end
    if start < end:
        yield from trimmed_parts(visible[start:end])


def _any_of(signs: dict[str, Mark]) -> str:
    return "|".join(f"{re.escape(sign)}(?!\\d)" for sign in sorted(signs, key=len, reverse=True))
