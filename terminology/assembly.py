"""Rows to terms: which rows belong together, and which contradict each other.

In: `TermRow` values of any format. Out: a `LoadedTermbase`; a bad row raises `TermbaseError`
(`glossary.csv:7: has no source term`), or, with `skip_bad`, is left out and listed.

Rows with the same id and source, or without an id the same source, part of speech and domain, are variants
of one term. Where one row forbids what another allows, the ban holds; conflicts are listed for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.errors import TermbaseError
from terminology.formats.rows import TermRow
from terminology.inflection import base_language
from terminology.termbase import Conflict, LoadedTermbase, Status, Term, Termbase, Variant
from terminology.validation import checked

_ORDER = {status: number for number, status in enumerate(Status)}


@dataclass(slots=True)
class _Draft:
    """A term whose rows are still coming in."""

    term: Term
    variants: dict[str, Variant] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Assembly:
    path: Path
    skip_bad: bool
    drafts: dict[tuple[str, ...], _Draft] = field(default_factory=dict)
    skipped: list[TermbaseError] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    def refuse(self, error: TermbaseError) -> None:
        if not self.skip_bad:
            raise error
        self.skipped.append(error)


def assemble(
    path: Path, rows: Iterable[TermRow], source_language: str, target_language: str, skip_bad: bool = False
) -> LoadedTermbase:
    """All good rows of a file as one termbase."""
    assembly = _Assembly(path, skip_bad)
    others: set[str] = set()
    pair = ("", "")  # of the last row that was of the right languages
    for row in _readable(rows, assembly):
        if (row.source_language, row.target_language) != pair:
            if not _is_pair(row, source_language, target_language):
                others.add(f"{row.source_language or '?'}-{row.target_language or '?'}")
                continue
            pair = (row.source_language, row.target_language)
            source_language = source_language or row.source_language
            target_language = target_language or row.target_language
        try:
            _take(assembly, row)
        except TermbaseError as error:
            assembly.refuse(error)
    if others and not assembly.drafts:
        wanted = f"{source_language or '?'}-{target_language or '?'}"
        raise TermbaseError(path, 1, f"has no terms for {wanted}; it has {', '.join(sorted(others))}")
    terms = tuple(_finished(assembly))
    termbase = Termbase(path.stem, source_language, target_language, terms)
    return LoadedTermbase(termbase, tuple(assembly.skipped), tuple(assembly.conflicts))


def _readable(rows: Iterable[TermRow], assembly: _Assembly) -> Iterator[TermRow]:
    """A file that breaks off is read up to there, when bad rows are to be skipped."""
    try:
        yield from rows
    except TermbaseError as error:
        assembly.refuse(error)


def _is_pair(row: TermRow, source_language: str, target_language: str) -> bool:
    sides = ((row.source_language, source_language), (row.target_language, target_language))
    return all(
        not found or not wanted or base_language(found) == base_language(wanted) for found, wanted in sides
    )


def _take(assembly: _Assembly, row: TermRow) -> None:
    term, variants = checked(assembly.path, row)
    key = (term.id, term.source) if term.id else ("", term.source, term.part_of_speech, term.domain)
    draft = assembly.drafts.get(key)
    if draft is None:
        draft = assembly.drafts[key] = _Draft(term)
    if term.note and not draft.term.note:
        draft.term = replace(draft.term, note=term.note)
    if draft.term.keep != term.keep:
        detail = "one row says to translate it, another to keep it; it is kept"
        assembly.conflicts.append(
            Conflict("contradiction", term.source, detail, (draft.term.origin, term.origin))
        )
        draft.term = replace(draft.term, keep=True)
    for variant in variants:
        _add(draft, variant, term.origin, assembly.conflicts)


def _add(draft: _Draft, variant: Variant, place: str, conflicts: list[Conflict]) -> None:
    known = draft.variants.get(variant.text)
    if known is None:
        draft.variants[variant.text] = variant
        draft.places[variant.text] = place
        return
    kind, detail, status = "duplicate", f"{variant.text!r} is listed twice", known.status
    if known.status is not variant.status:
        kind = "contradiction"
        status = Status.FORBIDDEN if Status.FORBIDDEN in (known.status, variant.status) else known.status
        detail = f"{variant.text!r} is both {known.status} and {variant.status}; taken as {status}"
    draft.variants[variant.text] = Variant(variant.text, status)
    conflicts.append(Conflict(kind, draft.term.source, detail, (draft.places[variant.text], place)))


def _finished(assembly: _Assembly) -> Iterator[Term]:
    drafts = list(assembly.drafts.values())
    taken: set[str] = set()
    for number, draft in enumerate(drafts, start=1):
        variants = list(draft.variants.values())
        if len(variants) > 1:
            variants.sort(key=lambda variant: _ORDER[variant.status])
        name = _free(draft.term.id or str(number), taken)
        term = draft.term
        yield Term(  # `replace` takes three times as long, and there may be a hundred thousand
            name, term.source, tuple(variants), term.case, term.part_of_speech, term.domain, term.note,
            term.keep, term.priority, term.origin,
        )  # fmt: skip
    assembly.conflicts.extend(_several_preferred(drafts))


def _several_preferred(drafts: Iterable[_Draft]) -> Iterator[Conflict]:
    """Same source, part of speech and domain, and more than one preferred target."""
    preferred: dict[tuple[str, ...], dict[str, str]] = {}
    for draft in drafts:
        targets = preferred.setdefault((draft.term.source, draft.term.part_of_speech, draft.term.domain), {})
        for variant in draft.variants.values():
            if variant.status is Status.PREFERRED:
                targets.setdefault(variant.text, draft.places[variant.text])
    for (source, *_), targets in preferred.items():
        if len(targets) > 1:
            detail = f"has {len(targets)} preferred targets: {', '.join(targets)}"
            yield Conflict("several-preferred", source, detail, tuple(targets.values()))


def _free(name: str, taken: set[str]) -> str:
    """Ids are unique in a base: the second term under one id becomes `7.1`."""
    free, number = name, 0
    while free in taken:
        number += 1
        free = f"{name}.{number}"
    taken.add(free)
    return free
