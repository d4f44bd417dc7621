"""Which failures of a server pass, how long to wait, and what to say of the others.

In: the status, headers and error body of an answer. Out: a `Failure`: the line to show, whether another try
may help, and after how many seconds.

    failure_of(429, {"retry-after": "7"}, {}, "gpt-x", "OPENAI_API_KEY")   # passing=True, after_seconds=7

A wrong key, an unknown model or a text too long for the window do not pass, so they are not tried again.
"""

from __future__ import annotations

import email.utils
import http
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.llm_values import ChatError, ContextError

PASSING = frozenset({408, 409, 425, 429})
LONGEST_WAIT_SECONDS = 300.0
_TOO_LONG = re.compile(
    r"context.{0,10}(length|window|size)|maximum.{0,20}(length|tokens)|too many tokens|prompt is too long|"
    r"exceed.{0,20}context|input.{0,10}too long",
    re.IGNORECASE,
)
_WINDOW = re.compile(r"(?:context|maximum)\D{0,40}(\d{3,8})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    error: ChatError
    passing: bool
    after_seconds: float | None = None


def failure_of(
    status: int, headers: Mapping[str, str], body: Mapping[str, Any], where: str, key_name: str
) -> Failure:
    """`body` is the server's error object; nothing of its message is shown, for it may quote text."""
    code, message = str(body.get("code") or ""), str(body.get("message") or "")
    if status in (400, 413, 422, 500) and (code == "context_length_exceeded" or _TOO_LONG.search(message)):
        window = _WINDOW.search(message)
        return Failure(ContextError(where, int(window[1]) if window else 0), passing=False)
    if status in (401, 403):
        return Failure(
            ChatError(f"{where}: the key in {key_name} is not accepted ({status}); set {key_name}"), False
        )
    if status == 404:
        return Failure(ChatError(f"{where}: no such model or address (404)"), False)
    if code == "insufficient_quota":
        return Failure(ChatError(f"{where}: the account of {key_name} has no credit left ({status})"), False)
    passing = status in PASSING or status >= 500
    shown = f" {code}" if re.fullmatch(r"[a-z_]{1,40}", code) else ""
    return Failure(
        ChatError(f"{where}: no reply ({_named(status)}{shown})"), passing, retry_after(headers) or None
    )


def _named(status: int) -> str:
    """`InternalServerError`; what is not in the list keeps its number."""
    try:
        return http.HTTPStatus(status).phrase.replace(" ", "")
    except ValueError:
        return f"status {status}"


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float:
    """Seconds, from `Retry-After` in seconds or as a date, or `retry-after-ms`; 0 where there is none."""
    given = headers.get("retry-after-ms", "")
    if given.isdigit():
        return min(int(given) / 1000, LONGEST_WAIT_SECONDS)
    given = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", given):
        return min(float(given), LONGEST_WAIT_SECONDS)
    date = email.utils.parsedate_tz(given) if given else None
    if date is None:
        return 0.0
    seconds = email.utils.mktime_tz(date) - (time.time() if now is None else now)
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def wait_seconds(attempt: int, after_seconds: float | None, jitter: float | None = None) -> float:
    """What the server asks for and a little more; else 0.5, 1, 2 ... 30 s, by half to all of it at random."""
    share = random.random() if jitter is None else jitter
    if after_seconds is not None:
        return after_seconds + 0.5 * share
    return min(0.5 * 2.0**attempt, 30.0) * (0.5 + share / 2)
