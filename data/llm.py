"""One way to ask a chat model: messages in, a reply out. The only module that imports openai.

    chat = OpenAIChat("gpt-x")                       # OPENAI_API_KEY, OPENAI_BASE_URL from the environment
    chat.complete([Message("user", "Say: 5 mg")]).text

A reply that did not come (line, key, limit, refusal by the server) raises `ChatError`; a reply that is
rubbish is the caller's to judge. Text is sent where OPENAI_BASE_URL points and nowhere else, and is never
logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from data.errors import ConfigError, MedloopError, MissingExtraError


class ChatError(MedloopError):
    """No reply could be had; says from where and why, never what was asked."""


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """`finish` is "stop" for a whole reply; "length" and "content_filter" for one cut or withheld."""

    text: str
    model: str = ""
    finish: str = "stop"
    prompt_tokens: int = 0
    reply_tokens: int = 0


class ChatModel(Protocol):
    """Anything that answers; tests use one that records what it is asked."""

    @property
    def name(self) -> str: ...

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply: ...


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """`temperature` 0 and a seed make replies as repeatable as the server allows."""

    timeout_seconds: float = 60
    retries: int = 3
    temperature: float = 0
    seed: int = 12345
    most_reply_tokens: int = 4096


class OpenAIChat:
    """An OpenAI-compatible server: the public one, or a local one by OPENAI_BASE_URL."""

    def __init__(self, model: str, settings: ChatSettings = ChatSettings(), client: Any = None) -> None:
        self.name = model
        self._settings = settings
        self._client = client or _client(settings)

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        import openai

        request: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": self._settings.temperature,
            "seed": self._settings.seed,
            "max_tokens": self._settings.most_reply_tokens,
        }
        if as_json:
            request["response_format"] = {"type": "json_object"}
        try:
            answer = self._client.chat.completions.create(**request)
        except openai.OpenAIError as error:
            where = getattr(self._client, "base_url", "the server")
            raise ChatError(f"{self.name} at {where}: no reply ({type(error).__name__})") from None
        if not answer.choices:
            raise ChatError(f"{self.name}: the reply holds no choices")
        choice, usage = answer.choices[0], answer.usage
        return Reply(
            choice.message.content or "",
            answer.model or self.name,
            choice.finish_reason or "stop",
            usage.prompt_tokens if usage else 0,
            usage.completion_tokens if usage else 0,
        )


def _client(settings: ChatSettings) -> Any:
    try:
        import openai
    except ImportError:
        raise MissingExtraError("asking a chat model", "llm") from None
    try:
        return openai.OpenAI(timeout=settings.timeout_seconds, max_retries=settings.retries)
    except openai.OpenAIError:
        raise ConfigError("no key for the chat model: set OPENAI_API_KEY (and OPENAI_BASE_URL)") from None
