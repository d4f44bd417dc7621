"""HTML, XML or text with tags into what is kept, what is read and what marks the reading; nothing is lost.

In: a text and its kind. Out: nodes in order, whose `raw` joins to exactly the text:

    parse_markup("<p>Take <b>5 mg</b>.</p>", "html")
    # Keep("<p>") Read("Take ") Tag("<b>", open, 1) Read("5 mg") Tag("</b>", close, 1) Read(".") Keep("</p>")

`Keep` also separates: sentences do not cross it. In HTML that is each block element; in XML each element
whose parent holds no text of its own. What is not to be translated (`ignore_tags`, `translate="no"`,
`class="notranslate"`, scripts, code) stay whole.

Written here because no parser does it: lxml, html5lib and selectolax mend what they read, and write something
else than came in; `html.parser` knows places, but takes 16 s for 100 kB of "<a<a<a".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

KINDS = ("text", "html", "xml")


@dataclass(frozen=True, slots=True)
class Keep:
    """Comes back as it is, between paragraphs."""

    raw: str


@dataclass(frozen=True, slots=True)
class Read:
    """Text of a paragraph: `text` is what a reader sees of it."""

    raw: str
    text: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A mark inside a paragraph; `pair` joins an opening with its closing tag, 0 stands alone."""

    raw: str
    kind: str = "atom"  # open, close, atom
    pair: int = 0


Node = Keep | Read | Tag

