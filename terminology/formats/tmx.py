"""A translation memory (TMX) of short units, read as a glossary.

In: a TMX file; of its languages the two asked for, or the source of the header and the only other one.
Out: `TermRow` values, one for each unit. Inline mark-up inside a segment is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data.errors import TermbaseError
from terminology.formats.rows import TermRow
from terminology.formats.xml_entries import Node, read_entries
from terminology.inflection import base_language

_MARKUP = ("bpt", "ept", "ph", "it", "ut")


def read_tmx(path: Path, source_language: str = "", target_language: str = "") -> Iterator[TermRow]:
    def note_header(node: Node) -> None:
        nonlocal source_language
        found = node.attributes.get("srclang", "")
        if node.name == "header" and not source_language and found != "*all*":
            source_language = found

    for unit in read_entries(path, {"tu"}, note_header):
        sides = {variant.language: _segment(variant) for variant in unit.all("tuv")}
        source = _side(sides, source_language or next(iter(sides), ""))
        others = [language for language in sides if language != source]
        if not target_language and len(others) > 1:
            listed = ", ".join(sorted(sides))
            raise TermbaseError(path, unit.line, f"has several languages ({listed}); say which two to read")
        target = _side(sides, target_language or next(iter(others), ""))
        if not source or not target:
            continue
        yield TermRow(
            unit.line, sides[source], sides[target], id=unit.attributes.get("tuid", ""),
            note=unit.value("note"), source_language=source, target_language=target,
        )  # fmt: skip


def _side(sides: dict[str, str], wanted: str) -> str:
    if wanted in sides:
        return wanted
    return next((language for language in sides if base_language(language) == base_language(wanted)), "")


def _segment(variant: Node) -> str:
    segment = next(variant.all("seg"), None)
    if segment is None:
        return ""
    for mark in segment.all(*_MARKUP):
        segment.text = segment.text.replace(mark.text, " ", 1) if mark.text else segment.text
    return segment.clean
