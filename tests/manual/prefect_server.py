"""Deployments on a real Prefect server, by a work pool and by `flows.serve`, on SQLite or on PostgreSQL.

    python tests/manual/prefect_server.py                 # SQLite
    python tests/manual/prefect_server.py --postgres      # a PostgreSQL of its own, from /usr/lib/postgresql

In: nothing; the tiny pipeline of tests/tiny_pipeline.py and ports of loopback. Out: a line for each thing
done with its seconds, and exit code 0 where every flow run was completed and is in the server's books.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
PREFECT = Path(sys.executable).parent / "prefect"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    own: list[str | Path] = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.geteuid() == 0 else []
    place, port = Path(tempfile.mkdtemp(prefix="medloop-postgres-", dir="/tmp")), free_port()
    if own:
        shutil.chown(place, "nobody")
    make = [*own, programs / "initdb", "-D", place / "data", "-U", "prefect", "-A", "trust", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, cwd="/")
    control = [*own, programs / "pg_ctl", "-D", place / "data", "-w", "-l", place / "log"]
    flags = f"-F -p {port} -c listen_addresses=127.0.0.1 -k {place}"
    subprocess.run([*control, "-o", flags, "start"], check=True, capture_output=True, cwd="/")
    try:
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], check=False, capture_output=True, cwd="/")
        shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def running(command: list[str | Path], environ: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=stream, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for(address: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
            return
        time.sleep(0.5)
    raise SystemExit(f"no Prefect server at {address}")


def states(address: str) -> list[str]:
    request = urllib.request.Request(
        f"{address}/flow_runs/filter", b"{}", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return sorted(f"{run['state_type']}" for run in json.load(answer))


def done(what: str, began: float) -> float:
    print(f"{what:<44}{time.monotonic() - began:6.1f} s", flush=True)
    return time.monotonic()


def main(database: str | None) -> int:
    from tests.tiny_marian import build_tiny_marian
    from tests.tiny_pipeline import ChatServer, prepare_home, write_config

    with tempfile.TemporaryDirectory() as folder, ChatServer() as server, contextlib.ExitStack() as stack:
        root, port, now = Path(folder), free_port(), time.monotonic()
        base = build_tiny_marian(root / "base")
        config = write_config(root / "config", base)
        prepare_home(root / "home", base)
        address = f"http://127.0.0.1:{port}/api"
        environ = server.environ(root / "home") | {
            "PREFECT_HOME": str(root / "prefect"), "PREFECT_API_URL": address, "MEDLOOP_CHECKOUT": str(ROOT),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_CLI_PROMPT": "false",
        }  # fmt: skip
        if database is not None:
            environ["PREFECT_API_DATABASE_CONNECTION_URL"] = database
        now = done("tiny model, first model in use", now)
        stack.enter_context(
            running([PREFECT, "server", "start", "--port", str(port)], environ, root / "server.log")
        )
        wait_for(address, 240)
        now = done("prefect server start", now)

        def prefect(*words: str | Path) -> None:
            found = subprocess.run([PREFECT, *words], cwd=ROOT, env=environ, capture_output=True, text=True)
            if found.returncode:
                raise SystemExit(f"prefect {' '.join(map(str, words))}:\n{found.stdout}{found.stderr}")

        prefect("work-pool", "create", "medloop", "--type", "process")
        prefect("deploy", "--all")
        now = done("work pool, prefect deploy --all", now)
        run = ["deployment", "run", "--watch", "--param", f"config={config}"]
        with running([PREFECT, "worker", "start", "--pool", "medloop"], environ, root / "worker.log"):
            prefect(*run, "full-pipeline/monthly-regeneration")
            now = done("worker: full-pipeline/monthly-regeneration", now)
            prefect(*run, "evaluate-model/weekly-evaluation")
            now = done("worker: evaluate-model/weekly-evaluation", now)
            prefect(*run, "nightly/nightly")
            now = done("worker: nightly/nightly", now)
        with running([sys.executable, "-m", "flows.serve", str(config)], environ, root / "serve.log"):
            time.sleep(15)
            prefect("deployment", "run", "--watch", "full-pipeline/monthly-regeneration-tiny")
            now = done("flows.serve: full-pipeline", now)
        found = [state for state in states(address) if state != "SCHEDULED"]
        print(f"flow runs in the server's books: {', '.join(found)}")
        return 0 if found == ["COMPLETED"] * 4 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", action="store_true")
    if parser.parse_args().postgres:
        with postgres() as address:
            sys.exit(main(address))
    sys.exit(main(None))
