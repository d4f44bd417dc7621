"""What is said to a chat model and what comes back, or why nothing came.

Reply("Tome 5 mg.", "gpt-x", "stop", prompt_tokens=20, reply_tokens=6)

ChatError               no reply: the line, the server, the answer's form; never what was asked
├── ContextError        more text than the model's window holds: split it
├── BudgetError         the calls, tokens or money allowed are used up; nothing was sent
└── AnswerError         a reply came, but not what was asked for, twice
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from data.errors import MedloopError


class ChatError(MedloopError):
    """No reply could be had; says from where and why, never what was asked."""


class ContextError(ChatError):
    """`most_tokens` is the window where it is known, else 0."""

    def __init__(self, model: str, most_tokens: int = 0) -> None:
        window = f"its window of {most_tokens} tokens" if most_tokens else "its window"
        super().__init__(f"{model}: the text does not fit into {window}: send fewer or shorter segments")
        self.most_tokens = most_tokens


class BudgetError(ChatError):
    """A limit of the run is reached; what was had so far stays."""


class AnswerError(ChatError):
    """The reply is not what was asked for; `reason` is for people, and holds no text."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"{model}: no usable answer: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """`finish` is "stop" for a whole reply; "length", "content_filter", "refusal" for one cut or withheld."""

    text: str
    model: str = ""
    finish: str = "stop"
    prompt_tokens: int = 0
    reply_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON schema that the reply must follow; `name` is for the server."""

    name: str
    schema: Mapping[str, object]


class ChatModel(Protocol):
    """Anything that answers; tests use one that records what it is asked."""

    @property
    def name(self) -> str: ...

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply: ...


@runtime_checkable
class ShapedChat(Protocol):
    """A model whose server can hold a reply to a schema; the wrappers hand this on."""

    def complete_as(self, messages: Sequence[Message], shape: Shape) -> Reply: ...


def complete_as(model: ChatModel, messages: Sequence[Message], shape: Shape) -> Reply:
    """By schema where the model can, else as JSON of any form."""
    if isinstance(model, ShapedChat):
        return model.complete_as(messages, shape)
    return model.complete(messages, as_json=True)


@runtime_checkable
class Identified(Protocol):
    """All that shapes a reply besides the messages: settings, seed, server. Part of the cache's key."""

    @property
    def identity(self) -> Mapping[str, object]: ...


def identity(model: ChatModel) -> Mapping[str, object]:
    return model.identity if isinstance(model, Identified) else {"name": model.name}
