"""The native routes for what stays on the server: glossaries, and documents until their time is over.

POST /v1/glossaries {"name": "house", "dictionaries": [{"source": "en", "target": "pt", "terms": [...]}]}
POST /v1/documents  (multipart: file, source, target)        202 {"id": "…", "state": "queued"}
GET  /v1/documents/{id}                                      200 {"state": "done", ...}
GET  /v1/documents/{id}/result
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response

from mt.api.access import token_of
from mt.api.glossaries import Glossary, parse_terms, written_terms
from mt.api.jobs import Document, DocumentRequest
from mt.api.native import ERRORS
from mt.api.native_values import (
    CountValue,
    DictionaryValue,
    DocumentValue,
    Format,
    GlossaryPatch,
    GlossaryRequest,
    GlossaryValue,
    Language,
    TermValue,
)
from mt.api.parts import fields_of, language_field, parts_of, text_field, upload_field
from mt.api.problems import Problem
from terminology.termbase import Term, Variant

router = APIRouter(tags=["native"], responses=ERRORS)
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "target"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "source": {"type": "string", "default": "auto"},
                        "target": {"type": "string"},
                        "model": {"type": "string"},
                        "glossaries": {"type": "string", "description": "ids with commas between them"},
                    },
                }
            }
        },
    }
}


@router.post("/v1/glossaries", status_code=201)
def create_glossary(wanted: GlossaryRequest, request: Request) -> GlossaryValue:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "translate")
    dictionaries = {(one.source, one.target): _terms(one) for one in wanted.dictionaries}
    return _glossary(parts.desk.glossaries.create(wanted.name, key, dictionaries))


@router.get("/v1/glossaries")
def list_glossaries(request: Request) -> list[GlossaryValue]:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "read")
    return [_glossary(one) for one in parts.desk.glossaries.all(key)]


@router.get("/v1/glossaries/{glossary_id}")
def get_glossary(glossary_id: str, request: Request) -> GlossaryValue:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "read")
    return _glossary(parts.desk.glossaries.get(glossary_id, key))


@router.get("/v1/glossaries/{glossary_id}/entries", response_class=PlainTextResponse)
def get_entries(
    glossary_id: str, source: Language, target: Language, request: Request, format: Format = "csv"
) -> PlainTextResponse:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "read")
    terms = parts.desk.glossaries.terms(glossary_id, (source, target), key)
    return PlainTextResponse(written_terms(terms, format, (source, target)))


@router.put("/v1/glossaries/{glossary_id}")
def replace_dictionary(glossary_id: str, wanted: DictionaryValue, request: Request) -> GlossaryValue:
    """The dictionary of these languages holds these terms and no others."""
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "translate")
    pair = (wanted.source, wanted.target)
    return _glossary(parts.desk.glossaries.put(glossary_id, key, pair, _terms(wanted)))


@router.patch("/v1/glossaries/{glossary_id}")
def patch_dictionary(glossary_id: str, wanted: GlossaryPatch, request: Request) -> GlossaryValue:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "translate")
    pair, add = (wanted.source, wanted.target), [_term(one) for one in wanted.add]
    return _glossary(parts.desk.glossaries.change(glossary_id, key, pair, add, wanted.remove))


@router.delete("/v1/glossaries/{glossary_id}", status_code=204)
def delete_glossary(glossary_id: str, request: Request) -> Response:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "translate")
    parts.desk.glossaries.delete(glossary_id, key)
    return Response(status_code=204)


@router.post("/v1/documents", status_code=202, openapi_extra=_UPLOAD)
async def submit_document(request: Request) -> DocumentValue:
    parts = parts_of(request)
    key = parts.gate.admit(token_of(request), "translate")
    fields = await fields_of(request)
    upload, suffix = await upload_field(fields, "file")
    glossaries = tuple(filter(None, text_field(fields, "glossaries", "").split(",")))
    wanted = DocumentRequest(
        language_field(fields, "source", "auto"), language_field(fields, "target"),
        text_field(fields, "model", ""), glossaries,
    )  # fmt: skip

    def work(_started: object) -> str:
        parts.gate.charge(key, len(upload.decode("utf-8", "replace")))
        return parts.jobs.submit(upload, suffix, wanted, key)[0]

    return DocumentValue(id=await parts.workers.watched(request, work, quick=True), state="queued")


@router.get("/v1/documents/{document_id}")
def document_state(document_id: str, request: Request) -> DocumentValue:
    parts = parts_of(request)
    return _document(parts.jobs.state(document_id, parts.gate.admit(token_of(request), "translate")))


@router.get("/v1/documents/{document_id}/result", response_class=FileResponse)
def document_result(document_id: str, request: Request) -> FileResponse:
    parts = parts_of(request)
    path = parts.jobs.result(document_id, parts.gate.admit(token_of(request), "translate"))
    return FileResponse(path, media_type="application/octet-stream", filename=f"translation{path.suffix}")


@router.delete("/v1/documents/{document_id}", status_code=204)
def delete_document(document_id: str, request: Request) -> Response:
    parts = parts_of(request)
    parts.jobs.delete(document_id, parts.gate.admit(token_of(request), "translate"))
    return Response(status_code=204)


def _terms(wanted: DictionaryValue) -> tuple[Term, ...]:
    terms = tuple(_term(one) for one in wanted.terms)
    if wanted.content:
        terms += parse_terms(wanted.content, wanted.format, (wanted.source, wanted.target))
    if not terms:
        raise Problem(422, "empty-glossary", "a dictionary needs terms, or content in one of the formats")
    return terms


def _term(value: TermValue) -> Term:
    return Term(value.source, value.source, (Variant(value.target),))


def _glossary(one: Glossary) -> GlossaryValue:
    counts = [CountValue(source=row[0], target=row[1], terms=row[2]) for row in one.counts]
    return GlossaryValue(
        id=one.id, name=one.name, shared=one.shared, version=one.version, dictionaries=counts
    )


def _document(one: Document) -> DocumentValue:
    return DocumentValue.model_validate(
        {"id": one.id, "state": one.state, "characters": one.characters, "reason": one.reason}
    )
