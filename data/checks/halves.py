"""What is added to a number after it, and what stands for one: two and a half, 1 1/2, a week.

In go the Numbers so far and their Line; out come Numbers, with parts where another reading stays possible:

>>> line = read("dois comprimidos e meio", table_for("pt"))
>>> [number.value for number in with_halves([Number((2.0,), SWAP, "words", 0, 1)], line)]
[2.5]
"""

from __future__ import annotations

from data.checks.reading import Line, match_at, read
from data.checks.tables import table_for
from data.checks.values import ARTICLE, MAY, MUST, SWAP, Mark, Number

__all__ = ["SWAP", "Number", "articles", "read", "table_for", "with_fractions", "with_halves"]


def articles(line: Line) -> list[Number]:
    """ "For a week" may be "por 7 dias"; a language whose article is its "one" needs no such list."""
    table = line.table
    if table is None or not table.articles:
        return []
    found = []
    for i, word in enumerate(line.words):
        if word in table.articles and _is_time(line, i + 1):
            found.append(Number((1.0,), MAY, ARTICLE, i, i + 1))
    return found


def with_halves(found: list[Number], line: Line) -> list[Number]:
    """Two and a half tablets, two tablets and a half; a half alone may stand for a number."""
    marks = line.marks["number_half"]
    if not marks:
        return found
    ends = {number.last: place for place, number in enumerate(found)}
    result: list[Number] = list(found)
    for mark in marks:
        place = ends.get(mark.first, ends.get(mark.first - 1, -1))
        more = _and_a_half(found[place], mark, line) if place >= 0 else None
        if more is None:
            result.append(Number((0.5,), MAY, "ordinal", mark.first, mark.last))
        else:
            result[place] = more
    return sorted(result, key=lambda number: number.first)


def _and_a_half(number: Number, mark: Mark, line: Line) -> Number | None:
    value = number.value
    if number.form == "ordinal" or not isinstance(value, float) or value < 1 or not value.is_integer():
        return None
    direct = number.last == mark.first
    last = mark.last if direct else number.last
    parts = () if _is_certain(number, mark, line) else (number,)
    return Number((value + 0.5,), MUST, "words", number.first, last, parts)


def _is_certain(number: Number, mark: Mark, line: Line) -> bool:
    """ "Às duas e meia" may be a time of day; "2 comprimidos e meio copo" has half of something else."""
    direct = number.last == mark.first
    if mark.value == "clock" and (direct or _is_time(line, number.last)):
        return False
    after = line.words[mark.last] if mark.last < len(line.words) else ""
    return direct or not after[:1].isalpha()


def _is_time(line: Line, at: int) -> bool:
    entry = match_at(line.table.units, line, at) if line.table is not None else None
    return entry is not None and entry.tags[0][1].dimension == "time"


def with_fractions(found: list[Number], line: Line) -> list[Number]:
    """1 1/2: a fraction of one after a whole number and a space is more of the same."""
    result: list[Number] = []
    for number in found:
        before = result[-1] if result else None
        if before is not None and _is_mixed(before, number, line):
            total = float(before.readings[0]) + float(number.readings[0])
            parts = (before, *(number.parts or (number,)))
            result[-1] = Number((round(total, 9),), MUST, "digits", before.first, number.last, parts)
        else:
            result.append(number)
    return result


def _is_mixed(before: Number, number: Number, line: Line) -> bool:
    one, two = before.value, number.value
    if (
        before.last != number.first
        or before.parts
        or not isinstance(one, float)
        or not isinstance(two, float)
    ):
        return False
    written = line.words[before.first]
    return written.isdigit() and before.last == before.first + 1 and bool(number.parts) and 0 < two < 1
