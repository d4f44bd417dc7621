"""Prefect, made ready: quiet, no outside line, started while other things load.

In: environment variables (PREFECT_API_URL for a server of one's own). Out: an environment in which flows run.

    prepare_environment()          # before prefect is imported
    server = start_server()        # the embedded server comes up beside the imports; join() before the flow

Without PREFECT_API_URL the embedded server is used: one more process (`flows.embedded_server`), SQLite in
`MEDLOOP_HOME/prefect`, gone with the run. Nothing is sent anywhere (`data.settings.TELEMETRY_OFF`).
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from importlib.util import find_spec
from pathlib import Path

from data.errors import InputError, MissingExtraError
from data.settings import CHECKOUT, home, switch_telemetry_off

_QUIET = {"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_CLI_PROMPT": "false"}
_API = "PREFECT_API_URL"
_OWN = "MEDLOOP_EMBEDDED_SERVER"  # the address of the server that was started here
_START_SECONDS = 180.0  # a busy machine of two cores takes longer than one would think


def prepare_environment(environ: MutableMapping[str, str] = os.environ) -> None:
    """What the user has set stays as it is."""
    switch_telemetry_off(environ)
    environ.setdefault("PREFECT_HOME", str(home(environ) / "prefect"))
    with contextlib.suppress(OSError):  # a place that cannot be written is told by the first step
        Path(environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
    for name, value in _QUIET.items():
        environ.setdefault(name, value)


class EmbeddedServer:
    """On its way; `join` waits for it and tells what went wrong. It ends by itself when this process does."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._folder = Path(environ["PREFECT_HOME"])
        # Listened to from the beginning: who asks too soon waits, and no other process can take the port.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
            handle = listener.fileno()
            command = [sys.executable, "-m", "flows.embedded_server", str(handle), str(os.getpid())]
            self.process = subprocess.Popen(command, cwd=CHECKOUT, env=dict(environ), pass_fds=[handle])

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def join(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_SECONDS)
        try:
            connection.request("GET", "/api/health")
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            status, why = 0, type(error).__name__
        else:
            why = f"status {status}"
        finally:
            connection.close()
        if status != http.HTTPStatus.OK:
            books = self._folder / "prefect.db"
            raise InputError(
                f"Prefect's embedded server did not come up ({why}): remove its books {books}, "
                f"or set {_API} to a server of your own"
            )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def start_server(environ: MutableMapping[str, str] = os.environ) -> EmbeddedServer | None:
    """Before prefect is imported, as it reads the address then; none where PREFECT_API_URL names one."""
    prepare_environment(environ)
    if environ.get(_API):
        return None
    if find_spec("prefect") is None:
        raise MissingExtraError("running pipelines", "flows")
    server = EmbeddedServer(environ)
    environ[_API] = environ[_OWN] = server.api_url
    return server


def has_embedded_server(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the flows of this run are served by a server of its own."""
    return bool(environ.get(_OWN)) and environ.get(_API) == environ.get(_OWN)
