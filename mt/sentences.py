"""One line of text into its sentences, for clinical writing.

In: text without line breaks and its language. Out: pieces that join to exactly that text; the whitespace
between two sentences stays at the end of the first.

>>> split_sentences("Pt. c/o SOB x3d. Start 5 mg p.o. b.i.d. with food.", "en")
['Pt. c/o SOB x3d. ', 'Start 5 mg p.o. b.i.d. with food.']

The `sentencex` library finds the borders. For the languages of `tables/abbreviations.txt` they are then
mended: borders after clinical abbreviations are taken back, and those that it misses after units
("5 cm. Es firme") and reference numbers ("as shown.12 Others") are added. When in doubt two sentences stay
together: a model copes with that better than with half a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sentencex import segment

_TABLE = Path(__file__).with_name("tables") / "abbreviations.txt"
_TAIL = 32  # characters before a border that decide on it

# sentencex 1.0 panics on multi-byte spaces behind a full stop, and cannot take surrogates.
_HOSTILE = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")
_LETTER = re.compile(r"[^\W\d_]")
_LAST_WORD = re.compile(r"([^\s\"'“”‘’«»()\[\]{},;:]+)\.$")
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\W+$")
_OPENING = "\"'“‘«‹([{¿¡*_"
_VOWEL = re.compile("[aeiouyáàâãäéèêëíìîïóòôõöúùûüœæ]")
_LIST_NUMBER = re.compile(r"\(?\d{1,3}[.)]$")
_REFERENCE = re.compile(r"[(\[]\d[\d,;–-]*[)\]]\s*")

_UNIT = (
    r"(?:\d\s?|/)(?:[mµμkcd]?[gl]|[mcdµ]?L|[cmdk]?m[²³23]?|mcg|µg|IU|UI|U|mmol|mEq|bpm|mmHg|k?cal|cc|lbs?|°?[CF]|%"
    r"|m?s|min|h|hrs?|d|days?|dias|días|jours|Tage|sem|wks?|mo|yrs?|Wo)$"
)
_ENDS_HERE = re.compile(rf"{_UNIT}|\d[.,]\d+$|\b[IVX]{{2,4}}$|\bno$")
# A full stop, perhaps a reference number in superscript, space, a capital: a border that may be missing.
_CANDIDATE = re.compile(r"\.(\d[\d,–-]{0,11})?\s+(?=[\"“‘(¿¡]?[A-ZÀ-ÖØ-Þ])")
_ORDINAL_DOT = frozenset(
    {"de", "da", "nb", "nn", "no", "fi", "cs", "sk", "sl", "hr", "hu", "is", "et", "lv", "tr"}
)


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """`always` never ends a sentence; `mid` does not before a lower-case word or a number."""

    language: str
    always: frozenset[str]
    mid: frozenset[str]


def split_sentences(text: str, language: str) -> list[str]:
    """Sentences of `text`; `"".join(result) == text`, whatever the text is."""
    if not text:
        return []
    base = base_language(language)
    pieces = _segment(text, base)
    if any(piece[0].isspace() for piece in pieces):
        pieces = _spaces_back(pieces)
    abbreviations = _load_abbreviations().get(base)
    if abbreviations is None:
        return pieces
    if len(pieces) > 1:
        pieces = list(_rejoined(text, pieces, abbreviations))
    if _CANDIDATE.search(text) is None:
        return pieces
    return [part for piece in pieces for part in _missed(piece)]


def base_language(language: str) -> str:
    """`pt` for `pt-BR`, `pt_br` and `PT`."""
    return language.replace("_", "-").partition("-")[0].lower()


def _segment(text: str, language: str) -> list[str]:
    if text.isascii():
        return list(segment(language, text))
    masked = _HOSTILE.sub(" ", text)
    try:
        pieces: list[str] = list(segment(language, masked))
    except BaseException as error:  # a panic in Rust is no Exception; the text is then one sentence
        if type(error).__name__ != "PanicException":
            raise
        return [text]
    return pieces if masked == text else list(_cut_at_lengths(text, pieces))


def _spaces_back(pieces: list[str]) -> list[str]:
    """Space at the start of a piece belongs to the piece before."""
    result = pieces[:1]
    for piece in pieces[1:]:
        body = piece.lstrip()
        result[-1] += piece[: len(piece) - len(body)]
        if body:
            result.append(body)
    return result


def _cut_at_lengths(text: str, pieces: list[str]) -> Iterator[str]:
    start = 0
    for piece in pieces:
        yield text[start : start + len(piece)]
        start += len(piece)


def _rejoined(text: str, pieces: list[str], abbreviations: Abbreviations) -> Iterator[str]:
    """Takes back the borders that are none."""
    start = 0
    end = len(pieces[0])
    bare = _LETTER.search(pieces[0]) is None
    last = len(pieces) - 1
    for position, right in enumerate(pieces[1:], start=1):
        right_bare = _LETTER.search(right) is None
        if bare:
            joined = True
        elif right_bare:
            joined = position == last or not _LIST_NUMBER.match(right.rstrip())
        else:
            joined = False
        if not joined:
            joined = _continues(text[max(start, end - _TAIL) : end], right, abbreviations)
        if not joined:
            reference = _REFERENCE.match(right) if not text[end - 1].isspace() else None
            cut = end + reference.end() if reference and reference.end() < len(right) else end
            yield text[start:cut]
            start = cut
        bare = right_bare and (bare or not joined)
        end += len(right)
    yield text[start:end]


def _continues(tail: str, right: str, abbreviations: Abbreviations) -> bool:
    """True when the full stop at the end of `tail` belongs to an abbreviation inside the sentence."""
    stripped = tail.rstrip()
    found = _LAST_WORD.search(stripped)
    if found is None:
        return False
    word = found[1]
    key = word.lower()
    if key in abbreviations.always:
        return True
    head = right.lstrip(_OPENING)[:1]
    if head.isupper():
        return _before_capital(stripped[: found.start()], word, abbreviations.language)
    if key in abbreviations.mid or ("." in word and _LETTER.search(word) is not None):
        return True
    if not head.islower():
        return False
    spaced = len(stripped) < len(tail)
    return not spaced or (len(word) == 1 and word.isupper()) or _is_consonants(word)


def _before_capital(before: str, word: str, language: str) -> bool:
    if word.isdecimal():
        return language in _ORDINAL_DOT and len(word) <= 2
    if language == "en" or len(word) > 1 or not word.isupper():
        return False  # sentencex knows English initials
    neighbour = _WORD_BEFORE.search(before)  # "em S. Paulo", but "hepatite C. Ele"
    return neighbour is None or len(neighbour[1]) <= 3 or neighbour[1][0].isupper()


def _is_consonants(word: str) -> bool:
    """Words such as `pcte` lose their vowels only when somebody shortens them; acronyms are all capitals."""
    return (
        1 < len(word) <= 5 and word.isalpha() and not word[1:].isupper() and not _VOWEL.search(word.lower())
    )


def _missed(piece: str) -> Iterator[str]:
    """Adds the borders that are missing."""
    start = 0
    for candidate in _CANDIDATE.finditer(piece):
        before = piece[max(start, candidate.start() - 12) : candidate.start()]
        if before[-3:].isalpha() and len(before) >= 3 if candidate[1] else _ENDS_HERE.search(before):
            yield piece[start : candidate.end()]
            start = candidate.end()
    if start < len(piece):
        yield piece[start:]


@lru_cache(maxsize=1)
def _load_abbreviations() -> dict[str, Abbreviations]:
    words: dict[tuple[str, str], set[str]] = {}
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            language, kind, *listed = line.split()
            words.setdefault((language, kind), set()).update(listed)
    languages = {language for language, _ in words} - {"any"}
    shared = {kind: words.get(("any", kind), set()) for kind in ("always", "mid")}
    return {
        language: Abbreviations(
            language,
            frozenset(shared["always"] | words.get((language, "always"), set())),
            frozenset(shared["mid"] | words.get((language, "mid"), set())),
        )
        for language in languages
    }
