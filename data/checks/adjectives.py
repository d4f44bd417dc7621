"""Words that carry their negation in themselves: uncontrolled, non-invasive, ineficaz, unwirksam.

In go both Lines; out come Findings where such a word lost its negation, or got one:

>>> source = read("uncontrolled diabetes", table_for("en"))
>>> [finding.message for finding in opposites(source, read("diabetes controlada", table_for("pt")))]
['The opposite is said: "uncontrolled" became "controlada".']
"""

from __future__ import annotations

from data.checks.findings import NEGATION, Finding
from data.checks.reading import Line, read, table_for
from data.checks.tables import Table
from data.checks.words import skeleton

__all__ = ["ROOT", "negated_roots", "opposites", "read", "roots_of", "table_for"]

# Letters of a word without its prefix by which it is known again in the other language.
ROOT = 5
_NEGATED_BEFORE = 2
_SHORTEST = 6


def roots_of(table: Table, word: str) -> set[str]:
    """What is left of the word without each negative prefix that it may have."""
    prefixes = (*table.free_prefixes, *table.negative_prefixes)
    if len(word) < _SHORTEST or not word.startswith(prefixes) or word.startswith(table.not_negative):
        return set()
    bare = (skeleton(word[len(prefix) :])[:ROOT] for prefix in prefixes if word.startswith(prefix))
    return {root for root in bare if len(root) == ROOT}


def negated_roots(line: Line, sure: bool = False) -> dict[str, int]:
    """Roots of the line's negative words, with their tokens; `sure` leaves out in- ("inhabitant")."""
    table = line.table
    if table is None:
        return {}
    roots: dict[str, int] = {}
    for i, word in enumerate(line.words):
        if word == "non" and line.words[i + 1 : i + 2] == ["-"] and i + 2 < len(line.words):
            roots[skeleton(line.words[i + 2])[:ROOT]] = i + 2
        if not sure or word.startswith(table.free_prefixes):
            roots.update(dict.fromkeys(roots_of(table, word), i))
    return roots


def opposites(source: Line, target: Line) -> list[Finding]:
    """Here "uncontrolled", there "controlada" with nothing that negates it; or the other way round."""
    for line, other, forward in ((source, target, True), (target, source, False)):
        if line.table is None or other.table is None:
            return []
        negated = negated_roots(line, sure=True)
        pair = _bare(negated, line, other) if negated else None
        if pair is None:
            continue
        mine, theirs = line.span(pair[0], pair[0] + 1), other.span(pair[1], pair[1] + 1)
        spans = (mine, theirs) if forward else (theirs, mine)
        before, after = (
            text.text[span.start : span.end] for text, span in zip((source, target), spans, strict=True)
        )
        message = f'The opposite is said: "{before}" became "{after}".'
        return [Finding(NEGATION, "critical", *spans, message)]
    return []


def _bare(negated: dict[str, int], line: Line, other: Line) -> tuple[int, int] | None:
    """A negated word of the line whose root the other line has only without negation."""
    found: dict[str, list[int]] = {}
    for i, word in enumerate(other.words):
        root = skeleton(word)[:ROOT] if len(word) >= ROOT else ""
        if root in negated:
            found.setdefault(root, []).append(i)
    if not found:
        return None
    own = {skeleton(word)[:ROOT] for word in line.words}
    there = negated_roots(other)
    for root, places in found.items():
        whole = skeleton(line.words[negated[root]])[:ROOT]
        if root in own or root in there or any(_negated(other, place) for place in places):
            continue
        if any(skeleton(word)[:ROOT] == whole for word in other.words):
            continue
        return negated[root], places[0]
    return None


def _negated(line: Line, place: int) -> bool:
    marks = line.marks["negation"]
    return any(0 < place - mark.first <= _NEGATED_BEFORE for mark in marks[:100])
