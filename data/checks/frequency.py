"""How often: twice daily, b.i.d., q8h, every 8 hours, de 8 em 8 horas, 12/12 h, 3x/dia, zweimal täglich.

In go a Line and its Numbers; out come Frequencies as times a day:

>>> line = read("1 comprimido de 8 em 8 horas", table_for("pt"))
>>> [frequency.per_day for frequency in frequencies_of(line, numbers_of(line))]
[(3.0,)]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from data.checks.numerals import Number, numbers_of, read, table_for
from data.checks.reading import Line, match_at, tag_value
from data.checks.tables import Table, Unit
from data.checks.values import Mark

__all__ = ["Frequency", "frequencies_of", "numbers_of", "read", "table_for"]

_DAY = 86400.0
_RANGE = frozenset(["-", "–", "to", "a", "à", "or", "ou", "o", "bis", "oder"])


@dataclass(slots=True)
class Frequency:
    """`exact` counts or names an interval; the rest ("daily", "weekly") may be a mere adjective."""

    per_day: tuple[float, ...]
    exact: bool
    first: int
    last: int
    numbers: tuple[Number, ...]


def frequencies_of(line: Line, numbers: list[Number]) -> list[Frequency]:
    table = line.table
    if table is None:
        return []
    loose = {mark.first: mark for mark in line.marks["frequency_loose"]}
    starts = {number.first: number for number in numbers}
    found = [_phrase(mark, starts) for mark in line.marks["frequency_exact"]]
    taken = {number.first for frequency in found for number in frequency.numbers}
    for place, number in enumerate(numbers):
        if number.first in taken:
            continue
        frequency = _counted(line, table, number, loose) or _interval(line, table, numbers, place)
        if frequency is not None:
            found.append(frequency)
            taken.update(part.first for part in frequency.numbers)
    covered = {token for frequency in found for token in range(frequency.first, frequency.last)}
    found += [_phrase(mark, {}, exact=False) for mark in loose.values() if mark.first not in covered]
    return sorted(found, key=lambda frequency: frequency.first)


def _phrase(mark: Mark, starts: dict[int, Number], exact: bool = True) -> Frequency:
    inside = tuple(starts[i] for i in range(mark.first, mark.last) if i in starts)
    return Frequency((float(str(mark.value)),), exact, mark.first, mark.last, inside)


def _counted(line: Line, table: Table, number: Number, loose: dict[int, Mark]) -> Frequency | None:
    """3 times a day, twice daily, 3x/semana, 2 vezes ao dia, 3 per day, 8-hourly."""
    words, at, value = line.words, number.last, number.value
    if not isinstance(value, float) or not 0 < value <= 100:
        return None
    counted = words[number.first] in table.once
    if at < len(words) and words[at] == "-":
        at += 1
    if at < len(words) and words[at] in table.times:
        counted, at = True, at + 1
    if (mark := loose.get(at)) is not None and (counted or value > 1):
        rate = float(str(mark.value))
        hourly = rate == 24.0 and mark.last - mark.first == 1
        per_day = _round(24.0 / value if hourly else value * rate)
        return Frequency((per_day,), True, number.first, mark.last, (number,))
    if not counted or (per := match_at(table.per, line, at)) is None:
        return None
    period = _period(line, table, at + 1 + len(per.rest))
    if period is None:
        return None
    return Frequency((_round(value * _DAY / period[0]),), True, number.first, period[1], (number,))


def _interval(line: Line, table: Table, numbers: list[Number], place: int) -> Frequency | None:
    """every 8 hours, every 6 to 8 hours, q8h, de 8 em 8 horas, 12/12 h."""
    number = numbers[place]
    following = numbers[place + 1] if place + 1 < len(numbers) else None
    second = _second(line, table, number, following)
    start = _after_every(line, table, number)
    same = second is not None and second.value == number.value
    if second is not None and line.words[number.last] in ("/", *table.interval_joiners) and not same:
        return None
    if start is None and not (same and second is not None and line.words[number.last] == "/"):
        return None
    both = (number,) if second is None else (number, second)
    if start is not None and line.words[start] == "de" and not same:
        return None
    period = _period(line, table, both[-1].last)
    if period is None:
        return None
    values = {n.value for n in both}
    rates = tuple(sorted(_round(_DAY / (v * period[0])) for v in values if isinstance(v, float) and v > 0))
    return (
        Frequency(rates, True, number.first if start is None else start, period[1], both) if rates else None
    )


def _second(line: Line, table: Table, number: Number, following: Number | None) -> Number | None:
    if following is None or following.first != number.last + 1:
        return None
    between = line.words[number.last]
    return following if between in _RANGE or between == "/" or between in table.interval_joiners else None


def _after_every(line: Line, table: Table, number: Number) -> int | None:
    """Where the phrase (every, a cada, q, toutes les) starts that leads up to this number."""
    for phrase in table.every:
        start = number.first - len(phrase)
        if start >= 0 and tuple(line.words[start : number.first]) == phrase:
            return start
    return None


def _period(line: Line, table: Table, at: int) -> tuple[float, int] | None:
    """Seconds of the unit of time at this token, and where it ends."""
    if at < len(line.words) and line.words[at] == "-":
        at += 1
    entry = match_at(table.units, line, at)
    unit: Unit | None = tag_value(entry)
    if entry is None or unit is None or unit.dimension != "time":
        return None
    return unit.size, at + 1 + len(entry.rest)


def _round(value: float) -> float:
    return round(value, 6)


def described(rates: Iterator[float] | tuple[float, ...]) -> str:
    """For a message: times a day, a week, a month or a year, whichever reads best."""
    return " to ".join(_one(rate) for rate in rates)


def _one(rate: float) -> str:
    if rate == 0.5:
        return "every other day"
    for period, days in (("day", 1.0), ("week", 7.0), ("month", 30.4375), ("year", 365.25)):
        times = rate * days
        if times > 0.99:
            shown = f"{times:.3g}"
            return f"once a {period}" if shown == "1" else f"{shown} times a {period}"
    return "less than once a year"
