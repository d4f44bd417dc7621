"""Parallel text from files of several kinds, one record after the other, whatever the size.

In: paths (.jsonl .tsv .tmx .parquet, the text ones also .gz) or names of data sets. Out: Pairs, or records
that keep the further fields of a file (document, position, models, scores ...).

    problems = Problems(skip=True)
    for pair in read_pairs(["memory.tmx", "pairs.jsonl"], Reading("en", "pt"), problems): ...

Every record has id, src and tgt; fields that files name otherwise (source, target, reference ...) are taken
for what they are. What cannot be read is an error with file and line, or counted in `problems`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.corpus_readers import READERS, is_dataset, kind_of, read_dataset
from data.errors import InputError, RecordError
from data.lines import Problems
from data.segments import Pair, Segment

Record = dict[str, Any]
_SOURCES = ("src", "source", "sourceString", "source_text", "src_text", "sentence_source")
_TARGETS = ("tgt", "target", "targetString", "target_text", "tgt_text", "reference", "ref", "sentence_target")
_TEXTS = frozenset((*_SOURCES, *_TARGETS))
_ATTRIBUTES = {
    "src_lang": "source_language",
    "tgt_lang": "target_language",
    "origin": "origin",
    "licence": "licence",
    "document": "document",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file does not say itself: its languages and, for text that is not UTF-8, the encoding."""

    source: str = ""
    target: str = ""
    encoding: str = "utf-8"


def read_pairs(
    inputs: Iterable[Path | str],
    reading: Reading = Reading(),
    problems: Problems | None = None,
) -> Iterator[Pair]:
    """Pairs in the order of the inputs."""
    return map(pair_of, read_records(inputs, reading, problems))


def read_records(
    inputs: Iterable[Path | str],
    reading: Reading = Reading(),
    problems: Problems | None = None,
) -> Iterator[Record]:
    """The same with all fields that the files have."""
    problems = problems if problems is not None else Problems()
    for given in inputs:
        yield from _read_one(given, reading, problems)


def pair_of(record: Mapping[str, Any]) -> Pair:
    """The Pair in a record that `read_records` gave."""
    rest = {attribute: str(record.get(field) or "") for field, attribute in _ATTRIBUTES.items()}
    return Pair(Segment(record["id"], record["src"]), record["tgt"], **rest)


def _read_one(given: Path | str, reading: Reading, problems: Problems) -> Iterator[Record]:
    path = Path(given)
    if path.is_dir():
        inside = sorted(file for file in path.iterdir() if file.is_file() and kind_of(file) in READERS)
        if not inside:
            raise InputError(f"{path}: holds no corpus file; readable are {', '.join(READERS)} (and .gz)")
        for file in inside:
            yield from _read_one(file, reading, problems)
        return
    if not path.exists() and is_dataset(str(given)):
        rows, place = read_dataset(str(given)), str(given)
    else:
        reader = READERS.get(kind_of(path))
        if reader is None:
            known = ", ".join(READERS)
            raise InputError(f"{path}: not a kind of file that is read; there are {known} (and .gz)")
        rows, place = reader(path, reading, problems), path.name.partition(".")[0]
    for number, fields in rows:
        try:
            yield _record(path, number, fields, reading, place)
        except RecordError as error:
            problems.report("no pair in it", error)


def _record(path: Path, number: int, fields: Mapping[str, Any], reading: Reading, place: str) -> Record:
    nested = fields.get("translation")
    if isinstance(nested, Mapping):  # as data sets of machine translation have it: {"en": ..., "pt": ...}
        fields = {**fields, **_of_languages(nested, reading)}
    elif reading.source in fields and reading.target in fields:
        fields = {**fields, **_of_languages(fields, reading)}
    source = _first(fields, _SOURCES)
    target = _first(fields, _TARGETS)
    if source is None or target is None:
        missing, names = ("source", _SOURCES) if source is None else ("target", _TARGETS)
        raise RecordError(path, number, f"no {missing} text; it is looked for in: {', '.join(names)}")
    record = {key: value for key, value in fields.items() if key not in _TEXTS}
    record.update(id=str(fields.get("id") or f"{place}:{number}"), src=source, tgt=target)
    if reading.source:
        record["src_lang"] = record.get("src_lang") or reading.source
    if reading.target:
        record["tgt_lang"] = record.get("tgt_lang") or reading.target
    return record


def _of_languages(texts: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    return {"src": texts.get(reading.source), "tgt": texts.get(reading.target)}


def _first(fields: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            return value
    return None
