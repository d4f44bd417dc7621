"""What the checks pass among themselves: marks of table entries, and numbers with all their readings.

Mark("negation", "demands", 2, 3)              # token 2 is a negation
Number((1000.0, 1.0), MUST, "digits", 4, 5)    # "1,000" in English: a thousand, or else one
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

# How much a number asks for: MUST have a counterpart; SWAP counts only where another number took its place;
# MAY stand for one on the other side and asks for nothing.
MUST, SWAP, MAY = 2, 1, 0
# The form of "a" in "a week": one week, if the other side says how long.
ARTICLE = "article"

Reading = float | str


@dataclass(slots=True)
class Number:
    """One number of a line, tokens `first` to `last`, with `parts` where it was put together from digits."""

    readings: tuple[Reading, ...]
    demand: int
    form: str
    first: int
    last: int
    parts: tuple[Number, ...] = ()

    @property
    def value(self) -> Reading:
        return self.readings[0]


class Mark(NamedTuple):
    """A table entry found in a line: tokens `first` to `last`, the end not included."""

    kind: str
    value: object
    first: int
    last: int
