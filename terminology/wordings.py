"""One source term, one target term: which word of several a document uses, and matches narrowed to it.

In: the checks of a document's translations so far. Out: `wordings`, source term to target variant, filled as
the document goes on; the variant used most often where a term first appears, then the order of the base.

>>> decide([check(matcher, "The flu.", "A gripe.")], wordings := {}, "pt"); wordings
{'flu': 'gripe'}

Terms with admitted variants, or with entries of several parts of speech or domains, may be said in several
ways; forms of one word (`máscara`, `máscaras`) count as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import lru_cache

from terminology.checking import State, TermCheck, TermStatus, allows_variants
from terminology.inflection import word_keys
from terminology.matching import TermMatch
from terminology.termbase import Status, Term
from terminology.tokens import TOKEN, normalised


def decide(checks: Iterable[TermCheck], wordings: MutableMapping[str, str], language: str) -> None:
    """Settles terms that have no wording yet by what most of these segments say."""
    uses: dict[str, Counter[str]] = {}
    first: dict[str, TermMatch] = {}
    for checked in checks:
        for status in checked.statuses:
            source = status.match.term.source
            if status.state is State.MISSING or source in wordings:
                continue
            if settles(status.match, language):
                first.setdefault(source, status.match)
                uses.setdefault(source, Counter())[status.variant] += 1
    for source, counted in uses.items():
        order, most = first[source].allowed, max(counted.values())
        wordings[source] = min((v for v in counted if counted[v] == most), key=order.index)


def follow(matches: Sequence[TermMatch], wordings: Mapping[str, str]) -> tuple[TermMatch, ...]:
    """The matches, requiring the document's own wording where it has one."""
    if not any(match.term.source in wordings for match in matches):
        return tuple(matches)
    return tuple(_narrowed(match, wordings.get(match.term.source, "")) for match in matches)


def differs(status: TermStatus, wordings: Mapping[str, str], language: str) -> bool:
    """Whether a term that is there is said otherwise than in the rest of the document."""
    wording = wordings.get(status.match.term.source, "")
    if not wording or status.state is State.MISSING or not settles(status.match, language):
        return False
    return _keys(wording, language) != _keys(status.variant, language)


def settles(match: TermMatch, language: str) -> bool:
    """Whether the base leaves a choice that a document has to make once."""
    if len(match.allowed) < 2 or allows_variants(match):
        return False
    if len({(entry.part_of_speech, entry.domain) for entry in match.entries}) > 1:
        return False
    return len({_keys(variant, language) for variant in match.allowed}) > 1


def _narrowed(match: TermMatch, wording: str) -> TermMatch:
    if wording not in match.allowed:
        return match
    entry = next(entry for entry in match.entries if wording in entry.allowed)
    others = tuple(other for other in match.entries if other is not entry)
    return replace(
        match, term=_only(entry, wording), alternatives=tuple(_only(other, wording) for other in others)
    )


def _only(entry: Term, wording: str) -> Term:
    kept = tuple(
        target for target in entry.targets if target.text == wording or target.status is Status.FORBIDDEN
    )
    return replace(entry, targets=kept)


@lru_cache(maxsize=1 << 14)
def _keys(text: str, language: str) -> tuple[str, ...]:
    keys = word_keys(language)
    return tuple(keys[normalised(token)] for token in TOKEN.findall(text))
