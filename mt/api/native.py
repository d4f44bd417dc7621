"""The native routes for text: `/v1/translate`, its stream, models and languages; health and metrics.

POST /v1/translate {"text": "Take 5 mg.", "source": "en", "target": "pt"}
200 {"translations": [{"text": "Tome 5 mg.", "segments": [...], ...}], "model": "en-pt", ...}
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

from mt.api.access import token_of
from mt.api.native_values import (
    LanguageValue,
    ModelValue,
    ProblemValue,
    TranslatedText,
    TranslateRequest,
    TranslateResponse,
)
from mt.api.parts import name_of, parts_of
from mt.api.problems import Problem, body_for, problem_of
from mt.api.translating import Order, Outcome
from mt.results import record, summary

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemValue, "description": "problem details"}
    for status in (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503, 507)
}
router = APIRouter(tags=["native"], responses=ERRORS)


@router.post("/v1/translate")
async def translate(wanted: TranslateRequest, request: Request) -> TranslateResponse:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "translate")
    return shown(await parts.translate(request, _order(wanted), key, "v1/translate"))


@router.post(
    "/v1/translate/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "segment, then done or error"}},
)
async def stream(wanted: TranslateRequest, request: Request) -> StreamingResponse:
    """Server-sent events: `segment` as each finishes, at the end `done`, or `error`."""
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "translate")
    order = _order(wanted)
    parts.gate.charge(key, order.characters, len(order.texts))
    parts.desk.prepare(order, key)  # refused as any other request, before the stream begins
    turns: list[Any] = []

    def events() -> Iterator[str]:
        try:
            for one in parts.desk.stream(order, key, turns.append):
                if isinstance(one, Outcome):
                    parts.record(key, "v1/stream", order, one)
                    yield _event("done", shown(one).model_dump())
                else:
                    yield _event("segment", record(one))
        except Exception as error:
            yield _event("error", body_for("/v1/", problem_of(error)))

    async def watched() -> AsyncIterator[str]:
        """All of it in one thread, as the turn in the queue belongs to its thread."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def pump() -> None:
            for event in events():
                loop.call_soon_threadsafe(queue.put_nowait, event)
            loop.call_soon_threadsafe(queue.put_nowait, None)

        pumping = asyncio.create_task(asyncio.to_thread(pump))
        try:
            while (event := await queue.get()) is not None:
                yield event
            await pumping
        finally:
            for turn in turns:
                turn.abandon()

    return StreamingResponse(watched(), media_type="text/event-stream")


@router.get("/v1/models")
def models(request: Request) -> list[ModelValue]:
    parts = parts_of(request)
    parts.gate.admit(token_of(request), "read")
    return [
        ModelValue(
            name=one.name, source=one.source, target=one.target, licence=one.licence, origin=one.origin
        )
        for one in parts.engines.models()
    ]


@router.post("/v1/models/reload")
def reload(request: Request) -> list[str]:
    """Loads what is in production by now; returns the pairs that changed."""
    parts = parts_of(request)
    parts.gate.admit(token_of(request), "admin")
    return parts.engines.refresh()


@router.get("/v1/languages")
def languages(request: Request) -> list[LanguageValue]:
    parts = parts_of(request)
    parts.gate.admit(token_of(request), "read")
    targets: dict[str, list[str]] = {}
    for source, target in parts.engines.pairs():
        targets.setdefault(source, []).append(target)
    return [LanguageValue(code=code, name=name_of(code), targets=found) for code, found in targets.items()]


@router.get("/v1/openapi.json", include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    parts_of(request).gate.admit(token_of(request), "read")
    return JSONResponse(request.app.openapi())


@router.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> dict[str, str]:
    """Ready when a model is there and the server is not going down."""
    parts = parts_of(request)
    if any(state.closing for state in parts.engines.states().values()):
        raise Problem(503, "closing", "the server is shutting down", 5)
    if not parts.engines.pairs():
        raise Problem(503, "model", "no model is installed", 60)
    return {"status": "ready"}


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> PlainTextResponse:
    parts = parts_of(request)
    parts.gate.admit(token_of(request), "read")
    text = parts.metrics.text(parts.engines.states(), parts.jobs.waiting())
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def shown(outcome: Outcome) -> TranslateResponse:
    return TranslateResponse(
        translations=[
            TranslatedText(
                text=one.text,
                alternatives=list(one.others),
                needs_review=any(segment.needs_review for segment in one.segments),
                segments=[record(segment) for segment in one.segments],
            )
            for one in outcome.texts
        ],
        source=outcome.source,
        target=outcome.target,
        confidence=outcome.confidence,
        model=outcome.model,
        glossary=outcome.glossary,
        summary=summary(segment for one in outcome.texts for segment in one.segments),
    )


def _order(wanted: TranslateRequest) -> Order:
    if (wanted.text is None) == (wanted.texts is None):
        raise Problem(422, "invalid", "give text or texts, one of them")
    texts = (wanted.text,) if wanted.text is not None else tuple(wanted.texts or ())
    return Order(
        texts, wanted.source, wanted.target, wanted.model, tuple(wanted.glossaries), wanted.format,
        wanted.n_best, wanted.enforce, wanted.post_edit, wanted.check, wanted.private,
        ignore_tags=tuple(wanted.ignore_tags),
    )  # fmt: skip


def _event(name: str, value: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n"
