"""Find a stretch of one line that nothing in the other line answers.

In go two Lines; out comes the Gap, or None.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.checks.findings import Severity
from data.checks.reading import Line
from data.checks.words import skeleton


@dataclass(frozen=True, slots=True)
class Gap:
    first: int
    last: int
    severity: Severity


def missing(line: Line, other: Line) -> Gap | None:
    long, short = len(line.text), len(other.text)
    if long > 60 and short < 0.4 * long:
        return Gap(0, len(line.words), "major")
    return None
