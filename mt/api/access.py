"""Who asks, may they, and how much: keys, scopes, rates and quotas, for the routes of every protocol.

key = gate.admit(token, "translate")              # Problem 401, 403 or 429
gate.charge(key, order.characters)                # Problem 413 or the quota's, before any work
outcome = await watched(request, lambda started: desk.translate(order, key, started))
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

from mt.api.keys import SCOPES, Key, KeyStore
from mt.api.problems import Problem
from mt.api.settings import ApiSettings
from mt.batching import Abandoned

if TYPE_CHECKING:
    from mt.batching import Request as Turn

_T = TypeVar("_T")
_LOOK_SECONDS = 0.25
_MOST_BUCKETS = 10_000


class Gate:
    def __init__(self, keys: KeyStore, settings: ApiSettings) -> None:
        self._keys, self._settings = keys, settings
        scopes = tuple(one for one in SCOPES if one != "post-edit")
        self._nobody = Key("", "", scopes if settings.open_admin else ("read", "translate"))
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def admit(self, token: str, scope: str) -> Key:
        key = self._known(token)
        if not key.may(scope):
            raise Problem(403, "scope", f"the key has no scope {scope!r}")
        if key.requests_per_minute:
            self._take(key.id, key.requests_per_minute)
        return key

    def charge(self, key: Key, characters: int, texts: int = 1) -> None:
        """Refuses what is too much; what was done is counted with its line in the audit log."""
        limits = self._settings.limits
        if characters > limits.characters:
            raise Problem(413, "too-long", f"at most {limits.characters} characters in a request")
        if texts > limits.texts:
            raise Problem(413, "too-many", f"at most {limits.texts} texts in a request")
        allowed = key.characters_per_month
        if allowed is not None and self._keys.used(key) + characters > allowed:
            raise Problem(456, "quota", "the key's characters of this month are used up")

    def used(self, key: Key) -> int:
        return self._keys.used(key)

    def _known(self, token: str) -> Key:
        if not token:
            if self._settings.require_key:
                raise Problem(401, "no-key", "a key is needed")
            return self._nobody
        key = self._keys.find(token)
        if key is not None:
            return key
        if self._settings.require_key or token.startswith("ml_"):
            raise Problem(401, "bad-key", "the key is not valid")
        return self._nobody  # tools that will not work without any key in their settings

    def _take(self, key_id: str, per_minute: int) -> None:
        """A bucket that holds a minute's requests and fills steadily."""
        now = time.monotonic()
        with self._lock:
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.clear()
            left, then = self._buckets.get(key_id, (float(per_minute), now))
            left = min(float(per_minute), left + (now - then) * per_minute / 60)
            if left < 1:
                wait = max(1, round((1 - left) * 60 / per_minute))
                raise Problem(429, "rate", f"at most {per_minute} requests a minute for this key", wait)
            self._buckets[key_id] = (left - 1, now)


def token_of(request: Request) -> str:
    """As each protocol's clients send it in headers."""
    given = request.headers.get("authorization", "")
    kind, _, token = given.partition(" ")
    if kind.lower() in ("bearer", "deepl-auth-key"):
        return token.strip()
    return request.headers.get("x-api-key", "").strip()


class Workers:
    """Threads for translations; `running` bounds them, and the one too many is told to come again."""

    def __init__(self, running: int) -> None:
        self._most, self._now = running, 0
        self._pool = ThreadPoolExecutor(running, thread_name_prefix="medloop-api")

    async def watched(
        self, request: Request, work: Callable[[Callable[[Turn], None]], _T], quick: bool = False
    ) -> _T:
        """The work's result; a client that leaves frees its place in the queue."""
        if not quick and self._now >= self._most:
            raise Problem(429, "busy", "too many requests at a time; try again later", 1)
        turns: list[Any] = []
        self._now += 1
        context = copy_context()
        future = asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: context.run(work, turns.append)
        )
        future.add_done_callback(self._ended)
        try:
            while not (await asyncio.wait((future,), timeout=_LOOK_SECONDS))[0]:
                if await request.is_disconnected():
                    for turn in turns:
                        turn.abandon()
                    raise Abandoned("the client has left")
            return future.result()
        except asyncio.CancelledError:
            for turn in turns:
                turn.abandon()
            raise

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self._now -= 1
        if not future.cancelled():
            future.exception()  # looked at, or asyncio would log its message

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
