"""Schedules, the environment of the embedded server, the webhook, the night that has nothing to do."""

from __future__ import annotations

import http.server
import importlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from data.errors import ConfigError
from flows.config import load_pipeline
from flows.engine import prepare_environment, start_server
from flows.generating import writer
from flows.notifying import notify
from flows.planning import planned, state

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "configs" / "starter.en-pt.yaml"


def test_deployments_name_flows_and_configurations_that_are_there() -> None:
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    assert len(content["deployments"]) == 3
    for deployment in content["deployments"]:
        file, _, name = deployment["entrypoint"].partition(":")
        flow = getattr(importlib.import_module(file.removesuffix(".py").replace("/", ".")), name)
        assert flow.description
        assert load_pipeline(ROOT / deployment["parameters"]["config"]).name == "starter.en-pt"


def test_the_embedded_server_is_quiet_and_sends_nothing(tmp_path: Path) -> None:
    environ = {"MEDLOOP_HOME": str(tmp_path), "PREFECT_LOGGING_LEVEL": "DEBUG"}
    prepare_environment(environ)
    assert environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environ["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"  # the user's word counts


def test_a_server_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    environ = {"MEDLOOP_HOME": str(tmp_path), "PREFECT_API_URL": "http://prefect:4200/api"}
    assert start_server(environ) is None
    assert environ["PREFECT_API_URL"] == "http://prefect:4200/api"


class _Hook(http.server.BaseHTTPRequestHandler):
    seen: list[Any] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_webhook_gets_the_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipeline = load_pipeline(STARTER)
    assert not notify(pipeline, "rejected")  # no hook is set
    monkeypatch.setenv("MEDLOOP_WEBHOOK", f"http://127.0.0.1:{server.server_port}/x")
    assert notify(pipeline, "rejected", ("domain-quality: +0.1",))
    server.shutdown()
    server.server_close()
    assert [(one["event"], one["reasons"]) for one in _Hook.seen] == [("rejected", ["domain-quality: +0.1"])]
    assert not notify(pipeline, "rejected")  # nobody listens: a warning, no error


def test_a_plan_starts_nothing_and_names_the_cost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "model.safetensors").touch()
    monkeypatch.setenv("MEDLOOP_BASE", str(base))
    text = "\n".join(planned(STARTER))
    assert "0 LLM calls, 0 tokens, costs nothing" in text
    assert str(base) in text
    assert "nothing is done yet" in "\n".join(state(STARTER))
    assert not (tmp_path / "medloop").exists()


def test_a_budget_of_zero_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    pipeline = load_pipeline(STARTER)
    none = pipeline.data.generation.model_copy(update={"most_calls": 0})
    broke = pipeline.model_copy(update={"data": pipeline.data.model_copy(update={"generation": none})})
    with pytest.raises(ConfigError, match="most_calls is 0: no LLM call is allowed"):
        writer(broke)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert writer(broke) == "embedded"


def test_the_night_stops_early_when_nothing_is_new(tmp_path: Path) -> None:
    from flows import nightly
    from flows.run import open_run
    from flows.showing import Show

    corrections = tmp_path / "corrections.jsonl"
    corrections.write_text('{"src": "a", "tgt": "b"}\n', encoding="utf-8")
    text = STARTER.read_text(encoding="utf-8") + f"operation: {{corrections: {corrections}}}\n"
    config = tmp_path / "night.yaml"
    config.write_text(text, encoding="utf-8")
    run = open_run(config, Show(quiet=True))
    before = nightly.sources(run)
    nightly.remember(run, before)
    assert nightly.last_seen(run) == nightly.sources(run)
    assert [one.name for one in nightly.with_corrections(run).pipeline.data.real] == ["sample", "corrections"]
    corrections.write_text('{"src": "a", "tgt": "c"}\n', encoding="utf-8")
    assert nightly.last_seen(run) != nightly.sources(run)
