"""Signs that a model cannot read, said in a way that it can, and put back afterwards.

    symbols = Symbols(tokenizer.knows, "en", "pt")
    symbols.plain("Hold if creatinine <1.5 mg/dL.")     # "Hold if creatinine less than 1.5 mg/dL."
    symbols.restored("Suspender se a creatinina for menor que 1,5 mg/dL.", "Hold if creatinine <1.5 mg/dL.")
    # "Suspender se a creatinina for <1,5 mg/dL."

Vocabularies made from web text lack what medicine writes: of "<", "≤", "≥", "±", "µ", "½" and "β" the
starters know none, and an unknown sign is dropped or guessed ("≥ 18 years" as "under 18", "50 µg" as
"50 g"). "<" becomes words rather than another sign: a model may put a sign into words, and of "> 12 weeks"
it makes "more than". Signs stuck to their number ("p>0.05") are set apart, which models read better.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mt.symbol_words import ARROWS, FRACTIONS, GREEK, TO, TO_WORDS

# Each sign and how it is said to a model that does not know it; "<" and "≤" are in TO_WORDS.
_STAND_INS = {"≥": ">=", "⩾": ">=", "±": "+/-"}
_CLASS = {
    "<": "less",
    "≤": "at_most",
    "⩽": "at_most",
    "<=": "at_most",
    "≥": ">=",
    "⩾": ">=",
    "±": "±",
    "+/-": "±",
}
_NUMBER = r"[-+−]?(?:\d[\d.,]*|[.,]\d+)"
# A comparison with what follows it; not an arrow, and not a tag as in "<b>".
_SIGN = re.compile(
    rf"(?<![-=<>])(?P<lead>\s*)(?P<sign><=|>=|\+/-|[<>=≤≥⩽⩾±])(?![-=<>]|[A-Za-z/!][^<>]*>)(?P<trail>\s*)(?P<number>{_NUMBER})?"
)
# The same in a translation, which may have loosened the stand-ins: "+ / -", "+/", "> =".
_WRITTEN = re.compile(
    rf"\s*(?P<sign><=|>\s?=|\+\s?/\s?-?(?:\s?-(?=\s))?|\+\s?-|[<>=≤≥±])\s*(?P<number>{_NUMBER})?"
)
_MICRO = re.compile(r"[µμ](?=(?:g|l|L|m|M|mol|mols|U|UI|IU|Eq|Ci|V|A|s)\b)")
_SAID_MICRO = re.compile(r"\bmc(?=(?:g|l|L|m|M|mol|mols|U|UI|IU|Eq|Ci|V|A|s)\b)|(?<=\d)mc(?=(?:g|l|L)\b)")
_DASH = re.compile(r"[–—―•−]")
# Between what it joins and among words; a dash of one kind never stands for one of the other.
_DASHES = (re.compile(r"(?<=\s)[-–—―•−](?=\s)"), re.compile(r"(?<=\w)[-–—―−](?=\w)"))
# "February 12–March 28", "27.3%–29.8%": to models a hyphen there is no range.
_RANGE = re.compile(r"(?<=[\d%])(?:\s?–\s?(?=[\d<>≥≤])|–(?=[A-Z]))")
_MARK = re.compile(r"([^\W\d_]{3,})([®™©])")
_RAISED = re.compile(r"([A-Za-zµμ]+)([²³])")
_RAISED_AS = {"²": "2", "³": "3"}
_WORD = re.compile(r"[^\s(]+")
_LONGEST_PHRASE = 5
_WORDS_FOR_SIGNS = frozenset(["less", "at_most"])


@dataclass(frozen=True, slots=True)
class _Found:
    """A comparison somewhere in a text: from where to where, without its number."""

    start: int
    end: int
    kind: str
    digits: str


@dataclass(frozen=True, slots=True)
class Symbols:
    """`knows` tells whether the model's vocabulary has a character."""

    knows: Callable[[str], bool]
    source: str
    target: str
    _known: dict[str, bool] = field(default_factory=dict)

    def plain(self, sentence: str) -> str:
        """The sentence as the model should read it."""
        if sentence.isascii() and not set("<>=~").intersection(sentence):
            return sentence
        text = _SIGN.sub(self._said, sentence)
        if text.isascii() and "~" not in text:
            return text
        text = _MICRO.sub("mc", text) if self._lacks("µ") or self._lacks("μ") else text
        text = _MARK.sub(lambda m: m[1] if self._lacks(m[2]) else m[0], text)
        if self._lacks("–") and self.source in TO:
            text = _RANGE.sub(f" {TO[self.source]} ", text)
        text = _DASH.sub(lambda m: "-" if self._lacks(m[0]) else m[0], text)
        return "".join(self._spelled(text))

    def restored(self, translation: str, sentence: str) -> str:
        """The translation of the plain sentence with the signs of the sentence itself."""
        if sentence.isascii() and not set("<>=").intersection(sentence):
            return translation
        text = self._with_signs(translation, sentence)
        if sentence.isascii():
            return text
        if _MICRO.search(sentence) and not _SAID_MICRO.search(sentence):
            text = _SAID_MICRO.sub("µ", text)
        text = _with_dashes(text, sentence)
        for word, mark in set(_MARK.findall(sentence)):
            if mark not in text:
                text = re.sub(rf"\b{re.escape(word)}\b", rf"\g<0>{mark}", text)
        for unit, raised in set(_RAISED.findall(sentence)):
            flat = unit + _RAISED_AS[raised]
            if flat not in sentence:
                text = re.sub(rf"(?<!\w){re.escape(flat)}\b", unit + raised, text)
        return text

    def _lacks(self, character: str) -> bool:
        known = self._known.get(character)
        if known is None:
            known = self._known[character] = self.knows(character)
        return not known

    def _stand_in(self, sign: str) -> str | None:
        """What is said for a sign; None where it cannot be said."""
        if not any(self._lacks(character) for character in sign):
            return sign
        kind = _CLASS.get(sign, sign)
        if kind in _WORDS_FOR_SIGNS:
            return TO_WORDS[kind].get(self.source)
        return _STAND_INS.get(sign)

    def _said(self, match: re.Match[str]) -> str:
        sign, number = match["sign"], match["number"] or ""
        stand_in = self._stand_in(sign)
        if stand_in is None or (stand_in == sign and not number):
            return match[0]
        first = match.start() == 0 or (match.string[match.start() - 1] in "([{" and not match["lead"])
        return f"{'' if first else ' '}{stand_in} {number}"

    def _spelled(self, text: str) -> Iterator[str]:
        """Character by character: Greek letters, fractions and arrows in words."""
        for i, character in enumerate(text):
            if (character.isascii() and character != "~") or not self._lacks(character):
                yield character
            elif (letter := GREEK.get(character)) is not None:
                yield "-" if text[i - 1 : i].isalnum() else ""
                yield letter.get(self.source, letter["en"])
                yield "-" if text[i + 1 : i + 2].isalnum() else ""
            elif (fraction := FRACTIONS.get(character)) is not None:
                yield f" {fraction}" if text[i - 1 : i].isdigit() else fraction
            elif (word := ARROWS.get(character, {}).get(self.source)) is not None:
                yield word if text[i - 1 : i] in ("", " ", "(") else f" {word}"
                yield "" if text[i + 1 : i + 2] in ("", " ", ".", ",", ";", ")") else " "
            else:
                yield character

    def _with_signs(self, translation: str, sentence: str) -> str:
        wanted = [match for match in _SIGN.finditer(sentence) if self._changed(match)]
        if not wanted:
            return translation
        found = self._found(translation, {_CLASS.get(match["sign"], match["sign"]) for match in wanted})
        changes = []
        for match in wanted:
            kind, digits = _CLASS.get(match["sign"], match["sign"]), _digits(match["number"])
            alike = [one for one in found if one.kind == kind]
            same = next((one for one in alike if one.digits == digits), None)
            if same is None and sum(_CLASS.get(m["sign"], m["sign"]) == kind for m in wanted) == len(alike):
                same = alike[0]
            wanted = [m for m in wanted if m is not match]
            if same is not None:
                found.remove(same)
                changes.append((same, match))
        for one, match in sorted(changes, key=lambda change: -change[0].start):
            lead = match["lead"] if one.start and translation[one.start - 1] not in "([{" else ""
            sign = lead + match["sign"] + (match["trail"] if match["number"] else " ")
            translation = translation[: one.start] + sign + translation[one.end :].lstrip(" ")
        return translation.strip() if not sentence[:1].isspace() else translation

    def _changed(self, match: re.Match[str]) -> bool:
        return self._said(match) != match[0]

    def _found(self, translation: str, kinds: set[str]) -> list[_Found]:
        """Signs as such, and where one was said in words the words of the target language."""
        found = []
        for match in _WRITTEN.finditer(translation):
            sign = match["sign"].replace(" ", "")
            sign = "±" if sign.startswith("+") else sign
            end = match.start("number") if match["number"] else match.end("sign")
            found.append(_Found(match.start(), end, _CLASS.get(sign, sign), _digits(match["number"])))
        if kinds & _WORDS_FOR_SIGNS:
            found += _said_in_words(translation, self.target)
        return sorted(found, key=lambda one: one.start)


