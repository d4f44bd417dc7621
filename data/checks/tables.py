"""Read the clinical tables and index them by first word.

In goes a language code; out comes a Table, or None where nobody has written one:

>>> table_for("pt-BR").decimal_mark
','
>>> table_for("sw") is None
True

The files lie in `data/tables/clinical/`: one TOML a language, and units, drugs and stems shared by all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from data.checks.words import fold, split
from data.errors import ConfigError

FOLDER = Path(__file__).parent.parent / "tables" / "clinical"

Tag = tuple[str, Any]


class Unit(NamedTuple):
    """`dimension` is what it measures; `size` is how many of the dimension's first unit it is."""

    name: str
    dimension: str
    size: float


class Entry(NamedTuple):
    """A phrase after its first word; `written` holds the exact words where capital letters count."""

    rest: tuple[str, ...]
    written: tuple[str, ...] | None
    tags: tuple[Tag, ...]


Index = dict[str, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What one language says about numbers, sides, negation and the rest, ready to be looked up."""

    language: str
    decimal_mark: str
    phrases: Index
    units: Index
    per: Index
    times: frozenset[str]
    every: tuple[tuple[str, ...], ...]
    once: dict[str, float]
    interval_joiners: frozenset[str]
    number_joiners: frozenset[str]
    articles: frozenset[str]
    roman_after: frozenset[str]
    date_between: frozenset[str]
    month_first_possible: bool
    clock: frozenset[str]
    am: Index
    pm: Index
    negative_prefixes: tuple[str, ...]
    free_prefixes: tuple[str, ...]
    free_suffixes: tuple[str, ...]
    not_negative: tuple[str, ...]
    partners: frozenset[str]
    alone: frozenset[str]
    companions: frozenset[str]
    only: frozenset[str]
    clause_starts: frozenset[str]
    body: frozenset[str]
    side_letters: dict[str, str]
    side_letters_stand: str
    function_words: frozenset[str]


@lru_cache
def languages() -> tuple[str, ...]:
    """The languages that have a table."""
    shared = {"units", "drugs", "substances", "stems", "anchors"}
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem not in shared))


def base_language(code: str) -> str:
    """`pt-BR` and `pt_PT` share the table of `pt`."""
    return re.split(r"[-_]", code.strip().lower(), maxsplit=1)[0]


def table_for(language: str) -> Table | None:
    return _table(base_language(language))


@lru_cache(64)
def _table(language: str) -> Table | None:
    return _build(load(language)) if language in languages() else None


@lru_cache
def load(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error


@lru_cache
def shared_units() -> Index:
    return index(_unit_tags({}))


@lru_cache
def units_by_name() -> dict[str, Unit]:
    return {
        name: Unit(name, dimension, float(row["size"]))
        for dimension, rows in load("units").items()
        for name, row in rows.items()
    }


def index(tagged: Iterator[tuple[str, Tag]]) -> Index:
    """Phrases by their first word, the longest first; a phrase may carry several tags."""
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...] | None], list[Tag]] = {}
    for phrase, tag in tagged:
        words = split(phrase)
        folded = tuple(fold(word) for word in words)
        written = None if phrase == phrase.lower() else tuple(words)
        tags = found.setdefault((folded[0], folded[1:], written), [])
        if tag not in tags:
            tags.append(tag)
    grouped: dict[str, list[Entry]] = {}
    for (first, rest, written), tags in found.items():
        grouped.setdefault(first, []).append(Entry(rest, written, tuple(tags)))
    order = {True: 0, False: 1}
    return {
        first: tuple(sorted(entries, key=lambda e: (-len(e.rest), order[e.written is not None])))
        for first, entries in grouped.items()
    }


def _build(raw: Mapping[str, Any]) -> Table:
    frequency, dates, sides = raw["frequency"], raw["dates"], raw["laterality"]
    return Table(
        language=raw["language"],
        decimal_mark=raw["decimal_mark"],
        phrases=index(_phrase_tags(raw)),
        units=index(_unit_tags(raw["units"])),
        per=index((phrase, ("per", None)) for phrase in frequency["per"]),
        times=frozenset(map(fold, frequency["times"])),
        every=tuple(tuple(map(fold, split(phrase))) for phrase in frequency["every"]),
        once={fold(word): float(count) for word, count in frequency["once"].items()},
        interval_joiners=frozenset(map(fold, frequency.get("interval_joiner", ()))),
        number_joiners=frozenset(map(fold, raw["numbers"]["joiners"])),
        articles=frozenset(map(fold, raw["numbers"].get("articles", ()))),
        roman_after=frozenset(fold(split(phrase)[-1]) for phrase in raw["numbers"]["roman_after"]),
        date_between=frozenset(map(fold, dates["between"])),
        month_first_possible=dates["order"] == "either",
        clock=frozenset(fold(phrase) for phrase in dates["clock"]),
        am=index((phrase, ("am", None)) for phrase in dates["am"]),
        pm=index((phrase, ("pm", None)) for phrase in dates["pm"]),
        negative_prefixes=tuple(map(fold, raw["negation"]["prefixes"])),
        free_prefixes=tuple(map(fold, raw["negation"]["free_prefixes"])),
        free_suffixes=tuple(map(fold, raw["negation"]["free_suffixes"])),
        not_negative=tuple(map(fold, raw["negation"]["ordinary"])),
        partners=frozenset(map(fold, raw["negation"].get("partners", ()))),
        only=frozenset(map(fold, raw["negation"]["only"])),
        alone=frozenset(map(fold, raw["negation"].get("alone", ()))),
        companions=frozenset(map(fold, raw["negation"]["companions"])),
        clause_starts=frozenset(map(fold, raw["negation"]["clause_starts"])),
        body=frozenset(map(fold, sides["body"])),
        side_letters=_side_letters(sides),
        side_letters_stand=sides["letters_stand"],
        function_words=frozenset(map(fold, raw["content"]["function_words"])),
    )


def _side_letters(sides: Mapping[str, Any]) -> dict[str, str]:
    letters = dict.fromkeys(sides["left_letter"], "left")
    return letters | dict.fromkeys(sides["right_letter"], "right")


def _phrase_tags(raw: Mapping[str, Any]) -> Iterator[tuple[str, Tag]]:
    for kind in ("plain", "ordinal", "loose"):
        for value, words in raw["numbers"].get(kind, {}).items():
            yield from ((word, (f"number_{kind}", float(value))) for word in words)
    for kind in ("half", "clock"):
        yield from ((words, ("number_half", kind)) for words in raw["numbers"].get(f"{kind}_more", ()))
    yield from _compound_numbers(raw["numbers"].get("compounds"))
    for kind in ("exact", "loose"):
        for rate, words in raw["frequency"].get(kind, {}).items():
            yield from ((word, (f"frequency_{kind}", per_day(rate))) for word in words)
    for number, words in enumerate(raw["dates"]["months"], start=1):
        yield from ((word, ("month", number)) for word in words)
    yield from ((phrase, ("ordinary", "")) for phrase in raw["ordinary"]["phrases"])
    for section in ("comparison", "negation", "instruction", "laterality", "patient"):
        for value, words in raw[section].items():
            if isinstance(words, list) and value not in _NOT_PHRASES:
                yield from ((word, (section, value)) for word in words)
    for kind in ("drugs", "substances"):
        for drug, names in load(kind).items():
            yield from ((name, ("drug", drug)) for name in names.get(raw["language"], ()))


_NOT_PHRASES = {
    "prefixes",
    "free_prefixes",
    "free_suffixes",
    "ordinary",
    "partners",
    "alone",
    "companions",
    "only",
    "clause_starts",
    "body",
    "left_letter",
    "right_letter",
}


def _compound_numbers(parts: Mapping[str, Any] | None) -> Iterator[tuple[str, Tag]]:
    """German writes its numbers in one word: fünfundzwanzig, zweihundert, dreitausend."""
    if parts is None:
        return
    ones, tens = parts["ones"], parts["tens"]
    for one, value in ones.items():
        for ten, ten_value in tens.items():
            yield f"{one}{parts['and']}{ten}", ("number_plain", float(ten_value + value))
        if value > 1:
            yield f"{one}{parts['half']}", ("number_plain", value + 0.5)
            yield f"{one}{parts['hundred']}", ("number_plain", value * 100.0)
            yield f"{one}{parts['thousand']}", ("number_plain", value * 1000.0)


def per_day(rate: str) -> float:
    """`3/week` is 3 / 7 times a day, `1/2 days` half a time."""
    match = re.fullmatch(r"(\d+)/(\d+ )?(hour|day|week|month|year)s?", rate)
    if match is None:
        raise ConfigError(f"frequency {rate!r} is not of the form 2/day, 3/week or 1/8 hours")
    seconds = units_by_name()["h" if match[3] == "hour" else match[3]].size
    return round(float(match[1]) * 86400 / (float(match[2] or 1) * seconds), 6)


def _unit_tags(forms: Mapping[str, list[str]]) -> Iterator[tuple[str, Tag]]:
    names = units_by_name()
    for rows in load("units").values():
        for name, row in rows.items():
            yield from ((form, ("unit", names[name])) for form in row["forms"])
    for name, words in forms.items():
        if name not in names:
            raise ConfigError(f"{FOLDER}: unit {name!r} is not in units.toml; there are {', '.join(names)}")
        yield from ((word, ("unit", names[name])) for word in words)
