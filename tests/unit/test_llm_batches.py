"""Batches: sent once, collected in order, and found again after a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from data.errors import ConfigError, InputError
from data.llm import ChatError, Message, OpenAIChat, Reply
from data.llm_batches import BatchRun

REQUESTS = [[Message("user", text)] for text in ("um", "dois", "três", "quatro", "cinco")]


class Service:
    """OpenAI's files and batches; `broken` names a path whose next answer gets lost."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.batches: list[dict[str, Any]] = []
        self.broken = ""
        self.pending_polls = 1

    def chat(self) -> OpenAIChat:
        transport = httpx2.MockTransport(self.handle)
        client = openai.OpenAI(
            api_key="k", base_url="http://127.0.0.1:1/v1", http_client=httpx2.Client(transport=transport)
        )
        return OpenAIChat("m", client=client)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        what = f"{request.method} {request.url.path.removeprefix('/v1')}"
        answer = self.answer(what, request)
        if self.broken and what.startswith(self.broken):
            self.broken = ""
            raise KeyboardInterrupt  # as a killed process
        return answer

    def answer(self, what: str, request: httpx2.Request) -> httpx2.Response:
        method, path = what.split()
        parts = path.strip("/").split("/")
        if what == "POST /files":
            name = f"file-{len(self.files)}"
            content = request.read()
            lines = [line for line in content.splitlines() if line.startswith(b'{"custom_id"')]
            self.files[name] = b"\n".join(lines)
            return httpx2.Response(200, json={"id": name})
        if what == "POST /batches":
            batch = json.loads(request.read())
            batch |= {"id": f"batch-{len(self.batches)}", "status": "in_progress", "polls": 0}
            self.batches.append(batch)
            return httpx2.Response(200, json=batch)
        if what == "GET /batches":
            return httpx2.Response(200, json={"data": self.batches, "has_more": False})
        if parts[0] == "batches":
            return httpx2.Response(200, json=self.polled(int(parts[1].rpartition("-")[2])))
        if method == "DELETE":
            del self.files[parts[1]]
            return httpx2.Response(200, json={"id": parts[1], "deleted": True})
        return httpx2.Response(200, content=self.files[parts[1]])

    def polled(self, number: int) -> dict[str, Any]:
        batch = self.batches[number]
        batch["polls"] += 1
        if batch["polls"] > self.pending_polls and batch["status"] == "in_progress":
            batch["status"] = "expired" if number == 1 else "completed"
            asked = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
            self.files[f"out-{number}"] = b"\n".join(reversed([self.line(one) for one in asked]))
            batch["output_file_id"] = f"out-{number}"
        return batch

    def line(self, asked: dict[str, Any]) -> bytes:
        text = asked["body"]["messages"][0]["content"]
        choice = {"message": {"content": text.upper()}, "finish_reason": "stop"}
        response: Any = {"status_code": 200, "body": {"choices": [choice]}}
        if text == "dois":
            response = {"status_code": 400, "body": {"error": {"message": "dois?"}}}
        if text == "quatro":
            return b'{"custom_id": "half'
        return json.dumps({"custom_id": asked["custom_id"], "response": response}).encode()


def run(service: Service, folder: Path, requests: list[list[Message]] = REQUESTS) -> list[Reply | ChatError]:
    return BatchRun(service.chat(), requests, folder, most_requests=3).finish(0, lambda _: None)


def shown(found: list[Reply | ChatError]) -> list[str]:
    return [one.text if isinstance(one, Reply) else str(one) for one in found]


EXPECTED = [
    "UM",
    "m at http://127.0.0.1:1/v1/: no reply (status 400)",
    "TRÊS",
    "m at http://127.0.0.1:1/v1/: no reply in the batch (expired)",
    "CINCO",
]


def test_replies_in_order_and_every_failure_in_its_slot(tmp_path: Path) -> None:
    service = Service()
    assert shown(run(service, tmp_path)) == EXPECTED
    assert len(service.batches) == 2
    assert service.files == {}


STEPS = ["POST /files", "POST /batches", "GET /batches/batch-0", "GET /files/out-0"]


@pytest.mark.parametrize("broken", STEPS)
def test_a_run_that_was_killed_goes_on_without_a_second_batch(tmp_path: Path, broken: str) -> None:
    service = Service()
    service.broken = broken
    with pytest.raises(KeyboardInterrupt):
        run(service, tmp_path)
    assert shown(run(service, tmp_path)) == EXPECTED
    assert len(service.batches) == 2


def test_a_finished_run_asks_nothing_again(tmp_path: Path) -> None:
    service = Service()
    run(service, tmp_path)
    polls = [batch["polls"] for batch in service.batches]
    assert shown(run(service, tmp_path)) == EXPECTED
    assert [batch["polls"] for batch in service.batches] == polls


def test_a_folder_belongs_to_its_requests(tmp_path: Path) -> None:
    run(Service(), tmp_path)
    with pytest.raises(ConfigError, match="belongs to other requests; name another folder"):
        run(Service(), tmp_path, REQUESTS[:2])
    (tmp_path / "batches.json").write_text('{"mark": ')
    with pytest.raises(InputError, match=r"batches.json is damaged"):
        run(Service(), tmp_path)
