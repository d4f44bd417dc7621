"""The page at `/`: three static files, and headers that let them load nothing from elsewhere.

In: nothing but the name of a file. Out: the file, as it lies in `static/`.

    app.include_router(page.router.router)
    GET /                  -> static/index.html
    GET /static/page.js    -> static/page.js

No text passes here: the page speaks to `/v1` like any other client, with a key where the server wants one.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@router.get("/")
def index() -> FileResponse:
    return _file("index.html")


@router.get("/static/{name}")
def static(name: str) -> FileResponse:
    if name not in {path.name for path in STATIC.iterdir()}:
        raise HTTPException(404, "no such file")
    return _file(name)


def _file(name: str) -> FileResponse:
    path = STATIC / name
    return FileResponse(path, media_type=_TYPES.get(path.suffix, "text/plain"), headers=HEADERS)
