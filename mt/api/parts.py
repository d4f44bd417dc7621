"""What the routes share, handed to them with each request, and what all protocols do alike.

parts = parts_of(request)
outcome = await parts.translate(request, order, key, "v2/translate")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request

from mt.api.access import Gate, Workers
from mt.api.audit import Audit, Entry
from mt.api.engines import Engines
from mt.api.jobs import Jobs
from mt.api.keys import Key
from mt.api.metrics import Metrics
from mt.api.problems import Problem
from mt.api.settings import ApiSettings
from mt.api.translating import Desk, Order, Outcome

NAMES = {
    "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    settings: ApiSettings
    gate: Gate
    engines: Engines
    desk: Desk
    jobs: Jobs
    audit: Audit
    workers: Workers
    metrics: Metrics

    async def translate(self, request: Request, order: Order, key: Key, action: str) -> Outcome:
        def work(started: Any) -> Outcome:
            self.gate.charge(key, order.characters, len(order.texts))
            outcome = self.desk.translate(order, key, started)
            self.record(key, action, order, outcome)
            return outcome

        return await self.workers.watched(request, work)

    def record(self, key: Key, action: str, order: Order, outcome: Outcome) -> None:
        self.metrics.translated(outcome.model, order.characters, outcome.findings)
        self.audit.write(
            Entry(key.id, action, order.characters, outcome.model, outcome.glossary, outcome.findings)
        )


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def name_of(language: str) -> str:
    return NAMES.get(language, language)


async def fields_of(request: Request) -> dict[str, Any]:
    """JSON or form, as the client chose; a field that comes several times is a list."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        try:
            form = await request.form(max_files=4, max_fields=2000, max_part_size=64 * 2**20)
        except Exception:  # starlette's says what it met
            raise Problem(400, "body", "the form cannot be read") from None
        return _gathered(form.multi_items())
    body = (await request.body()).decode("utf-8", "replace")
    if kind == "application/json" or (not kind and body[:1] == "{"):
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise Problem(400, "body", "the body is not valid JSON") from None
        if not isinstance(found, dict):
            raise Problem(400, "body", "the body has to be a JSON object")
        return found
    return _gathered([*request.query_params.multi_items(), *parse_qsl(body, keep_blank_values=True)])


def _gathered(items: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in items:
        name = name.removesuffix("[]")
        if name in found:
            found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        else:
            found[name] = value
    return found


def text_field(fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if value is None or value == "":
        if default is not None:
            return default
        raise Problem(400, "missing", f"{name} is missing")
    if isinstance(value, bool | dict | list | UploadFile):
        raise Problem(400, "invalid", f"{name} has to be a text")
    return str(value)


def texts_field(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    values = value if isinstance(value, list) else [value]
    if value is None or not values:
        raise Problem(400, "missing", f"{name} is missing")
    if not all(isinstance(one, str) for one in values):
        raise Problem(400, "invalid", f"{name} has to be a text or a list of texts")
    return tuple(values)


def language_field(fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = text_field(fields, name, default).strip()
    if not value.replace("-", "").replace("_", "").isalnum() or len(value) > 20:
        raise Problem(400, "language", f"{name} is not a language code")
    return value


async def upload_field(fields: Mapping[str, Any], name: str) -> tuple[bytes, str]:
    """The content and the name's ending."""
    upload = fields.get(name)
    if not isinstance(upload, UploadFile):
        raise Problem(400, "missing", f"{name} has to be an uploaded file")
    _, dot, ending = (upload.filename or "").rpartition(".")
    return await upload.read(), f".{ending.lower()}" if dot else ""
