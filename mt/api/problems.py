"""Errors as each protocol's clients expect them; none repeats what was sent.

Native routes answer with RFC 9457 problem details, DeepL's with `{"message": …}`, LibreTranslate's with
`{"error": …}`; which, the path tells.

>>> body_for("/v2/translate", Problem(403, "key", "the key is not valid"))
{'message': 'the key is not valid'}
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from data.errors import LanguagePairError, MedloopError, MissingExtraError, ModelError, TermbaseError
from mt.batching import Abandoned, Closing, QueueFull

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NATIVE_TYPE = "application/problem+json"


class Problem(Exception):
    """`kind` is a stable word for programs; `detail` is for people and never quotes a text."""

    def __init__(self, status: int, kind: str, detail: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(kind)
        self.status, self.kind, self.detail = status, kind, detail
        self.retry_after_seconds = retry_after_seconds


def problem_of(error: Exception) -> Problem:
    """What the client may know of an error of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, QueueFull):
        return Problem(429, "busy", "too much is waiting; try again later", error.retry_after_seconds)
    if isinstance(error, Closing | Abandoned):
        return Problem(503, "closing", "the server is shutting down; try again", 5)
    if isinstance(error, LanguagePairError):
        return Problem(400, "language-pair", str(error))
    if isinstance(error, TermbaseError):
        return Problem(400, "glossary", f"entry {error.line} of the glossary cannot be used")
    if isinstance(error, ModelError | MissingExtraError):
        return Problem(503, "model", "the model cannot be loaded; the server's owner has to look", 60)
    if isinstance(error, OperationalError):
        return Problem(503, "database", "the server's database is locked or full; try again", 5)
    if isinstance(error, TimeoutError):
        return Problem(503, "time", "it took too long; try again", 30)
    if isinstance(error, OSError) and error.errno in _FULL:
        return Problem(507, "disk", "the server's disk is full", 60)
    if isinstance(error, MedloopError):
        return Problem(400, "request", "the request cannot be carried out as it is")
    return Problem(500, "internal", "an error of the server's; it is in its log without the text")


def body_for(path: str, problem: Problem) -> dict[str, Any]:
    if path.startswith(("/v2/", "/v3/")):
        return {"message": problem.detail}
    if path.startswith(("/v1/", "/readyz", "/metrics", "/healthz")):
        return {
            "type": f"urn:medloop:problem:{problem.kind}",
            "title": HTTPStatus(problem.status).phrase,
            "status": problem.status,
            "detail": problem.detail,
        }
    return {"error": problem.detail}


def response_for(path: str, problem: Problem) -> Response:
    if problem.kind == "quota" and not path.startswith(("/v2/", "/v3/")):
        problem = Problem(429, "quota", problem.detail, problem.retry_after_seconds)
    headers = {}
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = body_for(path, problem)
    media = _NATIVE_TYPE if "type" in body else "application/json"
    return JSONResponse(body, problem.status, headers, media)


async def handle(request: Request, error: Exception) -> Response:
    return response_for(request.url.path, problem_of(error))


def invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """What pydantic found, by place and kind; its own messages and contexts quote the input."""
    found = []
    for error in errors[:20]:
        place = error["loc"]
        if error["type"] == "extra_forbidden":  # the last part is a name of the client's making
            place = (*place[:-1], "(unknown field)")
        found.append(f"{'.'.join(str(part) for part in place)}: {error['type']}")
    return Problem(422, "invalid", "; ".join(found) or "not a valid request")
