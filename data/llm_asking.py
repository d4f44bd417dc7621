"""A question whose answer must have a form: JSON that a pydantic model accepts.

In: a chat model, messages, the pydantic model. Out: an object of it, or `AnswerError`.

    class Sentences(BaseModel):
        sentences: list[str]

    ask(chat, [Message("user", "Write two sentences with the term: fever")], Sentences).sentences

The server is given the schema where it takes one; the schema also stands in the question, for many servers
take it and then forget it. An answer that does not fit is sent back once with what was wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from data.llm_values import AnswerError, ChatModel, Message, Reply, Shape, complete_as

_Answer = TypeVar("_Answer", bound=BaseModel)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n?\s*```", re.DOTALL)
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_WITHHELD = {"length": "it was cut off", "content_filter": "it was withheld", "refusal": "it was refused"}
# A broken reply goes back for repair no longer than this.
_MOST_RETURNED = 4000


def ask(
    model: ChatModel,
    messages: Sequence[Message],
    schema: type[_Answer],
    *,
    problem: Callable[[_Answer], str] = lambda _: "",
    repairs: int = 1,
) -> _Answer:
    """`problem` says what is wrong with an answer of the right form, such as a wrong count of segments."""
    shape = Shape(schema.__name__.strip("_"), strict_schema(schema.model_json_schema()))
    question = _with_schema(messages, shape)
    asked, reason = question, ""
    for _ in range(1 + repairs):
        reply = complete_as(model, asked, shape)
        answer, reason = _read(reply, schema, messages, problem)
        if answer is not None:
            return answer
        if reply.finish in ("content_filter", "refusal"):
            break  # the same question gets the same refusal
        asked = [
            *question,
            Message("assistant", reply.text[:_MOST_RETURNED] or "(nothing)"),
            Message("user", f"That cannot be used: {reason}. Answer again, with the JSON object only."),
        ]
    raise AnswerError(model.name, reason)


def strict_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """As strict servers want it: each object closed, each of its fields required, no defaults."""

    def strict(part: Any) -> Any:
        if isinstance(part, list):
            return [strict(one) for one in part]
        if not isinstance(part, dict):
            return part
        made = {name: strict(value) for name, value in part.items() if name not in ("default", "title")}
        if isinstance(part.get("properties"), dict):
            made["properties"] = {name: strict(value) for name, value in part["properties"].items()}
            made |= {"additionalProperties": False, "required": list(part["properties"])}
        return made

    strictly: dict[str, Any] = strict(schema)
    return strictly


def _with_schema(messages: Sequence[Message], shape: Shape) -> list[Message]:
    form = json.dumps(shape.schema, ensure_ascii=False, separators=(",", ":"))
    note = f"Answer with one JSON object and nothing else. It must follow this JSON schema: {form}"
    if messages and messages[0].role == "system":
        return [Message("system", f"{messages[0].content}\n\n{note}"), *messages[1:]]
    return [Message("system", note), *messages]


def _read(
    reply: Reply, schema: type[_Answer], messages: Sequence[Message], problem: Callable[[_Answer], str]
) -> tuple[_Answer | None, str]:
    if reply.finish != "stop":
        return None, _WITHHELD.get(reply.finish, f"it ended with {reply.finish!r}"[:60])
    if messages and reply.text.strip() == messages[-1].content.strip():
        return None, "it is the question itself"
    found = _json_in(reply.text)
    if not found:
        return None, "there is no JSON object in it"
    try:
        answer = schema.model_validate(json.loads(found))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        return None, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (ValueError, RecursionError):
        return None, "it is not valid JSON"
    wrong = problem(answer)
    return (None, wrong) if wrong else (answer, "")


def _json_in(text: str) -> str:
    """Without the thoughts before it, the fence around it, and the friendly words on both sides."""
    text = _THOUGHTS.sub("", text)
    fenced = _FENCED.search(text)
    text = fenced[1] if fenced else text
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else ""
