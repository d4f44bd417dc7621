"""Find a stretch of one line that nothing in the other line answers.

In go two Lines; out comes the Gap, or None:

>>> source = read("Take it with food and call the doctor if you have a fever or a rash.", table_for("en"))
>>> missing(source, read("Tome com alimentos.", table_for("pt"))).severity
'critical'

A word is answered by a cognate, by a word of the same row of `anchors.toml`, or by the same number. A stretch
counts as missing when it holds many unanswered words and the other line is too short as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from data.checks.findings import Severity
from data.checks.reading import Line, read, table_for
from data.checks.tables import Table, load
from data.checks.words import fold, skeleton

__all__ = ["Gap", "keys", "measure", "missing", "read", "table_for"]

_COLUMNS = ("en", "pt", "es", "fr", "de")
_COGNATE = 4
_LONGEST_BEGINNING = 14
_LONGEST_WORD = 40
_MOST_WORDS = 2000
_PENALTY = 1.0
# Below this the length gives no sign of a loss, and the words need no comparison.
_LEAST_SHORT = 0.05
_SEVERITIES: tuple[tuple[Severity, float], ...] = (("critical", 1.5), ("major", 1.0), ("minor", 0.55))
# In a short line the length says less: "high blood pressure" is "hypertension".
_ENOUGH_WORDS = 10
# Writers add and explain more often than they leave out, so an addition must be plainer to count.
_ADDED = 2.0
_MUCH_TEXT = 80
_MUCH_SHORTER = 0.25


@dataclass(frozen=True, slots=True)
class Gap:
    first: int
    last: int
    severity: Severity


@dataclass(frozen=True, slots=True)
class Measure:
    """The stretch with the most unanswered words: its tokens, its score, how much of the line is answered."""

    first: int
    last: int
    score: float
    of_words: int
    answered: int


@lru_cache(8)
def _anchors(language: str) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Whole words and beginnings of the language, each with the rows it stands in."""
    whole: dict[str, tuple[int, ...]] = {}
    beginnings: dict[str, tuple[int, ...]] = {}
    if language not in _COLUMNS:
        return whole, beginnings
    column = _COLUMNS.index(language)
    for number, row in enumerate(load("anchors")["rows"]):
        for form in row[column].split():
            kind, key = (beginnings, fold(form[:-1])) if form.endswith("-") else (whole, fold(form))
            kind[key] = (*kind.get(key, ()), number)
    return whole, beginnings


@lru_cache(1 << 16)
def keys(language: str, word: str) -> tuple[str | int, ...]:
    """What a word may be answered by: its cognates' beginning and its rows; a number by itself."""
    if not word[:1].isalpha():  # a lone combining mark folds away to nothing
        return (word,) if word[:1].isdigit() else ()
    whole, beginnings = _anchors(language)
    rows: tuple[str | int, ...] = whole.get(word, ())
    for length in range(2, min(len(word), _LONGEST_BEGINNING) + 1):
        rows += beginnings.get(word[:length], ())
    return (skeleton(word)[:_COGNATE], *rows) if len(word) >= _COGNATE else rows


def measure(line: Line, other: Line) -> Measure | None:
    """Each word of the other line answers one word; an answered word inside a stretch lowers its score."""
    if line.table is None or other.table is None or len(line.words) > _MOST_WORDS:
        return None
    there = _offered(other, other.table)
    language, own = line.table.language, line.table.function_words
    best, current = (0, 0, 0.0), 0.0
    start = total = answered = 0
    for i, word in enumerate(line.words):
        if word in own or not (wanted := keys(language, word[:_LONGEST_WORD])):
            continue
        total += 1
        if _take(there, wanted):
            answered += 1
            current -= _PENALTY
            if current <= 0:
                start, current = i + 1, 0.0
        else:
            current += 1
            if current > best[2]:
                best = (start, i + 1, current)
    return Measure(*best, total, answered)


def _offered(other: Line, table: Table) -> dict[str | int, list[list[bool]]]:
    """By key, the words of the other line that offer it, each with a flag that says whether it is spent."""
    language, own = table.language, table.function_words
    there: dict[str | int, list[list[bool]]] = {}
    for word in other.words:
        if word in own:
            continue
        flag = [True]
        for key in keys(language, word[:_LONGEST_WORD]):
            there.setdefault(key, []).append(flag)
    return there


def _take(there: dict[str | int, list[list[bool]]], wanted: tuple[str | int, ...]) -> bool:
    for key in wanted:
        offers = there.get(key)
        while offers:
            flag = offers.pop()
            if flag[0]:
                flag[0] = False
                return True
    return False


def added(line: Line, other: Line) -> Gap | None:
    """What this line says beyond the other: worth a look, and never critical by itself."""
    gap = missing(line, other, strictness=_ADDED)
    return Gap(gap.first, gap.last, "major") if gap is not None and gap.severity != "minor" else None


def missing(line: Line, other: Line, strictness: float = 1.0) -> Gap | None:
    """How far the other line is too short, times how many words here go unanswered: both, or no finding."""
    if line.table is None or other.table is None:
        return _much_shorter(line, other)
    short = _expected(line.table.language, other.table.language) - len(other.text) / len(line.text)
    if short < _LEAST_SHORT:
        return None
    found = measure(line, other)
    if found is None or found.last == found.first:
        return None
    weight = short * found.score * min(1.0, found.of_words / _ENOUGH_WORDS)
    for severity, least in _SEVERITIES:
        if weight >= least * strictness:
            return Gap(found.first, found.last, severity)
    return None


def _expected(language: str, other: str) -> float:
    lengths = load("anchors")["lengths"]
    return float(lengths[other] / lengths[language]) if {language, other} <= lengths.keys() else 1.0


def _much_shorter(line: Line, other: Line) -> Gap | None:
    """Without tables, length alone; a language such as Chinese says the same in a third of the letters."""
    enough = len(line.text) >= _MUCH_TEXT and len(other.text) < _MUCH_SHORTER * len(line.text)
    return Gap(0, len(line.words), "major") if enough else None
