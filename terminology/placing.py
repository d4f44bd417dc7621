"""Where in a translation a missing term belongs, and what would have to be written there.

In: a draft with its attention, and the place of the term in the source. Out: `Attempt` values: the beginning
of a new translation that ends with the term, in each form and behind each determiner that may fit.

    source   The flu season starts.        draft  A temporada de influenza começa.
    attempt  A temporada de gripe          ... and the model finishes the sentence

The place is the first target word whose pieces looked at the source term; a determiner before it belongs to
the attempt, for `a influenza` may have to become `o vírus`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from data.segments import Span
from terminology.agreement import Need, determiners, forms
from terminology.decoding import Draft
from terminology.matching import TermMatch
from terminology.wording import is_acronym

_CLEAR = 0.4  # share of a piece's attention that makes the source term its origin
_FAINT = 0.1
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_SENTENCE_END = re.compile(r"(?:^|[.!?…:]\s)[\"'“«(\[]*$")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A forced beginning; `variant` is what the base says, the end of `beginning` a form of it."""

    beginning: str
    variant: str


def attempts(
    draft: Draft, spans: Sequence[Span], match: TermMatch, source: str, language: str
) -> tuple[int, list[Attempt]]:
    """The place (a piece of the draft, -1 for none) and what to try there, likelier ones first."""
    place = _place(draft, spans, match.span)
    if place < 0:
        return -1, []
    start = _word_start(draft.pieces, place)
    found = list(_attempts(draft.pieces, start, match, source, language))
    return start, list(dict.fromkeys(found))


def text_of(pieces: Sequence[str]) -> str:
    """The text of pieces, without what a tokenizer would tidy up."""
    if not any(piece.startswith("<0x") for piece in pieces):
        return "".join(pieces).replace("▁", " ").lstrip(" ")
    raw = b"".join(
        bytes([int(byte[1], 16)]) if (byte := _BYTE.fullmatch(piece)) else piece.encode() for piece in pieces
    )
    return raw.decode(errors="replace").replace("▁", " ").lstrip(" ")


def _attempts(
    pieces: Sequence[str], start: int, match: TermMatch, source: str, language: str
) -> Iterator[Attempt]:
    before = text_of(pieces[:start])
    gap = " " if before and pieces[start].startswith("▁") else ""
    head, determiner = _split_determiner(before) if gap else (before, "")
    for variant in match.allowed:
        for form in _forms(variant, match, source, language):
            yield Attempt(before + gap + _cased(form, before + gap), variant)
            for other in determiners(determiner, language)[1:]:
                yield Attempt(f"{head}{other} {form}", variant)


def _place(draft: Draft, spans: Sequence[Span], term: Span) -> int:
    """The first piece that clearly looked at the term, or else the one that did most."""
    columns = [number for number, span in enumerate(spans) if span.start < term.end and term.start < span.end]
    shares = [sum(row[column] for column in columns if column < len(row)) for row in draft.attention]
    if not shares or not columns:
        return -1
    clear = [place for place, share in enumerate(shares) if share >= _CLEAR]
    if clear:
        return clear[0]
    best = max(range(len(shares)), key=shares.__getitem__)
    return best if shares[best] >= _FAINT else -1


def _word_start(pieces: Sequence[str], place: int) -> int:
    while place and not pieces[place].startswith("▁") and _ends_in_word(pieces[place - 1]):
        place -= 1
    return place


def _ends_in_word(piece: str) -> bool:
    return piece[-1:].isalnum() or _BYTE.fullmatch(piece) is not None


def _split_determiner(before: str) -> tuple[str, str]:
    head, space, word = before.rpartition(" ")
    return head + space, word


def _forms(variant: str, match: TermMatch, source: str, language: str) -> Iterable[str]:
    if match.term.keep:
        return (source[match.span.start : match.span.end],)
    return forms(variant, language, _need(match, source))


def _need(match: TermMatch, source: str) -> Need:
    """What the source's own form asks for, as far as its ending tells."""
    found, own = source[match.span.start : match.span.end].casefold(), match.term.source.casefold()
    if found == own:
        return Need()
    longer = len(found) > len(own)
    return Need(plural=longer, singular=not longer, conjugated=True)


def _cased(form: str, before: str) -> str:
    """A capital at the start of a sentence."""
    if _SENTENCE_END.search(before) and not is_acronym(form.split()[0]):
        return form[:1].upper() + form[1:]
    return form
