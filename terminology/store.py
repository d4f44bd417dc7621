"""Termbases with a history: who changed which term when, in SQLite or any database that SQLAlchemy knows.

In: terms and the name of the person. Out: terms, termbases, and the history of each.

    store = TermStore("sqlite:///terms.db")
    store.put("cardio", "en", "pt", [term], who="ana")
    store.termbase("cardio", "en", "pt")               # ready for TermMatcher
    store.history("cardio", term_id="7")               # oldest change first

Every change and its history line are written in one transaction, so neither is ever without the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, InputError, MissingExtraError
from terminology.diffing import Change, diff, with_ids_of
from terminology.termbase import CaseRule, Status, Term, Termbase, Variant

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history; `before` or `after` is absent where a term was added or removed."""

    when: datetime
    who: str
    action: str
    term_id: str
    before: Term | None
    after: Term | None


class TermStore:
    def __init__(self, url: str) -> None:
        self._engine, self._terms, self._history = _open(url)

    def bases(self) -> list[tuple[str, str, str, int]]:
        """Name, languages and number of terms of each base."""
        from sqlalchemy import func, select

        columns = (self._terms.c.base, self._terms.c.source_language, self._terms.c.target_language)
        query = select(*columns, func.count()).group_by(*columns).order_by(*columns)
        with self._engine.connect() as connection:
            return [(row[0], row[1], row[2], row[3]) for row in connection.execute(query)]

    def termbase(self, name: str, source_language: str = "", target_language: str = "") -> Termbase:
        """A base as a value; its languages may be left out where the name has only one pair."""
        pairs = [(base[1], base[2]) for base in self.bases() if base[0] == name]
        wanted = [pair for pair in pairs if _fits(pair, source_language, target_language)]
        if len(wanted) > 1:
            listed = ", ".join(f"{source}-{target}" for source, target in wanted)
            raise InputError(f"the base {name!r} has several pairs ({listed}); say which")
        if not wanted:
            known = ", ".join(f"{base[0]} ({base[1]}-{base[2]})" for base in self.bases()) or "none"
            raise InputError(f"no base {name!r} for {source_language}-{target_language}; there are: {known}")
        source_language, target_language = wanted[0]
        with self._engine.connect() as connection:
            terms = self._read(connection, name, source_language, target_language)
        return Termbase(name, source_language, target_language, tuple(terms.values()))

    def put(self, name: str, source: str, target: str, terms: Sequence[Term], who: str) -> list[Change]:
        """Adds terms and changes those whose ids are there already; returns what changed."""
        return self._apply(name, source, target, terms, who, remove=False)

    def replace_all(
        self, name: str, source: str, target: str, terms: Sequence[Term], who: str
    ) -> list[Change]:
        """Makes the base hold these terms and no others."""
        return self._apply(name, source, target, terms, who, remove=True)

    def remove(self, name: str, source: str, target: str, term_id: str, who: str) -> list[Change]:
        kept = [term for term in self.termbase(name, source, target).terms if term.id != term_id]
        changes = self._apply(name, source, target, kept, who, remove=True)
        if not changes:
            raise InputError(f"the base {name!r} has no term {term_id!r}")
        return changes

    def history(self, name: str, term_id: str = "") -> list[Event]:
        from sqlalchemy import select

        table = self._history
        query = select(table).where(table.c.base == name).order_by(table.c.number)
        if term_id:
            query = query.where(table.c.term_id == term_id)
        with self._engine.connect() as connection:
            return [_event(row._mapping) for row in connection.execute(query)]

    def _apply(
        self, name: str, source: str, target: str, terms: Sequence[Term], who: str, remove: bool
    ) -> list[Change]:
        if not who.strip():
            raise ConfigError("a change of terms needs a name: --by NAME")
        with self._engine.begin() as connection:
            known = self._read(connection, name, source, target)
            changes = diff(known.values(), with_ids_of(known.values(), terms))
            if not remove:
                changes = [change for change in changes if change.after is not None]
            self._write(connection, name, source, target, changes, who)
        return changes

    def _write(
        self, connection: Connection, name: str, source: str, target: str, changes: Iterable[Change], who: str
    ) -> None:
        from sqlalchemy import delete, insert

        table, changes = self._terms, list(changes)
        keys: dict[str, str | None] = {"base": name, "source_language": source, "target_language": target}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for change in changes:
            if change.before is not None:
                matches = [table.c[column] == value for column, value in keys.items()]
                connection.execute(delete(table).where(*matches, table.c.term_id == change.term_id))
        added = [{**keys, **_columns(change.after)} for change in changes if change.after is not None]
        lines = [
            {**keys, "when": now, "who": who, "action": change.action, "term_id": change.term_id}
            | {"before": _dumped(change.before), "after": _dumped(change.after)}
            for change in changes
        ]
        if added:
            connection.execute(insert(table), added)
        if lines:
            connection.execute(insert(self._history), lines)

    def _read(self, connection: Connection, name: str, source: str, target: str) -> dict[str, Term]:
        from sqlalchemy import select

        table = self._terms
        query = select(table.c.term_id, table.c.content).where(
            table.c.base == name, table.c.source_language == source, table.c.target_language == target
        )
        return {row[0]: loaded_term(row[1]) for row in connection.execute(query.order_by(table.c.number))}


