"""Termbase files, by their ending: read any, write any.

In: a path. Out: a `LoadedTermbase`, or a file.

    loaded = load_termbase("glossary.tbx", "en", "pt", skip_bad=True)
    for problem in loaded.skipped:
        print(problem)                                   # glossary.tbx:7: has no source term
    save_termbase("glossary.csv", loaded.termbase)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from data.errors import InputError, TermbaseError
from terminology.assembly import assemble
from terminology.formats import delimited, records, spreadsheet, tbx, tmx
from terminology.formats.rows import TermRow
from terminology.termbase import LoadedTermbase, Termbase

_Reader = Callable[[Path, str, str], Iterator[TermRow]]
READERS: dict[str, _Reader] = {
    ".csv": delimited.read_delimited,
    ".tsv": delimited.read_delimited,
    ".tab": delimited.read_delimited,
    ".txt": delimited.read_delimited,
    ".jsonl": records.read_records,
    ".xlsx": spreadsheet.read_spreadsheet,
    ".xlsm": spreadsheet.read_spreadsheet,
    ".tbx": tbx.read_tbx,
    ".xml": tbx.read_tbx,
    ".tmx": tmx.read_tmx,
}
_Writer = Callable[[Path, Termbase], None]
WRITERS: dict[str, _Writer] = {
    ".csv": delimited.write_delimited,
    ".tsv": lambda path, termbase: delimited.write_delimited(path, termbase, "\t"),
    ".jsonl": records.write_records,
    ".xlsx": spreadsheet.write_spreadsheet,
    ".tbx": tbx.write_tbx,
}


def load_termbase(
    path: Path | str,
    source_language: str = "",
    target_language: str = "",
    skip_bad: bool = False,
    priority: int = 0,
) -> LoadedTermbase:
    """The terms of a file for a pair of languages, or for the only pair that it has."""
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: not a termbase by its name; valid endings: {', '.join(READERS)}")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    loaded = assemble(
        path, reader(path, source_language, target_language), source_language, target_language, skip_bad
    )
    if not loaded.termbase.terms and not loaded.skipped:
        raise TermbaseError(path, 1, "has no terms")
    return replace(loaded, termbase=replace(loaded.termbase, priority=priority))


def save_termbase(path: Path | str, termbase: Termbase) -> None:
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path}: cannot write terms so; valid endings: {', '.join(WRITERS)}")
    writer(path, termbase)
