"""What happens to every request before and after its route: limits, headers, a line in the log, no traceback.

The body is read before the route begins, within a size and a time, so that a client who dribbles holds no
thread. The log has method, route, status and milliseconds; never a query, a body or an error's message.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mt.api.metrics import Metrics
from mt.api.problems import Problem, problem_of, response_for
from mt.api.settings import Limits

log = logging.getLogger("medloop.api")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Shell:
    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics) -> None:
        self._app, self._limits, self._metrics = app, limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                known = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in _HEADERS if one[0] not in known)]
            await send(message)

        try:
            body = await self._body(scope, receive)
            await self._app(scope, _replayed(body, receive), sending)
        except Exception as error:
            if status or not isinstance(error, Problem):
                _note(error)
            if not status:
                await response_for(scope["path"], problem_of(error))(scope, receive, sending)
        finally:
            route = getattr(scope.get("route"), "path", "(none)")
            seconds = time.monotonic() - started
            self._metrics.answered(route, status, seconds)
            log.info("%s %s %d %.0f ms", scope["method"], route, status, seconds * 1000)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        headers = dict(scope["headers"])
        most = self._limits.body_bytes
        too_large = Problem(413, "body-size", f"at most {most} bytes in a request")
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise Problem(415, "encoding", "compressed bodies are not accepted")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            raise too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Problem(400, "body", "the body ended early")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise too_large
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            raise Problem(408, "body-time", "the body took too long to arrive") from None


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _note(error: Exception) -> None:
    """Kind and place; the message may quote a text."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    log.error("a bug: %s at %s:%s", type(error).__name__, where.filename, where.lineno)
