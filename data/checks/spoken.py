"""Numbers in words, put together: one hundred and twenty-five; vinte e um; quatre-vingt-dix-sept.

In go a Line and the words that join numbers in its language; out come Numbers:

>>> [number.value for number in spoken_numbers(read("vinte e cinco", table_for("pt")), frozenset(["e"]))]
[25.0]
"""

from __future__ import annotations

from data.checks.reading import Line, read
from data.checks.tables import table_for
from data.checks.values import MAY, SWAP, Mark, Number

__all__ = ["read", "spoken_numbers", "table_for"]


def spoken_numbers(line: Line, joiners: frozenset[str]) -> list[Number]:
    """Neighbouring number words joined: one hundred and twenty-five; vinte e um; quatre-vingt-dix-sept."""
    found = [
        Number(
            (float(mark.value),),
            MAY if mark.kind == "number_loose" else SWAP,
            "ordinal",
            mark.first,
            mark.last,
        )
        for kind in ("number_ordinal", "number_loose")
        for mark in line.marks[kind]
        if isinstance(mark.value, float) and not (mark.value == 1 and kind == "number_loose")
    ]
    ones = [mark for mark in line.marks["number_loose"] if mark.value == 1.0]
    run: list[Mark] = []
    for mark in sorted(line.marks["number_plain"] + ones, key=lambda m: m.first):
        if run and _continues(line, run, mark, joiners):
            run.append(mark)
            continue
        if run:
            found.append(_spoken(run))
        run = [mark]
    if run:
        found.append(_spoken(run))
    return found


def _continues(line: Line, run: list[Mark], mark: Mark, joiners: frozenset[str]) -> bool:
    gap = mark.first - run[-1].last
    if gap > 1 or (gap == 1 and line.words[run[-1].last] not in joiners):
        return False
    return _adds_up([_value(item) for item in run], _value(mark))


def _value(mark: Mark) -> float:
    return mark.value if isinstance(mark.value, float) else 0.0


def _adds_up(said: list[float], following: float) -> bool:
    """After twenty may come five, after five a hundred, after sixty fifteen (soixante-quinze)."""
    last = said[-1]
    if following >= 1000:
        return last < following and all(value < 1000 or value > following for value in said)
    if following == 100 and last < 100:
        return True
    if last >= 100:
        return following < last
    if last in (20, 60, 80) and (last > 20 or said[-2:-1] == [4.0]):
        return following < 20
    if last == 4 and following == 20:
        return True
    if last == 10 and said[-2:-1] and said[-2] in (60.0, 20.0):
        return 7 <= following <= 9
    return last >= 20 and last % 10 == 0 and following < 10


def _spoken(run: list[Mark]) -> Number:
    total = current = 0.0
    for mark in run:
        value = _value(mark)
        if value >= 1000:
            total, current = total + max(current, 1.0) * value, 0.0
        elif value == 100 or (value == 20 and current == 4):
            current = max(current, 1.0) * value
        else:
            current += value
    value = total + current
    demand = MAY if value <= 1 else SWAP
    return Number((value,), demand, "words", run[0].first, run[-1].last)
