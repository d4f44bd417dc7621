"""Whether a translation says what the termbase demands: per segment, and over a document.

In: source text, target text, and the terms found in the source. Out: for each term exact, inflected or
missing, with its place in the target; forbidden variants that appear; over a document, terms not used alike.

>>> base = Termbase("b", "en", "pt", (Term("1", "flu", (Variant("gripe"),)),))
>>> check(TermMatcher([base]), "Flu season", "Época de gripes").statuses[0].state
<State.INFLECTED: 'inflected'>
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from data.segments import Span
from terminology.inflection import word_keys
from terminology.matching import TermMatch, TermMatcher
from terminology.termbase import CaseRule, Status
from terminology.tokens import TOKEN, normalised
from terminology.wording import Likeness, begins_with_infinitive, likeness, term_words


class State(StrEnum):
    EXACT = "exact"
    INFLECTED = "inflected"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class TermStatus:
    """How one required term fares; `variant` is the allowed target found, or else the one that is wanted.

    `shared` tells that the term stands more often in the source: another place of it has the same span.
    """

    match: TermMatch
    state: State
    variant: str
    span: Span | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ForbiddenUse:
    """A variant that the base forbids, where the target uses it."""

    match: TermMatch
    variant: str
    span: Span


@dataclass(frozen=True, slots=True)
class TermCheck:
    """What the termbase has to say about one translated segment."""

    statuses: tuple[TermStatus, ...]
    forbidden: tuple[ForbiddenUse, ...] = ()

    @property
    def missing(self) -> tuple[TermStatus, ...]:
        return tuple(status for status in self.statuses if status.state is State.MISSING)

    @property
    def wanting(self) -> int:
        """Places of the source without a place of their own in the target."""
        return sum(status.shared or status.state is State.MISSING for status in self.statuses)

    @property
    def ok(self) -> bool:
        return not self.missing and not self.forbidden


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """One source term, several targets in one document: `uses` maps each target to segment ids."""

    source: str
    uses: tuple[tuple[str, tuple[str, ...]], ...]


def check(matcher: TermMatcher, source: str, target: str) -> TermCheck:
    """Finds the terms of the source and looks for them in the target."""
    return check_matches(matcher.find(source), target, matcher.target_language)


def check_matches(matches: Sequence[TermMatch], target: str, language: str) -> TermCheck:
    """The same for terms already found, as when many translations of one source are compared."""
    if not matches:
        return TermCheck(())
    text = _Target(target, language)
    taken: set[Span] = set()
    statuses = tuple(_status(match, text, taken) for match in matches if match.allowed)
    granted = [status.span for status in statuses if status.span]
    forbidden = tuple(use for match in matches for use in _forbidden(match, text, granted))
    return TermCheck(statuses, forbidden)


def inconsistencies(checks: Iterable[tuple[str, TermCheck]]) -> list[Inconsistency]:
    """Terms whose segments, given by id, do not agree on one target; admitted variants may differ."""
    uses: dict[str, dict[str, list[str]]] = {}
    for segment_id, checked in checks:
        for status in checked.statuses:
            if status.state is not State.MISSING and not allows_variants(status.match):
                by_target = uses.setdefault(status.match.term.source, {})
                by_target.setdefault(status.variant, []).append(segment_id)
    return [
        Inconsistency(source, tuple((target, tuple(ids)) for target, ids in by_target.items()))
        for source, by_target in uses.items()
        if len(by_target) > 1
    ]


def allows_variants(match: TermMatch) -> bool:
    """Whether the base itself admits more than one way to say it."""
    return any(entry.with_status(Status.ADMITTED) for entry in match.entries)


def find_wording(
    text: str, variant: str, language: str, case: CaseRule = CaseRule.AUTO
) -> Iterator[tuple[Span, Likeness]]:
    """Where a text has a term's wording, in any form, left to right."""
    yield from _Target(text, language).find(variant, case)


class _Target:
    """A target text, tokenised once for all terms."""

    def __init__(self, text: str, language: str) -> None:
        found = list(TOKEN.finditer(text))
        keys = word_keys(language)
        self.language = language
        self.words = [token.group() for token in found]
        self.spans = [token.span() for token in found]
        self.keys = [keys[normalised(word)] for word in self.words]
        self.in_capitals = text.isupper()

    def find(self, variant: str, case: CaseRule) -> Iterator[tuple[Span, Likeness]]:
        verb = begins_with_infinitive(variant, self.language)
        term = term_words(variant, self.language, case, verb)
        length = len(term.keys)
        for start, key in enumerate(self.keys):
            if key != term.keys[0] or tuple(self.keys[start : start + length]) != term.keys:
                continue
            close = likeness(term, tuple(self.words[start : start + length]), self.in_capitals)
            if close is not None:
                yield Span(self.spans[start][0], self.spans[start + length - 1][1]), close


def _status(match: TermMatch, text: _Target, taken: set[Span]) -> TermStatus:
    """The best place of the best variant: a free one, as it is written, then in the order of the base."""
    found = [
        (span in taken, close is Likeness.INFLECTED, rank, span.start, variant, span)
        for rank, variant in enumerate(match.allowed)
        for span, close in text.find(variant, _target_case(match))
    ]
    if not found:
        return TermStatus(match, State.MISSING, match.allowed[0])
    shared, inflected, _, _, variant, span = min(found, key=lambda place: place[:4])
    taken.add(span)
    return TermStatus(match, State.INFLECTED if inflected else State.EXACT, variant, span, shared)


def _forbidden(match: TermMatch, text: _Target, granted: list[Span]) -> Iterator[ForbiddenUse]:
    """A forbidden word inside an allowed term (`infecção` in `infecção viral`) is no offence."""
    for variant in match.forbidden:
        for span, _ in text.find(variant, CaseRule.AUTO):
            if not any(place.start <= span.start and span.end <= place.end for place in granted):
                yield ForbiddenUse(match, variant, span)


def _target_case(match: TermMatch) -> CaseRule:
    """A term to keep is kept to the letter; else case counts as in the source."""
    return CaseRule.EXACT if match.term.keep else match.term.case
