"""DeepL's v2 routes for text and documents, with their bodies, header and errors.

    POST /v2/translate {"text": ["Take 5 mg."], "source_lang": "EN", "target_lang": "PT-BR"}
    Authorization: DeepL-Auth-Key ml_…
    200 {"translations": [{"detected_source_language": "EN", "text": "Tome 5 mg."}]}

`formality`, `context`, `model_type` and `preserve_formatting` are accepted and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from mt.api.access import token_of
from mt.api.engines import base
from mt.api.jobs import DocumentRequest
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

router = APIRouter(include_in_schema=False)
_UNLIMITED = 1_000_000_000_000
_STATES = {"queued": "queued", "running": "translating", "done": "done", "failed": "error"}
_TARGETS = {"en": (("EN-US", "English (American)"),), "pt": (("PT-BR", "Portuguese (Brazilian)"),)}


@router.post("/v2/translate")
async def translate(request: Request) -> dict[str, Any]:
    parts, key = parts_of(request), admitted(request)
    fields = await fields_of(request)
    texts = texts_field(fields, "text")
    handling = text_field(fields, "tag_handling", "text")
    if handling not in ("text", "html", "xml"):
        raise Problem(400, "invalid", "tag_handling has to be html or xml")
    order = Order(
        texts, language_field(fields, "source_lang", "auto"), language_field(fields, "target_lang"),
        glossaries=glossaries_of(fields), kind=handling, check=False,
        split=text_field(fields, "split_sentences", "1") != "0", ignore_tags=_words(fields, "ignore_tags"),
    )  # fmt: skip
    outcome = await parts.translate(request, order, key, "v2/translate")
    billed = fields.get("show_billed_characters") in (True, "1", "true")
    return {
        "translations": [
            {"detected_source_language": base(outcome.source).upper(), "text": one.text}
            | ({"billed_characters": len(text)} if billed else {})
            for one, text in zip(outcome.texts, texts, strict=True)
        ]
    }


@router.get("/v2/languages")
async def languages(request: Request) -> list[dict[str, Any]]:
    """Their Python client sends the kind in the body of a GET, others in the query."""
    parts = parts_of(request)
    admitted(request, "read")
    kind = request.query_params.get("type") or text_field(await fields_of(request), "type", "source")
    if kind not in ("source", "target"):
        raise Problem(400, "invalid", "type has to be source or target")
    side = 1 if kind == "target" else 0
    codes = sorted({base(pair[side]) for pair in parts.engines.pairs()})
    if side == 0:
        return [{"language": code.upper(), "name": name_of(code)} for code in codes]
    named = [row for code in codes for row in _TARGETS.get(code, ((code.upper(), name_of(code)),))]
    return [{"language": code, "name": name, "supports_formality": False} for code, name in named]


@router.get("/v2/usage")
def usage(request: Request) -> dict[str, int]:
    key = admitted(request, "read")
    used = parts_of(request).gate.used(key)
    return {"character_count": used, "character_limit": key.characters_per_month or _UNLIMITED}


@router.post("/v2/document")
async def upload(request: Request) -> dict[str, str]:
    parts, key = parts_of(request), admitted(request)
    fields = await fields_of(request)
    content, suffix = await upload_field(fields, "file")
    if not suffix:  # their client names a stream beside it
        suffix = PurePath(text_field(fields, "filename", "")).suffix
    wanted = DocumentRequest(
        language_field(fields, "source_lang", "auto"), language_field(fields, "target_lang"),
        glossaries=glossaries_of(fields), check=False,
    )  # fmt: skip

    def submit(_started: object) -> tuple[str, str]:
        parts.gate.charge(key, len(content.decode("utf-8", "replace")))
        return parts.jobs.submit(content, suffix, wanted, key)

    document_id, secret = await parts.workers.watched(request, submit, quick=True)
    return {"document_id": document_id, "document_key": secret}


@router.api_route("/v2/document/{document_id}", methods=["GET", "POST"])
async def state(document_id: str, request: Request) -> dict[str, Any]:
    admitted(request)
    secret = text_field(await fields_of(request), "document_key")
    document = parts_of(request).jobs.state_for(document_id, secret)
    found: dict[str, Any] = {"document_id": document_id, "status": _STATES[document.state]}
    if document.state == "running":
        found["seconds_remaining"] = 1
    if document.state == "done":
        found["billed_characters"] = document.characters
    if document.reason:
        found["error_message"] = document.reason
    return found


@router.api_route("/v2/document/{document_id}/result", methods=["GET", "POST"])
async def result(document_id: str, request: Request) -> FileResponse:
    admitted(request)
    secret = text_field(await fields_of(request), "document_key")
    path = parts_of(request).jobs.result_for(document_id, secret)
    return FileResponse(path, media_type="application/octet-stream", filename=f"translation{path.suffix}")


def admitted(request: Request, scope: str = "translate") -> Key:
    """Theirs knows only one answer to a bad key: 403, which their clients turn into one clear error."""
    try:
        return parts_of(request).gate.admit(token_of(request), scope)
    except Problem as problem:
        if problem.status == 401:
            raise Problem(403, problem.kind, problem.detail) from None
        raise


def glossaries_of(fields: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*_words(fields, "glossary_id"), *_words(fields, "glossary_ids"))))


def _words(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    if not fields.get(name):
        return ()
    return tuple(word for value in texts_field(fields, name) for word in value.split(",") if word.strip())
