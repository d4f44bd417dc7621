"""Compare dates, times of day and dose frequencies, and tell which numbers they have accounted for.

In go both Lines with their Numbers; out come Findings and, for each side, the first tokens of the numbers
that need no further comparison, for example the 8 and 8 of "de 8 em 8 horas" against "q8h".
"""

from __future__ import annotations

from collections import Counter

from data.checks.dates import Clock, Date, both_clocks, dates_of, in_words, same_date, same_time
from data.checks.findings import DATE, FREQUENCY, Finding
from data.checks.frequency import Frequency, described, frequencies_of
from data.checks.numerals import Number
from data.checks.reading import Line

Accounted = set[int]
# A text that differs in more of them than this is another text; the first ones say so.
_MOST = 50


def compare(
    source: Line, target: Line, source_numbers: list[Number], target_numbers: list[Number]
) -> tuple[list[Finding], Accounted, Accounted]:
    findings: list[Finding] = []
    left: Accounted = set()
    right: Accounted = set()
    if source_numbers or target_numbers:
        pair = (dates_of(source, source_numbers), dates_of(target, target_numbers))
        findings += _dates(source, target, *pair, left, right)
        clocks = both_clocks(source, target, source_numbers, target_numbers)
        findings += _clocks(source, target, *clocks, left, right)
    findings += _months(source, target, findings)
    if source.table is not None and target.table is not None:
        findings += _frequencies(source, target, source_numbers, target_numbers, left, right)
    return findings, left, right


def _account(done: Accounted, numbers: tuple[Number, ...]) -> None:
    done.update(number.first for number in numbers)


def _dates(
    source: Line, target: Line, ours: list[Date], theirs: list[Date], left: Accounted, right: Accounted
) -> list[Finding]:
    findings = []
    rest, free = [], list(theirs)
    for date in ours[:200]:
        match = next((other for other in free if same_date(date, other)), None)
        if match is None:
            rest.append(date)
            continue
        free.remove(match)
        _account(left, date.numbers)
        _account(right, match.numbers)
        findings += _order_unclear(source, target, date, match)
    for date, other in zip(rest, free, strict=False):
        _account(left, date.numbers)
        _account(right, other.numbers)
        message = (
            f'The date changed: "{source.quote(date.first, date.last)}" is {in_words(date.readings[0])}, '
            f'"{target.quote(other.first, other.last)}" is {in_words(other.readings[0])}.'
        )
        spans = source.span(date.first, date.last), target.span(other.first, other.last)
        findings.append(Finding(DATE, "critical", *spans, message))
    return findings


def _order_unclear(source: Line, target: Line, date: Date, other: Date) -> list[Finding]:
    """03/04/2020 left as it was, while one of the two languages may put the month first."""
    if len(date.readings) + len(other.readings) != 3 or date.readings[-1] == date.readings[0]:
        return []
    written, kept = source.quote(date.first, date.last), target.quote(other.first, other.last)
    if written != kept or date.readings[0][0] == date.readings[0][1]:
        return []
    message = f'"{written}" may be day/month or month/day: check that {kept} is the same date to the reader.'
    spans = source.span(date.first, date.last), target.span(other.first, other.last)
    return [Finding(DATE, "minor", *spans, message)]


def _clocks(
    source: Line, target: Line, ours: list[Clock], theirs: list[Clock], left: Accounted, right: Accounted
) -> list[Finding]:
    rest, free = [], list(theirs)
    for clock in ours[:200]:
        match = next((other for other in free if same_time(clock, other)), None)
        if match is None:
            rest.append(clock)
            continue
        free.remove(match)
        _account(left, clock.numbers)
        _account(right, match.numbers)
    findings = []
    for clock, other in zip(rest, free, strict=False):
        _account(left, clock.numbers)
        _account(right, other.numbers)
        message = (
            f'The time changed: the source says "{source.quote(clock.first, clock.last)}", '
            f'the translation says "{target.quote(other.first, other.last)}".'
        )
        spans = source.span(clock.first, clock.last), target.span(other.first, other.last)
        findings.append(Finding(DATE, "critical", *spans, message))
    return findings


def _months(source: Line, target: Line, before: list[Finding]) -> list[Finding]:
    """March became May: named on both sides, and not the same."""
    ours, theirs = source.marks["month"], target.marks["month"]
    if not ours or not theirs or before:
        return []
    names, others = {m.value for m in ours}, {m.value for m in theirs}
    lost = next((m for m in ours if m.value not in others), None)
    new = next((m for m in theirs if m.value not in names), None)
    if lost is None or new is None:
        return []
    message = (
        f'The month changed: "{source.quote(lost.first, lost.last)}" became '
        f'"{target.quote(new.first, new.last)}".'
    )
    spans = source.span(lost.first, lost.last), target.span(new.first, new.last)
    return [Finding(DATE, "critical", *spans, message)]


