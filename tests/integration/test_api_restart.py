"""A real server process, killed in the middle of a document: the next one finishes it, and cleans up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text, update

from mt.api.database import open_database, writing
from mt.api.engines import Engines
from mt.api.glossaries import GlossaryStore
from mt.api.jobs import DocumentRequest, Jobs
from mt.api.keys import Key
from mt.api.tables import api_documents
from mt.api.translating import Desk
from tests.fake_engine import Fakes

SENTENCE = "The patient number {} was given 5 mg of warfarin once daily and was told to rest for two weeks."


@contextmanager
def serving(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "medloop"), "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | {"MEDLOOP_HOME": str(home)})
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            until(lambda: _answers(client))
            yield process, client
    finally:
        process.terminate()
        process.wait(30)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_document_outlives_the_server_that_was_killed_at_it(tmp_path: Path) -> None:
    upload = "\n\n".join(SENTENCE.format(number) for number in range(250))
    with serving(tmp_path) as (process, client):
        files = {"file": ("notes.txt", upload.encode())}
        sent = client.post("/v1/documents", files=files, data={"source": "en", "target": "pt"}).json()
        until(lambda: client.get(f"/v1/documents/{sent['id']}").json()["state"] == "running")
        process.kill()
        process.wait(10)
    place = tmp_path / "api" / "documents" / sent["id"]
    assert [one.name for one in place.iterdir() if one.name == "result.txt"] == []
    with serving(tmp_path) as (_, client):
        until(lambda: client.get(f"/v1/documents/{sent['id']}").json()["state"] not in ("queued", "running"))
        assert client.get(f"/v1/documents/{sent['id']}").json()["state"] == "done"
        lines = client.get(f"/v1/documents/{sent['id']}/result").text.split("\n\n")
        assert len(lines) == 250
        assert all(str(number) in line for number, line in enumerate(lines))
    engine = open_database(f"sqlite:///{tmp_path / 'api' / 'state.db'}")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT attempts FROM api_documents")).scalar() == 2
        assert connection.execute(text("SELECT count(*) FROM api_audit")).scalar() == 1
    engine.dispose()


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    desk = Desk(Engines(Fakes().source()), GlossaryStore(database))
    return Jobs(database, desk, tmp_path / "documents", 3600, 10)


def test_one_that_ends_the_server_each_time_is_given_up(jobs: Jobs) -> None:
    key = Key("", "", ("translate",))
    made, _ = jobs.submit(b"Rest.", ".txt", DocumentRequest("en", "pt"), key)
    with writing(jobs._engine) as connection:
        connection.execute(update(api_documents).values(state="running", attempts=3))
    jobs.start()
    found = jobs.state(made, key)
    jobs.close(5)
    assert (found.state, found.reason) == ("failed", "the server ended 3 times at it")


def test_uploads_and_results_go_when_their_time_is_over(jobs: Jobs, tmp_path: Path) -> None:
    key = Key("", "", ("translate",))
    made, _ = jobs.submit(b"Rest.", ".txt", DocumentRequest("en", "pt"), key)
    waiting, _ = jobs.submit(b"Rest.", ".txt", DocumentRequest("en", "pt"), key)
    with writing(jobs._engine) as connection:
        done = update(api_documents).where(api_documents.c.id == made)
        connection.execute(done.values(state="done", finished=time.time() - 3599))
    orphan = tmp_path / "documents" / "orphan"
    orphan.mkdir()
    jobs.clean()
    assert {one.name for one in (tmp_path / "documents").iterdir()} == {made, waiting, "orphan"}
    jobs.clean(time.time() + 2)
    assert {one.name for one in (tmp_path / "documents").iterdir()} == {waiting, "orphan"}
    jobs.clean(time.time() + 3601)
    assert [one.name for one in (tmp_path / "documents").iterdir()] == [waiting]
