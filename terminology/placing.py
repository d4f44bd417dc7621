"""Where in a translation a missing term belongs, and what would have to be written there.

In: a draft with its attention, and the place of the term in the source. Out: `Attempt` values: the draft with
the old words replaced by the term, in each form and behind each determiner that may fit.

    source   The flu season starts.        draft  A temporada de influenza começa.
    attempt  before "A temporada de ", form "gripe", after " começa."

The place begins with the first target word whose pieces looked at the source term; a determiner before it
belongs to the attempt, for `a influenza` may have to become `o vírus`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from data.segments import Span
from terminology.agreement import (
    Need,
    agrees_behind,
    agrees_clearly,
    determiner_gender,
    determiners,
    forms,
    gender,
    is_link,
    of_words,
    verb_as,
)
from terminology.decoding import Draft
from terminology.inflection import base_language
from terminology.matching import TermMatch
from terminology.word_classes import has_object, is_noun_for_adjective, is_noun_for_predicate
from terminology.wording import begins_with_infinitive, is_acronym

_CLEAR = 0.4  # share of a piece's attention that makes the source term its origin
_FAINT = 0.1
_CERTAIN = 0.8
_LONGEST_GAP = 2  # pieces
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_SENTENCE_END = re.compile(r"(?:^|[.!?…:]\s)[\"'“«(\[]*$")


@dataclass(frozen=True, slots=True)
class Place:
    """The pieces of the draft that stand for a source term, `start` to `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What comes before the term, the term in some form, what follows; `variant` is what the base says."""

    before: str
    form: str
    after: str
    variant: str
    old: str = ""
    expected: bool = True  # the form that the source's own form asks for
    same_form: bool = False  # a verb in the form of the old one: `suspenda` for `segure`

    @property
    def ends_alike(self) -> bool:
        """Whether the first word ends as the first old one did: `infetados` for `infectados`."""
        first, old = self.form.partition(" ")[0], self.old.strip().partition(" ")[0]
        return self.same_form or (len(old) > 3 and first[-2:] == old[-2:])

    def agrees_clearly(self, language: str) -> bool:
        """Whether what stands around the old words must fit this form as well."""
        new, old = (text.strip(" .,;:").casefold().partition(" ")[0] for text in (self.form, self.old))
        return new == old or agrees_clearly(new, old, language)

    def bends_what_follows(self, language: str) -> bool:
        """Whether a word behind the term agrees with the old noun, of another gender, and must change."""
        old = next((word for word in self.old.split() if not is_link(word, language)), "")
        genders = gender(old.strip(" .,;:"), language), gender(self.form.split()[0], language)
        return genders[0] != genders[1] != "" and not agrees_behind(self.after, genders[1], language)

    def clashes(self, language: str) -> bool:
        """Whether the sentence wants another part of speech here than the base has for the term."""
        if begins_with_infinitive(self.variant, language):
            return False
        return has_object(self.old, self.after, language)

    def stands_bare(self, language: str) -> bool:
        """Whether a noun would follow `was` or `been`, where a participle or adjective was."""
        return is_noun_for_predicate(self.form, self.old, self.before, language)

    @property
    def beginning(self) -> str:
        return self.before + self.form

    @property
    def whole(self) -> str:
        return self.before + self.form + self.after


def places_of(draft: Draft, spans: Sequence[Span], match: TermMatch, language: str) -> list[Place]:
    """Where the draft has its translation of the source term.

    Attention may lean ahead: for `wear masks` a verb before `máscaras` can look at the mask already. So a
    wordy place is offered without its first word, too.
    """
    shares = _shares(draft, spans, match.span)
    start, place = _start(draft.pieces, shares, language)
    if place < 0:
        return []
    end = _without_link(draft.pieces, start, _region_end(draft.pieces, shares, place), match, language)
    starts = [number for number in range(start, end) if draft.pieces[number].startswith("▁")]
    wordy = len(starts) > max(1, len(match.term.source.split()))
    leaning = wordy and shares[place] < _CERTAIN and max(shares[starts[1] : end]) > shares[place]
    return [Place(start, end), *([Place(starts[1], end)] if leaning else [])]


def attempts(draft: Draft, place: Place, match: TermMatch, source: str, language: str) -> list[Attempt]:
    """The forms behind the determiners that may agree with them, the expected form first.

    A form that ends as the old words did has their gender and number, and is the only one then.
    """
    before = text_of(draft.pieces[: place.start])
    old = text_of(draft.pieces[place.start : place.end])
    gap = " " if before and draft.pieces[place.start].startswith("▁") else ""
    after = text_of(draft.pieces)[len(text_of(draft.pieces[: place.end])) :]
    found = []
    for variant in match.allowed:
        as_old = verb_as(old.strip(" .,;:").partition(" ")[0].casefold(), variant.partition(" ")[0], language)
        finite = begins_with_infinitive(variant, language) and not begins_with_infinitive(old, language)
        for number, form in enumerate(_forms(variant, match, source, language)):
            if number and not _same_number(form, old, language):
                continue
            cased = _cased(form, before + gap)
            same_form = bool(as_old) and form.partition(" ")[0] == as_old
            expected = number == 0 and not finite
            first = Attempt(before + gap, cased, after, variant, old, expected, same_form)
            found.append(first)
            if gap:
                found.extend(_other_determiners(first, form, language))
                found.extend(_behind_of(first, language))
    found = [attempt for attempt in found if _agrees(attempt, language)] or found
    alike = [attempt for attempt in found if attempt.ends_alike and attempt.before == before + gap]
    return alike[:1] or list(dict.fromkeys(found))


def text_of(pieces: Sequence[str]) -> str:
    """The text of pieces, without what a tokenizer would tidy up."""
    if not any(piece.startswith("<0x") for piece in pieces):
        return "".join(pieces).replace("▁", " ").lstrip(" ")
    raw = b"".join(
        bytes([int(byte[1], 16)]) if (byte := _BYTE.fullmatch(piece)) else piece.encode() for piece in pieces
    )
    return raw.decode(errors="replace").replace("▁", " ").lstrip(" ")


def _other_determiners(attempt: Attempt, form: str, language: str) -> Iterator[Attempt]:
    """`da` for `do` before the term, or nothing where the term brings its own preposition."""
    head, determiner = _split_determiner(attempt.before.rstrip(" "))
    same = _same_number(form, attempt.old, language)
    for other in determiners(determiner, language)[1:]:
        if same and not _same_number(other, determiner, language):
            continue
        if _may_agree(other, form, language):
            yield replace(attempt, before=f"{head}{other} ", form=form)
    if head and is_link(determiner, language) and is_link(form.split()[0], language):
        yield replace(attempt, before=head, form=form)


def _behind_of(attempt: Attempt, language: str) -> Iterator[Attempt]:
    """`de pulmão`, `do pulmão` for an adjective behind its noun: `doença pulmonar`."""
    noun = attempt.before.split()[-1]
    if not noun[-1].isalpha() or is_link(noun, language):
        return
    if is_noun_for_adjective(attempt.form, attempt.old, language):
        for preposition in of_words(language):
            yield replace(attempt, before=f"{attempt.before}{preposition} ")


def _same_number(form: str, old: str, language: str) -> bool:
    """Whether a form is as plural as the old words, where -s tells."""
    if base_language(language) not in ("pt", "es", "fr", "en"):
        return True
    first = old.strip(" .,;:").partition(" ")[0]
    return form.partition(" ")[0].endswith("s") == first.endswith("s")


def _agrees(attempt: Attempt, language: str) -> bool:
    """Not `uma exantema`, as far as the noun's ending tells its gender."""
    asked = determiner_gender(_split_determiner(attempt.before.rstrip(" "))[1], language)
    own = gender(attempt.form.split()[0], language)
    return not asked or not own or asked == own


def _may_agree(determiner: str, form: str, language: str) -> bool:
    """In Portuguese and Spanish plurals end in -s, determiners and nouns alike (a singular may, too)."""
    if base_language(language) not in ("pt", "es"):
        return True
    return not determiner.endswith("s") or form.split()[0].endswith("s")


def _shares(draft: Draft, spans: Sequence[Span], term: Span) -> list[float]:
    """How much of its attention each piece of the draft gave to the source term, as the mean of its word."""
    columns = [number for number, span in enumerate(spans) if span.start < term.end and term.start < span.end]
    given = [sum(row[column] for column in columns if column < len(row)) for row in draft.attention]
    return _by_word(draft.pieces, given)


def _by_word(pieces: Sequence[str], shares: Sequence[float]) -> list[float]:
    """The mean over each word's letters: `cirúrgica|s` is not `masks` because its `s` looked there."""
    found: list[float] = []
    start = 0
    for end in range(1, min(len(pieces), len(shares)) + 1):
        if end < len(shares) and end < len(pieces) and _continues(pieces[end - 1], pieces[end]):
            continue
        lengths = [len(piece.lstrip("▁")) for piece in pieces[start:end]]
        total = sum(share * length for share, length in zip(shares[start:end], lengths, strict=True))
        found += [total / max(1, sum(lengths))] * (end - start)
        start = end
    return found


def _continues(piece: str, following: str) -> bool:
    return not following.startswith("▁") and following[:1].isalnum() and _ends_in_word(piece)


def looks_at(draft: Draft, piece: int, spans: Sequence[Span], term: Span) -> bool:
    """Whether the word of this piece of the draft clearly comes from the source term."""
    shares = _shares(draft, spans, term)
    return piece < len(shares) and shares[piece] >= _CLEAR


def words_of_others(draft: Draft, start: int, spans: Sequence[Span], term: Span) -> list[str]:
    """The words from this piece on that do not clearly come from the source term."""
    shares = _shares(draft, spans, term)
    return [
        word_at(draft.pieces, number)
        for number in range(start, min(len(draft.pieces), len(shares)))
        if draft.pieces[number].startswith("▁") and shares[number] < _CLEAR
    ]


def _start(pieces: Sequence[str], shares: Sequence[float], language: str) -> tuple[int, int]:
    """The start of the first word that clearly looked at the term, and the piece that did.

    Where none did, the one that looked most; a preposition or article only where there is nothing else.
    """
    clear = [place for place, share in enumerate(shares) if share >= _CLEAR]
    if not clear:
        spoken = [place for place in range(len(shares)) if _is_spoken(pieces[place])]
        best = max(spoken, key=shares.__getitem__, default=-1)
        clear = [best] if best >= 0 and shares[best] >= _FAINT else []
    starts = [(_word_start(pieces, place), place) for place in clear]
    words = (start for start in starts if not is_link(word_at(pieces, start[0]), language))
    return next(words, (starts or [(-1, -1)])[0])


def word_at(pieces: Sequence[str], start: int) -> str:
    """The word that begins with this piece."""
    end = start + 1
    while end < len(pieces) and not pieces[end].startswith("▁"):
        end += 1
    return text_of(pieces[start:end]).strip(" .,;:!?")


def _region_end(pieces: Sequence[str], shares: Sequence[float], place: int) -> int:
    """Behind the last word that looked at the term; words like `de` in between do not end it."""
    last = place
    for piece in range(place + 1, min(len(pieces), len(shares))):
        if shares[piece] >= _CLEAR and _is_spoken(pieces[piece]):
            last = piece
        elif piece - last > _LONGEST_GAP:
            break
    end = last + 1
    while end < len(pieces) and not pieces[end].startswith("▁") and pieces[end][:1].isalnum():
        end += 1
    return end


def _without_link(pieces: Sequence[str], start: int, end: int, match: TermMatch, language: str) -> int:
    """A last `por` of `infecção por coronavírus` belongs to what follows, wherever it looked."""
    last = next((place for place in range(end - 1, start, -1) if pieces[place].startswith("▁")), start)
    ends_in_link = any(is_link(text.split()[-1], language) for text in match.allowed)
    return end if last <= start or ends_in_link or not is_link(word_at(pieces, last), language) else last


def _is_spoken(piece: str) -> bool:
    """Not punctuation alone."""
    return any(map(str.isalnum, piece))


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
