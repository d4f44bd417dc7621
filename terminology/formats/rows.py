"""A row of a termbase as its file has it, and the words that files use for columns and statuses.

In: a mapping of column to cell. Out: a `TermRow` of plain text, checked later by `terminology.assembly`.

>>> row_of(3, {"English": "hold", "pt-BR": "segurar", "Status": "do not use"}, "en", "pt").status
'forbidden'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from terminology.inflection import base_language

_COLUMNS = {
    "id": ("id", "entry id", "concept id", "concept", "key"),
    "source": ("source", "src", "source term", "source text", "term", "from"),
    "target": ("target", "tgt", "trg", "target term", "translation", "target text", "to"),
    "status": ("status", "usage", "usage status", "administrative status", "approval"),
    "forbidden": ("forbidden", "forbidden target", "do not use", "banned"),
    "case": ("case", "case rule", "case sensitive", "case sensitivity"),
    "part_of_speech": ("part of speech", "pos", "word class"),
    "domain": ("domain", "subject", "subject field", "field"),
    "note": ("note", "notes", "comment", "comments", "definition", "usage note"),
    "keep": ("keep", "do not translate", "dnt", "untranslatable", "non translatable"),
    "priority": ("priority", "rank"),
    "source_language": ("source language", "src lang", "source lang"),
    "target_language": ("target language", "tgt lang", "target lang"),
}
_FIELD_OF = {name: field for field, names in _COLUMNS.items() for name in names}
_LANGUAGE_NAMES = {
    "english": "en", "portuguese": "pt", "spanish": "es", "french": "fr", "german": "de", "italian": "it",
    "dutch": "nl", "polish": "pl", "russian": "ru", "chinese": "zh", "japanese": "ja", "arabic": "ar",
}  # fmt: skip
_STATUSES = {
    "preferred": "preferred preferredterm preferredterm-admn-sts approved standard standardizedterm "
    "standardizedterm-admn-sts recommended required use yes",
    "admitted": "admitted admittedterm admittedterm-admn-sts allowed synonym legalterm legalterm-admn-sts "
    "regulatedterm regulatedterm-admn-sts",
    "forbidden": "forbidden deprecated deprecatedterm deprecatedterm-admn-sts supersededterm "
    "supersededterm-admn-sts obsolete banned prohibited negative notrecommended donotuse no",
}
_STATUS_OF = {word: status for status, words in _STATUSES.items() for word in words.split()}


class TermRow(NamedTuple):
    """One source term with one target variant; text as in the file, empty where it says nothing."""

    line: int
    source: str = ""
    target: str = ""
    id: str = ""
    status: str = ""
    forbidden: str = ""
    case: str = ""
    part_of_speech: str = ""
    domain: str = ""
    note: str = ""
    keep: str = ""
    priority: str = ""
    source_language: str = ""
    target_language: str = ""
    problem: str = ""  # set by a reader that could not make sense of the row


class Columns:
    """What the columns of a table hold; they may be named by language (`en`, `pt-BR`, `English`)."""

    def __init__(self, names: Sequence[str], source_language: str, target_language: str) -> None:
        self.fields: list[tuple[int, str]] = []
        self.given: dict[str, str] = {}
        for place, name in enumerate(names):
            field = field_named(name, source_language, target_language)
            if field and field not in [known for _, known in self.fields]:
                self.fields.append((place, field))
            if field in ("source", "target") and _plain(name) not in _FIELD_OF:
                code = name.strip() if _is_code(name.strip()) else language_named(name)
                self.given.setdefault(f"{field}_language", code)

    def row(self, line: int, cells: Sequence[str]) -> TermRow:
        named = {field: cells[place].strip() for place, field in self.fields if place < len(cells)}
        if named.get("status"):
            named["status"] = status_word(named["status"])
        return TermRow(line, **{**self.given, **named})


def row_of(line: int, cells: Mapping[str, str], source_language: str, target_language: str) -> TermRow:
    """A row from named cells."""
    return Columns(list(cells), source_language, target_language).row(line, list(cells.values()))


def field_named(column: str, source_language: str, target_language: str) -> str:
    """The field that a column holds; empty for one we do not know."""
    if _plain(column) in _FIELD_OF:
        return _FIELD_OF[_plain(column)]
    language = language_named(column)
    if language and language == base_language(source_language):
        return "source"
    return "target" if language and language == base_language(target_language) else ""


def _plain(column: str) -> str:
    return " ".join(column.replace("_", " ").replace("-", " ").casefold().split())


def language_named(column: str) -> str:
    """`pt-BR`, `English` and `English (en)` name a language; most words do not."""
    word = column.strip().casefold().partition("(")[0].strip()
    return _LANGUAGE_NAMES.get(word, base_language(word) if _is_code(word) else "")


def _is_code(word: str) -> bool:
    base = base_language(word)
    region = word[len(base) + 1 :]
    return len(base) in (2, 3) and base.isalpha() and base.isascii() and len(region) in (0, 2, 3, 4)


def named_languages(columns: Sequence[str]) -> list[str]:
    """The languages that name a column, in their order, where nobody said which to read."""
    listed = (language_named(column) for column in columns)
    return [language for language in listed if language in _LANGUAGE_NAMES.values()]


def is_header(cells: Sequence[str], source_language: str, target_language: str) -> bool:
    """Whether a first row names columns: both sides, and no word that names nothing beside them."""
    if not source_language:
        source_language, target_language = [*named_languages(cells), "", ""][:2]
    fields = {field_named(cell, source_language, target_language) for cell in cells}
    return "source" in fields and bool(fields & {"target", "keep", "forbidden"})


def status_word(text: str) -> str:
    """The status that a file's word stands for; the word itself where it is unknown."""
    return _STATUS_OF.get("".join(text.casefold().split()).replace("_", ""), text.strip())
