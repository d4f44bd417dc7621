"""What the server does when something is wrong around it, and what it keeps; no real model, no socket."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import sqlite3
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from mt.api import jobs, warming
from mt.api.app import create_app
from mt.api.settings import ApiSettings, Limits
from mt.batching import BatchLimits
from tests.fake_engine import Fakes

MARK = "Zyxmarker78"
TAKE: dict[str, Any] = {"text": "Take it.", "source": "en", "target": "pt", "check": False}


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.fixture
def app(fakes: Fakes, tmp_path: Path) -> FastAPI:
    settings = ApiSettings(
        f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "documents", watch_models_seconds=60,
        limits=Limits(body_bytes=200_000),
    )  # fmt: skip
    made = create_app(settings, fakes.source(), BatchLimits(most_waiting=50))
    event.listen(made.state.parts.audit._engine, "checkout", _impatient)
    return made


def _impatient(connection: Any, *_: object) -> None:
    connection.execute("PRAGMA busy_timeout=50")


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def answer(client: TestClient, **changes: Any) -> Any:
    return client.post("/v1/translate", json=TAKE | changes)


def text_of(client: TestClient, **changes: Any) -> str:
    return str(answer(client, **changes).json()["translations"][0]["text"])


def test_results_are_kept_for_one_model_and_one_version_of_a_glossary(
    client: TestClient, fakes: Fakes
) -> None:
    for _ in range(2):
        assert text_of(client) == "TAKE IT."
    engine = fakes.loaded["one"]
    assert engine.sentences == ["Take it."]
    for _ in range(2):
        text_of(client, private=True)
    assert len(engine.sentences) == 3
    terms = {"source": "en", "target": "pt", "terms": [{"source": "rest", "target": "REST"}]}
    made = client.post("/v1/glossaries", json={"name": "x", "dictionaries": [terms]}).json()
    for _ in range(2):
        text_of(client, glossaries=[made["id"]], enforce=False)
    assert len(engine.sentences) == 4
    client.put(f"/v1/glossaries/{made['id']}", json=terms)
    text_of(client, glossaries=[made["id"]], enforce=False)
    assert len(engine.sentences) == 5
    fakes.production = "two"
    assert client.post("/v1/models/reload").json() == ["en-pt"]
    assert text_of(client) == "two TAKE IT."


def test_a_new_model_drops_no_request(client: TestClient, fakes: Fakes) -> None:
    fakes.seconds = 0.005
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(answer, client, text=f"Number {n}.", private=True) for n in range(120)]
        for number in range(6):
            time.sleep(0.02)
            fakes.production = ("two", "one")[number % 2]
            client.post("/v1/models/reload")
        found = [one.result(20) for one in sent]
    assert {one.status_code for one in found} == {200}
    for number, one in enumerate(found):
        body = one.json()
        told = {"one": "", "two": "two "}[body["model"]]
        assert body["translations"][0]["text"] == f"{told}NUMBER {number}."


def test_a_client_that_leaves_frees_its_place(app: FastAPI, fakes: Fakes, client: TestClient) -> None:
    text_of(client)
    engine = fakes.loaded["one"]
    engine.gate.clear()
    (batcher,) = app.state.parts.engines._batchers.values()
    holding: list[Any] = []
    while len(holding) < engine.parallel:
        holding.append(batcher.submit(["held"]))
        while batcher.state().running < len(holding):
            time.sleep(0.001)
    body = json.dumps(
        TAKE | {"texts": ["Gone."] * 5 + ["Gone, too."], "text": None, "private": True}
    ).encode()
    status = asyncio.run(_leaves(app, body, lambda: batcher.state().waiting > 0))
    assert status == 503
    assert batcher.state().waiting == 0
    engine.gate.set()
    assert [one.result(5)[0][0].text for one in holding] == ["HELD"] * engine.parallel
    assert not any("Gone" in sentence for sentence in engine.sentences)


async def _leaves(app: FastAPI, body: bytes, waiting: Any) -> int:
    """One request over bare ASGI, whose client leaves once its sentences wait; what it would be told."""
    told: list[int] = []
    given = False

    async def receive() -> dict[str, Any]:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        while not waiting():
            await asyncio.sleep(0.005)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message.get("status", 0))

    scope = {
        "type": "http", "method": "POST", "path": "/v1/translate", "raw_path": b"/v1/translate",
        "query_string": b"", "headers": [(b"content-type", b"application/json")], "http_version": "1.1",
        "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await asyncio.wait_for(app(scope, receive, send), 20)
    return told[0]


def test_a_locked_database_is_told_and_overcome(client: TestClient, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = answer(client)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert refused.json()["type"] == "urn:medloop:problem:database"
        sent = client.post("/v1/documents", files={"file": ("a.txt", b"Rest.")}, data={"target": "pt"})
        assert sent.status_code == 503
        other.execute("ROLLBACK")
    other.close()
    assert answer(client).status_code == 200
    assert not list((tmp_path / "documents").iterdir())


def test_a_full_disk_is_told_and_overcome(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", MARK)

    def send() -> Any:
        files = {"file": ("a.txt", b"Rest.")}
        return client.post("/v1/documents", files=files, data={"source": "en", "target": "pt"})

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        assert send().status_code == 507
    assert not list((tmp_path / "documents").iterdir())
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "atomic_write", full)
        found = ended(client, send().json()["id"])
    assert (found["state"], found["reason"]) == ("failed", "the disk is full or not readable")
    with monkeypatch.context() as patched:
        patched.setattr("mt.api.glossaries.tempfile.TemporaryDirectory", full)
        wanted = {"source": "en", "target": "pt", "format": "csv", "content": "a,b\n"}
        told = client.post("/v1/glossaries", json={"name": "x", "dictionaries": [wanted]})
    assert told.status_code == 507
    assert MARK not in told.text
    assert ended(client, send().json()["id"])["state"] == "done"


def ended(client: TestClient, document: str) -> Any:
    for _ in range(500):
        found = client.get(f"/v1/documents/{document}").json()
        if found["state"] in ("done", "failed"):
            return found
        time.sleep(0.02)
    raise AssertionError("the document does not end")


def test_a_missing_model_is_told(client: TestClient, fakes: Fakes) -> None:
    fakes.missing = True
    assert answer(client).status_code == 503
    assert client.post("/translate", json={"q": "x", "source": "en", "target": "pt"}).status_code == 503
    assert answer(client, model="three").status_code == 404
    fakes.missing = False
    assert answer(client).status_code == 200
    fakes.none = True
    client.post("/v1/models/reload")
    assert client.get("/readyz").status_code == 503
    assert answer(client).status_code == 400
    assert client.get("/v1/languages").json() == client.get("/languages").json() == []


def test_bombs_do_not_go_off(client: TestClient) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 50_000_000)
    for name in ("a.docx", "a.zip", "a.txt.gz"):
        sent = client.post(
            "/v1/documents", files={"file": (name, packed.getvalue())}, data={"target": "pt", "source": "en"}
        )
        assert sent.status_code == 415
    zipped = client.post("/v1/translate", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert zipped.status_code == 415
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x>&l11;</x>'
    wanted = {"source": "en", "target": "pt", "format": "tbx", "content": bomb}
    made = client.post("/v1/glossaries", json={"name": "x", "dictionaries": [wanted]})
    assert made.status_code in (400, 422)
    for kind in ("xml", "html"):
        found = answer(client, text=bomb, format=kind)
        assert found.status_code == 200
        assert len(found.text) < 20 * len(bomb)
    assert client.post("/translate", content=b" " * 200_001).status_code == 413


def test_a_bug_tells_nobody_the_text(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    poison = f"{MARK} poison."
    told = [
        answer(client, text=poison),
        client.post("/translate", json={"q": poison, "source": "en", "target": "pt"}),
        client.post("/v2/translate", json={"text": [poison], "target_lang": "PT", "source_lang": "EN"}),
    ]
    assert [one.status_code for one in told] == [500] * 3
    assert [list(one.json()) for one in told[1:]] == [["error"], ["message"]]
    told.append(client.post("/v1/translate/stream", json=TAKE | {"text": poison}))
    assert "event: error" in told[-1].text
    files = {"file": (f"{MARK}.txt", poison.encode())}
    sent = client.post("/v1/documents", files=files, data={"source": "en", "target": "pt"})
    found = ended(client, sent.json()["id"])
    assert found["state"] == "failed"
    assert found["reason"] == "an error of the server's, noted in its log"
    assert "ValueError" in caplog.text
    assert MARK not in caplog.text + json.dumps(found) + "".join(one.text for one in told)


def test_too_much_at_a_time_is_turned_away(app: FastAPI, fakes: Fakes, client: TestClient) -> None:
    text_of(client)
    engine = fakes.loaded["one"]
    engine.gate.clear()
    (batcher,) = app.state.parts.engines._batchers.values()
    for number in range(engine.parallel):
        batcher.submit(["held"])
        while batcher.state().running <= number:
            time.sleep(0.001)
    many = [f"Number {n}." for n in range(45)]
    held = {"texts": many, "text": None, "private": True}
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(answer, client, **held)
        until = time.monotonic() + 20
        while batcher.state().waiting < 20:
            assert time.monotonic() < until
            time.sleep(0.001)
        refused = answer(client, **held)
        engine.gate.set()
        assert accepted.result(20).status_code == 200
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1


def test_one_huge_segment(client: TestClient, fakes: Fakes) -> None:
    """A line of 100,000 letters without an end of sentence, tags in every tenth word."""
    words = [f"word{n}" if n % 10 else f"<b>word{n}</b>" for n in range(20_000)]
    line = " ".join(words)[:100_000].rpartition(" ")[0]
    asked = {"q": line.replace("<b>", "").replace("</b>", ""), "source": "en", "target": "pt"}
    assert client.post("/translate", json=asked).json()["translatedText"] == asked["q"].upper()
    start = time.process_time()
    marked = client.post("/translate", json=asked | {"q": line, "format": "html"}).json()["translatedText"]
    assert marked.upper() == line.upper()
    assert time.process_time() - start < 20  # by the square of the words, it took an hour


def test_what_glossaries_need_is_loaded_before_the_first_request_with_one(
    client: TestClient, app: FastAPI, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[list[str]] = []
    monkeypatch.setattr(warming, "_loaded", set())
    monkeypatch.setattr(warming, "_load", loaded.append)
    terms = {"source": "en", "target": "pt-BR", "terms": [{"source": "stroke", "target": "AVC"}]}
    for name in "xy":
        assert client.post("/v1/glossaries", json={"name": name, "dictionaries": [terms]}).is_success
    assert loaded_in_time(loaded, 1) == [["en", "pt"]]
    monkeypatch.setattr(warming, "_loaded", set())
    with TestClient(create_app(app.state.parts.settings, fakes.source())):  # the next start of the server
        assert loaded_in_time(loaded, 2) == [["en", "pt"]] * 2


def loaded_in_time(loaded: list[list[str]], count: int) -> list[list[str]]:
    deadline = time.monotonic() + 10
    while len(loaded) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return loaded
