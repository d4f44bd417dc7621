"""Glossaries that clients keep on the server: dictionaries by pair of languages, for the owner or for all.

    store = GlossaryStore(engine)
    made = store.create("cardio", key, {("en", "pt"): terms})
    store.termbases([made.id], "en", "pt", key)        # for the enforcer, first has the say
    store.change(made.id, key, ("en", "pt"), add=[...], remove=["stent"])

An admin's glossary is everybody's to use; each change raises `version`, which the cache goes by.
"""

from __future__ import annotations

import json
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from mt.api.database import writing
from mt.api.engines import base
from mt.api.keys import Key
from mt.api.problems import Problem
from mt.api.tables import api_dictionaries, api_glossaries
from mt.api.warming import warm
from terminology.files import load_termbase, save_termbase
from terminology.store import dumped_term, loaded_term
from terminology.termbase import Term, Termbase

Pair = tuple[str, str]
FORMATS = {"csv": ".csv", "tsv": ".tsv", "tbx": ".tbx", "json": ".jsonl"}
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Glossary:
    id: str
    name: str
    owner: str
    shared: bool
    created: float
    version: int
    counts: tuple[tuple[str, str, int], ...]  # source, target, number of terms


class GlossaryStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, name: str, key: Key, dictionaries: Mapping[Pair, Sequence[Term]]) -> Glossary:
        if len(self.all(key)) >= _MOST:
            raise Problem(400, "glossaries-full", f"there are {_MOST} glossaries; delete some")
        row = {
            "id": str(uuid.uuid4()), "name": name[:1024], "owner": key.id, "shared": key.may("admin"),
            "created": time.time(), "version": 1,
        }  # fmt: skip
        with writing(self._engine) as connection:
            connection.execute(insert(api_glossaries).values(**row))
            for pair, terms in dictionaries.items():
                _put(connection, str(row["id"]), pair, terms)
        return self.get(str(row["id"]), key)

    def languages(self) -> set[str]:
        """Of all dictionaries, whoever owns them."""
        columns = api_dictionaries.c
        with self._engine.connect() as connection:
            rows = connection.execute(select(columns.source, columns.target).distinct()).all()
        return {language for row in rows for language in row}

    def all(self, key: Key) -> list[Glossary]:
        with self._engine.connect() as connection:
            counts: dict[str, list[tuple[str, str, int]]] = {}
            columns = api_dictionaries.c
            query = select(columns.glossary_id, columns.source, columns.target, columns.count)
            for row in connection.execute(query.order_by(columns.source, columns.target)):
                counts.setdefault(row[0], []).append((row[1], row[2], row[3]))
            rows = connection.execute(select(api_glossaries).order_by(api_glossaries.c.created)).all()
        found = [Glossary(**row._mapping, counts=tuple(counts.get(row.id, ()))) for row in rows]
        return [one for one in found if one.shared or one.owner == key.id or key.may("admin")]

    def get(self, glossary_id: str, key: Key) -> Glossary:
        for one in self.all(key):
            if one.id == glossary_id:
                return one
        raise Problem(404, "glossary-unknown", "no glossary of this id")

    def terms(self, glossary_id: str, pair: Pair, key: Key) -> tuple[Term, ...]:
        self.get(glossary_id, key)
        columns = api_dictionaries.c
        with self._engine.connect() as connection:
            rows = connection.execute(select(api_dictionaries).where(columns.glossary_id == glossary_id))
            for row in rows:
                if (base(row.source), base(row.target)) == (base(pair[0]), base(pair[1])):
                    return tuple(map(loaded_term, json.loads(row.terms)))
        raise Problem(404, "dictionary-unknown", "the glossary has no dictionary for these languages")

    def put(self, glossary_id: str, key: Key, pair: Pair, terms: Sequence[Term]) -> Glossary:
        """The dictionary holds these terms and no others."""
        return self._write(glossary_id, key, lambda connection: _put(connection, glossary_id, pair, terms))

    def change(
        self, glossary_id: str, key: Key, pair: Pair, add: Sequence[Term], remove: Sequence[str] = ()
    ) -> Glossary:
        """Terms by their source: added or replaced, and taken out."""
        try:
            known = {term.source: term for term in self.terms(glossary_id, pair, key)}
        except Problem:
            self.get(glossary_id, key)
            known = {}
        known |= {term.source: term for term in add}
        kept = [term for source, term in known.items() if source not in set(remove)]
        return self.put(glossary_id, key, pair, kept)

    def rename(self, glossary_id: str, key: Key, name: str) -> Glossary:
        renamed = update(api_glossaries).where(api_glossaries.c.id == glossary_id).values(name=name[:1024])
        return self._write(glossary_id, key, lambda connection: connection.execute(renamed))

    def drop_dictionary(self, glossary_id: str, key: Key, pair: Pair) -> Glossary:
        self.terms(glossary_id, pair, key)
        columns = api_dictionaries.c
        gone = delete(api_dictionaries).where(
            columns.glossary_id == glossary_id, columns.source == pair[0], columns.target == pair[1]
        )
        return self._write(glossary_id, key, lambda connection: connection.execute(gone))

    def delete(self, glossary_id: str, key: Key) -> None:
        self._own(glossary_id, key)
        with writing(self._engine) as connection:
            for table, column in (
                (api_dictionaries, api_dictionaries.c.glossary_id),
                (api_glossaries, api_glossaries.c.id),
            ):
                connection.execute(delete(table).where(column == glossary_id))

    def termbases(self, ids: Sequence[str], pair: Pair, key: Key) -> tuple[list[Termbase], str]:
        """Termbases of the pair, and the versions they had."""
        found, versions = [], []
        for glossary_id in ids:
            one = self.get(glossary_id, key)
            terms = self.terms(glossary_id, pair, key)
            versions.append(f"{one.id}@{one.version}")
            if terms:
                found.append(Termbase(one.id, pair[0], pair[1], terms))
        return found, ",".join(versions)

    def _own(self, glossary_id: str, key: Key) -> None:
        if self.get(glossary_id, key).owner != key.id and not key.may("admin"):
            raise Problem(403, "not-yours", "only its owner may change this glossary")

    def _write(self, glossary_id: str, key: Key, act: Any) -> Glossary:
        self._own(glossary_id, key)
        with writing(self._engine) as connection:
            act(connection)
            one = api_glossaries.c
            connection.execute(
                update(api_glossaries).where(one.id == glossary_id).values(version=one.version + 1)
            )
        return self.get(glossary_id, key)


