"""`medloop serve`: the translation server on loopback, or elsewhere with keys.

medloop serve
medloop serve --host 0.0.0.0 --require-key
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands import new_app
from data.errors import ConfigError
from data.settings import home

if TYPE_CHECKING:
    from mt.api.settings import ApiSettings

_ARENA_MAX, _ARENAS = -8, 2  # M_ARENA_MAX of malloc.h

app = new_app("Serve translations: native, LibreTranslate and DeepL protocols.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 5000,
    database: Annotated[
        str, typer.Option(envvar="MEDLOOP_DATABASE", help="SQLite or PostgreSQL URL for keys and the rest.")
    ] = "",
    require_key: Annotated[
        bool, typer.Option("--require-key", help="Nobody comes in without a key.")
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond this machine without keys all the same.")
    ] = False,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="Web origin that may call from a browser; several.")
    ] = None,
    keep_hours: Annotated[float, typer.Option(min=0, help="Documents are deleted after so long.")] = 24,
) -> None:
    """Serve translations until stopped; what was accepted is finished first."""
    _share_freed_memory()
    settings = checked_settings(host, database, require_key, insecure, tuple(origin or ()), keep_hours)
    import uvicorn

    from mt.api.app import create_app

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    typer.echo(f"medloop: http://{host}:{port}", err=True)
    # uvicorn's own access log would show queries, and a client may put its text there
    uvicorn.run(
        create_app(settings), host=host, port=port, access_log=False, log_level="warning",
        server_header=False, timeout_graceful_shutdown=int(settings.close_seconds),
    )  # fmt: skip


def checked_settings(
    host: str, database: str, require_key: bool, insecure: bool, origins: tuple[str, ...], keep_hours: float
) -> ApiSettings:
    """Refuses to be open to others by mistake."""
    from mt.api.settings import ApiSettings

    outside = not _is_loopback(host)
    if outside and not require_key and not insecure:
        raise ConfigError(
            f"--host {host} lets others in: give --require-key (and make keys with `medloop keys add`), "
            "or --insecure"
        )
    if outside and not insecure:
        from mt.api.database import open_database
        from mt.api.keys import KeyStore

        if not KeyStore(open_database(database_url(database))).any():
            raise ConfigError(f"--host {host} needs a key, and there is none: medloop keys add NAME")
    return ApiSettings(
        database_url(database), home() / "api" / "documents", require_key, not outside, origins,
        keep_hours * 3600,
    )  # fmt: skip


def database_url(given: str = "") -> str:
    """A file may hold the URL, so that a password stands in no list of processes: MEDLOOP_DATABASE_FILE."""
    if given:
        return given
    path = os.environ.get("MEDLOOP_DATABASE_FILE", "")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"MEDLOOP_DATABASE_FILE {path}: {error.strerror}") from None
    return f"sqlite:///{home() / 'api' / 'state.db'}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _share_freed_memory() -> None:
    """glibc keeps what is freed for each thread apart, so a server of many threads grows for hours."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)
