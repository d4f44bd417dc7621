"""Left, right and both sides of the body.

In go both Lines; out come Findings of kind laterality:

>>> left = read("the left knee", table_for("en"))
>>> [f.message for f in compare(left, read("joelho direito", table_for("pt")))]
['The side changed: "left" became "direito".']
"""

from __future__ import annotations

from data.checks.findings import LATERALITY, Finding
from data.checks.reading import Line, read, table_for
from data.checks.tables import Table
from data.checks.values import Mark

__all__ = ["compare", "read", "sides_of", "table_for"]

_SIDES = ("left", "right", "both", "one")


def compare(source: Line, target: Line) -> list[Finding]:
    ours, theirs = sides_of(source), sides_of(target)
    if not ours and not theirs:
        return []
    names, others = [str(m.value) for m in ours], [str(m.value) for m in theirs]
    lost = _missing(ours, others)
    new = _missing(theirs, names)
    if lost and new and not _same_pair(names, others):
        return [_changed(source, target, lost[0], new[0])]
    if not lost and not new and len(names) > 1 and names == others[::-1] and names != others:
        return _crossed(source, target, ours, theirs)
    if lost and not theirs and len(set(names)) == 1 and _beside_body(source, lost[0]):
        return _gone(source, lost[0])
    return []


def _missing(marks: list[Mark], others: list[str]) -> list[Mark]:
    """Sides said more often here than there."""
    left = list(others)
    missing = []
    for mark in marks:
        if mark.value in left:
            left.remove(str(mark.value))
        else:
            missing.append(mark)
    return missing


def _same_pair(names: list[str], others: list[str]) -> bool:
    """Left and right together are both sides."""
    sides = [
        {"left", "right"} if set(s) >= {"left", "right"} or "both" in s else set(s) for s in (names, others)
    ]
    return sides[0] == sides[1] and len(sides[0]) == 2


def sides_of(line: Line) -> list[Mark]:
    table = line.table
    if table is None:
        return []
    found = [mark for mark in line.marks["laterality"] if mark.value in _SIDES]
    found += _letters(line, table)
    return sorted(found, key=lambda mark: mark.first)


def _beside_body(line: Line, mark: Mark) -> bool:
    """ "left" alone may be a verb, and "OS" overall survival: only "left knee" is surely missed."""
    table = line.table
    near = range(max(mark.first - 2, 0), min(mark.last + 2, len(line.words)))
    return table is not None and any(line.words[i] in table.body for i in near)


def _letters(line: Line, table: Table) -> list[Mark]:
    """olho D, L knee: a lone capital counts only beside a part of the body."""
    if not any(letter in line.text for letter in table.side_letters):
        return []
    found = []
    step = 1 if table.side_letters_stand == "before" else -1
    for i, word in enumerate(line.written):
        side = table.side_letters.get(word)
        if side is None:
            continue
        neighbour = i + step
        if 0 <= neighbour < len(line.words) and line.words[neighbour] in table.body:
            found.append(Mark("laterality", side, i, i + 1))
    return found


def _changed(source: Line, target: Line, before: Mark, after: Mark) -> Finding:
    message = (
        f'The side changed: "{source.quote(before.first, before.last)}" became '
        f'"{target.quote(after.first, after.last)}".'
    )
    spans = source.span(before.first, before.last), target.span(after.first, after.last)
    return Finding(LATERALITY, "critical", *spans, message)


def _crossed(source: Line, target: Line, ours: list[Mark], theirs: list[Mark]) -> list[Finding]:
    """ "left eye ... right ear" against "right eye ... left ear"; "left and right" may change their order."""
    if ours[1].first - ours[0].last <= 2 or theirs[1].first - theirs[0].last <= 2:
        return []
    message = (
        "Left and right come in the opposite order in the translation: check which side belongs to what."
    )
    spans = source.span(ours[0].first, ours[0].last), target.span(theirs[0].first, theirs[0].last)
    return [Finding(LATERALITY, "major", *spans, message)]


def _gone(source: Line, mark: Mark) -> list[Finding]:
    message = f'The side is gone: the source says "{source.quote(mark.first, mark.last)}".'
    return [Finding(LATERALITY, "major", source.span(mark.first, mark.last), None, message)]
