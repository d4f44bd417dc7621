"""Is what the source denies still denied, and nothing else?

In go both Lines; out come Findings of kind negation:

>>> source = read("Patient denies pain.", table_for("en"))
>>> [finding.message for finding in compare(source, read("Refere dor.", table_for("pt")))]
['The negation is gone: the source says "denies".']

Each language counts its negations in its own way: "não ... nem", "no ... ninguna", "ne ... pas" are one each.
Words such as "lack", "avoid" or "unable" may answer a negation of the other side, but ask for none.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.checks.adjectives import ROOT, negated_roots, opposites, roots_of
from data.checks.findings import NEGATION, Finding, Severity
from data.checks.reading import Line, read, table_for
from data.checks.tables import Table
from data.checks.values import Mark
from data.checks.words import skeleton

__all__ = ["Group", "compare", "groups_of", "read", "table_for"]

# Words in which "ne" and "pas", "no" and "ninguna" still belong together.
_REACH = 12
_PREPOSITION = 3
_LIMIT = 4
_ONLY = 2
_FEW = 7
_NUMBERS = ("number_plain", "number_ordinal", "number_loose")
_PARTNERED = 8
_VERB = 3
_BEFORE = 6
_NE = frozenset(["ne", "n"])
# Accents are folded away everywhere else; "né" must not be taken for "ne".
_BORN = frozenset(["né", "Né"])
_ENDS = frozenset(".;")
_AND = frozenset(["e", "y", "et", "und", "and", "mas", "pero", "mais", "aber", "but"])
_NOR = frozenset(["nem", "ni", "noch", "nor"])
# More negations than this in one segment are no sentence.
_MOST = 100
# How far apart, as a share of the sentence, a negation and the word that answers it may stand ...
_NEAR = 0.25
# ... and two words that merely mean the same ("avoid", "evitar"), and so answer each other.
_SAME_PLACE = 0.2
# ... or perhaps the same ("unavoidable", "inevitável").
_LIKE = 0.08


@dataclass(slots=True)
class Group:
    """One negation, however many words the language spends on it."""

    first: int
    last: int
    place: float
    strong: bool
    end: int


def compare(source: Line, target: Line) -> list[Finding]:
    return _sentences(source, target) or opposites(source, target)


def _sentences(source: Line, target: Line) -> list[Finding]:
    if not any(line.marks[kind] for line in (source, target) for kind in ("negation", "comparison")):
        return []
    ours, theirs = groups_of(source), groups_of(target)
    sure = not ours or not theirs
    ours, theirs = (
        _without_adjectives(source, ours, target, sure),
        _without_adjectives(target, theirs, source, sure),
    )
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
    marks = line.marks["negation"]
    if line.marks["comparison"]:
        marks = sorted([*marks, *_limits_on_nothing(line)], key=lambda mark: mark.first)
    for mark in marks:
        strong = mark.value == "demands" and line.written[mark.first] not in _BORN
        if not strong and mark.value != "echo":
            continue
        near = groups[-1] if groups and mark.first - groups[-1].end <= _REACH else None
        if near is not None and not (strong and near.strong) and not _apart(line, near.end, mark):
            near.strong, near.end = near.strong or strong, mark.last
            continue
        if strong or not _needs_company(line, mark):
            groups.append(Group(mark.first, mark.last, mark.first / length, strong, mark.last))
    table = line.table
    groups = groups[:_MOST]
    if table is not None:
        groups = [group for group in groups if not _denies_nothing(line, group, table)]
    return groups


def _apart(line: Line, end: int, mark: Mark) -> bool:
    """Of two clauses: "não está grávida e nunca fumou", "nenhuma fratura; joelho direito não visto"."""
    between = line.words[end : mark.first]
    if not _ENDS.isdisjoint(between):
        return True
    return bool(between) and between[-1] in _AND and line.words[mark.first] not in _NOR


def _limits_on_nothing(line: Line) -> list[Mark]:
    """ "Do not exceed 4 g" is a limit; "do not exceed the dose" has no number and is a plain negation."""
    table = line.table
    if table is None:
        return []
    numbers = {mark.first for kind in _NUMBERS for mark in line.marks[kind]}.union(line.digits)
    found = []
    for mark in line.marks["comparison"]:
        if not numbers.isdisjoint(range(mark.last, mark.last + _LIMIT)):
            continue
        denials = [i for i in range(mark.first, mark.last) if _denies(table, line.words[i])]
        found += [Mark("negation", "demands", i, i + 1) for i in denials[:1]]
    return found


def _denies(table: Table, word: str) -> bool:
    entries = table.phrases.get(word, ())
    return any(not entry.rest and ("negation", "demands") in entry.tags for entry in entries)


def _needs_company(line: Line, mark: Mark) -> bool:
    """ "nenhum" denies by itself only where a clause begins: "nenhum paciente", "em nenhum caso"."""
    table = line.table
    if table is None or line.words[mark.first] not in table.companions:
        return False
    before = line.words[max(mark.first - 2, 0) : mark.first]
    if before and len(before[-1]) <= _PREPOSITION and not _begins(table, before[-1]):
        before = before[:-1]
    return bool(before) and not _begins(table, before[-1])


def _begins(table: Table, word: str) -> bool:
    return word in table.clause_starts or not word[:1].isalnum()


def _without_adjectives(line: Line, groups: list[Group], other: Line, sure: bool) -> list[Group]:
    """A group such as "não invasivo" is answered by "non-invasive" wherever that stands."""
    roots = negated_roots(other, sure) if groups else {}
    return [g for g in groups if skeleton(_following(line, g.last))[:ROOT] not in roots]


def _following(line: Line, token: int) -> str:
    """The word after a negation, across a hyphen: não-invasivo."""
    words = line.words[token : token + 2]
    return words[-1] if words[:1] == ["-"] else (words or [""])[0]


def _denies_nothing(line: Line, group: Group, table: Table) -> bool:
    """ "Not only", and a French "ne" that stands without "pas" or another of its partners."""
    after = group.last
    if table.partners and group.strong:
        reach = range(max(group.first - _BEFORE, 0), min(group.last + _PARTNERED, len(line.words)))
        partner = next((i for i in reach if line.words[i] in table.partners), None)
        if partner is None:
            verbs = line.words[group.last : group.last + _VERB]
            return line.words[group.first] in _NE and table.alone.isdisjoint(verbs)
        after = max(partner + 1, group.last)
    elif group.end != group.last:
        return False
    for word in line.words[after : after + _ONLY]:
        if word in table.only:
            return True
        if not word[:1].isalnum():
            return False
    return False


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
    soft = [mark for mark in other.marks["negation"] if mark.value == "supplies"][:_MOST]
    there = [(mark.first / others, skeleton(other.words[mark.first])[:ROOT]) for mark in soft]
    places = []
    for mark in line.marks["negation"][: 3 * _MOST]:
        if mark.value == "supplies":
            place, root = mark.first / length, skeleton(line.words[mark.first])[:ROOT]
            match = next((one for one in there if one[1] == root or abs(one[0] - place) <= _SAME_PLACE), None)
            if match is None:
                places.append(place)
            else:
                there.remove(match)
    if line.table is not None:
        roots = {skeleton(word)[:ROOT] for word in other.words if len(word) >= ROOT}
        words = enumerate(line.words)
        long = [(i, word) for i, word in words if len(word) > 5]
        answered = negated_roots(other) if long else {}
        like = _prefixed(other)
        places += [
            i / length
            for i, word in long
            if _negative(line.table, word, roots)
            and answered.keys().isdisjoint(roots_of(line.table, word))
            and not any(abs(place - i / length) <= _LIKE for place in like)
        ]
    return places


def _prefixed(line: Line) -> list[float]:
    """Places of words such as inócuo or inévitable, which may well be harmless and unavoidable."""
    table, length = line.table, max(len(line.words), 1)
    if table is None or not table.negative_prefixes:
        return []
    prefixes = (*table.negative_prefixes, *table.free_prefixes)
    return [i / length for i, word in enumerate(line.words) if len(word) > 6 and word.startswith(prefixes)][
        :_MOST
    ]


def _negative(table: Table, word: str, roots: set[str]) -> bool:
    """unable, pain-free, schmerzlos; and ineffective where the other side says effective."""
    if word.startswith(table.free_prefixes) or word.endswith(table.free_suffixes):
        return not word.startswith(table.not_negative)
    if not word.startswith(table.negative_prefixes) or skeleton(word)[:ROOT] in roots:
        return False
    bare = (skeleton(word[len(p) :])[:ROOT] for p in table.negative_prefixes if word.startswith(p))
    return any(len(root) == ROOT and root in roots for root in bare)


def _severity(ours: list[Group], theirs: list[Group]) -> Severity:
    """In a list of many negations one more or less is often a matter of style ("no A, no B": "sem A e B")."""
    return "critical" if not ours or not theirs or len(ours) + len(theirs) <= _FEW else "major"


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
