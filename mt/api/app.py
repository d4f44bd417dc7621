"""The server put together: settings in, an ASGI application out.

    app = create_app(ApiSettings("sqlite:///state.db"))        # uvicorn.run(app, access_log=False)

Shutting down finishes what was accepted; documents under way are begun again by the next server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from data.errors import MedloopError
from mt.api import deepl, deepl_glossaries, libretranslate, native, native_files
from mt.api.access import Gate, Workers
from mt.api.audit import Audit
from mt.api.database import open_database
from mt.api.engines import Engines, Source
from mt.api.glossaries import GlossaryStore
from mt.api.jobs import Jobs
from mt.api.keys import KeyStore
from mt.api.metrics import Metrics
from mt.api.page.router import router as page
from mt.api.parts import Parts
from mt.api.problems import Problem, handle, invalid, response_for
from mt.api.settings import ApiSettings
from mt.api.shell import Shell
from mt.api.translating import Desk
from mt.api.warming import warm
from mt.batching import BatchLimits

log = logging.getLogger("medloop.api")


def create_app(
    settings: ApiSettings, source: Source | None = None, batches: BatchLimits | None = None
) -> FastAPI:
    parts = _parts(settings, source, batches)
    app = FastAPI(
        title="medloop", version="1", openapi_url=None, docs_url=None, redoc_url=None,
        lifespan=lambda _app: _lifespan(parts),
    )  # fmt: skip
    app.state.parts = parts
    for router in (native, native_files, libretranslate, deepl, deepl_glossaries):
        app.include_router(router.router)
    app.include_router(page)
    for error in (Problem, MedloopError, OperationalError, OSError, Exception):
        app.add_exception_handler(error, handle)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=["*"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        )  # fmt: skip
    app.add_middleware(Shell, limits=settings.limits, metrics=parts.metrics)
    return app


def _parts(settings: ApiSettings, source: Source | None, batches: BatchLimits | None) -> Parts:
    database = open_database(settings.database)
    limits = settings.limits
    engines = Engines(source, batches)
    desk = Desk(engines, GlossaryStore(database), limits.cache_bytes)
    jobs = Jobs(database, desk, settings.files, settings.keep_documents_seconds, limits.waiting_documents)
    gate = Gate(KeyStore(database), settings)
    workers = Workers(limits.running_requests)
    return Parts(settings, gate, engines, desk, jobs, Audit(database), workers, Metrics())


@contextlib.asynccontextmanager
async def _lifespan(parts: Parts) -> AsyncIterator[None]:
    parts.jobs.start()
    warm(parts.desk.glossaries.languages())
    watching = asyncio.create_task(_watch(parts))
    yield
    watching.cancel()
    seconds = parts.settings.close_seconds
    await asyncio.to_thread(parts.jobs.close, seconds)
    await asyncio.to_thread(parts.engines.close, seconds)
    parts.workers.close()


async def _watch(parts: Parts) -> None:
    """A new version in production is loaded beside the old one, and takes the next request."""
    while True:
        await asyncio.sleep(parts.settings.watch_models_seconds)
        try:
            for pair in await asyncio.to_thread(parts.engines.refresh):
                log.info("new model for %s", pair)
        except Exception as error:
            log.warning("models: %s", type(error).__name__)


async def _invalid(request: Request, error: Exception) -> Response:
    found = invalid(error.errors()) if isinstance(error, RequestValidationError) else invalid(())
    if not request.url.path.startswith("/v1/"):
        found = Problem(400, found.kind, found.detail)
    return response_for(request.url.path, found)


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    kinds = {404: ("not-found", "no such address"), 405: ("method", "not a method of this address")}
    kind, detail = kinds.get(status, ("request", "the request cannot be read"))
    response = response_for(request.url.path, Problem(status, kind, detail))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
