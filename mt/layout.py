"""Text into sentences to translate and everything around them, and back.

In: any text. Out: a `Layout`, the strict alternation of kept text and sentences:
`gaps[0] + sentences[0] + gaps[1] + ... + sentences[-1] + gaps[-1]` is the text that came in. `render` puts
translations in the sentences' places.

>>> layout = parse("1. Take 5 mg.  Rest.\\r\\n\\r\\n-----\\r\\n", "en")
>>> layout.sentences
('Take 5 mg.', 'Rest.')
>>> layout.render(["Tome 5 mg.", "Descanse."])
'1. Tome 5 mg.  Descanse.\\r\\n\\r\\n-----\\r\\n'

Kept as it is: line breaks (all that `str.splitlines` knows), tabs and all other control characters, byte
order marks and lone surrogates, space at either end of a sentence, runs of three or more spaces (columns),
leaders ("......", "____"), list and heading marks, and what holds no letter or is one web or mail address.
Lines that were broken only because the page ended are one (`mt.wrapping`).
So a sentence never holds a control character or a surrogate, and a translation can bring none in: the lines
and paragraphs that come out are those that went in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mt.sentences import split_sentences
from mt.wrapping import Wraps, rewrapped, unwrapped

Part = tuple[bool, str]
"""A stretch of text, and whether it is to be translated."""

UNTRANSLATABLE = re.compile("([\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]+)")
_COLUMN_SIGNS = ("   ", "....", "___", "----", "====", "****", "~~~~", ". . . ")
_COLUMNS = re.compile(r"([ \u00a0]{3,}|_{3,}|[.\-=*~]{4,}|(?:\. ){3,})")
# Superscripts, subscripts and fractions count as word characters in `re`, but say nothing to translate.
LETTER = re.compile(r"[^\W\d_²³¹⁰⁴-⁹₀-₉¼-¾ªº]")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)

_MARK = re.compile(
    r"""(?:(?:
        [-+*•‣⁃◦∙·–—▪▫■□●○◆◇►▸▶➢➤✓✔✗✘☐☑☒→»]+   # bullets
      | \#+ | >(?!\s*\d) | \[[ xX✓]?\] | \|             # headings, quotes (not "> 5 cm"), tick boxes, cells
      | [(\[]?\d{1,3}(?:\.\d{1,3})*[.)\]] | \#?\d{1,3}(?:\s?[-–—:])(?=\s+[^\W\d_])    # 1. 1) (1) [1] 1 -
      | \(?[a-zA-Z]\) | [a-zA-Z]\.(?=\s+[A-ZÀ-Þ])       # a) (a) a.  but not "E. coli"
      | \(?[ivx]{1,5}\) | \(?[IVX]{1,5}\) | (?:[ivx]{2,5}|[IVX]{2,5})\.(?=\s+[A-ZÀ-Þ])  # iv) (IV) iv.
      | [^\w\s"'“”‘’«»„‹›()\[\]{}<>≤≥=±~$€£%°¿¡&@\#.,;:!?\\`/|+*-]+        # emoji and other signs
    )\s+)+""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """`len(gaps) == len(sentences) + 1`; sentences hold no line break, control or lone surrogate.

    `wraps`, where there are any, holds for each sentence the line breaks that were inside it.
    """

    gaps: tuple[str, ...]
    sentences: tuple[str, ...]
    wraps: tuple[Wraps, ...] = ()

    def render(self, translations: Sequence[str]) -> str:
        """The text with translations in place; line breaks and controls of their own become spaces."""
        if len(translations) != len(self.sentences):
            raise ValueError(f"{len(translations)} translations for {len(self.sentences)} sentences")
        parts = [""] * (2 * len(translations) + 1)
        parts[::2] = self.gaps
        parts[1::2] = map(one_line, translations)
        for number, breaks in enumerate(self.wraps):
            if breaks:
                text, length = parts[2 * number + 1], len(self.sentences[number])
                parts[2 * number + 1] = rewrapped(text, length, breaks)
        return "".join(parts)


def one_line(translation: str) -> str:
    """A translation that cannot change the layout around it."""
    if translation.isprintable():
        return translation
    return UNTRANSLATABLE.sub(" ", translation)


def parse(text: str, language: str, *, split: bool = True) -> Layout:
    """`split=False` keeps each line whole: one line, one sentence."""
    joined, wraps = unwrapped(text) if split else (text, [])
    layout = layout_of(text_parts(joined, language, split=split))
    return _with_wraps(layout, wraps) if wraps else layout


def _with_wraps(layout: Layout, wraps: Wraps) -> Layout:
    """The line breaks that were joined, each in its sentence, or back in the gap where sentences meet."""
    gaps, inside = list(layout.gaps), [list[tuple[int, str]]() for _ in layout.sentences]
    position = number = 0
    for i, gap in enumerate(layout.gaps):
        grown = 0
        while number < len(wraps) and wraps[number][0] < position + len(gap):
            at, raw = wraps[number][0] - position + grown, wraps[number][1]
            gaps[i] = gaps[i][:at] + raw + gaps[i][at + 1 :]
            grown += len(raw) - 1
            number += 1
        position += len(gap)
        if i == len(layout.sentences):
            break
        length = len(layout.sentences[i])
        while number < len(wraps) and wraps[number][0] < position + length:
            inside[i].append((wraps[number][0] - position, wraps[number][1]))
            number += 1
        position += length
    return Layout(tuple(gaps), layout.sentences, tuple(map(tuple, inside)))


def layout_of(parts: Iterable[Part]) -> Layout:
    """From parts in order."""
    gaps: list[str] = []
    sentences: list[str] = []
    kept: list[str] = []
    for translate, part in parts:
        if translate:
            gaps.append("".join(kept))
            sentences.append(part)
            kept.clear()
        else:
            kept.append(part)
    gaps.append("".join(kept))
    return Layout(tuple(gaps), tuple(sentences))


def text_parts(text: str, language: str, *, split: bool = True) -> Iterator[Part]:
    """The parts of any text; joined they are the text."""
    for position, line in enumerate(UNTRANSLATABLE.split(text)):
        if position % 2 or not LETTER.search(line):
            yield False, line
        elif not split:
            yield from trimmed_parts(line)
        elif any(sign in line for sign in _COLUMN_SIGNS):
            for column, cell in enumerate(_COLUMNS.split(line)):
                if column % 2 or not LETTER.search(cell):
                    yield False, cell
                else:
                    yield from line_parts(cell, language)
        else:
            yield from line_parts(line, language)


def line_parts(line: str, language: str) -> Iterator[Part]:
    """A line or cell with at least one letter and no control character."""
    start = len(line) - len(line.lstrip())
    mark = _MARK.match(line, start)
    if mark:
        start = mark.end()
    if start:
        yield False, line[:start]
        line = line[start:]
    if " " not in line and _ADDRESS.fullmatch(line):
        yield False, line
        return
    for sentence in split_sentences(line, language):
        yield from trimmed_parts(sentence)


def trimmed_parts(sentence: str) -> Iterator[Part]:
    core = sentence.strip()
    if not LETTER.search(core):
        yield False, sentence
    elif len(core) == len(sentence):
        yield True, sentence
    else:
        start = len(sentence) - len(sentence.lstrip())
        if start:
            yield False, sentence[:start]
        yield True, core
        if start + len(core) < len(sentence):
            yield False, sentence[start + len(core) :]
