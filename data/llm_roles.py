"""Which model writes, translates, criticises, judges and post-edits: from the environment, each on its own.

    OPENAI_API_KEY, OPENAI_BASE_URL      the key and the server, for all roles
    MEDLOOP_LLM_MODEL                    the model's name there; `embedded` for the one that runs here
    MEDLOOP_LLM_CRITIC_MODEL, _BASE_URL, _KEY            another one for a role
    MEDLOOP_LLM_CRITIC_TIMEOUT, _RETRIES, _TEMPERATURE, _SEED, _REPLY_TOKENS, _STREAM
                                         and its limits; without the role's name, for all roles

    chat_model("critic").name                         # the value of MEDLOOP_LLM_CRITIC_MODEL

Secrets come from the environment only, and an error names the variable, never its value.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from data.errors import ConfigError
from data.llm import ChatModel, ChatSettings, OpenAIChat

ROLES: Final = ("writer", "translator", "critic", "judge", "postedit")
EMBEDDED: Final = "embedded"
# A writer that always takes the likeliest word writes the same note a thousand times.
_TEMPERATURES: Final = {"writer": 0.9}
_NUMBERS: Final = {
    "TIMEOUT": "timeout_seconds",
    "RETRIES": "retries",
    "TEMPERATURE": "temperature",
    "SEED": "seed",
    "REPLY_TOKENS": "most_reply_tokens",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`key` stays out of the repr; `key_name` is the variable that holds it, or should."""

    model: str
    base_url: str | None
    key_name: str
    settings: ChatSettings


def chat_model(role: str, environ: Mapping[str, str] | None = None) -> ChatModel:
    environ = os.environ if environ is None else environ
    found = endpoint(role, environ)
    if found.model == EMBEDDED:
        from data.embedded import EmbeddedChat

        return EmbeddedChat()
    key = environ.get(found.key_name, "").strip()
    if not key and found.base_url is None:
        raise ConfigError(
            f"no key for the {role}: set {found.key_name} or OPENAI_API_KEY, or the address of a local "
            f"server in OPENAI_BASE_URL, or MEDLOOP_LLM_MODEL={EMBEDDED}"
        )
    if not key.isascii() or any(letter.isspace() for letter in key):
        raise ConfigError(f"{found.key_name} holds letters that no key has")
    # Local servers want no key, but the SDK wants one to send.
    return OpenAIChat(
        found.model, found.settings, base_url=found.base_url, key=key or "none", key_name=found.key_name
    )


def endpoint(role: str, environ: Mapping[str, str]) -> Endpoint:
    """Everything about a role but the key itself."""
    if role not in ROLES:
        raise ConfigError(f"unknown role {role!r}; roles: {', '.join(ROLES)}")
    model, model_name = _value(role, "MODEL", environ)
    if not model:
        raise ConfigError(
            f"no model for the {role}: set MEDLOOP_LLM_MODEL or {model_name}, to a model's name "
            f"or {EMBEDDED!r}"
        )
    own_url = f"MEDLOOP_LLM_{role.upper()}_BASE_URL"
    url_name = own_url if environ.get(own_url) else "OPENAI_BASE_URL"
    base_url = environ.get(url_name, "").strip() or None
    if base_url and (urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).netloc):
        raise ConfigError(f"{url_name} is no address such as http://127.0.0.1:8000/v1")
    own_key = f"MEDLOOP_LLM_{role.upper()}_KEY"
    # A role with a server of its own never gets the key that is meant for another one.
    shared = not environ.get(own_key) and url_name != own_url
    return Endpoint(model, base_url, "OPENAI_API_KEY" if shared else own_key, _settings(role, environ))


def _settings(role: str, environ: Mapping[str, str]) -> ChatSettings:
    given: dict[str, Any] = {"temperature": _TEMPERATURES.get(role, 0)}
    for suffix, field in _NUMBERS.items():
        text, name = _value(role, suffix, environ)
        if text:
            given[field] = _number(text, name, whole=field not in ("timeout_seconds", "temperature"))
    stream, name = _value(role, "STREAM", environ)
    if stream not in ("", "0", "1"):
        raise ConfigError(f"{name} is {stream[:20]!r}; it may be 0 or 1")
    return ChatSettings(**given, stream=stream == "1")


def _number(text: str, name: str, *, whole: bool) -> float:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = -1
    if not math.isfinite(number) or number < 0:
        raise ConfigError(f"{name} is {text[:20]!r}; it must be a number, 0 or more")
    return number


def _value(role: str, suffix: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The role's own setting, else the one for all; with the name of the variable."""
    own = f"MEDLOOP_LLM_{role.upper()}_{suffix}"
    common = f"MEDLOOP_LLM_{suffix}"
    name = own if environ.get(own) else common
    text = environ.get(name, "").strip()
    return text, name if text else own
