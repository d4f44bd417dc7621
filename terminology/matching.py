"""Finds the terms of all bases in a text, in one pass.

In: termbases, and texts as they are. Out: matches with positions in that very text, left to right.

>>> base = Termbase("b", "en", "pt", (Term("1", "blood pressure", (Variant("tensão arterial"),)),))
>>> [match.span for match in TermMatcher([base]).find("High blood-pressures")]
[Span(start=5, end=20)]

Each distinct word key of the terms becomes one character, so a text becomes a short string with one character
a word, and an Aho-Corasick automaton (Rust, `ahocorasick_rs`) runs over that: word borders are right by
themselves, case folding cannot shift positions, and time does not depend on the number of terms. Candidates
are then looked at: case, inflection (`terminology.wording`), and overlaps. The rule for overlaps: the longer
match, then the one further left, then the base with the higher priority (the one given first), the closer
form, the term's own priority. A term inside a longer term is not a hit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from data.errors import ConfigError, MissingExtraError
from data.segments import Span
from terminology.inflection import base_language, word_keys
from terminology.termbase import Term, Termbase
from terminology.tokens import TOKEN, ends_possessive, normalised, possessive_end
from terminology.wording import Likeness, begins_with_infinitive, likeness, term_words

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

_NO_TERM_WORD = "\x00"
_MOST_WORDS = 1_000_000  # distinct words of all terms; Unicode has a few more characters to stand for them
_REMEMBERED = 1_000_000


@dataclass(frozen=True, slots=True)
class TermMatch:
    """A term found in a source text; `alternatives` are entries for the same words of the same base."""

    term: Term
    span: Span
    likeness: Likeness
    base: str = ""
    alternatives: tuple[Term, ...] = ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """Target variants that satisfy this match, best first."""
        return tuple(dict.fromkeys(text for term in self.entries for text in term.allowed))

    @property
    def forbidden(self) -> tuple[str, ...]:
        allowed = set(self.allowed)
        return tuple(
            dict.fromkeys(text for term in self.entries for text in term.forbidden if text not in allowed)
        )

    @property
    def entries(self) -> tuple[Term, ...]:
        return (self.term, *self.alternatives)


class _Entry(NamedTuple):
    term: Term
    base: Termbase
    rank: int  # of the base: 0 has the say


class _Reading(NamedTuple):
    """What certain words mean: the entry that wins, and its equals."""

    entry: _Entry
    likeness: Likeness
    alternatives: tuple[Term, ...]


class TermMatcher:
    """All terms of the bases, ready to be found; safe to share between threads."""

    def __init__(self, termbases: Iterable[Termbase]) -> None:
        ordered = sorted(termbases, key=lambda base: -base.priority)
        self.source_language, self.target_language = _languages(ordered)
        self._entries: list[list[_Entry]] = []
        self._readings: dict[tuple[object, ...], _Reading | None] = {}
        codes = _WordCodes(self.source_language)
        self._automaton = _automaton(list(self._patterns(ordered, codes)))
        codes.close()
        self._words = codes

    def find(self, text: str) -> tuple[TermMatch, ...]:
        words = TOKEN.findall(text)
        coded = "".join([self._words[word] for word in words])
        found = self._automaton.find_matches_as_indexes(coded, overlapping=True)
        if not found:
            return ()
        chosen = self._without_overlaps(words, found, text.isupper())
        spans = [token.span() for token in TOKEN.finditer(text)] if chosen else []
        return tuple([_match(text, spans, *place) for place in chosen])

    def _patterns(self, termbases: Sequence[Termbase], codes: _WordCodes) -> dict[str, int]:
        """Every term as a string of word codes; terms of the same words share a number."""
        patterns: dict[str, int] = {}
        for rank, base in enumerate(termbases):
            for term in base.terms:
                pattern = "".join([codes[word] for word in TOKEN.findall(term.source)])
                number = patterns.setdefault(pattern, len(patterns))
                if number == len(self._entries):
                    self._entries.append([])
                self._entries[number].append(_Entry(term, base, rank))
        return patterns

    def _without_overlaps(
        self, words: list[str], found: list[tuple[int, int, int]], capitals: bool
    ) -> list[tuple[int, int, _Reading]]:
        """The places that win, left to right; longer ones come first, so few others are looked at."""
        taken = bytearray(len(words))
        chosen = []
        for number, start, end in sorted(found, key=_longest_then_leftmost):
            if taken.find(1, start, end) >= 0:
                continue
            reading = self._read(number, tuple(words[start:end]), capitals)
            if reading:
                taken[start:end] = b"\x01" * (end - start)
                chosen.append((start, end, reading))
        return sorted(chosen)

    def _read(self, number: int, words: tuple[str, ...], capitals: bool) -> _Reading | None:
        key = (number, capitals, *words)
        if key not in self._readings:
            if len(self._readings) >= _REMEMBERED:
                self._readings.clear()
            self._readings[key] = _reading(self._entries[number], words, capitals)
        return self._readings[key]


class _WordCodes(dict[str, str]):
    """The code of each word form; once closed, words that are in no term share one."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.codes: dict[str, str] = {}
        self.keys_of = word_keys(language)
        self.open = True

    def close(self) -> None:
        self.open = False
        self.clear()

    def __missing__(self, surface: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        key = self.keys_of[normalised(surface)]
        code = self._new(key) if self.open else self.codes.get(key, _NO_TERM_WORD)
        self[surface] = code
        return code

    def _new(self, key: str) -> str:
        if key not in self.codes:
            number = len(self.codes) + 1
            if number > _MOST_WORDS:
                raise ConfigError(
                    f"the termbases have over {_MOST_WORDS:,} distinct words; use fewer at once"
                )
            self.codes[key] = chr(number if number < 0xD800 else number + 0x800)  # over the surrogates
        return self.codes[key]


def _longest_then_leftmost(place: tuple[int, int, int]) -> tuple[int, int]:
    return place[1] - place[2], place[1]


def _reading(entries: list[_Entry], words: tuple[str, ...], capitals: bool) -> _Reading | None:
    """The base that has the say, then the closer form, then the term's own priority."""
    close = [
        ((entry.rank, found, -entry.term.priority), entry)
        for entry in entries
        if (found := _likeness(entry, words, capitals)) is not None
    ]
    if not close:
        return None
    close.sort(key=lambda pair: pair[0])
    (rank, likeness_found, _), best = close[0]
    equals = [entry.term for order, entry in close[1:] if order[:2] == (rank, likeness_found)]
    return _Reading(best, likeness_found, tuple(equals))


def _likeness(entry: _Entry, words: tuple[str, ...], capitals: bool) -> Likeness | None:
    term = term_words(entry.term.source, entry.base.source_language, entry.term.case)
    found = likeness(term, words, capitals)
    if found is None and _is_verb(entry.term, entry.base):
        verb = term_words(entry.term.source, entry.base.source_language, entry.term.case, verb=True)
        found = likeness(verb, words, capitals)
    return found


def _match(text: str, spans: list[tuple[int, int]], start: int, end: int, reading: _Reading) -> TermMatch:
    term = reading.entry.term
    last = spans[end - 1][1]
    if term.source[-1] in "sS" and ends_possessive(term.source):
        last = possessive_end(text, last)  # the tokens leave it out, but this term has it
    span = Span(spans[start][0], last)
    return TermMatch(term, span, reading.likeness, reading.entry.base.name, reading.alternatives)


def _is_verb(term: Term, base: Termbase) -> bool:
    """As the base says, or by its target, or its source, being an infinitive."""
    if term.part_of_speech:
        return term.part_of_speech.casefold().startswith("v")
    if begins_with_infinitive(term.source, base.source_language):
        return True
    targets = term.allowed or term.forbidden
    return bool(targets) and begins_with_infinitive(targets[0], base.target_language)


def _languages(termbases: Sequence[Termbase]) -> tuple[str, str]:
    for side in ("source_language", "target_language"):
        found = {base_language(getattr(base, side)): base.name for base in termbases if getattr(base, side)}
        if len(found) > 1:
            listed = ", ".join(f"{name} has {language}" for language, name in found.items())
            raise ConfigError(f"termbases of one text must agree on the {side.replace('_', ' ')}: {listed}")
    first = termbases[0] if termbases else Termbase("", "", "", ())
    return first.source_language, first.target_language


def _automaton(patterns: list[str]) -> AhoCorasick:
    try:
        from ahocorasick_rs import AhoCorasick
    except ModuleNotFoundError:
        raise MissingExtraError("matching terms", "terms") from None
    return AhoCorasick(patterns, store_patterns=False)
