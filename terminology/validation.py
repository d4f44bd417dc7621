"""What may stand in a row of a termbase.

In: a `TermRow`, plain text as its file has it. Out: a `Term` without targets and the variants that the row
adds; or a `TermbaseError` that names file, line, and what would be valid.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from data.errors import TermbaseError
from terminology.formats.rows import TermRow, status_word
from terminology.termbase import CaseRule, Status, Term, Variant

LONGEST_TERM = 300  # characters; a longer cell is a sentence in the wrong file
_YES = ("1", "true", "yes", "y", "x")
_NO = ("", "0", "false", "no", "n")
_CASES = {
    CaseRule.AUTO: ("", "auto"),
    CaseRule.EXACT: ("exact", "yes", "true", "sensitive", "casesensitive"),
    CaseRule.ANY: ("any", "no", "false", "insensitive", "caseinsensitive", "permissive"),
}
_CASE_OF = {word: case for case, words in _CASES.items() for word in words}


def checked(path: Path | str, row: TermRow) -> tuple[Term, list[Variant]]:
    """One good row; raises what is wrong with a bad one."""
    try:
        return _term(path, row), _variants(row)
    except ValueError as error:
        raise TermbaseError(path, row.line, str(error)) from None


def _term(path: Path | str, row: TermRow) -> Term:
    if row.problem:
        raise ValueError(row.problem)
    source = tidy(row.source)
    if not source:
        raise ValueError("has no source term")
    _check_text(source)
    return Term(
        id=row.id,
        source=source,
        case=_case(row.case),
        part_of_speech=row.part_of_speech,
        domain=row.domain,
        note=row.note,
        keep=_kept(row.keep),
        priority=_priority(row.priority),
        origin=f"{path}:{row.line}",
    )


def _variants(row: TermRow) -> list[Variant]:
    target = tidy(row.target)
    variants = [Variant(target, _status(row.status))] if target else []
    if row.forbidden:
        parts = [tidy(part) for part in row.forbidden.split("|")]
        variants += [Variant(part, Status.FORBIDDEN) for part in parts if part]
    if not variants and not _kept(row.keep):
        raise ValueError("has no target; a term that stays as it is needs do-not-translate")
    for variant in variants:
        _check_text(variant.text)
    return variants


def tidy(text: str) -> str:
    """Composed characters, single spaces."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def _check_text(text: str) -> None:
    if len(text) > LONGEST_TERM:
        raise ValueError(f"holds a term of {len(text)} characters; at most {LONGEST_TERM}")
    if not (text.isascii() and text.isprintable()) and any(
        unicodedata.category(mark) in ("Cc", "Cs") for mark in text
    ):
        raise ValueError("holds a term with control characters")
    if not text.isalpha() and not any(mark.isalnum() for mark in text):
        raise ValueError("holds a term without a letter or digit")


def _kept(text: str) -> bool:
    if not text:
        return False
    word = text.casefold()
    if word not in _YES + _NO:
        raise ValueError(f"do-not-translate is {text!r}; valid: yes, no")
    return word in _YES


def _status(text: str) -> Status:
    if not text:
        return Status.PREFERRED
    word = status_word(text)
    if word not in list(Status):
        raise ValueError(f"status is {text!r}; valid: {', '.join(Status)}")
    return Status(word)


def _case(text: str) -> CaseRule:
    if not text:
        return CaseRule.AUTO
    word = "".join(text.casefold().replace("-", " ").replace("_", " ").split())
    if word not in _CASE_OF:
        raise ValueError(f"case is {text!r}; valid: {', '.join(CaseRule)}")
    return _CASE_OF[word]


def _priority(text: str) -> int:
    try:
        return int(text or 0)
    except ValueError:
        raise ValueError(f"priority is {text!r}; it is a whole number") from None
