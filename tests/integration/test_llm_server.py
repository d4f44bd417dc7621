"""The adapter against a real server on loopback that misbehaves in every way servers do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from data import llm
from data.llm import ChatError, ChatSettings, ContextError, Message, OpenAIChat, Reply
from data.llm_many import complete_many

ASKED = [Message("user", "secret text: 5 mg")]
FAST = ChatSettings(timeout_seconds=5, retries=2, most_reply_tokens=100)


def answer(text: str, **more: Any) -> bytes:
    message = {"role": "assistant", "content": text, **more}
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"model": "m-1", "choices": [choice], "usage": usage}).encode()


def error(message: str, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


GOOD: tuple[int, dict[str, str], bytes] = (200, {}, answer("Sim."))


class Server(ThreadingHTTPServer):
    """`script` is what to answer, one after the other, the last for ever; `seen` what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[Any] = [GOOD]
        self.seen: list[dict[str, Any]] = []
        self.at_once, self.most_at_once = 0, 0
        self.lock = threading.Lock()

    def chat(self, settings: ChatSettings = FAST, **more: Any) -> OpenAIChat:
        return OpenAIChat("m", settings, base_url=self.url, key="k", **more)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with server.lock:
            server.seen.append(body)
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
            step = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        try:
            status, headers, content = step(body) if callable(step) else step
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            if isinstance(content, bytes):
                self.send_header("content-length", str(len(content)))
                content = [content]
            self.end_headers()
            for piece in content:
                self.wfile.write(piece)
        except OSError:
            pass  # the client has had enough
        finally:
            with server.lock:
                server.at_once -= 1

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are noted, not waited; the clock moves on by them."""
    seconds: list[float] = []

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return time.monotonic() + sum(seconds)

        sleep = staticmethod(seconds.append)

    monkeypatch.setattr(llm, "time", Clock)
    return seconds


def test_a_reply_and_what_was_sent(server: Server) -> None:
    assert server.chat().complete(ASKED, as_json=True) == Reply("Sim.", "m-1", "stop", 7, 3)
    [sent] = server.seen
    assert sent["store"] is False
    assert sent["response_format"] == {"type": "json_object"}
    assert sent["messages"] == [{"role": "user", "content": "secret text: 5 mg"}]


PASSING = {
    "busy": (503, {}, b"upstream error"),
    "rate": (429, {"retry-after": "7"}, error("slow down")),
    "half JSON": (200, {}, answer("Sim.")[:40]),
    "nothing": (200, {}, b""),
    "no choices": (200, {}, b'{"choices": []}'),
    "an error with status 200": (200, {}, error("overloaded")),
    "a broken stream": (
        200,
        {"content-type": "text/event-stream"},
        b'data: {"choices": [{"delta": {}}]}\n\n',
    ),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_tried_again(server: Server, slept: list[float], name: str) -> None:
    server.script = [PASSING[name], PASSING[name], GOOD]
    assert server.chat().complete(ASKED).text == "Sim."
    assert len(server.seen) == 3
    waits = sum(slept)
    assert 14 <= waits <= 16 if name == "rate" else 0.75 <= waits <= 1.5


@pytest.mark.parametrize("name", PASSING)
def test_but_not_for_ever_and_the_error_quotes_nothing(server: Server, slept: list[float], name: str) -> None:
    server.script = [PASSING[name]]
    with pytest.raises(ChatError) as caught:
        server.chat().complete(ASKED)
    assert len(server.seen) == 3
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"m at {server.url}/: ")


LASTING = [
    ((401, {}, error("bad key k")), "the key in MEDLOOP_LLM_CRITIC_KEY is not accepted (401)"),
    ((404, {}, error("no model")), "no such model or address (404)"),
    ((429, {}, error("pay", code="insufficient_quota")), "has no credit left"),
    ((200, {"content-type": "text/html"}, b"<html><body>Login</body></html>"), "HTML in place of JSON"),
    ((400, {}, error("bad request")), "no reply (BadRequest)"),
]


@pytest.mark.parametrize(("step", "said"), LASTING)
def test_what_lasts_is_asked_once(server: Server, slept: list[float], step: Any, said: str) -> None:
    server.script = [step]
    with pytest.raises(ChatError) as caught:
        server.chat(key_name="MEDLOOP_LLM_CRITIC_KEY").complete(ASKED)
    assert said in str(caught.value)
    assert (len(server.seen), slept) == (1, [])


@pytest.mark.parametrize(
    ("message", "code", "window"),
    [
        ("This model's maximum context length is 8192 tokens.", "context_length_exceeded", 8192),
        ("the request exceeds the available context size, try increasing it", "exceed_context_size_error", 0),
    ],
)
def test_a_window_too_small_has_an_error_of_its_own(
    server: Server, message: str, code: str, window: int
) -> None:
    server.script = [(400, {}, error(message, code=code))]
    with pytest.raises(ContextError) as caught:
        server.chat().complete(ASKED)
    assert caught.value.most_tokens == window
    assert len(server.seen) == 1


def test_a_server_that_is_down(slept: list[float]) -> None:
    with Server() as gone:
        chat = gone.chat()
    with pytest.raises(ChatError, match=r"cannot be reached"):
        chat.complete(ASKED)
    assert len(slept) == 2


def dripping(body: dict[str, Any]) -> Any:
    def pieces() -> Iterator[bytes]:
        for _ in range(60):
            time.sleep(0.05)
            yield b" "

    return 200, {}, pieces()


def silent(body: dict[str, Any]) -> Any:
    time.sleep(1.5)
    return GOOD


@pytest.mark.parametrize("step", [dripping, silent])
def test_a_slow_server_costs_the_timeout_and_no_more(server: Server, step: Callable[..., Any]) -> None:
    server.script = [step]
    start = time.monotonic()
    with pytest.raises(ChatError, match=r"no reply in 0.4 seconds"):
        server.chat(ChatSettings(timeout_seconds=0.4, retries=0)).complete(ASKED)
    assert time.monotonic() - start < 1.4


def test_an_enormous_reply_is_not_read_to_its_end(server: Server) -> None:
    sent: list[int] = []

    def enormous(body: dict[str, Any]) -> Any:
        def pieces() -> Iterator[bytes]:
            for _ in range(200):
                sent.append(1)
                yield b"x" * 1_000_000

        return 200, {}, pieces()

    server.script = [enormous]
    with pytest.raises(ChatError, match=r"a reply far beyond 100 tokens"):
        server.chat(ChatSettings(timeout_seconds=5, retries=0, most_reply_tokens=100)).complete(ASKED)
    assert len(sent) < 100


def test_a_refusal_is_a_reply_withheld(server: Server) -> None:
    server.script = [(200, {}, answer("", refusal="I cannot help with that."))]
    assert server.chat().complete(ASKED).finish == "refusal"


def test_a_stream_asked_for_or_not(server: Server) -> None:
    events: list[dict[str, Any]] = [
        {"choices": [{"delta": {"content": part}}]} for part in ("Tome ", "5 mg", ".")
    ]
    events.append({"choices": [{"delta": {}, "finish_reason": "stop"}], "model": "m-1"})
    events.append({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    server.script = [(200, {"content-type": "text/event-stream"}, body.encode())]
    for stream in (False, True):
        settings = ChatSettings(stream=stream)
        assert server.chat(settings).complete(ASKED) == Reply("Tome 5 mg.", "m-1", "stop", 7, 3)
    assert [sent.get("stream") for sent in server.seen] == [None, True]


def test_parameters_a_server_does_not_know_are_given_up_once(server: Server) -> None:
    def picky(body: dict[str, Any]) -> Any:
        for name in ("store", "seed"):
            if name in body:
                return (
                    422,
                    {},
                    json.dumps({"detail": f"Unexpected keys in the request: {{'{name}'}}"}).encode(),
                )
        if "max_tokens" in body:
            return 400, {}, error("use max_completion_tokens", param="max_tokens")
        return GOOD

    server.script = [picky]
    chat = server.chat()
    assert chat.complete(ASKED).text == "Sim."
    assert chat.complete(ASKED).text == "Sim."
    assert len(server.seen) == 5
    assert server.seen[-1]["max_completion_tokens"] == 100


def test_many_at_once_in_order_each_with_a_slot(server: Server) -> None:
    def echo(body: dict[str, Any]) -> Any:
        asked = body["messages"][0]["content"]
        time.sleep(0.02)
        return (400, {}, error("no")) if asked == "3" else (200, {}, answer(asked))

    server.script = [echo]
    found = complete_many(server.chat(), [[Message("user", str(n))] for n in range(12)], concurrency=4)
    texts = [one.text if isinstance(one, Reply) else "error" for one in found]
    assert texts == ["0", "1", "2", "error", *map(str, range(4, 12))]
    assert 1 < server.most_at_once <= 4
