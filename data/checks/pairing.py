"""Find for every amount of one side its counterpart on the other, in a few linear passes.

In go the Amounts of both sides; out comes a Pairing:

>>> [(a.unit_name, b.unit_name) for a, b in pair_up(amounts("0.5 g", "en"), amounts("500 mg", "pt")).same]
[('g', 'mg')]
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from data.checks.quantities import Amount, amounts_of, numbers_of, read, table_for
from data.checks.values import ARTICLE

Couple = tuple[Amount, Amount]
Key = Callable[[Amount], Iterable[Hashable]]

# Imperial and metric, Fahrenheit and Celsius: converted amounts are rounded by the translator.
_ROUNDED = 0.02
_ROUNDED_DEGREES = 0.6


@dataclass(slots=True)
class Pairing:
    """`same` agrees in unit and size, `value_only` in the number, `reread` only in a second reading."""

    same: list[Couple] = field(default_factory=list)
    value_only: list[Couple] = field(default_factory=list)
    reread: list[Couple] = field(default_factory=list)
    source_only: list[Amount] = field(default_factory=list)
    target_only: list[Amount] = field(default_factory=list)


def pair_up(source: list[Amount], target: list[Amount]) -> Pairing:
    pairing = Pairing()
    left, right = source, target
    pairing.same, left, right = _pass(left, right, _with_unit)
    couples, left, right = _pass(left, right, _by_size)
    pairing.same += couples
    left, right = _without_articles(left), _without_articles(right)
    pairing.value_only, left, right = _pass(left, right, _by_kind)
    couples, left, right = _pass(left, right, lambda a: (a.number.value,))
    pairing.value_only += couples
    if left and right:
        pairing.reread, left, right = _pass(left, right, lambda a: a.number.readings)
        couples, left, right = _pass_rounded(left, right)
        pairing.same += couples
    pairing.source_only, pairing.target_only = left, right
    return pairing


def _without_articles(amounts: list[Amount]) -> list[Amount]:
    """ "A week" is an amount only beside "7 dias"; in "twice a week" it is none."""
    return [amount for amount in amounts if amount.number.form != ARTICLE]


def _with_unit(amount: Amount) -> tuple[Hashable, ...]:
    return ((amount.number.value, amount.unit_name, amount.direction),)


def _by_kind(amount: Amount) -> tuple[Hashable, ...]:
    """5 mg and 5 g rather go together than 5 mg and 5 days."""
    return ((amount.number.value, amount.unit.dimension),) if amount.unit is not None else ()


def _by_size(amount: Amount) -> tuple[Hashable, ...]:
    size = amount.size
    return (size,) if size is not None else ()


def _pass(
    left: list[Amount], right: list[Amount], key: Key
) -> tuple[list[Couple], list[Amount], list[Amount]]:
    """Couple what shares a key, in order of appearance."""
    if not left or not right:
        return [], left, right
    waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
    for place, amount in enumerate(right):
        for one in key(amount):
            waiting[one].append(place)
    used: set[int] = set()
    couples, rest = [], []
    for amount in left:
        found = _first_free(amount, waiting, used, key)
        if found is None:
            rest.append(amount)
        else:
            used.add(found)
            couples.append((amount, right[found]))
    return couples, rest, [amount for place, amount in enumerate(right) if place not in used]


def _first_free(
    amount: Amount, waiting: defaultdict[Hashable, deque[int]], used: set[int], key: Key
) -> int | None:
    for one in key(amount):
        queue = waiting.get(one)
        while queue:
            place = queue.popleft()
            if place not in used:
                return place
    return None


def _pass_rounded(left: list[Amount], right: list[Amount]) -> tuple[list[Couple], list[Amount], list[Amount]]:
    """150 lb and 68 kg, 101 °F and 38.3 °C; a few leftovers only, so every pair may be tried."""
    couples: list[Couple] = []
    if len(left) * len(right) > 400:
        return couples, left, right
    right = list(right)
    rest = []
    for amount in left:
        match = next((other for other in right if _nearly(amount, other)), None)
        if match is None:
            rest.append(amount)
        else:
            right.remove(match)
            couples.append((amount, match))
    return couples, rest, right


def _nearly(one: Amount, other: Amount) -> bool:
    a, b = one.size, other.size
    if a is None or b is None or a[:2] != b[:2] or one.unit_name == other.unit_name:
        return False
    if not {one.unit_name, other.unit_name} & {"lb", "oz", "F", "ft", "in", "kPa"}:
        return False
    tolerance = _ROUNDED_DEGREES if a[0] == "temperature" else _ROUNDED * max(abs(a[2]), abs(b[2]))
    return abs(a[2] - b[2]) <= tolerance


def amounts(text: str, language: str) -> list[Amount]:
    """All amounts of a text; for examples and tests."""
    line = read(text, table_for(language))
    return amounts_of(line, numbers_of(line))
