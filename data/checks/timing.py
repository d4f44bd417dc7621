"""Compare dates, times of day and dose frequencies, and tell which numbers they have accounted for.

In go both Lines with their Numbers; out come Findings and, for each side, the first tokens of the numbers that
need no further comparison, for example the 8 and 8 of "de 8 em 8 horas" against "q8h".
"""

from __future__ import annotations

from data.checks.dates import Clock, Date, clocks_of, dates_of, in_words, same_date
from data.checks.findings import DATE, FREQUENCY, Finding
from data.checks.frequency import Frequency, described, frequencies_of
from data.checks.numerals import Number
from data.checks.reading import Line

Accounted = set[int]


def compare(
    source: Line, target: Line, source_numbers: list[Number], target_numbers: list[Number]
) -> tuple[list[Finding], Accounted, Accounted]:
    findings: list[Finding] = []
    left: Accounted = set()
    right: Accounted = set()
    if source_numbers or target_numbers:
        pair = (dates_of(source, source_numbers), dates_of(target, target_numbers))
        findings += _dates(source, target, *pair, left, right)
        clocks = (clocks_of(source, source_numbers), clocks_of(target, target_numbers))
        findings += _clocks(source, target, *clocks, left, right)
    findings += _months(source, target, findings)
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
        match = next((other for other in free if (other.minutes - clock.minutes) % 1440 == 0), None)
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
    if lost and new:
        lost = [f for f in lost if not _said_otherwise(f, source_numbers, target_numbers)]
        new = [f for f in new if not _said_otherwise(f, target_numbers, source_numbers)]
        return _changed(source, target, lost, new, left, right)
    return _one_sided(source, target, lost, new, source_numbers, target_numbers)


def _changed(
    source: Line, target: Line, lost: list[Frequency], new: list[Frequency], left: Accounted, right: Accounted
) -> list[Finding]:
    """Both sides state a frequency that the other does not: the exact ones are compared first."""
    lost.sort(key=lambda f: (not f.exact, f.first))
    new.sort(key=lambda f: (not f.exact, f.first))
    findings = []
    for ours, theirs in zip(lost, new, strict=False):
        _account(left, ours.numbers)
        _account(right, theirs.numbers)
        message = (
            f'The frequency changed: "{source.quote(ours.first, ours.last)}" ({described(ours.per_day)}) became '
            f'"{target.quote(theirs.first, theirs.last)}" ({described(theirs.per_day)}).'
        )
        spans = source.span(ours.first, ours.last), target.span(theirs.first, theirs.last)
        findings.append(Finding(FREQUENCY, "critical", *spans, message))
    return findings


def _one_sided(
    source: Line,
    target: Line,
    lost: list[Frequency],
    new: list[Frequency],
    source_numbers: list[Number],
    target_numbers: list[Number],
) -> list[Finding]:
    findings = []
    for frequency in lost:
        if frequency.exact and not _said_otherwise(frequency, source_numbers, target_numbers):
            quoted = source.quote(frequency.first, frequency.last)
            message = f'The translation does not say how often: the source says "{quoted}".'
            span = source.span(frequency.first, frequency.last)
            findings.append(Finding(FREQUENCY, "major", span, None, message))
    for frequency in new:
        if frequency.exact and not _said_otherwise(frequency, target_numbers, source_numbers):
            quoted = target.quote(frequency.first, frequency.last)
            message = f'The translation adds how often, "{quoted}", which the source does not say.'
            span = target.span(frequency.first, frequency.last)
            findings.append(Finding(FREQUENCY, "major", None, span, message))
    return findings


def _said_otherwise(frequency: Frequency, own: list[Number], others: list[Number]) -> bool:
    """Its numbers stand on the other side too, in words that the table does not know as a frequency."""
    return bool(frequency.numbers) and all(
        sum(n.value == number.value for n in others) >= sum(n.value == number.value for n in own)
        for number in frequency.numbers
    )
