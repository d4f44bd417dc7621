"""A server's answer, as bytes, to a `Reply`; what is no answer is named.

In: the body of a chat completion, whole or as a stream of events. Out: a `Reply`, or `UnreadableError` with
the reason: "HTML in place of JSON", "JSON that breaks off", "no choices".

    read_reply(b'{"choices": [{"message": {"content": "Sim."}}]}', "application/json", "m").text   # "Sim."

The body is read here rather than by the SDK, which hands HTML on as if it were an answer, and because some
servers stream whether or not they were asked to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from data.llm_values import Reply

# A token is rarely longer in bytes, even escaped; what is far above the limit asked for is not a reply.
BYTES_PER_TOKEN = 32
# One event of a stream carries 200 to 300 bytes around each token.
BYTES_PER_EVENT = 512


class UnreadableError(Exception):
    """The body is no reply; the message says what it is, never what it holds."""


def read_reply(body: bytes, content_type: str, model: str) -> Reply:
    text = body.decode("utf-8", "replace").strip()
    if "event-stream" in content_type or text.startswith("data:"):
        return _joined(list(_events(text)), model)
    if "html" in content_type or text[:15].lower().startswith(("<!doctype", "<html")):
        raise UnreadableError("HTML in place of JSON; is the base URL right?")
    if not text:
        raise UnreadableError("an empty body")
    return _whole(_parsed(text), model)


def reply_of(answer: dict[str, Any], model: str) -> Reply:
    """Of a body that is parsed already, as batches hold it."""
    return _whole(answer, model)


def _parsed(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError("JSON that breaks off or never was any") from None
    if not isinstance(answer, dict):
        raise UnreadableError("JSON, but no object")
    if answer.get("error"):  # some servers report errors with status 200
        raise UnreadableError("an error in place of a reply")
    return answer


def _whole(answer: dict[str, Any], model: str) -> Reply:
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        refused = bool(message.get("refusal")) and not message.get("content")
        finish = "refusal" if refused else str(choice.get("finish_reason") or "stop")
        return _reply(answer, model, _text(message.get("content")), finish)
    except (KeyError, IndexError, TypeError, AttributeError):
        raise UnreadableError("no choices") from None


def _joined(events: list[dict[str, Any]], model: str) -> Reply:
    """A stream that never said it was finished was cut on the way."""
    parts: list[str] = []
    finish = ""
    refused = False
    last: dict[str, Any] = {}
    for event in events:
        last = {**last, **{name: event[name] for name in ("model", "usage") if event.get(name)}}
        for choice in (event.get("choices") or [])[:1]:
            delta = choice.get("delta") or {}
            parts.append(_text(delta.get("content")))
            refused = refused or bool(delta.get("refusal"))
            finish = choice.get("finish_reason") or finish
    if not finish:
        raise UnreadableError("a stream that breaks off")
    return _reply(last, model, "".join(parts), "refusal" if refused else finish)


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        found = line.removeprefix("data:").strip()
        if line.startswith("data:") and found != "[DONE]":
            yield _parsed(found)


def _text(content: object) -> str:
    """Some servers give a list of parts."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _reply(answer: dict[str, Any], model: str, text: str, finish: str) -> Reply:
    usage = answer.get("usage") or {}
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    prompt, reply = (count if isinstance(count, int) else 0 for count in counts)
    return Reply(text, str(answer.get("model") or model), finish, prompt, reply)
