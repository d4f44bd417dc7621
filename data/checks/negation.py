"""Is what the source denies still denied, and nothing else?

In go both Lines; out come Findings of kind negation:

>>> [f.message for f in compare(read("Patient denies pain.", table_for("en")), read("Refere dor.", table_for("pt")))]
['The negation is gone: the source says "denies".']

Each language counts its negations in its own way: "não ... nem", "no ... ninguna" and "ne ... pas" are one each.
Words such as "lack", "avoid" or "unable" may answer a negation of the other side, but ask for none.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.checks.findings import NEGATION, Finding, Severity
from data.checks.reading import Line, read, table_for
from data.checks.tables import Table
from data.checks.words import skeleton

__all__ = ["Group", "compare", "groups_of", "read", "table_for"]

# Words in which "ne" and "pas", "no" and "ninguna" still belong together.
_REACH = 12
_ROOT = 4
# More negations than this in one segment are no sentence.
_MOST = 100
# How far apart, as a share of the sentence, a negation and the word that answers it may stand ...
_NEAR = 0.35
# ... and two words that merely mean the same ("avoid", "evitar"), and so answer each other.
_SAME_PLACE = 0.12


@dataclass(slots=True)
class Group:
    """One negation, however many words the language spends on it."""

    first: int
    last: int
    place: float
    strong: bool
    end: int


def compare(source: Line, target: Line) -> list[Finding]:
    if not source.marks["negation"] and not target.marks["negation"]:
        return []
    ours, theirs = groups_of(source), groups_of(target)
    if len(ours) == len(theirs):
        return []
    if len(ours) > len(theirs):
        lost = _unanswered(ours, theirs, target, source)
        return _dropped(source, lost, ours, theirs)
    new = _unanswered(theirs, ours, source, target)
    return _added(target, new, ours, theirs)


def groups_of(line: Line) -> list[Group]:
    groups: list[Group] = []
    length = max(len(line.words), 1)
    for mark in line.marks["negation"]:
        strong = mark.value == "demands"
        if not strong and mark.value != "echo":
            continue
        near = groups[-1] if groups and mark.first - groups[-1].end <= _REACH else None
        if near is not None and not (strong and near.strong):
            near.strong, near.end = near.strong or strong, mark.last
            continue
        groups.append(Group(mark.first, mark.last, mark.first / length, strong, mark.last))
    table = line.table
    groups = groups[:_MOST]
    if table is not None and table.restriction:
        groups = [group for group in groups if not _only(line, group, table.restriction)]
    return groups


def _only(line: Line, group: Group, restriction: frozenset[str]) -> bool:
    """French "ne ... que" means only; with "pas" or "aucun" the group reaches further than its first word."""
    if group.end != group.last:
        return False
    return any(word in restriction for word in line.words[group.last : group.last + 6])


def _unanswered(more: list[Group], fewer: list[Group], line: Line, own: Line) -> list[Group]:
    """The surplus groups that neither a group nor a negative word of the other line answers."""
    answers = sorted(_soft(line, own))
    left = []
    for group in _surplus(more, fewer):
        near = next((place for place in answers if abs(place - group.place) <= _NEAR), None)
        if near is None:
            left.append(group)
        else:
            answers.remove(near)
    return left


def _surplus(more: list[Group], fewer: list[Group]) -> list[Group]:
    """Take away, for each group of the shorter list, the nearest one; the order of both is kept."""
    left = list(more)
    for group in fewer:
        left.remove(min(left, key=lambda g: abs(g.place - group.place)))
    return left


def _soft(line: Line, other: Line) -> list[float]:
    """Places of negative words of the line, save those that such a word of the other line answers."""
    length, others = max(len(line.words), 1), max(len(other.words), 1)
    there = [mark.first / others for mark in other.marks["negation"] if mark.value == "supplies"]
    places = []
    for mark in line.marks["negation"]:
        if mark.value == "supplies":
            place = mark.first / length
            match = next((p for p in there if abs(p - place) <= _SAME_PLACE), None)
            if match is None:
                places.append(place)
            else:
                there.remove(match)
    if line.table is not None:
        roots = {skeleton(word)[:_ROOT] for word in other.words if len(word) >= _ROOT}
        words = enumerate(line.words)
        places += [i / length for i, word in words if len(word) > 5 and _negative(line.table, word, roots)]
    return places


def _negative(table: Table, word: str, roots: set[str]) -> bool:
    """unable, pain-free, schmerzlos; and ineffective where the other side says effective."""
    if word.startswith(table.free_prefixes) or word.endswith(table.free_suffixes):
        return not word.startswith(table.not_negative)
    if not word.startswith(table.negative_prefixes):
        return False
    bare = (skeleton(word[len(p) :])[:_ROOT] for p in table.negative_prefixes if word.startswith(p))
    return any(len(root) == _ROOT and root in roots for root in bare)


def _severity(ours: list[Group], theirs: list[Group]) -> Severity:
    """In a list of many negations one more or less is often a matter of style ("no A, no B": "sem A e B")."""
    return "critical" if not ours or not theirs or len(ours) + len(theirs) <= 3 else "major"


def _dropped(source: Line, lost: list[Group], ours: list[Group], theirs: list[Group]) -> list[Finding]:
    if not lost:
        return []
    quoted = source.quote(lost[0].first, lost[0].last)
    message = f'The negation is gone: the source says "{quoted}".'
    if theirs:
        message = f'A negation is gone: {len(ours)} in the source, {len(theirs)} here; look for "{quoted}".'
    span = source.span(lost[0].first, lost[0].last)
    return [Finding(NEGATION, _severity(ours, theirs), span, None, message)]


def _added(target: Line, new: list[Group], ours: list[Group], theirs: list[Group]) -> list[Finding]:
    if not new:
        return []
    quoted = target.quote(new[0].first, new[0].last)
    message = f'The translation says "{quoted}", but the source does not deny anything there.'
    span = target.span(new[0].first, new[0].last)
    return [Finding(NEGATION, _severity(ours, theirs), None, span, message)]
