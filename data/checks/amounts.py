"""Compare everything that is a quantity: numbers, units, comparisons, frequencies, dates, times.

In go the two Lines; out come Findings of those kinds:

>>> compare(read("Take 0.5 g.", table_for("en")), read("Tome 500 mg.", table_for("pt")))
[]
>>> [finding.message for finding in compare(read("5 mg", table_for("en")), read("5 g", table_for("pt")))]
['The unit changed: the source says "5 mg", the translation says "5 g".']
"""

from __future__ import annotations

from data.checks import timing
from data.checks.findings import NUMBER, Finding, Severity
from data.checks.numerals import MUST, SWAP, Number, numbers_of, read, table_for
from data.checks.pairing import Pairing, pair_up
from data.checks.quantities import DOSE, Amount, amounts_of
from data.checks.reading import Line
from data.checks.units import compare_pairs, mark_directions
from data.checks.values import Reading

__all__ = ["compare", "read", "table_for"]

# A text that differs in more numbers than this is another text; the first ones say so.
_MOST = 50


def compare(source: Line, target: Line) -> list[Finding]:
    source_numbers, target_numbers = numbers_of(source), numbers_of(target)
    _settle(source_numbers, target_numbers)
    _settle(target_numbers, source_numbers)
    findings, done_source, done_target = timing.compare(source, target, source_numbers, target_numbers)
    if not source_numbers and not target_numbers:
        return findings
    left = amounts_of(source, [n for n in source_numbers if n.first not in done_source])
    right = amounts_of(target, [n for n in target_numbers if n.first not in done_target])
    mark_directions(source, left)
    mark_directions(target, right)
    pairing = pair_up(left, right)
    findings += compare_pairs(source, target, pairing)
    known_source = {n.value for n in source_numbers}
    known_target = {n.value for n in target_numbers}
    findings += _unmatched(source, target, pairing, known_source, known_target)
    return findings


def _settle(numbers: list[Number], others: list[Number]) -> None:
    """10 000 stays one number unless it is 10 and 000 on the other side."""
    if not any(number.parts for number in numbers):
        return
    values = {value for number in others for value in number.readings}
    settled: list[Number] = []
    for number in numbers:
        keep = number.value in values or not all(part.value in values for part in number.parts)
        settled.extend([number] if keep or not number.parts else number.parts)
    numbers[:] = settled


def _unmatched(
    source: Line, target: Line, pairing: Pairing, known_source: set[Reading], known_target: set[Reading]
) -> list[Finding]:
    """A number on one side and another on the other is a change; a lone one was lost or added."""
    if len(pairing.source_only) + len(pairing.target_only) < _MOST:
        _forgive_decades(pairing)
    lost = [a for a in pairing.source_only if a.number.demand >= SWAP and a.number.value not in known_target]
    new = [a for a in pairing.target_only if a.number.demand >= SWAP and a.number.value not in known_source]
    again_lost = [
        a for a in pairing.source_only if a.number.demand >= SWAP and a.number.value in known_target
    ]
    again_new = [a for a in pairing.target_only if a.number.demand >= SWAP and a.number.value in known_source]
    findings: list[Finding] = []
    for ours, theirs in ((lost, new), (lost, again_new), (again_lost, new)):
        couples = list(zip(ours, theirs, strict=False))
        findings += [_changed(source, target, before, after) for before, after in couples[:_MOST]]
        del ours[: len(couples)], theirs[: len(couples)]
    findings += [_lost(source, amount) for amount in lost[:_MOST] if amount.number.demand == MUST]
    findings += [_added(target, amount) for amount in new[:_MOST] if amount.number.demand == MUST]
    return findings


def _changed(source: Line, target: Line, before: Amount, after: Amount) -> Finding:
    forms = {before.number.form, after.number.form}
    severity: Severity = "major" if "ordinal" in forms else "critical"
    message = (
        f'The source says "{_shown(source, before)}", the translation says "{_shown(target, after)}"'
        f"{_tenfold(before.number, after.number)}."
    )
    spans = source.span(before.first, before.last), target.span(after.first, after.last)
    return Finding(NUMBER, severity, *spans, message)


def _forgive_decades(pairing: Pairing) -> None:
    """The 1960s are "les années 60", and 2015-16 is "2015 y 2016"."""
    years = {a.number.value: a for a in (*pairing.source_only, *pairing.target_only)}
    for one in list(years):
        if isinstance(one, float) and 1900 <= one < 2100 and (short := years.get(one % 100)) is not None:
            both = (years[one], short)
            pairing.source_only = [a for a in pairing.source_only if a not in both]
            pairing.target_only = [a for a in pairing.target_only if a not in both]


def _tenfold(before: Number, after: Number) -> str:
    one, two = before.value, after.value
    if isinstance(one, float) and isinstance(two, float) and one and two:
        ratio = two / one
        for power in (10, 100, 1000):
            if abs(ratio / power - 1) < 1e-9 or abs(ratio * power - 1) < 1e-9:
                return f", {power} times {'more' if ratio > 1 else 'less'}"
    return ""


def _lost(source: Line, amount: Amount) -> Finding:
    severity: Severity = "critical" if _is_dose(amount) else "major"
    message = f'The translation does not have the number "{_shown(source, amount)}".'
    return Finding(NUMBER, severity, source.span(amount.first, amount.last), None, message)


def _added(target: Line, amount: Amount) -> Finding:
    severity: Severity = "critical" if _is_dose(amount) else "major"
    message = f'The translation adds "{_shown(target, amount)}", which the source does not say.'
    return Finding(NUMBER, severity, None, target.span(amount.first, amount.last), message)


def _is_dose(amount: Amount) -> bool:
    return amount.stated and amount.unit is not None and amount.unit.dimension in DOSE


def _shown(line: Line, amount: Amount) -> str:
    return line.quote(amount.first, amount.last)