def _frequencies(
    source: Line,
    target: Line,
    source_numbers: list[Number],
    target_numbers: list[Number],
    left: Accounted,
    right: Accounted,
) -> list[Finding]:
    ours, theirs = frequencies_of(source, source_numbers), frequencies_of(target, target_numbers)
    rates, others = {f.per_day for f in ours}, {f.per_day for f in theirs}
    for frequency in ours:
        if frequency.per_day in others:
            _account(left, frequency.numbers)
    for frequency in theirs:
        if frequency.per_day in rates:
            _account(right, frequency.numbers)
    lost = [f for f in ours if f.per_day not in others]
    new = [f for f in theirs if f.per_day not in rates]
    if not lost and not new:
        return []
    # "daily ... daily" against "daily ... weekly": the second one changed
    lost = lost or _surplus(ours, theirs)
    new = new or _surplus(theirs, ours)
    lost, new = lost[:_MOST], new[:_MOST]
    if lost and new:
        lost, new = (
            [f for f in lost if not _said_otherwise(f, ours, source_numbers, theirs, target_numbers)],
            [f for f in new if not _said_otherwise(f, theirs, target_numbers, ours, source_numbers)],
        )
        return _changed(source, target, lost, new, left, right)
    lost = [
        f for f in lost if f.exact and not _said_otherwise(f, ours, source_numbers, theirs, target_numbers)
    ]
    new = [f for f in new if f.exact and not _said_otherwise(f, theirs, target_numbers, ours, source_numbers)]
    return _one_sided(source, target, lost, new)


def _surplus(more: list[Frequency], fewer: list[Frequency]) -> list[Frequency]:
    """Those that are said more often here than there; the last ones of each rate."""
    left = Counter(frequency.per_day for frequency in fewer)
    surplus = []
    for frequency in more:
        if left[frequency.per_day] > 0:
            left[frequency.per_day] -= 1
        else:
            surplus.append(frequency)
    return surplus


def _changed(
    source: Line, target: Line, lost: list[Frequency], new: list[Frequency], left: Accounted, right: Accounted
) -> list[Finding]:
    """Both sides state a frequency that the other does not: the exact ones are compared first."""
    lost.sort(key=lambda f: (not f.exact, f.first))
    new.sort(key=lambda f: (not f.exact, f.first))
    findings = []
    for ours, theirs in list(zip(lost, new, strict=False))[:_MOST]:
        _account(left, ours.numbers)
        _account(right, theirs.numbers)
        message = (
            f'The frequency changed: "{source.quote(ours.first, ours.last)}" ({described(ours.per_day)}) '
            f'became "{target.quote(theirs.first, theirs.last)}" ({described(theirs.per_day)}).'
        )
        spans = source.span(ours.first, ours.last), target.span(theirs.first, theirs.last)
        findings.append(Finding(FREQUENCY, "critical", *spans, message))
    return findings


def _one_sided(source: Line, target: Line, lost: list[Frequency], new: list[Frequency]) -> list[Finding]:
    findings = []
    for frequency in lost:
        quoted = source.quote(frequency.first, frequency.last)
        message = f'The translation does not say how often: the source says "{quoted}".'
        findings.append(
            Finding(FREQUENCY, "major", source.span(frequency.first, frequency.last), None, message)
        )
    for frequency in new:
        quoted = target.quote(frequency.first, frequency.last)
        message = f'The translation adds how often, "{quoted}", which the source does not say.'
        findings.append(
            Finding(FREQUENCY, "major", None, target.span(frequency.first, frequency.last), message)
        )
    return findings


def _said_otherwise(
    frequency: Frequency,
    own: list[Frequency],
    own_numbers: list[Number],
    others: list[Frequency],
    numbers: list[Number],
) -> bool:
    """Its number stands on the other side outside any frequency: "two weekly sessions", "duas sessões"."""
    if not frequency.numbers or any(n.value == 1.0 for n in frequency.numbers):
        return False
    taken = {n.first for other in others for n in other.numbers}
    taken_here = {n.first for one in own for n in one.numbers if one is not frequency}
    free = [n.value for n in numbers if n.first not in taken]
    here = [n.value for n in own_numbers if n.first not in taken_here]
    return all(free.count(n.value) >= here.count(n.value) for n in frequency.numbers)