def _open(url: str) -> tuple[Engine, Table, Table]:
    try:
        from sqlalchemy import Column, Integer, MetaData, String, Table, Text, create_engine
        from sqlalchemy.exc import SQLAlchemyError
    except ModuleNotFoundError:
        raise MissingExtraError("the term store", "terms") from None
    metadata = MetaData()
    keys = [("base", String(100)), ("source_language", String(20)), ("target_language", String(20)),
            ("term_id", String(200))]  # fmt: skip
    terms = Table(
        "terms",
        metadata,
        Column("number", Integer, primary_key=True),
        *[Column(name, kind, nullable=False, index=True) for name, kind in keys],
        Column("content", Text, nullable=False),
    )
    history = Table(
        "term_history",
        metadata,
        Column("number", Integer, primary_key=True),
        *[Column(name, kind, nullable=False, index=True) for name, kind in keys],
        *[Column(name, String(100), nullable=False) for name in ("when", "who", "action")],
        Column("before", Text),
        Column("after", Text),
    )
    try:
        engine = create_engine(url)
        metadata.create_all(engine)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise ConfigError(
            f"cannot open the term store {_without_password(url)}: {_first_line(error)}"
        ) from None
    return engine, terms, history


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _fits(pair: tuple[str, str], source_language: str, target_language: str) -> bool:
    return source_language in ("", pair[0]) and target_language in ("", pair[1])


def _columns(term: Term) -> dict[str, str]:
    return {"term_id": term.id, "content": dumped_term(term)}


def _dumped(term: Term | None) -> str | None:
    return None if term is None else dumped_term(term)


def dumped_term(term: Term) -> str:
    """A term as JSON, every field of it."""
    fields: dict[str, Any] = {name: getattr(term, name) for name in Term.__slots__ if name != "targets"}
    targets = [[variant.text, variant.status.value] for variant in term.targets]
    return json.dumps(fields | {"targets": targets}, ensure_ascii=False)


def loaded_term(text: str) -> Term:
    fields = json.loads(text)
    targets = tuple(Variant(target, Status(status)) for target, status in fields.pop("targets"))
    return replace(Term(**fields), targets=targets, case=CaseRule(fields["case"]))


def _event(row: Any) -> Event:
    before, after = (loaded_term(row[side]) if row[side] else None for side in ("before", "after"))
    return Event(
        datetime.fromisoformat(row["when"]), row["who"], row["action"], row["term_id"], before, after
    )
