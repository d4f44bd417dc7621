"""Proposed term pairs, kept apart from the terms until a person decides.

In: mined pairs. Out: their state; approving one puts the term into its base, with the person in the history.

    proposals = ProposalStore(store, "sqlite:///terms.db")
    proposals.add("cardio", "en", "pt", mined)
    proposals.approve("cardio", "en", "pt", ["heart failure"], who="ana")

A pair that was rejected is not proposed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from data.errors import ConfigError, InputError
from terminology.mining import Proposal
from terminology.store import TermStore
from terminology.termbase import Term, Variant

PROPOSED, APPROVED, REJECTED = "proposed", "approved", "rejected"


@dataclass(frozen=True, slots=True)
class Kept:
    """A proposal with what was decided."""

    proposal: Proposal
    state: str


class ProposalStore:
    """In the database of the terms; `url` as the term store's."""

    def __init__(self, store: TermStore, url: str) -> None:
        from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, create_engine

        keys = [("base", String(100)), ("source_language", String(20)), ("target_language", String(20))]
        self._store = store
        metadata = MetaData()
        self._table = Table(
            "term_proposals",
            metadata,
            Column("number", Integer, primary_key=True),
            *[Column(name, kind, nullable=False, index=True) for name, kind in keys],
            Column("source", Text, nullable=False),
            Column("target", Text, nullable=False),
            Column("count", Integer, nullable=False),
            Column("score", Float, nullable=False),
            Column("state", String(20), nullable=False),
            Column("who", String(100), nullable=False),
            Column("when", String(40), nullable=False),
        )
        self._engine = create_engine(url)
        metadata.create_all(self._engine)

    def add(self, base: str, source: str, target: str, found: Iterable[Proposal]) -> int:
        """New pairs only: what is a term, was proposed or was rejected before is left as it is."""
        from sqlalchemy import insert

        known = {(kept.proposal.source, kept.proposal.target) for kept in self.listed(base, source, target)}
        terms = {term.source.casefold() for term in self._terms(base, source, target)}
        keys = {"base": base, "source_language": source, "target_language": target}
        rows = [
            {**keys, "source": one.source, "target": one.target, "count": one.count, "score": one.score}
            | {"state": PROPOSED, "who": "", "when": _now()}
            for one in found
            if (one.source, one.target) not in known and one.source.casefold() not in terms
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(self._table), rows)
        return len(rows)

    def listed(self, base: str, source: str, target: str, state: str = "") -> list[Kept]:
        from sqlalchemy import select

        query = select(self._table).where(*self._mine(base, source, target))
        if state:
            query = query.where(self._table.c.state == state)
        query = query.order_by(self._table.c.score.desc(), self._table.c.number)
        with self._engine.connect() as connection:
            return [
                Kept(Proposal(row["source"], row["target"], row["count"], row["score"]), row["state"])
                for row in connection.execute(query).mappings()
            ]

    def approve(self, base: str, source: str, target: str, sources: Sequence[str], who: str) -> list[Term]:
        """Makes terms of the proposals for these source terms."""
        chosen = self._chosen(base, source, target, sources, who)
        terms = [
            Term(
                f"{one.source}/mined", one.source, (Variant(one.target),), origin=f"mined, {one.count} times"
            )
            for one in chosen
        ]
        self._store.put(base, source, target, terms, who)
        self._decide(base, source, target, sources, who, APPROVED)
        return terms

    def reject(self, base: str, source: str, target: str, sources: Sequence[str], who: str) -> int:
        chosen = self._chosen(base, source, target, sources, who)
        self._decide(base, source, target, sources, who, REJECTED)
        return len(chosen)

    def _chosen(
        self, base: str, source: str, target: str, sources: Sequence[str], who: str
    ) -> list[Proposal]:
        if not who.strip():
            raise ConfigError("a decision on terms needs a name: --by NAME")
        waiting = {
            kept.proposal.source: kept.proposal for kept in self.listed(base, source, target, PROPOSED)
        }
        unknown = [name for name in sources if name not in waiting]
        if unknown:
            raise InputError(f"no proposal {unknown[0]!r} in the base {base!r}; {len(waiting)} are waiting")
        return [waiting[name] for name in dict.fromkeys(sources)]

    def _decide(
        self, base: str, source: str, target: str, sources: Sequence[str], who: str, state: str
    ) -> None:
        from sqlalchemy import update

        table = self._table
        chosen = update(table).where(
            *self._mine(base, source, target), table.c.source.in_(list(sources)), table.c.state == PROPOSED
        )
        with self._engine.begin() as connection:
            connection.execute(chosen.values(state=state, who=who, when=_now()))

    def _mine(self, base: str, source: str, target: str) -> list[Any]:
        columns = self._table.c
        return [
            columns.base == base,
            columns.source_language == source,
            columns.target_language == target,
        ]

    def _terms(self, base: str, source: str, target: str) -> Sequence[Term]:
        known = [found[:3] for found in self._store.bases()]
        return self._store.termbase(base, source, target).terms if (base, source, target) in known else ()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
