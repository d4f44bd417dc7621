"""API keys: made once and shown once; the database holds a salted hash.

store = KeyStore(open_database(url))
token = store.add("Weblate", scopes=("read", "translate")).token      # "ml_3f…_…": shown this once
store.find(token)                                                     # Key, or None
store.rotate(key_id, overlap_seconds=3600); store.revoke(key_id)
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update

from data.errors import ConfigError, InputError
from mt.api.database import writing
from mt.api.tables import api_keys, api_usage

SCOPES = ("read", "translate", "post-edit", "admin")
_NOBODY = ("00" * 16, "00" * 32)


@dataclass(frozen=True, slots=True)
class Key:
    """Whoever asks; the empty id is a caller without a key."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created: float = 0.0
    expires: float | None = None
    revoked: float | None = None
    requests_per_minute: int | None = None
    characters_per_month: int | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes or (scope in ("read", "translate") and "admin" in self.scopes)


@dataclass(frozen=True, slots=True)
class NewKey:
    key: Key
    token: str = field(repr=False)


class KeyStore:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        name: str,
        scopes: tuple[str, ...] = ("read", "translate"),
        expires: float | None = None,
        requests_per_minute: int | None = None,
        characters_per_month: int | None = None,
    ) -> NewKey:
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise ConfigError(f"no scope {', '.join(unknown) or 'given'}; valid: {', '.join(SCOPES)}")
        if not 0 < len(name.strip()) <= 100:
            raise ConfigError("a key needs a name of at most 100 characters")
        key = Key(
            secrets.token_hex(6), name.strip(), scopes, time.time(), expires, None,
            requests_per_minute, characters_per_month,
        )  # fmt: skip
        secret, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
        row = {name: getattr(key, name) for name in Key.__slots__} | {"scopes": " ".join(scopes)}
        with writing(self._engine) as connection:
            connection.execute(insert(api_keys).values(**row, salt=salt, hash=_hash(salt, secret)))
        return NewKey(key, f"ml_{key.id}_{secret}")

    def find(self, token: str) -> Key | None:
        """The key of a token that is valid now; takes as long for an unknown id as for a wrong secret."""
        _, _, rest = token.strip().partition("ml_")
        key_id, _, secret = rest.partition("_")
        with self._engine.connect() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id[:16])).first()
        salt, wanted = (row.salt, row.hash) if row is not None else _NOBODY
        same = hmac.compare_digest(_hash(salt, secret), wanted)
        if row is None or not same:
            return None
        key = _key(row)
        now = time.time()
        if key.revoked is not None and key.revoked <= now:
            return None
        return None if key.expires is not None and key.expires <= now else key

    def any(self) -> bool:
        return any(_valid(key) for key in self.all())

    def all(self) -> list[Key]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created))
            return [_key(row) for row in rows]

    def revoke(self, key_id: str, after_seconds: float = 0.0) -> None:
        with writing(self._engine) as connection:
            done = connection.execute(
                update(api_keys).where(api_keys.c.id == key_id).values(revoked=time.time() + after_seconds)
            )
        if not done.rowcount:
            raise InputError(f"no key {key_id!r}; `medloop keys list` shows them")

    def rotate(self, key_id: str, overlap_seconds: float = 0.0) -> NewKey:
        """A new key with the same rights; the old one works for as long as they overlap."""
        for key in self.all():
            if key.id == key_id and _valid(key):
                limits = (key.requests_per_minute, key.characters_per_month)
                made = self.add(key.name, key.scopes, key.expires, *limits)
                self.revoke(key_id, overlap_seconds)
                return made
        raise InputError(f"no valid key {key_id!r}; `medloop keys list` shows them")

    def used(self, key: Key) -> int:
        """Characters of this month."""
        query = select(api_usage.c.characters).where(
            api_usage.c.key_id == key.id, api_usage.c.month == _month()
        )
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def use(self, connection: Any, key_id: str, characters: int) -> None:
        """Counts characters inside the caller's transaction."""
        where = (api_usage.c.key_id == key_id, api_usage.c.month == _month())
        counted = update(api_usage).where(*where).values(characters=api_usage.c.characters + characters)
        if not connection.execute(counted).rowcount:
            connection.execute(insert(api_usage).values(key_id=key_id, month=_month(), characters=characters))


def _valid(key: Key) -> bool:
    now = time.time()
    return (key.revoked is None or key.revoked > now) and (key.expires is None or key.expires > now)


def _key(row: Any) -> Key:
    fields = {name: getattr(row, name) for name in Key.__slots__}
    return Key(**fields | {"scopes": tuple(row.scopes.split())})


def _hash(salt: str, secret: str) -> str:
    """Secrets are 256 random bits, so one round is enough: there is nothing to guess."""
    return hashlib.sha256(bytes.fromhex(salt) + secret.encode("utf-8", "surrogatepass")).hexdigest()


def _month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")
