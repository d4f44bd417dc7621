"""Markdown (.md): prose is translated; code, addresses, HTML, front matter and the layout are left alone.

`markdown-it-py` says which lines are prose, so code and reference definitions are never touched; inside a
paragraph `inline.py` finds the markup and `protection.py` keeps it. A sentence may run over several lines: it
is translated as one, and gets as many line breaks back as it had.

    # Dose\\n\\nTake `x` *now*,\\nthen rest.   ->   # Dose\\n\\nTome `x` *agora*,\\ndepois descanse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mt.formats.chunks import Chunk, ReadOptions
from mt.formats.decoding import numbered_lines
from mt.formats.inline import Mark, scan
from mt.formats.protection import MarkedSentence, protect

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_CHUNK_CHARACTERS = 1 << 15
_LONGEST_BLOCK = 1 << 20
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_FENCE = re.compile(r" {0,3}(?:>\s?)*\s*(`{3,}|~{3,})")
_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(?:.*?\n)??(?:---|\.\.\.)[ \t]*(?:\r?\n|$)", re.DOTALL)
_CELL = re.compile(r"((?<!\\)\|)")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]+\]:\s+")

Item = str | MarkedSentence


@dataclass(frozen=True, slots=True)
class MarkdownChunk:
    items: tuple[Item, ...]
    sentences: tuple[str, ...]

    def render(self, translations: Sequence[str]) -> str:
        if len(translations) != len(self.sentences):
            raise ValueError(f"{len(translations)} translations for {len(self.sentences)} sentences")
        parts: list[str] = []
        start = 0
        for item in self.items:
            if isinstance(item, str):
                parts.append(item)
            else:
                end = start + len(item.sentences)
                parts.append(item.render(translations[start:end]))
                start = end
        return "".join(parts)


def read_markdown(decoded: Iterable[str], name: str, options: ReadOptions) -> Iterator[Chunk]:
    front = True
    for block in _blocks(decoded):
        yield _chunk(_items(block, options.language, front))
        front = False


def _chunk(items: Iterable[Item]) -> MarkdownChunk:
    kept = tuple(items)
    marked = (item for item in kept if isinstance(item, MarkedSentence))
    return MarkdownChunk(kept, tuple(sentence for item in marked for sentence in item.sentences))


def _blocks(decoded: Iterable[str]) -> Iterator[str]:
    """Whole blocks: cut behind a blank line, before an unindented one, outside fences and comments."""
    lines: list[str] = []
    size = 0
    fence = ""
    comment = blank = False
    for _, line in numbered_lines(decoded):
        top_level = blank and not fence and not comment and not line[:1].isspace()
        if (size >= _CHUNK_CHARACTERS and top_level) or size >= _LONGEST_BLOCK:
            yield "".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
        blank = not line.strip()
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence):
            fence = ""
        if not fence and ("<!--" in line or "-->" in line):
            comment = line.rfind("<!--") > line.rfind("-->")
    if lines:
        yield "".join(lines)


def _items(block: str, language: str, front: bool) -> Iterator[Item]:
    if front:
        kept = "\ufeff" if block.startswith("\ufeff") else ""
        matter = _FRONT_MATTER.match(block, len(kept))
        start = matter.end() if matter else len(kept)
        yield block[:start]
        block = block[start:]
    lines = _LINE.findall(block)
    done = 0
    for start, end, content in _prose(_parser().parse(block)):
        if start < done or end > len(lines):
            continue
        yield "".join(lines[done:start])
        done = end
        if content is None:
            for line in lines[start:end]:
                for position, cell in enumerate(_CELL.split(line)):
                    yield from (cell,) if position % 2 else _paragraph([cell], [cell.strip()], language)
        else:
            yield from _paragraph(lines[start:end], content.split("\n"), language)
    yield "".join(lines[done:])


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])


def _prose(tokens: Sequence[Token]) -> Iterator[tuple[int, int, str | None]]:
    """Line ranges of paragraphs and headings with their content, and of tables with None."""
    for token in tokens:
        if token.map and token.type == "table_open":
            yield token.map[0], token.map[1], None
        elif token.map and token.type == "inline":
            yield token.map[0], token.map[1], token.content


def _paragraph(lines: Sequence[str], contents: Sequence[str], language: str) -> Iterator[Item]:
    """Lines of one paragraph; a hard break ends a text, another line break is a space in it."""
    text: list[str] = []
    breaks: list[Mark] = []
    length = 0
    gap = ""
    for position, line in enumerate(lines):
        content = contents[position].strip() if position < len(contents) else ""
        start = line.rfind(content) if content else len(line)
        if start < 0:
            start, content = len(line) - len(line.lstrip()), line.strip()
        if content.endswith("\\") and position + 1 < len(lines):
            content = content[:-1]
        gap += line[:start]
        if text:
            if gap.startswith(("  ", "\\")):
                yield from _text("".join(text), breaks, language)
                yield gap
                text, breaks, length = [], [], 0
            else:
                breaks.append(Mark(length, length + 1, gap, "break"))
                text.append(" ")
                length += 1
        else:
            yield gap
        text.append(content)
        length += len(content)
        gap = line[start + len(content) :]
    yield from _text("".join(text), breaks, language)
    yield gap


def _text(text: str, breaks: Sequence[Mark], language: str) -> Iterator[Item]:
    note = _FOOTNOTE.match(text)
    if note and (not breaks or breaks[0].start >= note.end()):
        yield text[: note.end()]
        text = text[note.end() :]
        breaks = [Mark(mark.start - note.end(), mark.end - note.end(), mark.raw, "break") for mark in breaks]
    marks = scan(text)
    whole = [mark for mark in marks if not any(mark.start < b.end and b.start < mark.end for b in breaks)]
    crossed = [_with_breaks(text, mark, breaks) for mark in marks if mark not in whole]
    outside = [b for b in breaks if not any(mark.start < b.end and b.start < mark.end for mark in crossed)]
    ordered = sorted((*whole, *crossed, *outside), key=lambda mark: (mark.start, mark.end))
    yield from protect(text, ordered, language)


def _with_breaks(text: str, mark: Mark, breaks: Sequence[Mark]) -> Mark:
    raw: list[str] = []
    position = mark.start
    for b in breaks:
        if mark.start < b.end and b.start < mark.end:
            raw += (text[position : b.start], b.raw)
            position = b.end
    raw.append(text[position : mark.end])
    return Mark(mark.start, mark.end, "".join(raw), mark.kind, mark.pair, mark.emphasis)
