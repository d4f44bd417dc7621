"""A number with its unit, so that 0.5 g and 500 mg are the same amount and 5 mg and 5 g are not.

In go a Line and its Numbers; out come Amounts, one a number:

>>> line = read("0.5 g, 10 mg/kg", table_for("en"))
>>> [amount.size for amount in amounts_of(line, numbers_of(line))]
[('mass', '', 0.5), ('mass', 'mass', 1e-05)]
"""

from __future__ import annotations

from dataclasses import dataclass

from data.checks.numerals import Number, numbers_of, read, table_for
from data.checks.reading import Line, match_at, tag_value
from data.checks.tables import Index, Unit, shared_units
from data.checks.values import Mark

__all__ = ["Amount", "amounts_of", "numbers_of", "read", "table_for"]

_RANGE = frozenset(
    [
        "-",
        "–",
        "—",
        "/",
        "to",
        "and",
        "or",
        "a",
        "e",
        "ou",
        "y",
        "o",
        "à",
        "et",
        "und",
        "bis",
        "oder",
        "±",
        "+",
    ]
)
# Units of a dose: to lose one, or to change it, is to change what the patient gets.
DOSE = frozenset(["mass", "volume", "amount", "equivalents", "activity"])
# "20 UI na hora de dormir": at bedtime, not an hour.
_BEDTIME = ("na", "hora", "de")
_LONG_PERIODS = frozenset(["day", "week", "month", "year"])


@dataclass(slots=True)
class Amount:
    """`stated` is False where the unit is only inferred, as for the 5 of "5 to 10 mg"."""

    number: Number
    unit: Unit | None
    per: Unit | None
    stated: bool
    first: int
    last: int
    direction: str = ""
    compared: Mark | None = None

    @property
    def size(self) -> tuple[str, str, float] | None:
        """What it measures and how much of it, in the first unit of the dimension."""
        value, unit, per = self.number.value, self.unit, self.per
        if unit is None or not isinstance(value, float):
            return None
        if unit.name == "F":
            return (unit.dimension, "", round((value - 32) / 1.8, 1))
        base = value * unit.size / (per.size if per else 1.0)
        return (unit.dimension, per.dimension if per else "", float(f"{base:.9g}"))

    @property
    def unit_name(self) -> str:
        if self.unit is None:
            return ""
        return f"{self.unit.name}/{self.per.name}" if self.per else self.unit.name


def amounts_of(line: Line, numbers: list[Number]) -> list[Amount]:
    units = line.table.units if line.table else shared_units()
    found = [_measured(line, number, units) for number in numbers]
    for amount, after in zip(reversed(found[:-1]), reversed(found[1:]), strict=True):
        if amount.unit is None and after.unit is not None and _is_range(line, amount, after):
            amount.unit, amount.per = after.unit, after.per
    return found


def _is_range(line: Line, amount: Amount, after: Amount) -> bool:
    gap = line.words[amount.last : after.first] if after.first - amount.last <= 2 else []
    return bool(gap) and gap[-1] in _RANGE


def _measured(line: Line, number: Number, units: Index) -> Amount:
    words, at = line.words, number.last
    if at < len(words) and words[at] in ("-", ")") and at + 1 < len(words):
        at += 1
    entry = match_at(units, line, at)
    if entry is None or _cut_off(line, at, len(entry.rest)):
        return Amount(number, None, None, False, number.first, number.last)
    unit: Unit = tag_value(entry)
    last = at + 1 + len(entry.rest)
    per, last = _denominator(line, units, last)
    return Amount(number, unit, per, True, number.first, last)


def _cut_off(line: Line, at: int, rest: int) -> bool:
    """The d of "3 d'entre", the m of "2 m-PFS" and the U of "5 U.S. cases" are no units."""
    after = at + 1 + rest
    short = rest == 0 and len(line.words[at]) == 1 and line.words[at].isalpha()
    if not short or after >= len(line.words) or not line.touches(after - 1):
        return False
    abbreviated = line.words[after] == "." and after + 1 < len(line.words) and line.touches(after)
    return abbreviated or line.words[after] in ("'", "’", "-")


def _denominator(line: Line, units: Index, at: int) -> tuple[Unit | None, int]:
    """/kg, per kg, por kg; a day and longer periods are frequencies, and read as such."""
    if at >= len(line.words):
        return None, at
    after = at
    if line.words[at] == "/":
        after = at + 1
    elif line.table is not None and (per := match_at(line.table.per, line, at)) is not None:
        after = at + 1 + len(per.rest)
    entry = match_at(units, line, after) if after > at else None
    if entry is None:
        return None, at
    unit: Unit = tag_value(entry)
    if unit.name in _LONG_PERIODS or tuple(line.words[at : at + 3]) == _BEDTIME:
        return None, at
    return unit, after + 1 + len(entry.rest)
