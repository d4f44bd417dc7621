"""Answers with a form: found in friendly words, repaired once, and never the question itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import BaseModel

from data.llm import AnswerError, Message, Reply, Shape
from data.llm_asking import ask, strict_schema


class Sentences(BaseModel):
    sentences: list[str]
    note: str = ""


class Scripted:
    name = "scripted"

    def __init__(self, *replies: str | Reply) -> None:
        self.replies = [Reply(one) if isinstance(one, str) else one for one in replies]
        self.asked: list[list[Message]] = []

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        assert as_json
        self.asked.append(list(messages))
        return self.replies[len(self.asked) - 1]


ASKED = [Message("system", "You write."), Message("user", "Two sentences with: fever")]
GOOD = '{"sentences": ["The fever is gone.", "No fever."]}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"Here you are:\n```json\n{GOOD}\n```\nAnything else?",
        f"<think>A {{first}} thought.</think>{GOOD}",
        f"Sure! {GOOD} Hope that helps.",
    ],
)
def test_the_answer_is_found(text: str) -> None:
    chat = Scripted(text)
    assert ask(chat, ASKED, Sentences).sentences == ["The fever is gone.", "No fever."]
    [[system, user]] = chat.asked
    assert system.content.startswith("You write.\n\nAnswer with one JSON object")
    assert user == ASKED[1]


BAD: dict[str, str | Reply] = {
    "half": GOOD[:30],
    "wrong field": '{"sentence": "No fever."}',
    "a refusal in words": "I'm sorry, but I can't help with that.",
    "HTML": "<html>{oops}</html>",
    "empty": "",
    "deep": "{" * 100_000 + "}" * 100_000,
    "the question": ASKED[1].content,
    "long": Reply(GOOD, finish="length"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_repair_then_no_more(name: str) -> None:
    chat = Scripted(BAD[name], GOOD)
    assert len(ask(chat, ASKED, Sentences).sentences) == 2
    assert chat.asked[1][-1].content.startswith("That cannot be used: ")
    assert max(len(message.content) for message in chat.asked[1]) < 5000
    twice = Scripted(BAD[name], BAD[name], GOOD)
    with pytest.raises(AnswerError, match=r"^scripted: no usable answer: "):
        ask(twice, ASKED, Sentences)
    assert len(twice.asked) == 2


def test_the_question_itself_is_no_answer_even_in_the_right_form() -> None:
    echo = [Message("user", GOOD)]
    with pytest.raises(AnswerError, match="it is the question itself"):
        ask(Scripted(GOOD, GOOD), echo, Sentences)


def test_a_refusal_is_not_asked_again() -> None:
    chat = Scripted(Reply("", finish="refusal"), GOOD)
    with pytest.raises(AnswerError, match="it was refused"):
        ask(chat, ASKED, Sentences)
    assert len(chat.asked) == 1


def test_the_caller_may_count_the_segments() -> None:
    def three(answer: Sentences) -> str:
        return "" if len(answer.sentences) == 3 else f"{len(answer.sentences)} sentences, not 3"

    chat = Scripted(GOOD, '{"sentences": ["a", "b", "c"]}')
    assert ask(chat, ASKED, Sentences, problem=three).sentences == ["a", "b", "c"]
    assert "2 sentences, not 3" in chat.asked[1][-1].content


def test_a_server_that_knows_schemas_gets_a_strict_one() -> None:
    class Shaped(Scripted):
        shape: Shape | None = None

        def complete_as(self, messages: Sequence[Message], shape: Shape) -> Reply:
            self.shape = shape
            return self.complete(messages, as_json=True)

    chat = Shaped(GOOD)
    ask(chat, ASKED, Sentences)
    assert chat.shape == Shape("Sentences", strict_schema(Sentences.model_json_schema()))
    assert chat.shape.schema == {
        "type": "object",
        "properties": {
            "sentences": {"type": "array", "items": {"type": "string"}},
            "note": {"type": "string"},
        },
        "required": ["sentences", "note"],
        "additionalProperties": False,
    }


def test_a_field_may_be_called_title_or_default() -> None:
    class Titled(BaseModel):
        title: str
        default: int

    assert set(strict_schema(Titled.model_json_schema())["properties"]) == {"title", "default"}
