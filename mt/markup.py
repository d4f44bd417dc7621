"""HTML, XML and text with placeholders as a document like any other: sentences out, translations in.

In: a text, its kind, and who knows which words belong together. Out: a `Chunk` for the service:

    chunk = MarkupChunk.of("<p>Take <b>two red</b> tablets, {name}.</p>", "html", "en", EngineAligner(engine))
    chunk.sentences                                            # ["Take two red tablets, X1."]
    chunk.render(["Tome dois comprimidos vermelhos, X1."])
    # "<p>Tome <b>dois comprimidos vermelhos</b>, {name}.</p>"

The model reads no tag; where one goes in the translation its attention tells. For a placeholder, which stands
for a word, it reads a sign that it copies; one that it drops is put back where attention says, one that it
doubles is taken out. So each tag and placeholder comes back exactly once, whatever the model does.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from mt.layout import LETTER, one_line, text_parts
from mt.markup_parsing import Keep, Node, Read, Tag, parse_markup
from mt.markup_placeholders import placeholders
from mt.markup_projection import Links, Mark, even_links, project, spans

_SIGN_LETTERS = ("X", "Z", "XQ", "ZX9", "QXZ7")
_BLANK = re.compile(r"[ \t\r\n\f]+")
_BASIC = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class Aligner(Protocol):
    """`mt.alignment.EngineAligner` is one."""

    def links(self, sources: Sequence[str], targets: Sequence[str]) -> Sequence[Links]: ...


@dataclass(frozen=True, slots=True)
class _At:
    """A tag by its place in a text; was there space before and behind it."""

    place: int
    tag: Tag
    sides: tuple[bool, bool]

    def moved(self, by: int) -> _At:
        return replace(self, place=self.place + by)

    def belongs(self, end: int, total: int) -> bool:
        """To the part that ends there."""
        return self.place < end or (self.place == end and (self.tag.kind == "close" or end == total))


@dataclass(frozen=True, slots=True)
class _Sentence:
    """What the model reads, and the tags by place in it."""

    text: str
    marks: tuple[Mark, ...]
    paragraph: _Paragraph


@dataclass(frozen=True, slots=True)
class MarkupChunk:
    parts: tuple[str | _Sentence, ...]
    aligner: Aligner | None = None

    @classmethod
    def of(
        cls,
        text: str,
        kind: str,
        language: str,
        aligner: Aligner | None = None,
        ignore_tags: Sequence[str] = (),
        split: bool = True,
    ) -> MarkupChunk:
        parts: list[str | _Sentence] = []
        for paragraph in _paragraphs(parse_markup(text, kind, ignore_tags)):
            if isinstance(paragraph, str):
                parts.append(paragraph)
            else:
                parts += _Paragraph(paragraph, kind).parts(language, split)
        return cls(tuple(parts), aligner)

    @property
    def sentences(self) -> Sequence[str]:
        return [part.text for part in self.parts if isinstance(part, _Sentence)]

    def render(self, translations: Sequence[str]) -> str:
        pairs = list(
            zip((part for part in self.parts if isinstance(part, _Sentence)), translations, strict=True)
        )
        marked = [(sentence, *_with_signs(sentence, one_line(text))) for sentence, text in pairs]
        links = iter(self._links([(one.text, text) for one, text, marks in marked if marks]))
        rendered = iter(
            project(one.text, text, marks, next(links), one.paragraph.restore)
            if marks
            else one.paragraph.restore(text)
            for one, text, marks in marked
        )
        return "".join(part if isinstance(part, str) else next(rendered) for part in self.parts)

    def _links(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Links]:
        if not pairs:
            return []
        if self.aligner is None:
            return [even_links(len(spans(source)), len(spans(target))) for source, target in pairs]
        return self.aligner.links([source for source, _ in pairs], [target for _, target in pairs])


def translate_markup(
    texts: Sequence[str],
    kind: str,
    language: str,
    translate: Callable[[Sequence[str]], Sequence[str]],
    aligner: Aligner | None = None,
    ignore_tags: Sequence[str] = (),
) -> list[str]:
    """Many texts in one call of `translate`, for those who need no findings or term records."""
    chunks = [MarkupChunk.of(text, kind, language, aligner, ignore_tags) for text in texts]
    translations = iter(translate([sentence for chunk in chunks for sentence in chunk.sentences]))
    return [chunk.render([next(translations) for _ in chunk.sentences]) for chunk in chunks]


def _paragraphs(nodes: Sequence[Node]) -> Iterator[str | list[Node]]:
    paragraph: list[Node] = []
    for node in nodes:
        if not isinstance(node, Keep):
            paragraph.append(node)
            continue
        if paragraph:
            yield paragraph
            paragraph = []
        yield node.raw
    if paragraph:
        yield paragraph


@dataclass(slots=True)
class _Paragraph:
    """Text between two blocks; builds what the model reads, with places for all the rest."""

    nodes: Sequence[Node]
    kind: str
    entities: dict[str, str] = field(default_factory=dict)
    signs: dict[str, str] = field(default_factory=dict)

    def parts(self, language: str, split: bool) -> Iterator[str | _Sentence]:
        text, tags = self._text()
        if not LETTER.search(text):
            yield "".join(node.raw for node in self.nodes)
            return
        text, tags = self._with_signs(text, tags)
        if self.kind != "text":
            lead = _BLANK.match(text)
            if lead and not (tags and tags[0].place < lead.end()):
                yield lead[0]
                text, tags = text[lead.end() :], [tag.moved(-lead.end()) for tag in tags]
            text, tags = _collapsed(text, tags)
        position = first = 0
        for translate, part in text_parts(text, language, split=split):
            end = position + len(part)
            last = first
            while last < len(tags) and tags[last].belongs(end, len(text)):
                last += 1
            here = [tag.moved(-position) for tag in tags[first:last]]
            if translate and LETTER.search(_any_sign(self.signs).sub("", part)):
                yield from self._sentence(part, here)
            else:
                yield self._kept(part, here)
            position, first = end, last

    def _text(self) -> tuple[str, list[_At]]:
        """Text as a reader sees it, and the tags by place."""
        parts: list[str] = []
        tags: list[tuple[int, Tag]] = []
        length = 0
        for node in self.nodes:
            if isinstance(node, Tag):
                tags.append((length, node))
            elif isinstance(node, Read):
                parts.append(node.text)
                length += len(node.text)
                if node.raw != node.text:
                    self.entities.setdefault(node.text, node.raw)
                elif self.kind != "text":
                    for sign in filter(node.text.__contains__, "&<>"):
                        self.entities.setdefault(sign, sign)
        text = "".join(parts)
        places = [place for place, _ in tags]
        return text, [
            _At(place, tag, _spaces(text, place, number, places)) for number, (place, tag) in enumerate(tags)
        ]

    def _with_signs(self, text: str, tags: Sequence[_At]) -> tuple[str, list[_At]]:
        letter = next((sign for sign in _SIGN_LETTERS if not re.search(rf"{sign}\d", text)), "XQZX")
        places = [tag.place for tag in tags]
        moved = list(tags)
        parts: list[str] = []
        position = 0
        for start, end in placeholders(text):
            if bisect_right(places, start) != bisect_left(places, end):
                continue  # a tag inside: no program would read that
            sign = f"{letter}{len(self.signs) + 1}"
            self.signs[sign] = self.encode(text[start:end])
            parts += (text[position:start], sign)
            position = end
            for number in range(bisect_left(places, end), len(tags)):
                moved[number] = moved[number].moved(len(sign) - (end - start))
        return "".join((*parts, text[position:])), moved

    def encode(self, text: str) -> str:
        if self.kind == "text":
            return text
        known = {**_BASIC, **self.entities}
        return "".join(known.get(character, character) for character in text)

    def restore(self, text: str) -> str:
        """As it is written in the document: entities, and placeholders for their signs."""
        encoded = self.encode(text)
        return _any_sign(self.signs).sub(lambda found: self.signs[found[0]], encoded)

    def _sentence(self, part: str, tags: Sequence[_At]) -> Iterator[str | _Sentence]:
        before, marks, after = _tree(tags, len(part))
        while len(marks) == 1 and marks[0].closing is not None and marks[0].covers(len(part)):
            before.append(marks[0].raw)
            after.insert(0, marks[0].closing)
            marks = marks[0].children
        yield "".join(before)
        yield _Sentence(part, tuple(marks), self)
        yield "".join(after)

    def _kept(self, part: str, tags: Sequence[_At]) -> str:
        parts: list[str] = []
        position = 0
        for tag in tags:
            parts += (self.restore(part[position : tag.place]), tag.tag.raw)
            position = max(position, tag.place)
        return "".join((*parts, self.restore(part[position:])))


def _spaces(text: str, place: int, number: int, places: Sequence[int]) -> tuple[bool, bool]:
    """Space before the first and behind the last of neighbouring tags."""
    first = number == 0 or places[number - 1] != place
    last = number + 1 == len(places) or places[number + 1] != place
    return (
        first and place > 0 and text[place - 1].isspace(),
        last and place < len(text) and text[place].isspace(),
    )


def _collapsed(text: str, tags: Sequence[_At]) -> tuple[str, list[_At]]:
    """Runs of blanks and line breaks are one space to a reader of HTML and XML."""
    parts: list[str] = []
    moved: list[_At] = []
    position = length = number = 0
    for run in [*(found.span() for found in _BLANK.finditer(text)), (len(text), len(text))]:
        while number < len(tags) and tags[number].place <= run[0]:
            moved.append(tags[number].moved(length - position))
            number += 1
        parts += (text[position : run[0]], " " if run[1] > run[0] else "")
        length += run[0] - position + (run[1] > run[0])
        while number < len(tags) and tags[number].place <= run[1]:
            moved.append(tags[number].moved(length - tags[number].place))
            number += 1
        position = run[1]
    return "".join(parts), moved


def _tree(tags: Sequence[_At], length: int) -> tuple[list[str], list[Mark], list[str]]:
    """What stands before, the marks inside with pairs around their content, and what stands behind."""
    before: list[str] = []
    after: list[str] = []
    pairs = {tag.tag.pair for tag in tags if tag.tag.kind == "close"} & {
        tag.tag.pair for tag in tags if tag.tag.kind == "open"
    }
    roots: list[Mark] = []
    stack: list[Mark] = []
    for at in tags:
        tag = at.tag
        place = min(max(at.place, 0), length)
        if tag.pair in pairs and tag.kind == "open":
            mark = Mark(place, place, tag.raw, "", (False, False))
            (stack[-1].children if stack else roots).append(mark)
            stack.append(mark)
        elif tag.pair in pairs and tag.kind == "close":
            mark = stack.pop()
            mark.end, mark.closing = place, tag.raw
        elif stack:
            stack[-1].children.append(Mark(place, place, tag.raw, None, at.sides))
        elif place <= 0 and not roots:
            before.append(tag.raw)
        elif place >= length:
            after.append(tag.raw)
        else:
            roots.append(Mark(place, place, tag.raw, None, at.sides))
    return before, roots, after


def _any_sign(signs: Mapping[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<!\w){sign}(?!\d)" for sign in signs) or r"(?!)")


def _with_signs(sentence: _Sentence, translation: str) -> tuple[str, Sequence[Mark]]:
    """The translation with each sign at most once, and marks for those it has lost."""
    own = list(_any_sign(sentence.paragraph.signs).finditer(sentence.text))
    if not own:
        return translation, sentence.marks
    wanted = {found[0] for found in own}
    seen: set[str] = set()

    def once(found: re.Match[str]) -> str:
        sign = found[0].strip()
        if sign in seen or sign not in wanted:
            return ""
        seen.add(sign)
        return found[0]

    pattern = _any_sign(sentence.paragraph.signs).pattern
    text = re.sub(rf" ?(?:{pattern})", once, translation)
    lost = [found for found in own if found[0] not in seen]
    if not lost:
        return text, sentence.marks
    marks = [mark.copied() for mark in sentence.marks]
    for found in lost:
        sides = (sentence.text[: found.start()][-1:].isspace(), sentence.text[found.end() :][:1].isspace())
        mark = Mark(found.start(), found.start(), sentence.paragraph.signs[found[0]], None, sides)
        _insert(marks, mark)
    return text, marks


def _insert(marks: list[Mark], new: Mark) -> None:
    for number, mark in enumerate(marks):
        if mark.closing is not None and mark.start <= new.start < mark.end:
            _insert(mark.children, new)
            return
        if mark.start > new.start:
            marks.insert(number, new)
            return
    marks.append(new)
