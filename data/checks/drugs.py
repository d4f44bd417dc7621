"""Is it the same medicine? By names from the tables, a termbase, and the endings the WHO gives to classes.

In go both Lines and, if there is one, a NameTable of the user's own; out come Findings of kind drug:

>>> source = read("Give amoxicillin.", table_for("en"))
>>> [f.message for f in compare(source, read("Dê ampicilina.", table_for("pt")))]
['The medicine changed: "amoxicillin" became "ampicilina".']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from data.checks.findings import DRUG, Finding
from data.checks.reading import Line, match_at, read, tag_value
from data.checks.tables import Index, index, load, table_for
from data.checks.values import Mark
from data.checks.words import fold, skeleton

__all__ = ["NameTable", "compare", "name_table", "read", "table_for"]

_SHORTEST = 6
_SHARED = 5


@dataclass(frozen=True, slots=True, eq=False)
class NameTable:
    """Names that must correspond, by language; the same concept has the same name on the left."""

    names: Mapping[str, Index]


def name_table(rows: Iterable[tuple[str, Mapping[str, Iterable[str]]]]) -> NameTable:
    """From concepts and their names by language: ("aspirin", {"en": ["aspirin"], "pt": ["AAS"]})."""
    by_language: dict[str, list[tuple[str, tuple[str, str]]]] = {}
    for concept, names in rows:
        for language, forms in names.items():
            by_language.setdefault(language, []).extend((form, ("name", concept)) for form in forms if form)
    return NameTable({language: index(iter(tagged)) for language, tagged in by_language.items()})


def compare(source: Line, target: Line, names: NameTable | None = None) -> list[Finding]:
    ours, theirs = drugs_of(source, names), drugs_of(target, names)
    if names is not None:
        ours, theirs = _without_agreed(source, ours, target, theirs, names)
    if not ours and not theirs:
        return []
    lost = _unanswered(source, ours, target, theirs)
    new = _unanswered(target, theirs, source, ours)
    findings = [_changed(source, target, a, b) for a, b in zip(lost, new, strict=False)]
    everyday = load("substances")
    more = len(findings)
    findings += [_gone(source, mark) for mark in lost[more:] if mark.value not in everyday]
    findings += [_added(target, mark) for mark in new[more:] if mark.value not in everyday]
    return findings


def is_medicine(text: str) -> bool:
    """Whether a word of it is a listed medicine, or ends like one."""
    return any(len(word) >= _SHORTEST and _looks_like(word) for word in fold(text).split())


def drugs_of(line: Line, names: NameTable | None = None) -> list[Mark]:
    found = list(line.marks["drug"])
    known = {token for mark in found for token in range(mark.first, mark.last)}
    if names is not None and line.table is not None:
        found += _named(line, names.names.get(line.table.language), known)
    for i, word in enumerate(line.words):
        if len(word) >= _SHORTEST and i not in known and (drug := _looks_like(word)):
            found.append(Mark("drug", drug, i, i + 1))
    return sorted(found, key=lambda mark: mark.first)


def _without_agreed(
    source: Line, ours: list[Mark], target: Line, theirs: list[Mark], names: NameTable
) -> tuple[list[Mark], list[Mark]]:
    """Without what both sides call by the user's own names, whatever the tables make of those."""
    named = []
    for line in (source, target):
        own = names.names.get(line.table.language) if line.table is not None else None
        named.append(_named(line, own, set()))
    shared = {mark.value for mark in named[0]} & {mark.value for mark in named[1]}
    if not shared:
        return ours, theirs
    kept = []
    for marks, own_marks in zip((ours, theirs), named, strict=True):
        tokens = {i for mark in own_marks if mark.value in shared for i in range(mark.first, mark.last)}
        kept.append([mark for mark in marks if tokens.isdisjoint(range(mark.first, mark.last))])
    return kept[0], kept[1]


