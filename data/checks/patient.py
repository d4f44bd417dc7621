"""Who the text is about: a woman or a man, and whether it speaks of "I" or to "you".

In go both Lines; out come Findings of kind patient:

>>> woman = read("A 30-year-old woman", table_for("en"))
>>> [f.severity for f in compare(woman, read("Um homem de 30 anos", table_for("pt")))]
['critical']
"""

from __future__ import annotations

from data.checks.findings import PATIENT, Finding
from data.checks.reading import Line, read, table_for
from data.checks.values import Mark

__all__ = ["compare", "read", "table_for"]

_OPPOSITE = {"female": "male", "male": "female"}
_PERSONS = {"first_person": "second_person", "second_person": "first_person"}


def compare(source: Line, target: Line) -> list[Finding]:
    ours, theirs = _by_value(source), _by_value(target)
    if not ours or not theirs:
        return []
    return _sex(source, target, ours, theirs) + _person(source, target, ours, theirs)


def _by_value(line: Line) -> dict[str, Mark]:
    """The first mark of each value: female, male, perhaps_female, first_person, ..."""
    found: dict[str, Mark] = {}
    for mark in line.marks["patient"]:
        found.setdefault(str(mark.value), mark)
    return found


def _sex(source: Line, target: Line, ours: dict[str, Mark], theirs: dict[str, Mark]) -> list[Finding]:
    """Only one sex is named here, and only the other one there; words that leave it open decide nothing."""
    for sex, opposite in _OPPOSITE.items():
        before, after = _only(ours, sex), _only(theirs, opposite)
        if before is None or after is None:
            continue
        sure = sex in ours and opposite in theirs
        if (
            not sure
            and (sex not in ours or opposite not in theirs)
            and not _spoken_of(ours, theirs, sex, opposite)
        ):
            continue
        message = (
            f'The person changed sex: "{source.quote(before.first, before.last)}" became '
            f'"{target.quote(after.first, after.last)}".'
        )
        spans = source.span(before.first, before.last), target.span(after.first, after.last)
        return [Finding(PATIENT, "critical" if sure else "major", *spans, message)]
    return []


def _only(marks: dict[str, Mark], sex: str) -> Mark | None:
    other = _OPPOSITE[sex]
    if other in marks or f"perhaps_{other}" in marks:
        return None
    return marks.get(sex) or marks.get(f"perhaps_{sex}")


def _spoken_of(ours: dict[str, Mark], theirs: dict[str, Mark], sex: str, opposite: str) -> bool:
    """A pronoun against a noun is telling; two words that only perhaps name a sex are not."""
    return sex in ours or opposite in theirs


def _person(source: Line, target: Line, ours: dict[str, Mark], theirs: dict[str, Mark]) -> list[Finding]:
    for person, other in _PERSONS.items():
        if person not in ours or other in ours or other not in theirs or person in theirs:
            continue
        before, after = ours[person], theirs[other]
        message = (
            f'The person changed: "{source.quote(before.first, before.last)}" became '
            f'"{target.quote(after.first, after.last)}".'
        )
        spans = source.span(before.first, before.last), target.span(after.first, after.last)
        return [Finding(PATIENT, "major", *spans, message)]
    return []
