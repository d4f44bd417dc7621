"""Writing a term into a draft: what can be written, how likely that is, and what the draft becomes.

In: a case with a missing term. Out: `Option` values to be scored, and new drafts: the old one with some words
replaced, or one that the model has finished behind the term.

    found = options(decoder, case, "pt")        # forms and determiners for the first missing term
    smooth(found[0], margin=0.3)                # does the model accept what follows as it stands?
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from terminology.agreement import is_link
from terminology.cases import ABSENT, Case
from terminology.checking import TermStatus
from terminology.decoding import Decoder, Draft
from terminology.placing import (
    Attempt,
    Place,
    attempts,
    looks_at,
    places_of,
    text_of,
    word_at,
    words_of_others,
)

WINDOW = 6  # pieces behind the term that tell whether what follows still fits
_WORD = re.compile(r"\w+")
_HAD, _KEPT = 0.6, 0.4  # attention that a source word got, and the share of it that it must keep
_CONTENT = 5  # letters of a source word that is hardly a mere `with`
_WORST_PIECE = -5.0  # log-probability; worse than this right behind the term is a broken sentence


@dataclass(slots=True)
class Option:
    """One way to write one missing term; `pieces[first:last]` are the term, a window follows."""

    case: Case
    status: TermStatus
    place: Place
    attempt: Attempt
    pieces: list[str]
    first: int
    last: int
    language: str
    scores: list[float] = field(default_factory=list)

    @property
    def likelihood(self) -> float:
        return sum(self.scores)

    @property
    def behind(self) -> list[float]:
        """The scores of what follows the term.

        A model that has read `dispneia` where it would say `falta de ar` is surprised that no `de ar` comes:
        behind a term that is shorter than the old words a comma or an `e` is no sign of a broken sentence.
        """
        skipped = (
            self.is_shorter and self.last < len(self.pieces) and self._is_neutral(self.pieces[self.last])
        )
        return self.scores[self.last + skipped :]

    @property
    def is_shorter(self) -> bool:
        return len(self.attempt.form.split()) < len(self.attempt.old.split())

    def _is_neutral(self, piece: str) -> bool:
        """What agrees with nothing: punctuation, prepositions, conjunctions."""
        return not piece.strip("▁").isalpha() or is_link(_first_word(self.attempt.after), self.language)

    @property
    def score_behind(self) -> float:
        """Mean log-probability of the pieces that follow the term; sure where none do."""
        return sum(self.behind) / len(self.behind) if self.behind else 0.0

    @property
    def surprise(self) -> float:
        """By how much what follows the term became less likely than the draft was on average, summed."""
        return max(0.0, self.case.version.score * len(self.behind) - sum(self.behind))

    def score_around(self, draft: Draft) -> float:
        """The score of a draft finished from here, without the term's own pieces.

        What the client says need not be likely, the rest must. A draft's own score takes forced pieces for
        sure, so those before the term are added.
        """
        pieces = len(draft.pieces) + 1
        total = draft.score * pieces + sum(self.scores[: self.first])
        return total / max(1, pieces - (self.last - self.first))


@dataclass(frozen=True, slots=True)
class SplicedDraft:
    """A draft with some words replaced; attention is carried over from the old one."""

    text: str
    pieces: tuple[str, ...]
    score: float
    attention: Sequence[Sequence[float]]


def options(decoder: Decoder, case: Case, language: str) -> list[Option]:
    """All ways to write the missing term that comes first in the draft; gives up those without a place."""
    spans = decoder.source_spans(case.segment.text)
    placed: list[tuple[int, int, TermStatus, list[Place]]] = []
    for number, status in enumerate(case.open):
        places = places_of(case.draft, spans, status.match, language)
        if places and not _holds(case, places[0], status):
            placed.append((places[0].start, number, status, places))
        else:
            case.give_up(status, ABSENT)
    if not placed:
        return []
    _, _, status, places = min(placed, key=lambda item: item[:2])
    return [
        _option(decoder, case, status, place, attempt, language)
        for number, place in enumerate(places)
        for attempt in attempts(case.draft, place, status.match, case.segment.text, language)
        if number == 0 or attempt.expected or attempt.ends_alike
    ]


def _holds(case: Case, place: Place, status: TermStatus) -> bool:
    """Whether the place of a term that stands several times already has one of its words."""
    start, end = (len(text_of(case.draft.pieces[:number])) for number in (place.start, place.end))
    return any(
        other.span is not None and other.span.start < end and start < other.span.end
        for other in case.version.check.statuses
        if other.variant in status.match.allowed
    )


def smooth(option: Option, margin: float) -> bool:
    """Whether the model, having read the term, finds what follows about as likely as the draft was."""
    if option.attempt.bends_what_follows(option.language):
        return False
    worst = min(option.behind, default=0.0)
    return option.score_behind >= option.case.version.score - margin and worst > _WORST_PIECE


def spliced(decoder: Decoder, option: Option) -> SplicedDraft:
    """The draft with the term in place of the old words; the term's pieces look at what the old ones did."""
    old, attempt = option.case.draft, option.attempt
    pieces = tuple(decoder.target_pieces(attempt.whole))
    behind = old.attention[option.place.end :]
    looked = old.attention[option.place.start]
    before = old.attention[: option.first]
    middle = len(pieces) - len(before) - len(behind)
    attention = (*before, *[looked] * max(0, middle), *behind)[: len(pieces)]
    return SplicedDraft(attempt.whole, pieces, old.score, attention)


