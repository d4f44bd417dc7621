"""Dates and times of day, whichever way round they are written.

In go a Line and its Numbers; out come Dates with every reading the language allows, and Clocks as minutes:

>>> line = read("seen on 03/04/2020 at 8:30 pm", table_for("en"))
>>> [date.readings for date in dates_of(line, numbers_of(line))]
[((4, 3, 2020), (3, 4, 2020))]
"""

from __future__ import annotations

from dataclasses import dataclass

from data.checks.numerals import Number, numbers_of, read, table_for
from data.checks.reading import Line, match_at

__all__ = ["Clock", "Date", "both_clocks", "clocks_of", "dates_of", "numbers_of", "read", "table_for"]

DayMonthYear = tuple[int, int, int | None]
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(slots=True)
class Date:
    readings: tuple[DayMonthYear, ...]
    first: int
    last: int
    numbers: tuple[Number, ...]


@dataclass(slots=True)
class Clock:
    minutes: int
    first: int
    last: int
    numbers: tuple[Number, ...]


def dates_of(line: Line, numbers: list[Number]) -> list[Date]:
    found = _numeric(line, numbers)
    if line.table is not None and line.marks["month"]:
        found += _worded(line, numbers, line.table.date_between)
    return found


def _plain(line: Line, number: Number) -> int | None:
    """The value, where the number is a bare run of at most four digits (or a word)."""
    value = number.value
    if not isinstance(value, float) or not value.is_integer() or not 0 < value < 10000:
        return None
    return int(value)


def _numeric(line: Line, numbers: list[Number]) -> list[Date]:
    found = []
    for place, number in enumerate(numbers):
        written = line.words[number.first]
        if written.count(".") == 2 and number.form == "digits":
            parts = written.split(".")
            if all(part.isdigit() and len(part) in (1, 2, 4) for part in parts):
                found += _dated(line, [int(p) for p in parts], len(parts[2]), (number,))
            continue
        trio = numbers[place : place + 3]
        if len(trio) < 3 or not _joined(line, trio):
            continue
        values = [_plain(line, n) for n in trio]
        if all(value is not None for value in values):
            found += _dated(line, [v or 0 for v in values], len(line.words[trio[2].first]), tuple(trio))
    return found


def _joined(line: Line, trio: list[Number]) -> bool:
    """Three numbers with the same one symbol between: 03/04/2020, 2020-04-03."""
    first, second, third = trio
    if second.first != first.last + 1 or third.first != second.last + 1:
        return False
    symbol = line.words[first.last]
    return symbol in ("/", "-") and line.words[second.last] == symbol


def _dated(line: Line, parts: list[int], last_length: int, numbers: tuple[Number, ...]) -> list[Date]:
    one, two, three = parts
    month_first = line.table.month_first_possible if line.table else True
    if one > 31:
        tries = [(three, two, one)]
    elif last_length not in (2, 4):
        return []
    else:
        year = three + 2000 if last_length == 2 else three
        tries = [(two, one, year), (one, two, year)] if month_first else [(one, two, year)]
    valid = tuple(t for t in tries if 1 <= t[0] <= 31 and 1 <= t[1] <= 12)
    if not valid:
        return []
    return [Date(valid, numbers[0].first, numbers[-1].last, numbers)]


def _worded(line: Line, numbers: list[Number], between: frozenset[str]) -> list[Date]:
    """March 4, 2020; 4 de março de 2020; le 1er mars; 4. März 2020."""
    starts = {number.first: number for number in numbers if number.form in ("digits", "words")}
    ends = {number.last: number for number in numbers if number.form in ("digits", "words")}
    found = []
    for mark in line.marks["month"]:
        month = int(str(mark.value))
        before = _near(line, ends, mark.first, -1, between)
        after = _near(line, starts, mark.last, +1, between)
        used, day, year = _day_and_year(line, before, after, starts, between)
        if day is None:
            continue
        first = min(mark.first, used[0].first)
        last = max(mark.last, used[-1].last)
        found.append(Date(((day, month, year),), first, last, tuple(used)))
    return found


