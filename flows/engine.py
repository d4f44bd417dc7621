"""Prefect, made ready: quiet, no outside line, started while other things load.

In: environment variables (PREFECT_API_URL for a server of one's own). Out: an environment in which flows run.

    prepare_environment()          # before prefect is imported
    starting = start_server()      # the embedded server comes up beside the imports; join() before the flow

Without PREFECT_API_URL the embedded server is used: one more process (`flows.embedded_server`), SQLite in
`MEDLOOP_HOME/prefect`, gone with the run. Nothing is sent anywhere (`data.settings.TELEMETRY_OFF`).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import MissingExtraError
from data.settings import CHECKOUT, home, switch_telemetry_off

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

_EMBEDDED = {
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    # A busy machine of two cores takes longer than Prefect's 20 seconds.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    # What only a lasting server needs.
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    # It is stopped in the middle of its bookkeeping when a run ends, and would complain at length.
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
}
# What Prefect tells the process of an embedded server.
_SERVER = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
_QUIET = {"PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_CLI_PROMPT": "false"}


def prepare_environment(environ: MutableMapping[str, str] = os.environ) -> None:
    """What the user has set stays as it is."""
    switch_telemetry_off(environ)
    environ.setdefault("PREFECT_HOME", str(home(environ) / "prefect"))
    with contextlib.suppress(OSError):  # a place that cannot be written is told by the first step
        Path(environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
    settings = _QUIET if environ.get("PREFECT_API_URL") else _QUIET | _EMBEDDED
    for name, value in settings.items():
        environ.setdefault(name, value)


class Starting:
    """A server on its way; `join` waits for it and tells what went wrong."""

    def __init__(self) -> None:
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._start, name="prefect-server", daemon=True)
        self._thread.start()

    def _start(self) -> None:
        try:
            embedded_server().start()
        except Exception as error:  # told by join, in the thread that can
            self._problem = error

    def join(self) -> None:
        self._thread.join()
        if self._problem is not None:
            raise self._problem


def embedded_server() -> SubprocessASGIServer:
    """Prefect's own, which its flows then find, with `flows.embedded_server` as the process."""
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import get_current_settings

    class Embedded(SubprocessASGIServer):
        def _run_uvicorn_command(self) -> subprocess.Popen[Any]:
            settings = get_current_settings().to_environment_variables(exclude_unset=True)
            command = [sys.executable, "-m", "flows.embedded_server", str(self.port), str(os.getpid())]
            return subprocess.Popen(command, cwd=CHECKOUT, env={**os.environ, **_SERVER, **settings})

    return Embedded()


def start_server(environ: MutableMapping[str, str] = os.environ) -> Starting | None:
    """Nothing to start where PREFECT_API_URL names a server."""
    prepare_environment(environ)
    if environ.get("PREFECT_API_URL"):
        return None
    try:
        import prefect  # noqa: F401
    except ImportError:
        raise MissingExtraError("running pipelines", "flows") from None
    return Starting()
