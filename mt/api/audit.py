"""Who had how much translated, when and with what; each line carries the hash of the one before.

In: numbers and names, never text. Out: lines in the database, and whether the chain is whole.

    audit.write(Entry("3f…", "translate", characters=120, model="en-pt", findings=1))
    audit.broken()                       # None, or the number of the first line that does not fit
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from mt.api.database import writing
from mt.api.keys import KeyStore
from mt.api.tables import api_audit

_START = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    key_id: str
    action: str
    characters: int = 0
    model: str = ""
    glossary: str = ""
    findings: int = 0


@dataclass(eq=False, slots=True)
class _Line:
    """One that waits to be written; `error` is what befell the transaction it was in."""

    entry: Entry
    time: str
    written: bool = False
    error: Exception | None = None


class Audit:
    def __init__(self, engine: Engine) -> None:
        self._engine, self._keys = engine, KeyStore(engine)
        self._lines: list[_Line] = []
        self._adding, self._writing = threading.Lock(), threading.Lock()

    def write(self, entry: Entry) -> None:
        """The line and the key's use of characters, both or neither; returns when they are in the database.

        Whoever comes first writes for all who have come meanwhile: one transaction for many requests.
        """
        line = _Line(entry, datetime.now(UTC).isoformat(timespec="milliseconds"))
        with self._adding:
            self._lines.append(line)
        with self._writing:
            if not line.written:
                with self._adding:
                    lines, self._lines = self._lines, []
                self._write(lines)
        if line.error is not None:
            raise line.error

    def _write(self, lines: Sequence[_Line]) -> None:
        error: Exception | None = None
        try:
            self._insert(lines)
        except Exception as caught:
            error = caught
        for line in lines:
            line.written, line.error = True, error

    def _insert(self, lines: Sequence[_Line]) -> None:
        used: Counter[str] = Counter()
        with writing(self._engine) as connection:
            newest = select(api_audit.c.number, api_audit.c.hash).order_by(api_audit.c.number.desc()).limit(1)
            last = connection.execute(newest).first()
            number, previous = (last.number, last.hash) if last else (0, _START)
            rows = []
            for line in lines:
                number += 1
                row: dict[str, Any] = asdict(line.entry)
                row |= {"number": number, "time": line.time, "previous": previous}
                row["glossary"] = line.entry.glossary[:400]
                previous = _hash(row)
                rows.append(row | {"hash": previous})
                used[line.entry.key_id] += line.entry.characters
            connection.execute(insert(api_audit), rows)
            for key_id, characters in used.items():
                if characters:
                    self._keys.use(connection, key_id, characters)

    def broken(self) -> int | None:
        """A line changed, taken out or put in between shows; so does a shortened beginning."""
        previous, number = _START, 0
        with self._engine.connect() as connection:
            for line in connection.execute(select(api_audit).order_by(api_audit.c.number)):
                row = dict(line._mapping)
                found = row.pop("hash")
                number += 1
                if row["number"] != number or row["previous"] != previous or _hash(row) != found:
                    return number
                previous = found
        return None

    def tail(self) -> tuple[int, str]:
        """The last line's number and hash; kept elsewhere, they show a shortened end, too."""
        query = select(api_audit.c.number, api_audit.c.hash).order_by(api_audit.c.number.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return (row.number, row.hash) if row else (0, _START)


def _hash(row: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
