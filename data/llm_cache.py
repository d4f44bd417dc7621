"""Replies kept, so that a rerun costs nothing.

In: a file. Out: a chat model that asks only what it has not asked before: same model, server, settings,
messages, form and prompt version.

    cache = Cache(home() / "llm" / "replies.sqlite")
    chat = CachedChat(OpenAIChat("gpt-x"), cache, version="writer-3")

SQLite in WAL mode, so several processes may use one file. It holds what was answered, and only a hash of what
was asked; with a key in MEDLOOP_LLM_CACHE_KEY the replies are encrypted and the hashes keyed. Only whole
replies are kept, the oldest go first when it is full, and a cache that cannot be written to never stops a
run.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from data.errors import ConfigError, InputError, MissingExtraError, OutputError
from data.llm_values import ChatModel, Message, Reply, Shape, complete_as, identity

logger = logging.getLogger(__name__)
KEY_NAME: Final = "MEDLOOP_LLM_CACHE_KEY"
_TABLE = "CREATE TABLE IF NOT EXISTS replies (id INTEGER PRIMARY KEY, asked BLOB UNIQUE, reply BLOB)"
_FORM = 1  # raised when what a row holds changes
_ROWS_BETWEEN_CHECKS = 200
_OLDEST_SHARE = 10


class Cache:
    """`most_megabytes` bounds the file; `key` encrypts it (see `new_key`)."""

    def __init__(self, path: Path, most_megabytes: float = 2000, key: str | None = None) -> None:
        self.path, self._most_bytes = path, most_megabytes * 1e6
        key = key if key is not None else os.environ.get(KEY_NAME, "")
        self._cipher: Any = _cipher(key) if key else None
        self._secret = key.encode() or b"medloop"
        self._lock, self._written, self._silenced = threading.Lock(), 0, False
        self._connection, self._process = self._open(), os.getpid()

    def get(self, asked: bytes) -> Reply | None:
        with self._lock:
            row = self._rows("SELECT reply FROM replies WHERE asked = ?", (self._hashed(asked),))
        return self._reply(row[0][0]) if row else None

    def put(self, asked: bytes, reply: Reply) -> None:
        content = json.dumps([_FORM, asdict(reply)], ensure_ascii=False).encode()
        content = self._cipher.encrypt(content) if self._cipher else content
        with self._lock:
            self._rows(
                "INSERT OR REPLACE INTO replies (asked, reply) VALUES (?, ?)", (self._hashed(asked), content)
            )
            self._written += 1
            if self._written % _ROWS_BETWEEN_CHECKS == 1:
                self._make_room()

    def clear(self) -> None:
        with self._lock:
            self._rows("DELETE FROM replies", ())

    def __len__(self) -> int:
        with self._lock:
            rows = self._rows("SELECT count(*) FROM replies", ())
        return int(rows[0][0]) if rows else 0

    def _hashed(self, asked: bytes) -> bytes:
        """Keyed, so that without the key nobody can test whether a certain text was asked about."""
        return hmac.new(self._secret, asked, hashlib.sha256).digest()

    def _reply(self, content: bytes) -> Reply | None:
        """Nothing where the row is of another form or another key."""
        try:
            form, fields = json.loads(self._cipher.decrypt(content) if self._cipher else content)
            return Reply(**fields) if form == _FORM else None
        except Exception as error:  # the cipher's own error class needs its package to be named
            logger.warning("%s: a reply that cannot be read (%s)", self.path, type(error).__name__)
            return None

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        """A lock or a full disk costs the saving, not the run."""
        if self._process != os.getpid():  # a connection must not cross a fork
            self._connection, self._process = self._open(), os.getpid()
        try:
            return list(self._connection.execute(statement, values))
        except sqlite3.Error as error:
            if not self._silenced:
                logger.warning("%s: going on without it (%s)", self.path, error)
            self._silenced = True
            return []

    def _make_room(self) -> None:
        pages, free, size = (
            (self._rows(f"PRAGMA {name}", ()) or [[0]])[0][0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        if (pages - free) * size <= self._most_bytes:
            return
        self._rows(
            "DELETE FROM replies WHERE id IN (SELECT id FROM replies ORDER BY id LIMIT "
            f"(SELECT count(*) / {_OLDEST_SHARE} + 1 FROM replies))",
            (),
        )
        self._written -= 1  # look again after the next one, until it fits

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from None
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            _settled(connection)
        except sqlite3.OperationalError as error:
            raise OutputError(f"cannot write {self.path}: {error}") from None
        except sqlite3.DatabaseError:
            raise InputError(f"{self.path} is no cache of replies; delete it or name another") from None
        return connection


def _settled(connection: sqlite3.Connection) -> None:
    """Turning WAL on asks for the file alone, and does not wait for it as other statements do."""
    until = time.monotonic() + 30
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_TABLE)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)


class CachedChat:
    """A chat model that remembers. `version` is that of the prompt: another version, another reply."""

    def __init__(self, model: ChatModel, cache: Cache, version: str = "") -> None:
        self.name, self._model, self._cache, self._version = model.name, model, cache, version
        self.hits = 0

    @property
    def identity(self) -> Mapping[str, object]:
        return identity(self._model)

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        asked = self._asked(messages, as_json)
        found = self._found(asked)
        return found or self._kept(asked, self._model.complete(messages, as_json=as_json))

    def complete_as(self, messages: Sequence[Message], shape: Shape) -> Reply:
        asked = self._asked(messages, [shape.name, shape.schema])
        found = self._found(asked)
        return found or self._kept(asked, complete_as(self._model, messages, shape))

    def _asked(self, messages: Sequence[Message], form: object) -> bytes:
        said = [[message.role, message.content] for message in messages]
        return json.dumps([self._version, identity(self._model), said, form], sort_keys=True).encode()

    def _found(self, asked: bytes) -> Reply | None:
        reply = self._cache.get(asked)
        self.hits += reply is not None
        return reply

    def _kept(self, asked: bytes, reply: Reply) -> Reply:
        if reply.finish == "stop":
            self._cache.put(asked, reply)
        return reply


def new_key() -> str:
    """For MEDLOOP_LLM_CACHE_KEY."""
    return str(_fernet().generate_key().decode())


def _cipher(key: str) -> Any:
    try:
        return _fernet()(key)
    except ValueError:
        raise ConfigError(f"{KEY_NAME} is no key: make one with data.llm_cache.new_key()") from None


def _fernet() -> Any:
    try:
        from cryptography.fernet import Fernet
    except ImportError:
        raise MissingExtraError("encrypting the cache of replies", "llm") from None
    return Fernet
