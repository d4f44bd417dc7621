"""The page in a real browser: type, translate, see findings on both sides, copy, download, drop, errors."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from mt.api.app import create_app
from mt.api.page.router import STATIC, router
from mt.api.settings import ApiSettings

playwright = pytest.importorskip("playwright.sync_api")

EVIL = "<img src=x onerror=\"document.title='owned'\">"
LONG_NAME = "Cardiology, as its house style of 2026 has it for every clinic"
SOURCE = f"Take 5 mg of warfarin once daily.\n\nDo not stop without asking. 😀 {EVIL}"
TARGET = f"Tome 50 mg de varfarina uma vez ao dia.\n\nPare sem perguntar. 😀 {EVIL}"
SEGMENTS = [
    {
        "id": "1",
        "source": "Take 5 mg of warfarin once daily.",
        "target": "Tome 50 mg de varfarina uma vez ao dia.",
        "score": -0.12,
        "terms": {"step": "none", "required": [{"source": "warfarin", "target": "varfarina", "state": "exact",
                                                "source_span": [13, 21], "target_span": [14, 23]}]},
        "findings": [{"kind": "number", "severity": "critical", "source_span": [5, 9], "target_span": [5, 10],
                      "message": "The source says 5 mg, the translation says 50 mg."}],
        "needs_review": True,
    },
    {
        "id": "2",
        "source": f"Do not stop without asking. 😀 {EVIL}",
        "target": f"Pare sem perguntar. 😀 {EVIL}",
        "score": -0.4,
        "findings": [{"kind": "negation", "severity": "major", "source_span": [3, 6], "target_span": None,
                      "message": "The negation is gone."}],
        "needs_review": True,
    },
]  # fmt: skip


def stub() -> FastAPI:
    """Answers as the native API does."""
    app = FastAPI()
    app.include_router(router)
    app.state.asked = []

    @app.get("/v1/languages")
    def languages() -> list[dict[str, Any]]:
        return [
            {"code": "en", "name": "English", "targets": ["pt"]},
            {"code": "pt", "name": "Portuguese", "targets": ["en"]},
        ]

    @app.get("/v1/glossaries")
    def glossaries() -> list[dict[str, Any]]:
        own = [{"source": "en", "target": "pt", "terms": 2}]
        return [{"id": "g1", "name": LONG_NAME, "shared": False, "version": 1, "dictionaries": own}]

    @app.post("/v1/translate")
    async def translate(request: Request) -> Any:
        body = await request.json()
        app.state.asked.append(body)
        if body["text"] == "busy":
            problem = {"title": "Too many requests", "detail": "4096 sentences are waiting already."}
            return JSONResponse(problem, 429, {"Retry-After": "3"})
        return {"translations": [{"text": TARGET, "segments": SEGMENTS}]}

    @app.post("/v1/documents", status_code=202)
    async def send() -> dict[str, str]:
        return {"id": "d1", "state": "queued"}

    @app.get("/v1/documents/d1")
    def status() -> dict[str, str]:
        return {"id": "d1", "state": "done"}

    @app.get("/v1/documents/d1/result")
    def result() -> PlainTextResponse:
        return PlainTextResponse("# Repouso")

    return app


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, FastAPI]]:
    app = stub()
    with serving(app) as address:
        yield address, app


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, server: tuple[str, FastAPI]) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.complaints = []
    opened.on("console", lambda told: opened.complaints.append(told.text) if told.type == "error" else None)
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.outside = []
    opened.on("request", lambda one: opened.outside.append(one.url) if server[0] not in one.url else None)
    opened.goto(server[0])
    opened.wait_for_selector("#to option[value=pt]", state="attached")
    yield opened
    context.close()


def translated(page: Any) -> None:
    page.fill("#source", SOURCE)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#target mark")


def test_a_finding_is_marked_on_both_sides_with_its_reason(page: Any, server: tuple[str, FastAPI]) -> None:
    page.select_option("#glossary", "g1")
    translated(page)
    assert server[1].state.asked[-1]["glossaries"] == ["g1"]
    assert page.text_content("#target").rstrip("\u200b") == TARGET
    assert page.text_content("#target mark.critical") == "50 mg"
    assert "50 mg" in page.get_attribute("#target mark.critical", "title")
    assert page.locator("#source-marks mark.critical").all_text_contents() == ["5 mg"]
    assert page.locator("#source-marks mark.major").all_text_contents() == ["not"]
    assert page.get_attribute("#target mark.side", "title") == "The negation is gone."
    assert page.locator("mark.term").all_text_contents() == ["warfarin", "varfarina"]
    assert "2 of 2 need review" in page.text_content("#verdict")
    assert "77 %" in page.text_content("#verdict")  # exp of the mean of -0.12 and -0.4
    assert page.locator("#findings li").count() == 2
    page.click("#findings li >> nth=0 >> button")
    assert page.locator("mark.here").all_text_contents() == ["5 mg", "50 mg"]
    assert page.evaluate("document.activeElement.textContent") == "50 mg"
    assert page.title() != "owned"
    assert page.complaints == []
    assert page.outside == []


def test_marks_lie_exactly_under_the_text(page: Any) -> None:
    translated(page)
    sizes = page.evaluate(
        "['source', 'source-marks'].map(id => { const b = document.getElementById(id).getBoundingClientRect();"
        " return [b.x, b.y, b.width] })"
    )
    assert sizes[0] == sizes[1]
    page.fill("#source", SOURCE + " More.")
    assert page.locator("#source-marks mark").count() == 0  # they belong to what was translated


def test_download_and_copy(page: Any, tmp_path: Path) -> None:
    translated(page)
    with page.expect_download() as waited:
        page.click("#download")
    assert waited.value.suggested_filename == "translation.pt.txt"
    waited.value.save_as(tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == TARGET
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#copy")
    page.wait_for_function("() => document.getElementById('status').textContent === 'Copied.'")
    assert page.evaluate("navigator.clipboard.readText()") == TARGET


def test_a_text_file_goes_to_the_pane_and_others_are_jobs(page: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Rest well.", encoding="utf-8")
    page.set_input_files("#file", tmp_path / "a.txt")
    page.wait_for_function("() => document.getElementById('source').value === 'Rest well.'")
    (tmp_path / "b.md").write_text("# Rest", encoding="utf-8")
    with page.expect_download() as waited:
        page.set_input_files("#file", tmp_path / "b.md")
    assert waited.value.suggested_filename == "b.pt.md"


def test_a_file_can_be_dropped(page: Any) -> None:
    page.evaluate(
        """() => { const data = new DataTransfer();
        data.items.add(new File(['Dropped.'], 'd.txt', {type: 'text/plain'}));
        document.getElementById('drop').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true,
        cancelable: true})); }"""
    )
    page.wait_for_function("() => document.getElementById('source').value === 'Dropped.'")


def test_a_busy_server_is_told_in_words(page: Any) -> None:
    page.fill("#source", "busy")
    page.click("#translate")
    page.wait_for_selector("#status.error")
    assert page.text_content("#status") == "4096 sentences are waiting already. Try again in 3 s."


def test_everything_works_by_keyboard_and_has_a_name(page: Any) -> None:
    assert page.evaluate("document.activeElement.id") == "source"
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, textarea')].filter(one =>
        !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label')
        || one.getAttribute('aria-labelledby'))).map(one => one.id)"""
    )
    assert unnamed == []
    reached = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"from", "to", "swap", "glossary", "translate", "file", "clear", "target"} <= reached


