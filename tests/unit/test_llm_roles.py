"""Who is asked, from the environment; errors name variables and never their values."""

from __future__ import annotations

import pytest

from data.errors import ConfigError, ModelError
from data.llm import ChatSettings, OpenAIChat
from data.llm_roles import Endpoint, chat_model, endpoint

ALL = {
    "OPENAI_API_KEY": "sk-all",
    "MEDLOOP_LLM_MODEL": "small",
    "MEDLOOP_LLM_CRITIC_MODEL": "large",
    "MEDLOOP_LLM_CRITIC_BASE_URL": "http://127.0.0.1:8000/v1",
    "MEDLOOP_LLM_CRITIC_KEY": "sk-critic",
    "MEDLOOP_LLM_TIMEOUT": "90",
    "MEDLOOP_LLM_CRITIC_TIMEOUT": "7.5",
    "MEDLOOP_LLM_CRITIC_STREAM": "1",
}


def test_each_role_its_own() -> None:
    assert endpoint("translator", ALL) == Endpoint("small", None, "OPENAI_API_KEY", ChatSettings(90))
    assert endpoint("writer", ALL).settings == ChatSettings(90, temperature=0.9)
    critic = endpoint("critic", ALL)
    assert critic == Endpoint(
        "large", "http://127.0.0.1:8000/v1", "MEDLOOP_LLM_CRITIC_KEY", ChatSettings(7.5, stream=True)
    )
    chat = chat_model("critic", ALL)
    assert isinstance(chat, OpenAIChat)
    assert chat.client.api_key == "sk-critic"
    assert chat.where == "large at http://127.0.0.1:8000/v1/"


def test_a_key_never_goes_to_another_server() -> None:
    environ = {name: value for name, value in ALL.items() if name != "MEDLOOP_LLM_CRITIC_KEY"}
    chat = chat_model("critic", environ)
    assert isinstance(chat, OpenAIChat)
    assert chat.client.api_key == "none"


@pytest.mark.parametrize(
    ("role", "change", "said"),
    [
        ("poet", {}, "unknown role 'poet'; roles: writer, translator, critic, judge, postedit"),
        ("judge", {"MEDLOOP_LLM_MODEL": ""}, "set MEDLOOP_LLM_MODEL or MEDLOOP_LLM_JUDGE_MODEL"),
        ("judge", {"OPENAI_API_KEY": ""}, "no key for the judge: set OPENAI_API_KEY"),
        ("judge", {"OPENAI_API_KEY": "sk-\nsecret"}, "OPENAI_API_KEY holds letters that no key has"),
        ("judge", {"OPENAI_BASE_URL": "localhost:8000"}, "OPENAI_BASE_URL is no address such as"),
        ("critic", {"MEDLOOP_LLM_CRITIC_TIMEOUT": "soon"}, "CRITIC_TIMEOUT is 'soon'; it must be a number"),
        ("judge", {"MEDLOOP_LLM_RETRIES": "1.5"}, "MEDLOOP_LLM_RETRIES is '1.5'"),
        ("judge", {"MEDLOOP_LLM_TIMEOUT": "nan"}, "MEDLOOP_LLM_TIMEOUT is 'nan'"),
        ("judge", {"MEDLOOP_LLM_STREAM": "yes"}, "MEDLOOP_LLM_STREAM is 'yes'; it may be 0 or 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(role: str, change: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chat_model(role, ALL | change)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_embedded_one_says_how_to_get_it() -> None:
    with pytest.raises(ModelError, match=r"no embedded model in .*; get it with: python -m data.embedded"):
        chat_model("writer", {"MEDLOOP_LLM_MODEL": "embedded"})
