"""What a termbase says: terms, their target variants, and how each is to be matched.

In: rows of a file or of the store (see `terminology.assembly`). Out: frozen values that matching, checking
and enforcement share.

>>> hold = Term("1", "hold", (Variant("suspender"), Variant("segurar", Status.FORBIDDEN)))
>>> hold.allowed, hold.forbidden
(('suspender',), ('segurar',))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from data.errors import TermbaseError


class Status(StrEnum):
    """What a client thinks of a target variant."""

    PREFERRED = "preferred"
    ADMITTED = "admitted"
    FORBIDDEN = "forbidden"


class CaseRule(StrEnum):
    """AUTO: acronyms (`US`, `mRNA`) as written, other words in any case."""

    AUTO = "auto"
    EXACT = "exact"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to say the term in the target language."""

    text: str
    status: Status = Status.PREFERRED


@dataclass(frozen=True, slots=True)
class Term:
    """One source term with its target variants, best first; `keep` means: do not translate."""

    id: str
    source: str
    targets: tuple[Variant, ...] = ()
    case: CaseRule = CaseRule.AUTO
    part_of_speech: str = ""
    domain: str = ""
    note: str = ""
    keep: bool = False
    priority: int = 0
    origin: str = ""  # file:line, so that a person finds the row again

    @property
    def allowed(self) -> tuple[str, ...]:
        """Preferred before admitted; a term to keep is its own translation."""
        if self.keep:
            return (self.source,)
        return self.with_status(Status.PREFERRED) + self.with_status(Status.ADMITTED)

    @property
    def forbidden(self) -> tuple[str, ...]:
        return self.with_status(Status.FORBIDDEN)

    def with_status(self, status: Status) -> tuple[str, ...]:
        return tuple(variant.text for variant in self.targets if variant.status is status)


@dataclass(frozen=True, slots=True)
class Termbase:
    """Terms of one pair of languages; where several bases are given, the higher priority has the say."""

    name: str
    source_language: str
    target_language: str
    terms: tuple[Term, ...]
    priority: int = 0

    def reversed(self) -> Termbase:
        """For the other direction: each allowed variant becomes a source; forbidden ones are dropped."""
        return Termbase(
            self.name, self.target_language, self.source_language, tuple(_reversed(self.terms)), self.priority
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rows that cannot all be right; `kind` is stable: duplicate, contradiction or several-preferred."""

    kind: str
    source: str
    detail: str
    places: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" ({', '.join(self.places)})" if self.places else ""
        return f"{self.kind}: {self.source!r}: {self.detail}{where}"


@dataclass(frozen=True, slots=True)
class LoadedTermbase:
    """A termbase with what was wrong in its file."""

    termbase: Termbase
    skipped: tuple[TermbaseError, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def _reversed(terms: Iterable[Term]) -> Iterable[Term]:
    for term in terms:
        for number, target in enumerate(term.allowed):
            yield replace(
                term,
                id=term.id if number == 0 else f"{term.id}.{number}",
                source=target,
                targets=(Variant(term.source),),
            )