_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite data del dfn em font g i img ins label mark q ruby rb rp rt s small
    span strike strong sub sup time tt u wbr x bx ex bpt ept ph it mrk sc ec pc input button code kbd samp var
    svg math""".split()  # noqa: SIM905
)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
_UNTOUCHED = frozenset(("script", "style", "code", "kbd", "samp", "var", "svg", "math"))
_RAW = frozenset(("script", "style"))
_TAG = re.compile(
    r"""<(?P<end>/)?(?P<name>[A-Za-z_][^\s/><"']*+)(?P<rest>(?:[^<>"']|"[^"]*+"|'[^']*+')*+)>"""
)
_KEPT = re.compile(
    r"""\btranslate\s*=\s*["']?no\b|\bclass\s*=\s*(?:"[^"]*\bnotranslate\b|'[^']*\bnotranslate\b|notranslate\b)""",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# As localization tools and template languages write tags in plain text; "p <a and b> c" is none.
_TAG_IN_TEXT = re.compile(
    r"""<(?P<end>/)?(?P<name>[A-Za-z][\w:.-]*)
        (?:\s+[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*+\s*+(?P<empty>/)?>""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One thing the parser met; `name` is empty for all but tags."""

    kind: str  # text, entity, open, close, empty, other
    raw: str
    name: str = ""
    untouched: bool = False


def parse_markup(text: str, kind: str, ignore_tags: Sequence[str] = ()) -> list[Node]:
    if kind == "text":
        pieces = list(_text_pieces(text))
    else:
        ignored = frozenset(name.lower() for name in ignore_tags)
        pieces = list(_pieces(text, kind, ignored))
    partners = _partners(pieces)
    inline = _inline(pieces, partners, kind)
    return list(_nodes(pieces, partners, inline))


def _text_pieces(text: str) -> Iterator[_Piece]:
    position = 0
    for found in _TAG_IN_TEXT.finditer(text):
        yield _Piece("text", text[position : found.start()])
        kind = "close" if found["end"] else "empty" if found["empty"] else "open"
        yield _Piece(kind, found[0], found["name"])
        position = found.end()
    yield _Piece("text", text[position:])


def _pieces(text: str, kind: str, ignored: frozenset[str]) -> Iterator[_Piece]:
    position = start = 0
    unclosed: set[str] = set()  # ends looked for in vain, so that hostile text costs no second search
    while (position := text.find("<", position)) >= 0:
        found = _tag(text, position, kind, ignored) or _other(text, position, unclosed)
        if found is None:
            position += 1
            continue
        yield from _read(text[start:position])
        yield found
        position = start = position + len(found.raw)
        if kind == "html" and found.kind == "open" and found.name in _RAW:
            closing = re.compile(rf"</{found.name}", re.IGNORECASE).search(text, position)
            start = closing.start() if closing else len(text)
            yield _Piece("other", text[position:start])
            position = start
    yield from _read(text[start:])


def _tag(text: str, position: int, kind: str, ignored: frozenset[str]) -> _Piece | None:
    found = _TAG.match(text, position)
    if found is None:
        return None
    name = found["name"] if kind == "xml" else found["name"].lower()
    if found["end"]:
        return _Piece("close", found[0], name)
    alone = found["rest"].endswith("/") or (kind == "html" and name in _VOID)
    untouched = name.lower() in ignored or (kind == "html" and name in _UNTOUCHED)
    return _Piece(
        "empty" if alone else "open", found[0], name, untouched or bool(_KEPT.search(found["rest"]))
    )


def _other(text: str, position: int, unclosed: set[str]) -> _Piece | None:
    """Comments, CDATA, declarations and processing instructions."""
    for begin, end in (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", ">"), ("<!", ">")):
        if text.startswith(begin, position) and end not in unclosed:
            close = text.find(end, position + len(begin))
            if close >= 0:
                return _Piece("other", text[position : close + len(end)])
            unclosed.add(end)
    return None


def _read(text: str) -> Iterator[_Piece]:
    position = 0
    for found in _ENTITY.finditer(text):
        if found.start() > position:
            yield _Piece("text", text[position : found.start()])
        yield _Piece("entity", found[0])
        position = found.end()
    if position < len(text):
        yield _Piece("text", text[position:])


def _partners(pieces: Sequence[_Piece]) -> dict[int, int]:
    """Opening to closing tag, by index; what has no partner is not in it."""
    partners: dict[int, int] = {}
    stack: list[int] = []
    waiting: dict[str, int] = {}
    for index, piece in enumerate(pieces):
        if piece.kind == "open":
            stack.append(index)
            waiting[piece.name] = waiting.get(piece.name, 0) + 1
        elif piece.kind == "close" and waiting.get(piece.name):
            while stack:
                opening = stack.pop()
                waiting[pieces[opening].name] -= 1
                if pieces[opening].name == piece.name:
                    partners[opening] = index
                    break
    return partners


def _inline(pieces: Sequence[_Piece], partners: dict[int, int], kind: str) -> set[int]:
    """Tags that stand inside a sentence."""
    tags = [i for i, piece in enumerate(pieces) if piece.kind in ("open", "close", "empty", "other")]
    if kind == "text":
        return set(tags)
    if kind == "html":
        return {i for i in tags if pieces[i].kind == "other" or pieces[i].name in _INLINE}
    # XML: an element beside text of its parent's is part of that text.
    closings = set(partners.values())
    parents: list[int] = [-1]
    members: dict[int, list[int]] = {-1: []}
    mixed: set[int] = set()
    for i, piece in enumerate(pieces):
        if i in closings:
            parents.pop()
        elif piece.kind in ("text", "entity"):
            if piece.raw.strip():
                mixed.add(parents[-1])
        else:
            members[parents[-1]].append(i)
            if i in partners:
                parents.append(i)
                members[i] = []
    found = {i for parent in mixed for i in members[parent] if not _declares(pieces[i])}
    return found | {partners[i] for i in found if i in partners}


def _declares(piece: _Piece) -> bool:
    return piece.kind == "other" and piece.raw.startswith(("<?xml", "<!DOCTYPE"))


def _nodes(pieces: Sequence[_Piece], partners: dict[int, int], inline: set[int]) -> Iterator[Node]:
    openings = {closing: opening for opening, closing in partners.items()}
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        if piece.untouched and index in partners:
            end = partners[index] + 1
            raw = "".join(one.raw for one in pieces[index:end])
            yield Tag(raw) if index in inline else Keep(raw)
            index = end
            continue
        if piece.kind == "text":
            yield Read(piece.raw, piece.raw)
        elif piece.kind == "entity":
            text = html.unescape(piece.raw)
            yield Tag(piece.raw) if text == piece.raw else Read(piece.raw, text)
        elif index not in inline:
            yield Keep(piece.raw)
        elif index in partners:
            yield Tag(piece.raw, "open", index + 1)
        elif index in openings:
            yield Tag(piece.raw, "close", openings[index] + 1)
        else:
            yield Tag(piece.raw)
        index += 1
