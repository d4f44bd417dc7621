"""Lines that were broken only because the page ended: joined for the model, broken again in the translation.

>>> text, wraps = unwrapped("He was admitted to the ward with fever and a dry cough that\\nhad begun before.")
>>> text[55:63], wraps
('that had', [(59, '\\n')])

A line goes on in the next one when it is full (the next word would not have fitted into the widest line of
the paragraph), does not end a sentence, and the next begins with a small letter or follows a word such as
"of". Headings, lists, tables and short lines stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Wraps = Sequence[tuple[int, str]]
"""Where lines were joined, as positions of the space that joins them, and what stood there."""

_BREAK = re.compile(r"[ \t]*(?:\r\n|\n|\r) *")
_SHORTEST, _WIDEST = 50, 140
_ENDS = (".", "!", "?", ":", ";", "…", '"', "”")
_LEADS_ON = frozenset(
    word
    for words in (
        "a an the of in on at to for from with without and or by as is was were not no",
        "o os as um uma de do da dos das em no na com sem e ou por para que não",
        "el la los las un una del con sin y al en lo le les des du et au aux dans avec sans par pour",
        "der die das den dem des ein eine einen einer und oder mit ohne von zu im am bei für",
    )
    for word in words.split()
)
_MARK = re.compile(r"(?:[-+*•#>|]|\(?\w{1,4}[.)\]])\s")
_COLUMNS = re.compile(r"\S {3,}\S|\t|\.{4,}|_{3,}|-{4,}|={4,}")


def unwrapped(text: str) -> tuple[str, list[tuple[int, str]]]:
    if "\n" not in text and "\r" not in text:
        return text, []
    parts: list[str] = []
    wraps: list[tuple[int, str]] = []
    length = 0
    for paragraph in re.split(r"((?:[ \t]*(?:\r\n|\n|\r)){2,})", text):
        breaks = list(_BREAK.finditer(paragraph))
        starts = [0, *(found.end() for found in breaks)]
        ends = [*(found.start() for found in breaks), len(paragraph)]
        lines = [paragraph[start:end] for start, end in zip(starts, ends, strict=True)]
        width = max(map(len, lines))
        for number, line in enumerate(lines):
            parts.append(line)
            length += len(line)
            if number == len(breaks):
                continue
            raw = breaks[number][0]
            if _goes_on(line, lines[number + 1], width):
                wraps.append((length, raw))
                raw = " "
            parts.append(raw)
            length += len(raw)
    return "".join(parts), wraps


def _goes_on(line: str, following: str, width: int) -> bool:
    if not len(line) >= _SHORTEST or width > _WIDEST or not following or line.endswith(_ENDS):
        return False
    words = following.split(maxsplit=1)
    if not words or len(line) + 1 + len(words[0]) <= width or _MARK.match(following):
        return False
    if _COLUMNS.search(line) or _COLUMNS.search(following):
        return False
    last = line.rsplit(maxsplit=1)[-1]
    return following[0].islower() or (following[0].isalnum() and (last in _LEADS_ON or last.endswith(",")))


def rewrapped(translation: str, length: int, breaks: Wraps) -> str:
    """Puts line breaks back at the spaces nearest to where they were, out of `length` characters."""
    parts: list[str] = []
    start = 0
    for position, raw in breaks:
        target = max(start, position * len(translation) // max(length, 1))
        after, before = translation.find(" ", target), translation.rfind(" ", start, target + 1)
        if before < 0 or (after >= 0 and after - target <= target - before):
            before = after
        end = before if before >= 0 else len(translation)
        parts += (translation[start:end], raw)
        start = min(end + 1, len(translation))
    return "".join((*parts, translation[start:]))
