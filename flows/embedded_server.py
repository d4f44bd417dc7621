"""The embedded Prefect server as a process of its own: up sooner, and gone with its flow however that ends.

In: a port, and the process whose flow it serves. Out: Prefect's server on loopback until that process ends.

    python -m flows.embedded_server 8123 4711

Prefect stops its temporary server when a flow's process leaves in good order; after a kill it would stay for
ever, and each further kill would leave one more. A new database is made from `tables/prefect-VERSION.sql`,
which Prefect reaches by its migrations in nine seconds; with another version of Prefect it does so.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

DATABASE = "prefect.db"
_OWN = ("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")


def main(port: int, flow: int) -> None:
    threading.Thread(target=end_with, args=(flow,), daemon=True).start()
    make_database(os.environ)
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(create_app, factory=True, host="127.0.0.1", port=port, log_level="error", lifespan="on")


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


def end_with(process: int) -> None:
    while True:
        try:
            os.kill(process, 0)
        except OSError:
            os._exit(1)
        time.sleep(0.5)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
