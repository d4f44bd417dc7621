"""One way to ask a chat model: messages in, a reply out. The only module that imports openai.

    chat = OpenAIChat("gpt-x")                       # OPENAI_API_KEY, OPENAI_BASE_URL from the environment
    chat.complete([Message("user", "Say: 5 mg")]).text

Any server that speaks OpenAI's chat completions will do: OpenAI, Azure, vLLM, Ollama, llama.cpp, LM Studio,
`transformers serve`. A reply that did not come (line, key, limit, no JSON) raises `ChatError`; a reply that
is rubbish is the caller's to judge. Text is sent where the base URL points and nowhere else, with `store`
off, and is never logged.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from data.errors import ConfigError, MissingExtraError
from data.llm_failures import Failure, failure_of, wait_seconds
from data.llm_replies import BYTES_PER_EVENT, BYTES_PER_TOKEN, UnreadableError, read_reply
from data.llm_values import (
    AnswerError,
    BudgetError,
    ChatError,
    ChatModel,
    ContextError,
    Message,
    Reply,
    Shape,
)

__all__ = [
    "AnswerError", "BudgetError", "ChatError", "ChatModel", "ChatSettings", "ContextError", "Message",
    "OpenAIChat", "Reply", "Shape",
]  # fmt: skip
logger = logging.getLogger(__name__)

# What a server may not know: left out, or under another name, once it has said so.
_ADAPTABLE = ("store", "seed", "temperature", "max_tokens", "response_format", "stream_options")


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """`temperature` 0 and a seed make replies as repeatable as the server allows.

    `timeout_seconds` is for one try as a whole, however slowly the reply drips in.
    """

    timeout_seconds: float = 60
    retries: int = 3
    temperature: float = 0
    seed: int = 12345
    most_reply_tokens: int = 4096
    stream: bool = False


class OpenAIChat:
    """An OpenAI-compatible server: the public one, or a local one by its base URL. Threads may share it."""

    def __init__(
        self,
        model: str,
        settings: ChatSettings = ChatSettings(),
        client: Any = None,
        *,
        base_url: str | None = None,
        key: str | None = None,
        key_name: str = "OPENAI_API_KEY",
    ) -> None:
        self.name = model
        self.settings = settings
        self.client = client or _client(settings, base_url, key, key_name)
        self.where = f"{model} at {getattr(self.client, 'base_url', 'the server')}"
        self._key_name = key_name
        self._unknown: frozenset[str] = frozenset()  # parameters that this server has turned down
        self._pause_until = 0.0
        self._lock = threading.Lock()

    @property
    def identity(self) -> Mapping[str, object]:
        asked = {name: asdict(self.settings)[name] for name in ("temperature", "seed", "most_reply_tokens")}
        return {"name": self.name, "server": str(getattr(self.client, "base_url", "")), **asked}

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        return self._answered(messages, {"type": "json_object"} if as_json else None)

    def complete_as(self, messages: Sequence[Message], shape: Shape) -> Reply:
        """A server that knows no schemas is asked for JSON, and one that knows not even that, for text."""
        schema = {"name": shape.name, "schema": dict(shape.schema), "strict": True}
        return self._answered(messages, {"type": "json_schema", "json_schema": schema})

    def request(
        self, messages: Sequence[Message], response_format: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """The body to send, without what this server has turned down."""
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": self.settings.temperature,
            "seed": self.settings.seed,
            "max_tokens": self.settings.most_reply_tokens,
            "store": False,
        }
        if self.settings.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        if response_format is not None:
            body["response_format"] = dict(response_format)
            if "json_schema" in self._unknown and response_format["type"] == "json_schema":
                body["response_format"] = {"type": "json_object"}
        if "max_tokens" in self._unknown:  # OpenAI's newer models
            body["max_completion_tokens"] = body["max_tokens"]
        return {name: value for name, value in body.items() if name not in self._unknown}

    def call(self, work: Callable[[Any], Any]) -> Any:
        """Anything else that the server offers, such as files and batches; with the SDK's own retries."""
        import openai

        try:
            return work(self.client.with_options(max_retries=5))
        except openai.OpenAIError as error:
            raise ChatError(f"{self.where}: not done ({type(error).__name__})") from None

    def _answered(self, messages: Sequence[Message], response_format: Mapping[str, Any] | None) -> Reply:
        attempt = 0
        while True:
            self._wait_for_turn()
            body = self.request(messages, response_format)
            found = self._tried(body)
            if isinstance(found, Reply):
                return found
            if self._adapted(found, body):
                continue
            if not found.passing or attempt >= self.settings.retries:
                raise found.error
            self._pause(wait_seconds(attempt, found.after_seconds), everyone=found.after_seconds is not None)
            attempt += 1

    def _tried(self, body: dict[str, Any]) -> Reply | Failure | _TurnedDown:
        import httpx2
        import openai

        try:
            with self.client.chat.completions.with_streaming_response.create(**body) as response:
                content = self._read(response)
                return read_reply(content, response.headers.get("content-type", ""), self.name)
        except openai.APIStatusError as error:
            return self._failed(error)
        except UnreadableError as error:
            return Failure(ChatError(f"{self.where}: {error}"), passing="HTML" not in str(error))
        except (openai.APITimeoutError, httpx2.TimeoutException, TimeoutError):
            seconds = self.settings.timeout_seconds
            return Failure(ChatError(f"{self.where}: no reply in {seconds:g} seconds"), passing=True)
        except (openai.APIConnectionError, httpx2.HTTPError):
            return Failure(ChatError(f"{self.where}: no reply (the server cannot be reached)"), passing=True)
        except openai.OpenAIError as error:
            return Failure(ChatError(f"{self.where}: no reply ({type(error).__name__})"), passing=False)

    def _read(self, response: Any) -> bytes:
        """The body, as far as patience and memory go."""
        until = time.monotonic() + self.settings.timeout_seconds
        most = 65_536 + self.settings.most_reply_tokens * (BYTES_PER_TOKEN + BYTES_PER_EVENT)
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > most:
                raise UnreadableError(f"a reply far beyond {self.settings.most_reply_tokens} tokens")
            if time.monotonic() > until:
                raise TimeoutError
        return bytes(content)

    def _failed(self, error: Any) -> Failure | _TurnedDown:
        given = error.body if isinstance(error.body, dict) else {}
        message = str(given.get("message") or given.get("detail") or "")
        told = {"code": given.get("code"), "message": message}
        failure = failure_of(error.status_code, error.response.headers, told, self.where, self._key_name)
        if error.status_code in (400, 422) and not isinstance(failure.error, ContextError):
            return _TurnedDown(failure.error, f"{given.get('param') or ''} {message}")
        return failure

    def _adapted(self, found: Failure | _TurnedDown, body: Mapping[str, Any]) -> bool:
        """Whether a parameter that the server has named was given up, so that it may be asked again."""
        if not isinstance(found, _TurnedDown):
            return False
        sent = [name for name in _ADAPTABLE if name in body]
        named = next((name for name in sent if name in found.told), "")
        if not named and "json_schema" in found.told and "response_format" in body:
            named = "response_format"
        if not named:
            return False
        schema = named == "response_format" and body["response_format"]["type"] == "json_schema"
        with self._lock:
            self._unknown |= {"json_schema" if schema else named}
        logger.info("%s does not take %s; asking without it", self.where, "a schema" if schema else named)
        return True

    def _pause(self, seconds: float, *, everyone: bool) -> None:
        """A limit that the server names is one for all threads."""
        if everyone:
            with self._lock:
                self._pause_until = max(self._pause_until, time.monotonic() + seconds)
        else:
            time.sleep(seconds)

    def _wait_for_turn(self) -> None:
        while (seconds := self._pause_until - time.monotonic()) > 0:
            time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class _TurnedDown:
    """A request the server calls wrong; `told` is searched for names of parameters and goes no further."""

    error: ChatError
    told: str
    passing: bool = False
    after_seconds: float | None = None


def _client(settings: ChatSettings, base_url: str | None, key: str | None, key_name: str) -> Any:
    """Without retries of its own: here they are for every kind of failure, and wait as they are told."""
    try:
        import openai
    except ImportError:
        raise MissingExtraError("asking a chat model", "llm") from None
    try:
        return openai.OpenAI(
            timeout=settings.timeout_seconds, max_retries=0, base_url=base_url, api_key=key or None
        )
    except openai.OpenAIError:
        raise ConfigError(f"no key for the chat model: set {key_name} (and OPENAI_BASE_URL)") from None
