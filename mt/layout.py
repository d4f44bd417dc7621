"""Text into sentences to translate and everything around them, and back.

In: any text. Out: a `Layout`, the strict alternation of kept text and sentences:
`gaps[0] + sentences[0] + gaps[1] + ... + sentences[-1] + gaps[-1]` is the text that came in. `render` puts
translations in the sentences' places.

>>> layout = parse("1. Take 5 mg.  Rest.\\r\\n\\r\\n-----\\r\\n", "en")
>>> layout.sentences
('Take 5 mg.', 'Rest.')
>>> layout.render(["Tome 5 mg.", "Descanse."])
'1. Tome 5 mg.  Descanse.\\r\\n\\r\\n-----\\r\\n'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mt.sentences import split_sentences

# Line breaks (all that str.splitlines knows), other controls, byte order marks and lone surrogates: never sent to
# a model, always kept where they are.
_UNTRANSLATABLE = re.compile("([\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]+)")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Layout:
    """`len(gaps) == len(sentences) + 1`; sentences hold no line break, control or lone surrogate."""

    gaps: tuple[str, ...]
    sentences: tuple[str, ...]

    def render(self, translations: Sequence[str]) -> str:
        """The text with translations in place; their own line breaks become spaces."""
        if len(translations) != len(self.sentences):
            raise ValueError(f"{len(translations)} translations for {len(self.sentences)} sentences")
        parts = [self.gaps[0]]
        for translation, gap in zip(translations, self.gaps[1:], strict=True):
            parts += (one_line(translation), gap)
        return "".join(parts)


def one_line(translation: str) -> str:
    """A translation that cannot change the layout around it."""
    return _UNTRANSLATABLE.sub(" ", translation)


def parse(text: str, language: str, *, split: bool = True) -> Layout:
    """`split=False` keeps each line whole: one line, one sentence."""
    gaps: list[str] = []
    sentences: list[str] = []
    kept = ""
    for position, piece in enumerate(_UNTRANSLATABLE.split(text)):
        if position % 2 or not _LETTER.search(piece):
            kept += piece
            continue
        for sentence in split_sentences(piece, language) if split else [piece]:
            core = sentence.strip()
            start = sentence.find(core)
            gaps.append(kept + sentence[:start])
            sentences.append(core)
            kept = sentence[start + len(core) :]
    gaps.append(kept)
    return Layout(tuple(gaps), tuple(sentences))
