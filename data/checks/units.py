"""For amounts that were coupled by their number: did the unit, the notation or the comparison change?

In go both Lines and a Pairing; out come Findings, for example

    unit, critical: The unit changed: the source says "5 mg", the translation says "5 g".
"""

from __future__ import annotations

from data.checks.findings import COMPARISON, NUMBER, UNIT, Finding, Severity
from data.checks.pairing import Pairing
from data.checks.quantities import DOSE, Amount
from data.checks.reading import Line
from data.checks.values import Mark

_UP = frozenset(["at_least", "more", "at_least_after"])
_GAP = 2
_SIGNS = frozenset("<>≤≥⩽⩾")


def compare_pairs(source: Line, target: Line, pairing: Pairing) -> list[Finding]:
    findings = []
    dimensions = {a.unit.dimension for _, a in pairing.value_only if a.unit} | {
        a.unit.dimension for a in pairing.target_only if a.unit
    }
    for before, after in pairing.value_only:
        findings += _unit_changed(source, target, before, after, dimensions)
    for before, after in pairing.reread:
        findings += _notation(source, target, before, after)
    if source.marks["comparison"] or target.marks["comparison"]:
        findings += _comparisons(source, target, pairing)
    return findings


def _unit_changed(
    source: Line, target: Line, before: Amount, after: Amount, present: set[str]
) -> list[Finding]:
    if before.unit is None or not before.stated:
        return []
    if after.unit is None or not after.stated:
        lost = before.unit.dimension in DOSE and before.unit.dimension not in present and after.unit is None
        message = f'The unit is gone: the source says "{_shown(source, before)}".'
        return [_finding(UNIT, "major", source, target, before, after, message)] if lost else []
    if before.unit_name == after.unit_name or before.size == after.size:
        return []
    message = (
        f'The unit changed: the source says "{_shown(source, before)}", '
        f'the translation says "{_shown(target, after)}".'
    )
    return [_finding(UNIT, "critical", source, target, before, after, message)]


def _notation(source: Line, target: Line, before: Amount, after: Amount) -> list[Finding]:
    """1.500 kept as it was is 1.5 to an English reader and 1500 to a Portuguese one."""
    if not any(a.unit is not None and a.unit.dimension in DOSE for a in (before, after)):
        return []
    message = (
        f'"{_shown(source, before)}" and "{_shown(target, after)}" are read differently in the two: '
        f"{before.number.value:g} and {after.number.value:g}."
    )
    return [_finding(NUMBER, "major", source, target, before, after, message)]


def _comparisons(source: Line, target: Line, pairing: Pairing) -> list[Finding]:
    findings = []
    for before, after in (*pairing.same, *pairing.value_only):
        if before.direction and not after.direction:
            findings += _comparison_lost(source, target, before, after)
        if not before.direction or not after.direction or before.direction == after.direction:
            continue
        message = (
            f'The comparison turned round: "{_compared(source, before)}" became "{_compared(target, after)}".'
        )
        findings.append(_finding(COMPARISON, "critical", source, target, before, after, message))
    return findings


def _comparison_lost(source: Line, target: Line, before: Amount, after: Amount) -> list[Finding]:
    """Signs only: words say it in more ways than a table can hold ("aged 18 years or older")."""
    mark = before.compared
    if mark is None or not _SIGNS.intersection(source.words[mark.first]) or _SIGNS.intersection(target.text):
        return []
    severity: Severity = "critical" if before.stated else "major"
    message = (
        f'The comparison is gone: the source says "{_compared(source, before)}", '
        f'the translation only "{_shown(target, after)}".'
    )
    return [_finding(COMPARISON, severity, source, target, before, after, message)]


def mark_directions(line: Line, amounts: list[Amount]) -> None:
    """Tell each amount whether it is a lower limit (at least, more than) or an upper one."""
    if not line.marks["comparison"]:
        return
    starts = {amount.first for amount in amounts}
    leading: dict[int, Mark] = {}
    trailing: dict[int, Mark] = {}
    for mark in line.marks["comparison"]:
        follows = str(mark.value).endswith("_after") and mark.last not in starts
        (trailing if follows else leading)[mark.first if follows else mark.last] = mark
    for amount in amounts:
        beside = _beside(leading, trailing, amount)
        if beside is not None:
            amount.direction, amount.compared = ("up" if beside.value in _UP else "down"), beside


def _beside(leading: dict[int, Mark], trailing: dict[int, Mark], amount: Amount) -> Mark | None:
    for gap in range(_GAP + 1):
        if (mark := leading.get(amount.first - gap)) is not None:
            return mark
    for gap in range(_GAP + 1):
        if (mark := trailing.get(amount.last + gap)) is not None:
            return mark
    return None


def _compared(line: Line, amount: Amount) -> str:
    mark = amount.compared
    if mark is None:
        return _shown(line, amount)
    return line.quote(min(mark.first, amount.first), max(mark.last, amount.last))


def _shown(line: Line, amount: Amount) -> str:
    return line.quote(amount.first, amount.last)


def _finding(
    kind: str, severity: Severity, source: Line, target: Line, before: Amount, after: Amount, message: str
) -> Finding:
    spans = source.span(before.first, before.last), target.span(after.first, after.last)
    return Finding(kind, severity, *spans, message)
