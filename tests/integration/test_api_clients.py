"""The server as tools meet it: their own clients, over a real socket, with the starter models."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deepl
import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from libretranslatepy import LibreTranslateAPI

from mt.api import deepl as deepl_routes
from mt.api import deepl_glossaries, libretranslate, native, native_files
from mt.api.app import create_app
from mt.api.settings import ApiSettings, Limits

MARK = "Zyxmarker77"
WEBLATE = Path(__file__).parents[1] / "files" / "weblate-5.14.3.json"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("api")
    limits = Limits(body_bytes=400_000, body_seconds=1.5, characters=100_000)
    return create_app(ApiSettings(f"sqlite:///{folder / 'state.db'}", folder / "documents", limits=limits))


@pytest.fixture(scope="module")
def url(app: FastAPI) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, access_log=False, log_level="warning", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_the_official_deepl_client(url: str) -> None:
    client = deepl.DeepLClient("any", server_url=url)
    found: Any = client.translate_text(
        ["Take 5 mg.", "<b>Rest</b>."], target_lang="PT-BR", tag_handling="html"
    )
    one, two = found
    assert (one.text, one.detected_source_lang) == ("Tome 5 mg.", "EN")
    assert two.text.count("<b>") == two.text.count("</b>") == 1
    assert client.get_usage().character.count
    assert {language.code for language in client.get_source_languages()} == {"EN", "PT"}
    assert {language.code for language in client.get_target_languages()} == {"EN-US", "PT-BR"}
    assert client.get_glossary_languages()


def test_deepl_glossaries_of_both_generations(url: str) -> None:
    client = deepl.DeepLClient("any", server_url=url)
    old = client.create_glossary("old", "EN", "PT", {"rest": "repousar"})
    assert client.get_glossary_entries(old) == {"rest": "repousar"}
    found = client.translate_text(
        "Rest.",
        source_lang="EN",
        target_lang="PT-BR",
        glossary=client.get_glossary(old.glossary_id),
    )
    assert isinstance(found, deepl.TextResult)
    assert "repous" in found.text.lower()
    assert old.glossary_id in {one.glossary_id for one in client.list_glossaries()}
    entries = deepl.api_data.MultilingualGlossaryDictionaryEntries("EN", "PT", {"a": "b"})
    new = client.create_multilingual_glossary("new", [entries])
    more = deepl.api_data.MultilingualGlossaryDictionaryEntries("EN", "PT", {"c": "d"})
    client.update_multilingual_glossary_dictionary(new, more)
    got: Any = client.get_multilingual_glossary_entries(new, "EN", "PT")
    assert got.dictionaries[0].entries == "a\tb\nc\td"
    client.replace_multilingual_glossary_dictionary(new, entries)
    assert client.get_multilingual_glossary(new.glossary_id).dictionaries[0].entry_count == 1
    client.delete_multilingual_glossary(new)
    client.delete_glossary(old)
    with pytest.raises(deepl.GlossaryNotFoundException):
        client.get_glossary(old.glossary_id)


def test_deepl_documents(url: str, tmp_path: Path) -> None:
    client, upload, result = deepl.DeepLClient("any", server_url=url), tmp_path / "a.txt", tmp_path / "b.txt"
    upload.write_text("Take 5 mg.\n\nRest.\n")
    status = client.translate_document_from_filepath(
        upload, result, source_lang="EN", target_lang="PT-BR", timeout_s=60
    )
    assert status.done
    assert result.read_text().startswith("Tome 5 mg.\n\n")


def test_the_libretranslate_client(url: str) -> None:
    client = LibreTranslateAPI(url)
    assert client.translate("Take 5 mg.", "en", "pt") == "Tome 5 mg."
    assert client.detect("Tome um comprimido duas vezes ao dia.")[0]["language"] == "pt"
    assert {"en", "pt"} == {one["code"] for one in client.languages()}


def test_libretranslate_as_weblate_and_its_page_ask(http: httpx.Client) -> None:
    """Bodies as LibreTranslate's own page and Weblate's backend send them."""
    asked = {"q": ["Rest.", "Take 5 mg."], "source": "auto", "target": "pt", "alternatives": 2}
    found = http.post("/translate", json=asked).json()
    assert [len(found[name]) for name in ("translatedText", "detectedLanguage", "alternatives")] == [2, 2, 2]
    assert found["detectedLanguage"][0]["language"] == "en"
    one = http.post("/translate", json={"api_key": "x", "q": "Rest.", "source": "en", "target": "pt"})
    assert isinstance(one.json()["translatedText"], str)
    sent = http.post(
        "/translate_file", files={"file": ("a.html", b"<p>Take <b>5 mg</b>.</p>")},
        data={"source": "en", "target": "pt"},
    )  # fmt: skip
    assert "<b>" in http.get(sent.json()["translatedFileUrl"]).text
    assert http.get("/frontend/settings").json()["keyRequired"] is False
    assert http.get("/health").json() == {"status": "ok"}


def test_what_weblate_sent(http: httpx.Client) -> None:
    """Recorded from the LibreTranslate and DeepL backends of Weblate 5.14.3, in order."""
    glossary = ""
    for one in json.loads(WEBLATE.read_text(encoding="utf-8")):
        path, body = one["path"].replace("{glossary}", glossary), one["body"]
        if body and body.get("glossary_id"):
            body["glossary_id"] = glossary
        answer = http.request(one["method"], path, headers=one["headers"], json=body)
        assert answer.status_code == one["status"], (path, answer.text)
        if path == "/translate":
            found = answer.json()["translatedText"]
            assert [_signs(text) for text in found] == [_signs(text) for text in body["q"]]
        elif path == "/v2/translate":
            found = [translation["text"] for translation in answer.json()["translations"]]
            assert [_signs(text) for text in found] == [_signs(text) for text in body["text"]]
            assert "glossary_id" not in body or "descans" in found[0].lower()
        elif one["method"] == "POST":
            glossary = answer.json()["glossary_id"]


def _signs(text: str) -> list[str]:
    return re.findall(r"\[X\d+X\]|<x id=\"\d+\"></x>", text)


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        ("/translate", {"source": "en", "target": "pt"}, 400, "error"),
        ("/translate", {"q": "x", "source": "en", "target": "xx"}, 400, "error"),
        ("/v2/translate", {"text": ["x"]}, 400, "message"),
        ("/v2/translate", {"text": ["x"], "target_lang": "XX"}, 400, "message"),
        ("/v1/translate", {"text": "x", "target": "xx"}, 400, "detail"),
        ("/v1/translate", {"text": "x"}, 422, "detail"),
        ("/v1/translate", {"text": "x", "target": "pt", "model": "../../etc"}, 404, "detail"),
        ("/v1/translate", {"text": "x" * 100_001, "target": "pt"}, 413, "detail"),
        ("/v1/translate", {"text": "x" * 400_001, "target": "pt"}, 413, "detail"),
    ],
)
def test_errors_are_of_each_protocols_kind(
    http: httpx.Client, path: str, body: dict[str, object], status: int, name: str
) -> None:
    answer = http.post(path, json=body)
    assert (answer.status_code, name in answer.json()) == (status, True)


def test_the_stream_ends_with_the_whole(http: httpx.Client) -> None:
    text = "Take 5 mg. Rest. Drink water."
    events = http.post("/v1/translate/stream", json={"text": text, "source": "en", "target": "pt"}).text
    names = [line[7:] for line in events.splitlines() if line.startswith("event: ")]
    assert names == ["segment"] * 3 + ["done"]
    last = json.loads(events.strip().rpartition("data: ")[2])
    assert last["translations"][0]["text"].startswith("Tome 5 mg.")


def test_ten_thousand_tiny_segments(http: httpx.Client) -> None:
    asked = {"texts": [f"{n}." for n in range(9_990)] + ["Rest."] * 10, "source": "en", "target": "pt"}
    found = http.post("/v1/translate", json=asked).json()["translations"]
    assert (len(found), found[7]["text"]) == (10_000, "7.")


def test_one_huge_segment(http: httpx.Client) -> None:
    """In one line without an end of sentence, so it is cut for the model, and each tag comes back once."""
    words = "take <i>two</i> tablets with water and then rest well or drink some more tea, "
    asked = {"text": [(words * 100)[:4000]], "target_lang": "PT-BR", "tag_handling": "html"}
    found = http.post("/v2/translate", json=asked).json()["translations"][0]["text"]
    assert found.count("<i>") == found.count("</i>") == asked["text"][0].count("</i>")
    assert 2500 < len(found) < 8000


def test_a_dribbled_body_is_given_up(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(b"POST /translate HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in slow.recv(200)


def test_no_text_is_ever_logged_or_told(
    http: httpx.Client, app: FastAPI, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A marker through every route and many a wrong turn: answers with errors, logs and metrics lack it."""
    caplog.set_level(logging.DEBUG)
    for noisy in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    bad: list[httpx.Response] = []
    modules = (native, native_files, libretranslate, deepl_routes, deepl_glossaries)
    for route in [route for module in modules for route in module.router.routes]:
        path = getattr(route, "path", "").replace("{", "").replace("}", "")
        for method in sorted(getattr(route, "methods", None) or ()):
            if method == "HEAD":
                continue
            for body in (
                {"text": MARK, "q": MARK, "target": "pt", "target_lang": "PT", "source": "en", MARK: 1},
                {"text": {MARK: MARK}, "q": {MARK: 1}, "texts": [MARK, 5], "target": "xx", "name": MARK},
                {"text": [MARK], "target_lang": "XX", "q": [MARK], "source": "en", "target": "xx"},
            ):
                bad.append(http.request(method, path, json=body, params={"q": MARK}))
            bad.append(http.request(method, path, content=f'{{"q": "{MARK}'.encode()))
            file = {"file": (f"{MARK}.docx", MARK.encode())}
            bad.append(http.request(method, path, files=file, data={"source": "en", "target": "pt"}))
    bad.append(http.post("/v1/translate", json={"text": MARK, "target": "pt", "post_edit": True}))
    broken = {"content": b"\xff\xfe" + MARK.encode(), "headers": {"content-type": "application/json"}}
    bad.append(http.post("/v1/translate", **broken))  # type: ignore[arg-type]
    told = [one.text for one in bad if one.status_code >= 400]
    assert len(told) > 60
    assert not [text for text in told if MARK in text]
    assert [one.status_code for one in bad if one.status_code >= 500] == []
    output = caplog.text + "".join(capfd.readouterr()) + http.get("/metrics").text
    assert "medloop.api" in output
    assert MARK not in output
    assert MARK not in json.dumps([list(map(str, row)) for row in _audit(app)])


def _audit(app: FastAPI) -> list[Any]:
    from sqlalchemy import create_engine, text

    with create_engine(app.state.parts.settings.database).connect() as connection:
        return list(connection.execute(text("SELECT * FROM api_audit")))


def test_what_the_page_and_probes_need(http: httpx.Client) -> None:
    assert [http.get(path).status_code for path in ("/", "/healthz", "/readyz", "/v1/openapi.json")] == [
        200
    ] * 4
    assert http.get("/docs").status_code == 404
    assert http.get("/healthz").headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in http.get("/healthz", headers={"Origin": "http://x"}).headers


def test_state_lies_where_it_should(app: FastAPI) -> None:
    assert Path(app.state.parts.settings.database.removeprefix("sqlite:///")).exists()
    assert app.state.parts.audit.broken() is None