def keeps_old_words(option: Option, draft: Draft) -> bool:
    """Whether the model, made to begin with the term, wrote its own words for it all the same."""
    own = set(_WORD.findall(option.attempt.form.casefold()))
    old = [word for word in _WORD.findall(option.attempt.old.casefold()) if len(word) > 3 and word not in own]
    before, after = (
        Counter(_WORD.findall(text.casefold())) for text in (option.case.version.text, draft.text)
    )
    return bool(old) and all(after[word] >= before[word] for word in old)


def says_it_again(decoder: Decoder, option: Option, draft: Draft) -> bool:
    """Whether the model went on with its own words for the term: `dispneia de ar` for `falta de ar`."""
    spans = decoder.source_spans(option.case.segment.text)
    start = option.last
    while start < len(draft.pieces) and is_link(word_at(draft.pieces, start), option.language):
        start += 1
    return looks_at(draft, start, spans, option.status.match.span)


def loses_words(decoder: Decoder, option: Option, draft: Draft, finished: bool) -> bool:
    """Whether the edit leaves out what the draft had.

    A model that finishes the sentence may forget a word; and words that give way may have said more than the
    term: `gestantes`, written for `pregnant women`, is not `mulheres`.
    """
    old, place = option.case.draft, option.place
    source, term = option.case.segment.text, option.status.match.span
    spans = decoder.source_spans(source)
    kept = (*old.attention[: place.start], *old.attention[place.end :])
    if finished:
        kept = (*draft.attention[: option.first], *draft.attention[option.last :])
        behind = words_of_others(draft, option.last, spans, term)
        if _content(behind) < _content(words_of_others(old, place.end, spans, term)):
            return True
    looked = [_most_looked(attention) for attention in (old.attention, kept)]
    for word in _WORD.finditer(source):
        start, end = word.span()
        if (start < term.end and term.start < end) or not _is_content(word.group()):
            continue
        pieces = [number for number, span in enumerate(spans) if span.start < end and start < span.end]
        had, has = (max((one[n] for n in pieces if n < len(one)), default=0.0) for one in looked)
        if had >= _HAD and has < _KEPT * had:
            return True
    return False


def _most_looked(attention: Sequence[Sequence[float]]) -> list[float]:
    return [max(column) for column in zip(*attention, strict=False)]


def _content(words: Iterable[str]) -> int:
    return sum(map(_is_content, words))


def _is_content(word: str) -> bool:
    return word.isdigit() or len(word) >= _CONTENT


def _first_word(text: str) -> str:
    found = _WORD.search(text)
    return found.group() if found else ""


def finish(decoder: Decoder, chosen: Sequence[Option]) -> list[Draft]:
    """Drafts that begin with the options' terms, the rest written by the model."""
    found = decoder.drafts(
        [option.case.segment.text for option in chosen],
        prefixes=[option.pieces[: option.last] for option in chosen],
        attention=True,
    )
    return [candidates[0] for candidates in found]


def _option(
    decoder: Decoder, case: Case, status: TermStatus, place: Place, attempt: Attempt, language: str
) -> Option:
    pieces = decoder.target_pieces(attempt.whole)
    first = len(decoder.target_pieces(attempt.before)) if attempt.before.strip() else 0
    last = len(decoder.target_pieces(attempt.beginning))
    return Option(case, status, place, attempt, pieces[: last + WINDOW], first, last, language)
