"""DeepL's glossaries, v2 (one pair of languages, never changed) and v3 (many pairs, to be edited).

POST /v3/glossaries {"name": "house", "dictionaries": [{"source_lang": "en", "target_lang": "pt",
                     "entries": "hold\\tsuspender", "entries_format": "tsv"}]}
201 {"glossary_id": "…", "name": "house", "dictionaries": [{..., "entry_count": 1}], ...}
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from mt.api.deepl import admitted
from mt.api.engines import base
from mt.api.glossaries import Glossary, GlossaryStore
from mt.api.parts import fields_of, language_field, parts_of, text_field
from mt.api.problems import Problem
from terminology.termbase import Term, Variant

router = APIRouter(include_in_schema=False)
Pair = tuple[str, str]


@router.get("/v2/glossary-language-pairs")
def language_pairs(request: Request) -> dict[str, Any]:
    admitted(request, "read")
    pairs = parts_of(request).engines.pairs()
    return {
        "supported_languages": [
            {"source_lang": base(source), "target_lang": base(target)} for source, target in pairs
        ]
    }


@router.post("/v2/glossaries")
async def create_one(request: Request) -> Response:
    key, fields = admitted(request), await fields_of(request)
    pair, terms = _dictionary(fields)
    return JSONResponse(_v2(_store(request).create(text_field(fields, "name"), key, {pair: terms})), 201)


@router.get("/v2/glossaries")
def list_ones(request: Request) -> dict[str, Any]:
    found = _store(request).all(admitted(request, "read"))
    return {"glossaries": [_v2(one) for one in found if len(one.counts) == 1]}


@router.get("/v2/glossaries/{glossary_id}")
def get_one(glossary_id: str, request: Request) -> dict[str, Any]:
    return _v2(_store(request).get(glossary_id, admitted(request, "read")))


@router.get("/v2/glossaries/{glossary_id}/entries")
def entries_of_one(glossary_id: str, request: Request) -> PlainTextResponse:
    key, store = admitted(request, "read"), _store(request)
    pair = _only(store.get(glossary_id, key))
    found = _tsv(store.terms(glossary_id, pair, key))
    return PlainTextResponse(found, media_type="text/tab-separated-values")


@router.post("/v3/glossaries")
async def create(request: Request) -> Response:
    key, fields = admitted(request), await fields_of(request)
    dictionaries = dict(map(_dictionary, _dictionaries(fields)))
    return JSONResponse(_v3(_store(request).create(text_field(fields, "name"), key, dictionaries)), 201)


@router.get("/v3/glossaries")
def list_all(request: Request) -> dict[str, Any]:
    return {"glossaries": [_v3(one) for one in _store(request).all(admitted(request, "read"))]}


@router.get("/v3/glossaries/{glossary_id}")
def get(glossary_id: str, request: Request) -> dict[str, Any]:
    return _v3(_store(request).get(glossary_id, admitted(request, "read")))


@router.patch("/v3/glossaries/{glossary_id}")
async def patch(glossary_id: str, request: Request) -> dict[str, Any]:
    """A new name, and entries that are added to those there are."""
    key, fields, store = admitted(request), await fields_of(request), _store(request)
    found = store.get(glossary_id, key)
    if fields.get("name"):
        found = store.rename(glossary_id, key, text_field(fields, "name"))
    for one in _dictionaries(fields) if fields.get("dictionaries") else ():
        pair, terms = _dictionary(one)
        found = store.change(glossary_id, key, pair, terms)
    return _v3(found)


@router.get("/v3/glossaries/{glossary_id}/entries")
def entries(glossary_id: str, source_lang: str, target_lang: str, request: Request) -> dict[str, Any]:
    key = admitted(request, "read")
    terms = _store(request).terms(glossary_id, (base(source_lang), base(target_lang)), key)
    one = {"source_lang": base(source_lang), "target_lang": base(target_lang)}
    return {"dictionaries": [one | {"entries": _tsv(terms), "entries_format": "tsv"}]}


@router.put("/v3/glossaries/{glossary_id}/dictionaries")
async def put_dictionary(glossary_id: str, request: Request) -> dict[str, Any]:
    key, fields = admitted(request), await fields_of(request)
    pair, terms = _dictionary(fields)
    _store(request).put(glossary_id, key, pair, terms)
    return {"source_lang": pair[0], "target_lang": pair[1], "entry_count": len(terms)}


@router.delete("/v3/glossaries/{glossary_id}/dictionaries", status_code=204)
def delete_dictionary(glossary_id: str, source_lang: str, target_lang: str, request: Request) -> Response:
    _store(request).drop_dictionary(glossary_id, admitted(request), (base(source_lang), base(target_lang)))
    return Response(status_code=204)


@router.delete("/v2/glossaries/{glossary_id}", status_code=204)
@router.delete("/v3/glossaries/{glossary_id}", status_code=204)
def delete(glossary_id: str, request: Request) -> Response:
    _store(request).delete(glossary_id, admitted(request))
    return Response(status_code=204)


def _store(request: Request) -> GlossaryStore:
    return parts_of(request).desk.glossaries


def _dictionaries(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = fields.get("dictionaries")
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise Problem(400, "invalid", "dictionaries has to be a list of dictionaries")
    return found


def _dictionary(fields: Mapping[str, Any]) -> tuple[Pair, tuple[Term, ...]]:
    pair = (base(language_field(fields, "source_lang")), base(language_field(fields, "target_lang")))
    kind = text_field(fields, "entries_format", "tsv")
    if kind not in ("csv", "tsv"):
        raise Problem(400, "glossary-format", "entries_format has to be csv or tsv")
    text = text_field(fields, "entries")
    tabbed = (line.split("\t") for line in text.splitlines())
    rows = csv.reader(io.StringIO(text)) if kind == "csv" else tabbed
    try:
        found = {row[0].strip(): row[1].strip() for row in rows if any(cell.strip() for cell in row)}
    except (IndexError, csv.Error):
        raise Problem(400, "glossary", "every entry needs a source and a target") from None
    if not found or not all(found) or not all(found.values()):
        raise Problem(400, "glossary", "every entry needs a source and a target")
    return pair, tuple(
        Term(str(number), source, (Variant(target),))
        for number, (source, target) in enumerate(found.items(), 1)
    )


def _tsv(terms: Sequence[Term]) -> str:
    return "\n".join(f"{term.source}\t{term.allowed[0]}" for term in terms if term.allowed)


def _only(one: Glossary) -> Pair:
    if len(one.counts) != 1:
        raise Problem(400, "glossary", "the glossary has several dictionaries; use /v3/glossaries")
    return one.counts[0][0], one.counts[0][1]


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _v2(one: Glossary) -> dict[str, Any]:
    source, target = _only(one)
    return {
        "glossary_id": one.id, "name": one.name, "ready": True, "source_lang": source,
        "target_lang": target, "creation_time": _time(one.created), "entry_count": one.counts[0][2],
    }  # fmt: skip


def _v3(one: Glossary) -> dict[str, Any]:
    return {
        "glossary_id": one.id,
        "name": one.name,
        "dictionaries": [
            {"source_lang": source, "target_lang": target, "entry_count": count}
            for source, target, count in one.counts
        ],
        "creation_time": _time(one.created),
    }
