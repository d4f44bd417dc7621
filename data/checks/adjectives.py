"""Words that carry their negation in themselves: uncontrolled, non-invasive, ineficaz, unwirksam.

In go both Lines; out come Findings where such a word lost its negation, or got one:

>>> source = read("uncontrolled diabetes", table_for("en"))
>>> [finding.message for finding in opposites(source, read("diabetes controlada", table_for("pt")))]
['The opposite is said: "uncontrolled" became "controlada".']
"""

from __future__ import annotations

from data.checks.findings import NEGATION, Finding
from data.checks.gaps import keys
from data.checks.reading import Line, read, table_for
from data.checks.tables import Table
from data.checks.words import skeleton

__all__ = ["ROOT", "negated_roots", "opposites", "read", "roots_of", "table_for"]

# Letters of a word without its prefix by which it is known again in the other language.
ROOT = 5
_NEGATED_BEFORE = 2
_OR_NOT = 3
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
        pair = _bare(line, other)
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


def _bare(line: Line, other: Line) -> tuple[int, int] | None:
    """A negated word of the line that the other line has only, and too often, without negation."""
    if line.table is None or other.table is None:
        return None
    for root, token in negated_roots(line, sure=True).items():
        bare = _without_prefix(line.table, line.words[token])
        meant = {root, *_rows(line.table, bare)}
        there = _said(other, other.table, meant)
        plain = [place for place, negated in there.items() if not negated]
        here = _said(line, line.table, meant) | {token: True}
        if len(plain) == len(there) > list(here.values()).count(False):
            return token, plain[-1]
    return None


def _said(line: Line, table: Table, meant: set[str | int]) -> dict[int, bool]:
    """Where the line says the word, and whether it is negated there."""
    said: dict[int, bool] = {}
    for i, word in enumerate(line.words):
        if len(word) < ROOT or word in table.function_words:
            continue
        if not meant.isdisjoint({*roots_of(table, word), *_rows(table, _without_prefix(table, word))}):
            said[i] = _without_prefix(table, word) != word or _negated(line, i)
        elif skeleton(word)[:ROOT] in meant or not meant.isdisjoint(_rows(table, word)):
            said[i] = _negated(line, i)
    return said


def _without_prefix(table: Table, word: str) -> str:
    prefixes = (*table.free_prefixes, *table.negative_prefixes)
    if word.startswith(table.not_negative):
        return word
    return next((word[len(p) :] for p in prefixes if word.startswith(p) and len(word) - len(p) >= ROOT), word)


def _rows(table: Table, word: str) -> set[str | int]:
    """Rows of the table of words that mean the same in all languages."""
    return {key for key in keys(table.language, word) if isinstance(key, int)} if word else set()


def _negated(line: Line, place: int) -> bool:
    """A negation just before the word, or an "or not" on either side of it."""
    return any(
        0 < place - mark.first <= _NEGATED_BEFORE
        or (mark.value == "neutral" and abs(place - mark.first) <= _OR_NOT)
        for mark in line.marks["negation"][:100]
    )