def comparisons(text: str) -> list[tuple[str, str]]:
    """The signs of a text, each with the digits that it stands before; for measuring."""
    return [(match["sign"], _digits(match["number"])) for match in _SIGN.finditer(text)]


def _said_in_words(translation: str, language: str) -> list[_Found]:
    """ "menor que 1,5", by the tables of the clinical checks."""
    from data.checks.reading import read
    from data.checks.tables import table_for

    table = table_for(language)
    found = []
    for number in re.finditer(_NUMBER, translation):
        before = list(_WORD.finditer(translation, 0, number.start()))[-_LONGEST_PHRASE:]
        for word in before:
            line = read(translation[word.start() : number.start()], table)
            whole = [m for m in line.marks["comparison"] if (m.first, m.last) == (0, len(line.words))]
            if whole and whole[0].value in _WORDS_FOR_SIGNS and word[0][0].isalpha():
                start = len(translation[: word.start()].rstrip())
                found.append(_Found(start, number.start(), str(whole[0].value), _digits(number[0])))
                break
    return found


def _with_dashes(translation: str, sentence: str) -> str:
    """Dash by dash, where as many came out as went in."""
    sentence = _RANGE.sub(" ", sentence)
    for kind in _DASHES:
        before = kind.findall(sentence)
        if set(before) <= {"-"} or len(before) != len(kind.findall(translation)):
            continue
        dashes = iter(before)
        translation = kind.sub(lambda _, dashes=dashes: next(dashes), translation)  # type: ignore[misc]
    return translation


def _digits(number: str | None) -> str:
    """What a number is known by in both notations: 0,05 and .05 alike."""
    return re.sub(r"\D", "", number or "").lstrip("0")