def parse_terms(text: str, kind: str, pair: Pair) -> tuple[Term, ...]:
    """Terms of a text in one of the formats that `terminology` reads."""
    if kind not in FORMATS:
        raise Problem(400, "glossary-format", f"not a glossary format; valid: {', '.join(FORMATS)}")
    with tempfile.TemporaryDirectory(prefix="medloop-glossary-") as folder:
        path = Path(folder) / f"glossary{FORMATS[kind]}"
        path.write_text(text, encoding="utf-8", errors="replace")
        return load_termbase(path, *pair).termbase.terms


def written_terms(terms: Sequence[Term], kind: str, pair: Pair) -> str:
    if kind not in FORMATS:
        raise Problem(400, "glossary-format", f"not a glossary format; valid: {', '.join(FORMATS)}")
    with tempfile.TemporaryDirectory(prefix="medloop-glossary-") as folder:
        path = Path(folder) / f"glossary{FORMATS[kind]}"
        save_termbase(path, Termbase("glossary", pair[0], pair[1], tuple(terms)))
        return path.read_text(encoding="utf-8")


def _put(connection: Any, glossary_id: str, pair: Pair, terms: Sequence[Term]) -> None:
    columns = api_dictionaries.c
    connection.execute(
        delete(api_dictionaries).where(
            columns.glossary_id == glossary_id, columns.source == pair[0], columns.target == pair[1]
        )
    )
    content = json.dumps([dumped_term(term) for term in terms], ensure_ascii=False)
    connection.execute(
        insert(api_dictionaries).values(
            glossary_id=glossary_id, source=pair[0], target=pair[1], terms=content, count=len(terms)
        )
    )
    warm(pair)