def _day_and_year(
    line: Line,
    before: Number | None,
    after: Number | None,
    starts: dict[int, Number],
    between: frozenset[str],
) -> tuple[list[Number], int | None, int | None]:
    day = _plain(line, before) if before else None
    if before is not None and day is not None and day <= 31:
        year = _plain(line, after) if after else None
        if after is not None and year is not None and year > 1000:
            return [before, after], day, year
        return [before], day, None
    day = _plain(line, after) if after else None
    if after is None or day is None or day > 31:
        return [], None, None
    later = _near(line, starts, after.last, +1, between)
    year = _plain(line, later) if later else None
    if later is not None and year is not None and year > 1000:
        return [after, later], day, year
    return [after], day, None


def _near(
    line: Line, places: dict[int, Number], at: int, step: int, between: frozenset[str]
) -> Number | None:
    """The number next to this token, across no more than two words such as "de", "," or "th"."""
    for _ in range(3):
        if at in places:
            return places[at]
        token = at if step > 0 else at - 1
        if not 0 <= token < len(line.words) or line.words[token] not in between:
            return None
        at += step
    return None


def clocks_of(line: Line, numbers: list[Number]) -> list[Clock]:
    """8:30 pm, 20h30, 20:30 Uhr, 8 a.m.; "20 h" alone may be a duration and stays an amount."""
    found: list[Clock] = []
    for place, number in enumerate(numbers):
        hour = _plain(line, number) if number.value else 0
        if number.form != "digits" or hour is None or hour > 24 or (found and number.first < found[-1].last):
            continue
        minute, last = _minutes(line, numbers, place)
        half, end = _half_of_day(line, last)
        if minute is None and not half:
            continue
        used = (number,) if minute is None else (number, numbers[place + 1])
        if half == "pm" and hour < 12:
            hour += 12
        elif half == "am" and hour == 12:
            hour = 0
        found.append(Clock(hour * 60 + (minute or 0), number.first, end, used))
    return found


def both_clocks(
    source: Line, target: Line, source_numbers: list[Number], target_numbers: list[Number]
) -> tuple[list[Clock], list[Clock]]:
    """Where one side has "8 pm", "20h" and "20 Uhr" of the other side are times and no durations."""
    ours, theirs = clocks_of(source, source_numbers), clocks_of(target, target_numbers)
    if len(ours) > len(theirs):
        theirs += _hours(target, target_numbers, theirs, ours)
    elif len(theirs) > len(ours):
        ours += _hours(source, source_numbers, ours, theirs)
    return ours, theirs


def _hours(line: Line, numbers: list[Number], found: list[Clock], others: list[Clock]) -> list[Clock]:
    """As many of the line's bare hours as the other line has times more, those first that agree with one."""
    table = line.table
    taken = {clock.first for clock in found}
    times = {clock.minutes for clock in others}
    hours = []
    for number in numbers:
        hour = _plain(line, number)
        after = line.words[number.last] if number.last < len(line.words) else ""
        if hour is None or hour > 24 or number.first in taken or table is None or after not in table.clock:
            continue
        hours.append(Clock(hour * 60, number.first, number.last + 1, (number,)))
    hours.sort(key=lambda clock: clock.minutes not in times)
    return hours[: len(others) - len(found)]


def same_time(one: Clock, other: Clock) -> bool:
    return (one.minutes - other.minutes) % 1440 == 0


def _minutes(line: Line, numbers: list[Number], place: int) -> tuple[int | None, int]:
    number = numbers[place]
    after = numbers[place + 1] if place + 1 < len(numbers) else None
    if after is None or after.first != number.last + 1 or line.words[number.last] not in (":", "h"):
        return None, number.last
    written = line.words[after.first]
    if len(written) != 2 or not written.isdigit() or int(written) > 59 or not line.touches(number.last):
        return None, number.last
    return int(written), after.last


def _half_of_day(line: Line, at: int) -> tuple[str, int]:
    table = line.table
    if table is None:
        return "", at
    start = at
    if at < len(line.words) and line.words[at] in table.clock:
        at += 1
    for half, phrases in (("am", table.am), ("pm", table.pm)):
        if (entry := match_at(phrases, line, at)) is not None:
            return half, at + 1 + len(entry.rest)
    return "", start


def in_words(date: DayMonthYear) -> str:
    day, month, year = date
    return f"{day} {_MONTHS[month - 1]}" + (f" {year}" if year else "")


def same_date(left: Date, right: Date) -> bool:
    """Some reading of both agrees; a year that one side leaves out is no difference."""
    return any(
        a[:2] == b[:2] and (a[2] is None or b[2] is None or a[2] == b[2])
        for a in left.readings
        for b in right.readings
    )
