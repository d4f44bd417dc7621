"""TBX, the exchange format of termbases: version 2 and 3, DCA and DCT style, TBX-Basic and its kin.

In: a TBX file; of its languages the two asked for, or the only two it has. Out: `TermRow` values; or a TBX v3
file in DCA style that reads back as the same terms.

    <conceptEntry id="c7">
      <langSec xml:lang="en"><termSec><term>hold</term></termSec></langSec>
      <langSec xml:lang="pt"><termSec><term>suspender</term>
        <termNote type="administrativeStatus">preferredTerm-admn-sts</termNote></termSec></langSec>
    </conceptEntry>

translate-toolkit reads TBX into memory as a whole, and only version 2 without statuses, so the stream of
`xml_entries` is read by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from data.errors import TermbaseError
from data.files import atomic_write
from terminology.formats.rows import TermRow, status_word
from terminology.formats.xml_entries import Node, read_entries
from terminology.inflection import base_language
from terminology.termbase import CaseRule, Status, Term, Termbase

_ENTRY = {"conceptEntry", "termEntry"}
_LANGUAGE = ("langSec", "langSet")
_TERM = ("termSec", "tig", "ntig")
_STATUS = {
    Status.PREFERRED: "preferredTerm-admn-sts",
    Status.ADMITTED: "admittedTerm-admn-sts",
    Status.FORBIDDEN: "deprecatedTerm-admn-sts",
}


def read_tbx(path: Path, source_language: str = "", target_language: str = "") -> Iterator[TermRow]:
    pair = _Pair(path, source_language, target_language)
    for entry in read_entries(path, _ENTRY, pair.note_header):
        sections: dict[str, list[Node]] = {}
        for section in entry.all(*_LANGUAGE):
            sections.setdefault(section.language, []).extend(section.all(*_TERM))
        source, target = pair.of(entry, list(sections))
        if source and (target or _kept(entry)):
            yield from _rows(entry, sections, source, target)


class _Pair:
    """Which two languages to read: those asked for, else the file's own and the only other one."""

    def __init__(self, path: Path, source: str, target: str) -> None:
        self.path, self.source, self.target = path, source, target

    def note_header(self, node: Node) -> None:
        if node.name in ("tbx", "martif") and not self.source and not self.target:
            self.source = node.language

    def of(self, entry: Node, languages: list[str]) -> tuple[str, str]:
        if not self.source and languages:
            self.source = languages[0]
        others = [language for language in languages if not _same(language, self.source)]
        if not self.target and len(others) == 1:
            self.target = others[0]
        if not self.target and others:
            listed = ", ".join(sorted(languages))
            raise TermbaseError(
                self.path, entry.line, f"has several languages ({listed}); say which two to read"
            )
        return _best(languages, self.source), _best(languages, self.target)


def _best(languages: list[str], wanted: str) -> str:
    """The very language asked for (`pt-BR`) before another of its kind (`pt`)."""
    if wanted in languages:
        return wanted
    return next((language for language in languages if _same(language, wanted)), "")


def _same(first: str, second: str) -> bool:
    return base_language(first) == base_language(second)


def _kept(entry: Node) -> bool:
    return entry.typed("x-keep") == "yes"


def _rows(entry: Node, sections: dict[str, list[Node]], source: str, target: str) -> Iterator[TermRow]:
    if not sections[source]:
        yield TermRow(entry.line, problem=f"has no term in {source!r}")
    for number, term in enumerate(sections[source]):
        for variant in sections.get(target, ()) or (Node("tig", {}, term.line),):
            yield TermRow(
                line=term.line,
                id=_id(entry, number),
                source=term.value("term"),
                target=variant.value("term"),
                status=status_word(_status(variant)),
                case=term.typed("x-case"),
                part_of_speech=term.typed("partOfSpeech"),
                domain=entry.typed("subjectField"),
                note=_note(entry, term),
                keep=entry.typed("x-keep"),
                priority=entry.typed("x-priority"),
                source_language=source,
                target_language=target,
            )


def _id(entry: Node, number: int) -> str:
    name = entry.attributes.get("id", "") or f"line{entry.line}"
    return name if number == 0 else f"{name}.{number}"


def _status(variant: Node) -> str:
    return variant.typed("administrativeStatus") or variant.typed("normativeAuthorization")


def _note(entry: Node, term: Node) -> str:
    """The note of the entry itself, or of its source term, or the definition."""
    own = [child.clean for child in entry.children if child.name == "note"]
    return next(iter(own), "") or term.value("note") or entry.typed("definition")


def write_tbx(path: Path, termbase: Termbase) -> None:
    languages = termbase.source_language or "und", termbase.target_language or "und"
    with atomic_write(path) as stream:
        stream.write(_HEAD.format(language=quoteattr(languages[0]), title=escape(termbase.name or "terms")))
        for _, terms in groupby(
            termbase.terms, key=lambda term: (_concept(term.id), term.targets, term.note)
        ):
            _write_concept(stream, list(terms), *languages)
        stream.write("    </body>\n  </text>\n</tbx>\n")


def _concept(term_id: str) -> str:
    name, dot, number = term_id.rpartition(".")
    return name if dot and number.isdigit() else term_id


def _write_concept(stream: TextIO, terms: list[Term], source: str, target: str) -> None:
    first = terms[0]
    stream.write(f"      <conceptEntry id={quoteattr(first.id)}>\n")
    _element(stream, 8, "descrip", first.domain, "subjectField")
    _element(stream, 8, "admin", "yes" if first.keep else "", "x-keep")
    _element(stream, 8, "admin", str(first.priority or ""), "x-priority")
    _element(stream, 8, "note", first.note)
    stream.write(f"        <langSec xml:lang={quoteattr(source)}>\n")
    for term in terms:
        notes = (
            ("partOfSpeech", term.part_of_speech),
            ("x-case", "" if term.case is CaseRule.AUTO else term.case.value),
        )
        _write_term(stream, term.source, notes)
    stream.write(f"        </langSec>\n        <langSec xml:lang={quoteattr(target)}>\n")
    for variant in first.targets:
        _write_term(stream, variant.text, (("administrativeStatus", _STATUS[variant.status]),))
    stream.write("        </langSec>\n      </conceptEntry>\n")


def _write_term(stream: TextIO, text: str, notes: Iterable[tuple[str, str]]) -> None:
    stream.write("          <termSec>\n")
    _element(stream, 12, "term", text)
    for kind, value in notes:
        _element(stream, 12, "termNote", value, kind)
    stream.write("          </termSec>\n")


def _element(stream: TextIO, indent: int, name: str, text: str, kind: str = "") -> None:
    if text:
        attribute = f" type={quoteattr(kind)}" if kind else ""
        stream.write(f"{' ' * indent}<{name}{attribute}>{escape(text)}</{name}>\n")


_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<tbx type="TBX-Basic" style="dca" xml:lang={language} xmlns="urn:iso:std:iso:30042:ed-2">
  <tbxHeader>
    <fileDesc>
      <titleStmt><title>{title}</title></titleStmt>
      <sourceDesc><p>Written by medloop</p></sourceDesc>
    </fileDesc>
  </tbxHeader>
  <text>
    <body>
"""
