"""What differs between two termbases, term by term.

In: terms before and after. Out: changes, in the order of the later base, removals last. Terms are the same
when their ids are, or, in files that were written apart, their sources.

>>> old, new = Term("1", "flu", (Variant("gripe"),)), Term("1", "flu", (Variant("influenza"),))
>>> print(*diff([old], [new]))
change 1 flu: gripe -> influenza
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from terminology.termbase import Status, Term


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is absent for a new term, `after` for one that is gone."""

    before: Term | None
    after: Term | None

    @property
    def action(self) -> str:
        if self.before is None:
            return "add"
        return "remove" if self.after is None else "change"

    @property
    def term_id(self) -> str:
        term = self.after or self.before
        return term.id if term else ""

    def __str__(self) -> str:
        term = self.after or self.before
        sides = " -> ".join(_told(side) for side in (self.before, self.after) if side)
        return f"{self.action} {self.term_id} {term.source if term else ''}: {sides}"


def diff(before: Iterable[Term], after: Iterable[Term], by_source: bool = False) -> list[Change]:
    """Adds, changes, removals; where a term was found (`origin`) is no difference."""
    known = {_key(term, by_source): term for term in before}
    changes = []
    for term in after:
        old = known.pop(_key(term, by_source), None)
        if old is None or not _equal(old, term, by_source):
            changes.append(Change(old, term))
    return changes + [Change(term, None) for term in known.values()]


def with_ids_of(known: Iterable[Term], terms: Iterable[Term]) -> list[Term]:
    """Terms under the ids of those that have their source already; others get ids that are free.

    The ids of a file may be mere row numbers, which mean other terms in another file.
    """
    listed = list(known)
    by_source = {_key(term, by_source=True): term.id for term in listed}
    taken = {term.id for term in listed}
    found = []
    for term in terms:
        term_id = by_source.get(_key(term, by_source=True), "")
        number = 0
        while not term_id:
            candidate = f"{term.id}.{number}" if number else term.id
            term_id = "" if candidate in taken else candidate
            number += 1
        taken.add(term_id)
        found.append(replace(term, id=term_id))
    return found


def _key(term: Term, by_source: bool) -> tuple[str, ...]:
    return (term.source, term.part_of_speech, term.domain) if by_source else (term.id,)


def _equal(first: Term, second: Term, by_source: bool) -> bool:
    same_id = first.id if by_source else second.id
    return replace(first, origin="") == replace(second, origin="", id=same_id)


def _told(term: Term) -> str:
    marks = {Status.PREFERRED: "", Status.ADMITTED: "~", Status.FORBIDDEN: "!"}
    listed = ", ".join(marks[variant.status] + variant.text for variant in term.targets)
    return listed or ("(kept as it is)" if term.keep else "(none)")
