"""Text as models know it: capitals brought down, quotes made straight, unknown signs said otherwise.

    typography = Typography(tokenizer, "en", "pt")
    plain = typography.plain("DO NOT STOP TAKING THIS “PILL”.")   # 'Do not stop taking this "pill".'
    typography.restored("Não pare de tomar este \"comprimido\".", "DO NOT STOP TAKING THIS “PILL”.")
    # 'NÃO PARE DE TOMAR ESTE “COMPRIMIDO”.'

Headings and warnings in clinical documents shout, and small models leave shouted words alone or invent
something. Which words are abbreviations that keep their capitals (MRI, IV) the model's own vocabulary
tells: it holds "▁take" and "▁IV", and neither "▁TAKE" nor "▁iv".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from mt.symbols import Symbols
from mt.tokenization import Tokenizer

_WORD = re.compile(r"[^\W\d_]+")
_FEWEST_LETTERS = 5
# Longer words are rarely abbreviations, and the capitals come back in any case.
_LONG = 5
# Common words that are, in capitals and among capitals, more often something else.
_ABBREVIATIONS = frozenset(["US", "PO", "VO", "AM", "PM", "BID", "TID", "QID"])
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})
_DOUBLE = re.compile(r'"')
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")


@dataclass(frozen=True)
class Typography:
    tokenizer: Tokenizer
    source: str
    target: str

    @cached_property
    def symbols(self) -> Symbols:
        return Symbols(self.tokenizer.knows, self.source, self.target)

    def plain(self, sentence: str) -> str:
        """The sentence as the model should read it."""
        return self.symbols.plain(self._cased(sentence.translate(_STRAIGHT)))

    def readable(self, text: str) -> str:
        """Quotes and signs only: what a corpus is trained on keeps its capitals."""
        return self.symbols.plain(text.translate(_STRAIGHT))

    def restored(self, translation: str, sentence: str) -> str:
        """The translation of the plain sentence in the typography of the sentence itself."""
        return restored(self.symbols.restored(translation, sentence), sentence)

    def _cased(self, text: str) -> str:
        if not shouted(text):
            return text
        calm = _WORD.sub(lambda match: self._calm(match[0]), text)
        first = next((i for i, letter in enumerate(calm) if letter.isalpha()), 0)
        return calm[:first] + calm[first : first + 1].upper() + calm[first + 1 :]

    def _calm(self, word: str) -> str:
        if word in _ABBREVIATIONS:
            return word
        lower = word.lower()
        if len(word) >= _LONG:
            return lower
        score = self.tokenizer.word_score
        return lower if score(lower) > score(word) else word


def shouted(text: str) -> bool:
    """No small letter, and more letters than an abbreviation has."""
    return text.isupper() and sum(map(str.isalpha, text)) >= _FEWEST_LETTERS


def restored(translation: str, sentence: str) -> str:
    """Capitals and quotes as in the sentence."""
    text = translation.upper().replace("\u039c", "µ") if shouted(sentence) else translation
    if "“" in sentence and text.count('"') % 2 == 0:
        sides = iter("“”" * text.count('"'))
        text = _DOUBLE.sub(lambda _: next(sides), text)
    if "’" in sentence:
        text = _APOSTROPHE.sub("’", text)
    return text
