"""Whether words of a text are the words of a term: the same, in another case, inflected, or others.

In: the tokens of a term and as many of a text. Out: a `Likeness`, smaller being closer, or nothing.

>>> term = term_words("US", "en")
>>> [likeness(term, (word,), in_capitals=False) for word in ("US", "us")]
[<Likeness.SAME: 0>, None]

Acronyms are case-sensitive: `US` is not `us`, and a short `ICE` in running text is not `ice`. Longer ones
that are no ordinary word (`UNICEF`) may be written `Unicef`. Text in capitals throughout has no case to heed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from terminology.inflection import is_infinitive, is_ordinary_word, same_word, word_keys
from terminology.termbase import CaseRule
from terminology.tokens import TOKEN, normalised

_LONG_ACRONYM = 5  # letters; shorter ones are too often words (`AIDS`, `ICE`, `ALL`)
_SHORT_CAPITALS = 3


class Likeness(IntEnum):
    SAME = 0
    OTHER_CASE = 1
    INFLECTED = 2


@dataclass(frozen=True, slots=True)
class TermWords:
    """A term as tokens, with the keys that it is found by."""

    tokens: tuple[str, ...]
    keys: tuple[str, ...]
    language: str
    case: CaseRule = CaseRule.AUTO
    verb: bool = False


@lru_cache(maxsize=1 << 16)
def term_words(text: str, language: str, case: CaseRule = CaseRule.AUTO, verb: bool = False) -> TermWords:
    tokens = tuple([normalised(token) for token in TOKEN.findall(text)])
    keys = word_keys(language)
    return TermWords(tokens, tuple([keys[token] for token in tokens]), language, case, verb)


def likeness(term: TermWords, words: tuple[str, ...], in_capitals: bool) -> Likeness | None:
    """How close the words of a text come to a term whose keys they have."""
    if words == term.tokens:
        return Likeness.SAME
    worst = Likeness.SAME
    for token, word in zip(term.tokens, words, strict=True):
        found = _token_likeness(term, token, normalised(word), in_capitals)
        if found is None:
            return None
        worst = max(worst, found)
    return worst


def is_acronym(token: str) -> bool:
    """`US`, `mRNA`, `CoV`, `pH`, `H1N1`: more than one capital, or one that is not the first letter."""
    capitals = sum(character.isupper() for character in token)
    return capitals > 1 or (capitals == 1 and not token[0].isupper())


def begins_with_infinitive(text: str, language: str) -> bool:
    words = TOKEN.findall(text)
    return bool(words) and is_infinitive(words[0], language)


def _token_likeness(term: TermWords, token: str, word: str, in_capitals: bool) -> Likeness | None:
    if word == token:
        return Likeness.SAME
    same_letters = word.casefold() == token.casefold()
    if term.case is CaseRule.EXACT:
        return None
    if term.case is CaseRule.AUTO and not _case_may_differ(token, word, term.language, in_capitals):
        return Likeness.INFLECTED if word == f"{token}s" else None
    if same_letters:
        return Likeness.OTHER_CASE
    return Likeness.INFLECTED if same_word(token, word, term.language, term.verb) else None


def _case_may_differ(token: str, word: str, language: str, in_capitals: bool) -> bool:
    if in_capitals and word == token.upper():
        return True
    if is_acronym(token):
        return word == token.upper() or not _is_strict(token, language)
    return in_capitals or not (2 <= len(word) <= _SHORT_CAPITALS and word.isupper())


@lru_cache(maxsize=1 << 16)
def _is_strict(acronym: str, language: str) -> bool:
    return len(acronym) < _LONG_ACRONYM or is_ordinary_word(acronym, language)
