"""The embedded Prefect server as a process of its own: up soon, and gone with its flow however that ends.

In: a listening socket, and the process whose flow it serves. Out: Prefect's server on loopback until that
process ends; then it writes down what it has heard and ends, too.

    python -m flows.embedded_server 3 4711

Prefect's own temporary server would be imported by the flow's process as well, and would stay for ever after
a kill. A new database is made from `tables/prefect-VERSION.sql`, which Prefect reaches by its migrations in
nine seconds; with another version of Prefect, or another database, it does so.
"""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

DATABASE = "prefect.db"
_OWN = ("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")
_LAST_WORDS_SECONDS = 5.0
_IDLE_SECONDS = 7 * 24 * 3600
_SETTINGS = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    # What only a lasting server needs.
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    # It is stopped in the middle of its bookkeeping when a run ends, and would complain at length.
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
}


def main(handle: int, flow: int) -> None:
    threading.Thread(target=end_with, args=(flow, end_well), daemon=True).start()
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    make_database(os.environ)
    if has_all_tables(os.environ):  # comparing them takes Prefect over a second
        os.environ["PREFECT_API_DATABASE_MIGRATE_ON_START"] = "false"
    import uvicorn
    from prefect.server.api.server import create_app

    # A connection that the server closes while a stage works costs the client an attempt, and two seconds.
    config = uvicorn.Config(
        create_app, factory=True, log_level="error", lifespan="on", timeout_keep_alive=_IDLE_SECONDS
    )
    uvicorn.Server(config).run([socket.socket(fileno=handle)])


def tables() -> Path:
    return Path(__file__).parent / "tables" / f"prefect-{version('prefect')}.sql"


def make_database(environ: Mapping[str, str]) -> bool:
    """Whether it made one: not where there is one, nor where the user has chosen another."""
    path = Path(environ["PREFECT_HOME"]) / DATABASE
    if path.exists() or not tables().exists() or any(environ.get(name) for name in _OWN):
        return False
    temporary = path.with_name(f".{DATABASE}.{os.getpid()}")
    with closing(sqlite3.connect(temporary)) as database:
        database.executescript(f"BEGIN;\n{tables().read_text(encoding='utf-8')}COMMIT;")
    temporary.replace(path)  # whole, or not at all
    return True


def has_all_tables(environ: Mapping[str, str]) -> bool:
    """Whether the database is at the version that this Prefect's migrations end with."""
    path = Path(environ["PREFECT_HOME"]) / DATABASE
    if not path.exists() or not tables().exists() or any(environ.get(name) for name in _OWN):
        return False
    try:
        with closing(sqlite3.connect(path)) as database:
            found = database.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error:  # Prefect's to judge
        return False
    return len(found) == 1 and f"INSERT INTO alembic_version VALUES ('{found[0][0]}')" in tables().read_text(
        encoding="utf-8"
    )


def end_with(process: int, end: Callable[[], object] = lambda: None) -> None:
    """Waits for a process to be gone, then ends this one; `end` is the better way to, where it works."""
    while True:
        try:
            os.kill(process, 0)
        except OSError:
            end()
            os._exit(1)
        time.sleep(0.5)


def end_well() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_WORDS_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
