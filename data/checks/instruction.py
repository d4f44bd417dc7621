"""Stop or go on? "Hold the metformin" must not become "keep taking the metformin".

In go both Lines; out comes at most one Finding of kind instruction:

>>> hold = read("Hold the metformin.", table_for("en"))
>>> [f.severity for f in compare(hold, read("Mantenga la metformina.", table_for("es")))]
['critical']
"""

from __future__ import annotations

from data.checks.findings import INSTRUCTION, Finding
from data.checks.negation import Group, groups_of
from data.checks.reading import Line, read, table_for
from data.checks.values import Mark

__all__ = ["compare", "read", "table_for"]

Stance = tuple[str, Mark]

# How far before a verb its negation may stand: "do not ever stop", "no debe dejar de".
_REACH = 4
# How far after "stop" the verb may stand that it governs: "stop taking", "deje de tomar".
_GOVERNED = 3
_STANCES = ("stop", "go")
_DIRECTIONS = ("more", "less")
_NEAR = 5
_SHORT_LINE = 12
# How near a medicine stands to the verb whose object or subject it is.
_OBJECT = 3
# ... or as the topic of the same clause: "Metformin 850 mg twice daily - hold until ...".
_TOPIC = 10
_CLAUSE_ENDS = frozenset(".;:,")
# "35 g de pó para suspensão" is a form of medicine.
_OF_A_FORM = frozenset(["de", "para", "per", "por", "of", "for", "oral"])


def compare(source: Line, target: Line) -> list[Finding]:
    if not _verbs(source):
        return _amount_turned(source, target)
    if not _verbs(target):
        return _lost(source, target)
    if not _about_medicine(source) and not _about_medicine(target):
        return []
    turned = _turned(_stances_of(source), _stances_of(target))
    if turned is None:
        return []
    (stance, mark), (other, theirs_mark) = turned
    meanings = {"stop": "to stop or avoid a medicine", "go": "to take or go on with it"}
    message = (
        f'The instruction turned round: "{source.quote(mark.first, mark.last)}" is {meanings[stance]}, '
        f'"{target.quote(theirs_mark.first, theirs_mark.last)}" is {meanings[other]}.'
    )
    spans = source.span(mark.first, mark.last), target.span(theirs_mark.first, theirs_mark.last)
    return [Finding(INSTRUCTION, "critical", *spans, message)]


def _amount_turned(source: Line, target: Line) -> list[Finding]:
    """ "Increase the dose" that became to reduce it."""
    ours, theirs = _directions(source), _directions(target)
    if len(ours) != 1 or len(theirs) != 1 or ours.keys() == theirs.keys():
        return []
    if not _about_medicine(source) or not _about_medicine(target):
        return []
    mark, other = next(iter(ours.values())), next(iter(theirs.values()))
    message = (
        f'The instruction turned round: "{source.quote(mark.first, mark.last)}" became '
        f'"{target.quote(other.first, other.last)}".'
    )
    spans = source.span(mark.first, mark.last), target.span(other.first, other.last)
    return [Finding(INSTRUCTION, "critical", *spans, message)]


def _directions(line: Line) -> dict[object, Mark]:
    return {mark.value: mark for mark in line.marks["instruction"] if mark.value in _DIRECTIONS}


def _lost(source: Line, target: Line) -> list[Finding]:
    """ "Hold the metformin" that became to grasp or to carry it: nothing on the other side says to stop."""
    stop = next((mark for stance, mark in _stances_of(source) if stance == "stop"), None)
    medicines = [mark.first for mark in source.marks["drug"]]
    if stop is None or target.table is None or not _says_nothing_else(source, stop, target):
        return []
    near = any(0 <= first - stop.last <= _OBJECT or 0 < stop.first - first <= _OBJECT for first in medicines)
    if not near and not _topic(source, stop, medicines):
        return []
    if any(mark.value == "stop" for mark in target.marks["instruction"]):  # of a medicine that no table has
        return []
    if source.words[stop.first] in target.words:  # left as it is, which is the business of another check
        return []
    quoted = source.quote(stop.first, stop.last)
    message = f'"{quoted}" is to stop a medicine here; the translation does not say so.'
    return [Finding(INSTRUCTION, "critical", source.span(stop.first, stop.last), None, message)]


def _says_nothing_else(source: Line, stop: Mark, target: Line) -> bool:
    """No negation beside "held", and none in the translation but for those of the other clauses."""
    denials = groups_of(source)
    beside = any(_in_one_clause(source, *sorted((one.first, stop.first))) for one in denials)
    return not beside and len(groups_of(target)) <= len(denials)


def _verbs(line: Line) -> list[Mark]:
    """The verbs that stand near a medicine; in a short line, all of them ("keep taking it")."""
    verbs = [mark for mark in line.marks["instruction"] if mark.value in _STANCES]
    if not verbs or len(line.words) <= _SHORT_LINE:
        return verbs
    medicines = [mark.first for mark in line.marks["drug"]]
    medicines += [mark.first for mark in line.marks["instruction"] if mark.value == "medicines"]
    return [
        verb
        for verb in verbs
        if any(-_NEAR <= place - verb.first <= _NEAR for place in medicines[:50])
        or _topic(line, verb, medicines)
    ]


def _topic(line: Line, verb: Mark, medicines: list[int]) -> bool:
    """A medicine before the verb, and no clause that ends between them."""
    return line.words[verb.first - 1] not in _OF_A_FORM and any(
        0 < verb.first - place <= _TOPIC and _in_one_clause(line, place, verb.first)
        for place in medicines[:50]
    )


def _in_one_clause(line: Line, first: int, last: int) -> bool:
    return _CLAUSE_ENDS.isdisjoint(line.words[first:last])


def _about_medicine(line: Line) -> bool:
    return bool(line.marks["drug"]) or any(mark.value == "medicines" for mark in line.marks["instruction"])


def _turned(ours: list[Stance], theirs: list[Stance]) -> tuple[Stance, Stance] | None:
    """The first place where one side says to stop and the other to go on, where both are of one mind else.

    "Suspenda ... e inicie" may be said the other way round, so of several verbs only one may differ.
    """
    if {stance for stance, _ in ours} == {stance for stance, _ in theirs}:
        return None
    if len({stance for stance, _ in ours}) == len({stance for stance, _ in theirs}) == 1:
        return ours[0], theirs[0]
    pairs = [pair for pair in zip(ours, theirs, strict=False) if pair[0][0] != pair[1][0]]
    return pairs[0] if len(ours) == len(theirs) and len(pairs) == 1 else None


def _stances_of(line: Line) -> list[Stance]:
    """What the line asks for, verb by verb."""
    groups = groups_of(line)
    stances: list[Stance] = []
    governed_until = -1
    for mark in _verbs(line):
        stops = mark.value == "stop"
        if not stops and mark.first <= governed_until:
            continue
        if stops:
            governed_until = mark.last + _GOVERNED
        negated = any(_governs(group, mark, line) for group in groups)
        stances.append(("go" if stops == negated else "stop", mark))
    return stances


def _governs(group: Group, mark: Mark, line: Line) -> bool:
    """Before the verb, or around it and after it as in "ne prenez pas" and "nehmen Sie ... nicht"."""
    if 0 <= mark.first - group.first <= _REACH + 1:
        return True
    return 0 <= group.first - mark.last <= _REACH and _in_one_clause(line, mark.last, group.first)