def test_swapping_takes_the_translation_along(page: Any) -> None:
    translated(page)
    page.click("#swap")
    assert page.input_value("#from") == "pt"
    assert page.input_value("#source") == TARGET
    assert page.text_content("#target") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_can_be_read(browser: Any, server: tuple[str, FastAPI], width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    opened.goto(server[0])
    opened.wait_for_selector("#to option[value=pt]", state="attached")
    translated(opened)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    worst = opened.evaluate(_CONTRAST)
    assert worst >= 4.5
    context.close()


# ruff: noqa: E501
# The least contrast of any text with what lies behind it, as WCAG counts it.
_CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => { const c = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * c[0] + .7152 * c[1] + .0722 * c[2]; };
  const behind = (one) => { for (; one; one = one.parentElement) { const c = rgb(getComputedStyle(one).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = 21;
  for (const one of document.querySelectorAll('body *:not(#source-marks, #source-marks *, script, option, .skip)')) {
    if (![...one.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !one.getClientRects().length) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + .05) / (b + .05));
  }
  return worst;
}"""


def test_the_page_may_load_nothing_from_elsewhere(server: tuple[str, FastAPI]) -> None:
    answer = httpx.get(server[0])
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    for name in ("index.html", "page.css", "page.js"):
        text = (STATIC / name).read_text(encoding="utf-8")
        assert "//" not in text.replace("// ", "").replace("://www.w3.org", "") or name == "page.js"
        assert "http" not in text or name == "page.js"
        assert "innerHTML" not in text
    assert httpx.get(f"{server[0]}/static/router.py").status_code == 404
    assert httpx.get(f"{server[0]}/static/..%2frouter.py").status_code == 404


def test_the_page_of_the_real_server_with_the_starter(browser: Any, tmp_path: Path) -> None:
    """Type, translate with a glossary, see what the model got dangerously wrong, download, send a file."""
    app = create_app(ApiSettings(f"sqlite:///{tmp_path / 'state.db'}", tmp_path / "documents"))
    with serving(app) as address:
        terms = [{"source": "blood pressure", "target": "tensão arterial"}]
        dictionary = {"source": "en", "target": "pt", "terms": terms}
        httpx.post(f"{address}/v1/glossaries", json={"name": "House", "dictionaries": [dictionary]})
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.goto(address)
        page.wait_for_selector("#glossary option >> nth=1", state="attached")
        page.select_option("#glossary", label="House")
        page.fill("#source", "Hold warfarin if the INR is above 4.5.\n\nCheck the blood pressure daily.")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#target mark.term", timeout=60_000)
        assert page.locator("#target mark.term").all_text_contents() == ["tensão arterial"]
        shown = page.text_content("#target").rstrip("\u200b")
        assert "tensão arterial" in shown
        assert "need review" in page.text_content("#verdict")
        assert page.locator("#source-marks mark.critical").all_text_contents() == ["Hold"]
        assert "turned round" in page.text_content("#findings")
        with page.expect_download() as waited:
            page.click("#download")
        waited.value.save_as(tmp_path / "out.txt")
        assert (tmp_path / "out.txt").read_text(encoding="utf-8") == shown
        (tmp_path / "b.md").write_text("# Rest\n\nTake **5 mg**.\n", encoding="utf-8")
        with page.expect_download(timeout=60_000) as waited:
            page.set_input_files("#file", tmp_path / "b.md")
        waited.value.save_as(tmp_path / "b.pt.md")
        assert "**5 mg**" in (tmp_path / "b.pt.md").read_text(encoding="utf-8")
        assert complaints == []
        context.close()
