"""Text as models know it: capitals brought down and curly quotes made straight, both put back afterwards.

    typography = Typography(tokenizer)
    plain = typography.plain("DO NOT STOP TAKING THIS “PILL”.")   # 'Do not stop taking this "pill".'
    restored("Não pare de tomar este \"comprimido\".", "DO NOT STOP TAKING THIS “PILL”.")
    # 'NÃO PARE DE TOMAR ESTE “COMPRIMIDO”.'

Headings and warnings in clinical documents shout, and small models leave shouted words alone or invent
something. Which words are abbreviations that keep their capitals (MRI, IV) the model's own vocabulary
tells: it holds "▁take" and "▁IV", and neither "▁TAKE" nor "▁iv".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Typography:
    tokenizer: Tokenizer

    def plain(self, sentence: str) -> str:
        """The sentence as the model should read it."""
        text = sentence.translate(_STRAIGHT)
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
    """The translation of the plain text in the typography of the sentence itself."""
    text = translation.upper() if shouted(sentence) else translation
    if "“" in sentence and text.count('"') % 2 == 0:
        sides = iter("“”" * text.count('"'))
        text = _DOUBLE.sub(lambda _: next(sides), text)
    if "’" in sentence:
        text = _APOSTROPHE.sub("’", text)
    return text