def _named(line: Line, own: Index | None, known: set[int]) -> list[Mark]:
    found = []
    for i in range(len(line.words)) if own else ():
        entry = match_at(own or {}, line, i)
        if entry is not None and i not in known:
            last = i + 1 + len(entry.rest)
            found.append(Mark("drug", tag_value(entry), i, last))
            known.update(range(i, last))
    return found


@lru_cache(1 << 16)
def _looks_like(word: str) -> str:
    """The listed drug with this spelling, or `?` and the word where only the ending tells; else nothing."""
    if len(word) > 40:
        return ""
    plain = skeleton(word)
    listed = _names_anywhere().get(plain, "")
    if listed or not word.endswith(_endings()) or word in _ordinary():
        return listed
    return f"?{plain}"


@lru_cache
def _names_anywhere() -> dict[str, str]:
    """Every listed name of one word by its skeleton, whatever the language: texts borrow from each other."""
    return {
        skeleton(fold(name)): drug
        for kind in ("drugs", "substances")
        for drug, names in load(kind).items()
        for forms in names.values()
        for name in forms
        if " " not in name and len(name) >= _SHORTEST
    }


@lru_cache
def _endings() -> tuple[str, ...]:
    return tuple(ending for endings in load("stems")["endings"].values() for ending in endings)


@lru_cache
def _ordinary() -> frozenset[str]:
    return frozenset(load("stems")["ordinary"]["words"])


def _unanswered(line: Line, ours: list[Mark], other: Line, theirs: list[Mark]) -> list[Mark]:
    """Those of ours that the other line names neither as we know it nor by a word of the same beginning."""
    values = {mark.value for mark in theirs}
    lost = [mark for mark in ours if mark.value not in values]
    if not lost:
        return []
    listed = {token for mark in theirs if not _guessed(mark) for token in range(mark.first, mark.last)}
    words = [(skeleton(word), i in listed) for i, word in enumerate(other.words) if len(word) > 3]
    beginnings = {word[:_SHARED] for word, is_listed in words if not is_listed}
    unanswered, seen = [], set()
    for mark in lost:
        if mark.value in seen or _answered(line, mark, words, beginnings):
            continue
        seen.add(mark.value)
        unanswered.append(mark)
    return unanswered


def _guessed(mark: Mark) -> bool:
    return str(mark.value).startswith("?")


def _answered(line: Line, mark: Mark, words: list[tuple[str, bool]], beginnings: set[str]) -> bool:
    """A word that begins like the name, or, for a name known only by its ending, is nearly the same."""
    own = [
        skeleton(line.words[token]) for token in range(mark.first, mark.last) if len(line.words[token]) > 3
    ]
    if any(word[:_SHARED] in beginnings for word in own):
        return True
    return _guessed(mark) and any(_nearly(own[0], word) for word, _ in words)


def _nearly(one: str, other: str) -> bool:
    """The same but for the last two letters: nifedipin(e), nifedipin(o)."""
    shared = min(len(one), len(other)) - 2
    return shared >= _SHARED and one[:shared] == other[:shared]


def _changed(source: Line, target: Line, before: Mark, after: Mark) -> Finding:
    message = (
        f'The medicine changed: "{source.quote(before.first, before.last)}" became '
        f'"{target.quote(after.first, after.last)}".'
    )
    spans = source.span(before.first, before.last), target.span(after.first, after.last)
    return Finding(DRUG, "critical", *spans, message)


def _gone(source: Line, mark: Mark) -> Finding:
    message = f'The medicine is gone: the source names "{source.quote(mark.first, mark.last)}".'
    return Finding(DRUG, "major", source.span(mark.first, mark.last), None, message)


def _added(target: Line, mark: Mark) -> Finding:
    message = f'The translation names "{target.quote(mark.first, mark.last)}", which the source does not.'
    return Finding(DRUG, "major", None, target.span(mark.first, mark.last), message)
