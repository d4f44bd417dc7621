"""LibreTranslate's routes, bodies and errors, so that its clients need only a new address.

POST /translate {"q": "Take 5 mg.", "source": "auto", "target": "pt", "format": "text", "api_key": ""}
200 {"translatedText": "Tome 5 mg.", "detectedLanguage": {"confidence": 98.0, "language": "en"}}
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from mt.api.access import token_of
from mt.api.jobs import SUFFIXES, DocumentRequest
from mt.api.keys import Key
from mt.api.parts import (
    fields_of,
    language_field,
    name_of,
    parts_of,
    text_field,
    texts_field,
    upload_field,
)
from mt.api.problems import Problem
from mt.api.translating import Order
from mt.detection import detect as detected

router = APIRouter(include_in_schema=False)
_MOST_ALTERNATIVES = 9
_WAIT_SECONDS = 600


@router.post("/translate")
async def translate(request: Request) -> dict[str, Any]:
    parts, fields = parts_of(request), await fields_of(request)
    key = _admitted(request, fields, "translate")
    texts, many = texts_field(fields, "q"), isinstance(fields.get("q"), list)
    kind = text_field(fields, "format", "text")
    if kind not in ("text", "html"):
        raise Problem(400, "format", "format has to be text or html")
    count = _number(fields, "alternatives")
    order = Order(
        texts, language_field(fields, "source"), language_field(fields, "target"), kind=kind,
        n_best=1 + count, check=False,
    )  # fmt: skip
    outcome = await parts.translate(request, order, key, "translate")
    found: dict[str, Any] = {"translatedText": [one.text for one in outcome.texts]}
    if order.source == "auto":
        language = {"confidence": round(100 * (outcome.confidence or 0), 1), "language": outcome.source}
        found["detectedLanguage"] = [language] * len(texts)
    if count:
        found["alternatives"] = [list(one.others) for one in outcome.texts]
    return found if many else {name: values[0] for name, values in found.items()}


@router.post("/detect")
async def detect(request: Request) -> list[dict[str, Any]]:
    fields = await fields_of(request)
    _admitted(request, fields, "translate")
    found = detected(texts_field(fields, "q")[0][:100_000])
    return [{"confidence": round(100 * score, 1), "language": language} for language, score in found] or [
        {"confidence": 0.0, "language": "en"}
    ]


@router.get("/languages")
def languages(request: Request) -> list[dict[str, Any]]:
    targets: dict[str, list[str]] = {}
    for source, target in parts_of(request).engines.pairs():
        targets.setdefault(source, [source]).append(target)
    return [
        {"code": code, "name": name_of(code), "targets": sorted(found)} for code, found in targets.items()
    ]


@router.get("/frontend/settings")
def frontend_settings(request: Request) -> dict[str, Any]:
    parts = parts_of(request)
    source, target = parts.engines.pairs()[0] if parts.engines.pairs() else ("en", "en")
    return {
        "apiKeys": True,
        "charLimit": parts.settings.limits.characters,
        "filesTranslation": True,
        "frontendTimeout": 500,
        "keyRequired": parts.settings.require_key,
        "language": {
            "source": {"code": source, "name": name_of(source)},
            "target": {"code": target, "name": name_of(target)},
        },
        "suggestions": False,
        "supportedFilesFormat": list(SUFFIXES),
    }


@router.post("/translate_file")
async def translate_file(request: Request) -> dict[str, str]:
    parts, fields = parts_of(request), await fields_of(request)
    key = _admitted(request, fields, "translate")
    upload, suffix = await upload_field(fields, "file")
    wanted = DocumentRequest(language_field(fields, "source"), language_field(fields, "target"))

    def submit(_started: object) -> tuple[str, str]:
        parts.gate.charge(key, len(upload.decode("utf-8", "replace")))
        return parts.jobs.submit(upload, suffix, wanted, key)

    document_id, secret = await parts.workers.watched(request, submit, quick=True)
    async with asyncio.timeout(_WAIT_SECONDS):
        while (document := parts.jobs.state(document_id, key)).state in ("queued", "running"):
            await asyncio.sleep(0.1)
    if document.state == "failed":
        raise Problem(400, "document", document.reason)
    address = request.url_for("download_file", name=f"{document_id}.{secret}{suffix}")
    return {"translatedFileUrl": str(address)}


@router.get("/download_file/{name}")
def download_file(name: str, request: Request) -> FileResponse:
    """The address itself is the secret, as theirs is."""
    document_id, _, rest = name.partition(".")
    path = parts_of(request).jobs.result_for(document_id, rest.partition(".")[0])
    return FileResponse(path, media_type="application/octet-stream", filename=f"translation{path.suffix}")


@router.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


def _admitted(request: Request, fields: Mapping[str, Any], scope: str) -> Key:
    token = text_field(fields, "api_key", "") or token_of(request)
    try:
        return parts_of(request).gate.admit(token, scope)
    except Problem as problem:
        if problem.kind == "no-key":
            detail = "Please contact the server operator to get an API key"
            raise Problem(400, "no-key", detail) from None
        if problem.kind == "bad-key":
            raise Problem(403, "bad-key", "Invalid API key") from None
        raise


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = text_field(fields, name, "0")
    if not value.isascii() or not value.isdigit() or int(value[:4]) > _MOST_ALTERNATIVES:
        raise Problem(400, "invalid", f"{name} has to be a number from 0 to {_MOST_ALTERNATIVES}")
    return int(value)
