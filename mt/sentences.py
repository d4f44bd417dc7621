"""One line of text into its sentences, for clinical writing.

In: text without line breaks and its language. Out: pieces that join to exactly that text; the whitespace
between two sentences stays at the end of the first.

>>> split_sentences("Pt. c/o SOB x3d. Start 5 mg p.o. b.i.d. with food.", "en")
['Pt. c/o SOB x3d. ', 'Start 5 mg p.o. b.i.d. with food.']

`split_long` cuts a sentence that is longer than a model takes, also without losing a character.
"""

from __future__ import annotations

from sentencex import segment


def split_sentences(text: str, language: str) -> list[str]:
    """Sentences of `text`, which must not hold lone surrogates; `"".join(result) == text`."""
    return list(segment(language, text)) if text else []
