"""Who had how much translated, when and with what; each line carries the hash of the one before.

In: numbers and names, never text. Out: lines in the database, and whether the chain is whole.

    audit.write(Entry("3f…", "translate", characters=120, model="en-pt", findings=1))
    audit.broken()                       # None, or the number of the first line that does not fit
"""

from __future__ import annotations

import hashlib
import json
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


class Audit:
    def __init__(self, engine: Engine) -> None:
        self._engine, self._keys = engine, KeyStore(engine)

    def write(self, entry: Entry) -> None:
        """The line and the key's use of characters, both or neither."""
        with writing(self._engine) as connection:
            last = connection.execute(
                select(api_audit.c.number, api_audit.c.hash).order_by(api_audit.c.number.desc()).limit(1)
            ).first()
            row: dict[str, Any] = asdict(entry)
            row["glossary"] = entry.glossary[:400]
            row["number"] = last.number + 1 if last else 1
            row["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
            row["previous"] = last.hash if last else _START
            connection.execute(insert(api_audit).values(**row, hash=_hash(row)))
            if entry.characters:
                self._keys.use(connection, entry.key_id, entry.characters)

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
