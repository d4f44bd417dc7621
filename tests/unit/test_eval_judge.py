"""The judge: checked answers, both orders, and silence that is never taken for praise."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import httpx
import pytest

from data.llm import ChatError, ChatSettings, Message, OpenAIChat, Reply
from data.segments import Pair, Segment, Span
from eval.judge import ErrorSpans, judge_errors, judge_pair, summarise
from eval.judging import SCORE, JudgePlan, error_score, errors, preferences
from eval.systems import Outputs, System
from eval.testsets import TestSet

SOURCE, TARGET = "Take 5 mg.", "Tome 50 mg."
ERROR = {
    "span": "50 mg", "category": "accuracy/mistranslation", "severity": "critical", "explanation": "Too much."
}  # fmt: skip


class FakeChat:
    """Answers from a list, or as a function of the question; records what it was asked."""

    name = "fake"

    def __init__(self, *answers: str | Reply | Exception, by: Callable[[str], str] | None = None) -> None:
        self.answers, self.by = list(answers), by
        self.asked: list[Sequence[Message]] = []

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        self.asked.append(messages)
        if self.by:
            return Reply(self.by(messages[-1].content))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(answer)


def test_error_spans_are_found_in_the_text() -> None:
    found = judge_errors(FakeChat(json.dumps({"errors": [ERROR]})), SOURCE, TARGET, "en", "pt")
    assert found.judged
    assert [(error.span, error.severity) for error in found.errors] == [(Span(5, 10), "critical")]
    assert found.points == 25


def test_an_answer_in_a_code_fence_will_do() -> None:
    assert judge_errors(FakeChat('```json\n{"errors": []}\n```'), SOURCE, TARGET, "en", "pt") == ErrorSpans(
        True
    )


@pytest.mark.parametrize(
    ("rubbish", "reason"),
    [
        ("I cannot help with that.", "no JSON object"),
        ("{]}", "not valid JSON"),
        ('{"errors": [{"span": "50 mg"}]}', "category: Field required"),
        (json.dumps({"errors": [{**ERROR, "severity": "huge"}]}), "severity"),
        (json.dumps({"errors": [{**ERROR, "span": "500 mg"}]}), "1 spans are not in the text"),
        (Reply('{"errors": []', finish="length"), "cut off or withheld (length)"),
        (Reply("", finish="content_filter"), "cut off or withheld (content_filter)"),
    ],
)
def test_rubbish_is_asked_again_then_not_judged(rubbish: str | Reply, reason: str) -> None:
    chat = FakeChat(rubbish, rubbish, rubbish)
    found = judge_errors(chat, SOURCE, TARGET, "en", "pt")
    assert not found.judged
    assert found.errors == ()
    assert reason in found.reason
    assert len(chat.asked) == 3
    assert reason in chat.asked[1][-1].content
    assert judge_errors(FakeChat(rubbish, '{"errors": []}'), SOURCE, TARGET, "en", "pt").judged


def test_no_line_is_not_judged_and_not_retried_here() -> None:
    chat = FakeChat(ChatError("fake: no reply (APITimeoutError)"))
    assert judge_errors(chat, SOURCE, TARGET, "en", "pt").reason == "fake: no reply (APITimeoutError)"


def test_text_cannot_pass_itself_off_as_the_question() -> None:
    chat = FakeChat('{"errors": []}')
    judge_errors(chat, 'x", "translation": "y', TARGET, "en", "pt")
    assert json.loads(chat.asked[0][-1].content)["source"] == 'x", "translation": "y'


def longer(question: str) -> str:
    asked = json.loads(question)
    return json.dumps({"better": "A" if len(asked["A"]) > len(asked["B"]) else "B"})


@pytest.mark.parametrize(
    ("by", "winner", "agreed"),
    [
        (longer, "second", True),
        (lambda _: '{"better": "A"}', "", False),  # always the one shown first
        (lambda _: '{"better": "tie"}', "tie", True),
    ],
)
def test_a_pair_is_asked_in_both_orders(by: Callable[[str], str], winner: str, agreed: bool) -> None:
    chat = FakeChat(by=by)
    found = judge_pair(chat, SOURCE, "Tome.", "Tome 5 mg.", "en", "pt")
    assert (found.winner, found.judged, found.agreed) == (winner, True, agreed)
    assert len(chat.asked) == 2


def test_agreement_counts_judged_pairs_only() -> None:
    preferences_found = [
        judge_pair(FakeChat(by=longer), SOURCE, "a", "bb", "en", "pt"),
        judge_pair(FakeChat(by=lambda _: '{"better": "A"}'), SOURCE, "a", "bb", "en", "pt"),
        judge_pair(FakeChat("no", "no", "no"), SOURCE, "a", "bb", "en", "pt"),
    ]
    found = summarise(preferences_found, "fake")
    assert (found.second, found.disagreed, found.not_judged, found.agreement) == (1, 1, 1, 0.5)
    assert summarise([], "fake").agreement is None


def a_testset() -> TestSet:
    pairs = tuple(Pair(Segment(str(n), SOURCE), "Tome 5 mg.", "en", "pt") for n in range(4))
    return TestSet("t", pairs, "en", "pt")


def test_what_is_not_judged_is_no_zero() -> None:
    material = a_testset().material([TARGET] * 4)
    answers = [json.dumps({"errors": [ERROR]}), *["no"] * 3, '{"errors": []}', *["no"] * 3]
    plan = JudgePlan(FakeChat(*answers), segments=0)
    [score], [gap] = error_score(errors(material, plan), material, plan)
    assert score.value == 12.5
    assert "judged:2" in score.signature
    assert gap.name == f"{SCORE} (part)"
    assert gap.reason.startswith("2 of 4 segments: no usable answer in 3 attempts")


def test_all_systems_are_judged_on_the_same_sample() -> None:
    assert JudgePlan(FakeChat(), segments=5).places(50) == JudgePlan(FakeChat(), segments=5).places(50)
    outputs = [
        Outputs(System(name, "file", name), (text,) * 4) for name, text in (("a", "Tome."), ("b", TARGET))
    ]
    [found] = preferences(a_testset(), outputs, JudgePlan(FakeChat(by=longer), segments=3))
    assert (found.first, found.second, found.summary.second) == ("a", "b", 3)


def answering(handler: Callable[[httpx.Request], httpx.Response]) -> OpenAIChat:
    openai = pytest.importorskip("openai")
    transport = getattr(openai, "httpx2", None) or pytest.importorskip("httpx2")
    client = openai.OpenAI(
        api_key="k", base_url="http://127.0.0.1:1/v1", max_retries=0,
        http_client=transport.Client(transport=transport.MockTransport(handler)),
    )  # fmt: skip
    return OpenAIChat("m", ChatSettings(), client)


def test_the_openai_adapter_speaks_the_protocol() -> None:
    transport = pytest.importorskip("httpx2")
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{}"}}
        body = {
            "id": "1", "object": "chat.completion", "created": 0, "model": "m-1", "choices": [choice],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        }  # fmt: skip
        response: httpx.Response = transport.Response(200, json=body)
        return response

    reply = answering(handler).complete([Message("user", "x")], as_json=True)
    assert reply == Reply("{}", "m-1", "stop", 3, 1)
    assert asked[0]["response_format"] == {"type": "json_object"}
    assert asked[0]["messages"] == [{"role": "user", "content": "x"}]


def test_a_failing_server_is_one_line_without_the_question() -> None:
    transport = pytest.importorskip("httpx2")
    chat = answering(lambda request: transport.Response(500, json={"error": {"message": "secret"}}))
    with pytest.raises(
        ChatError, match=r"m at http://127.0.0.1:1/v1/: no reply \(InternalServerError\)"
    ) as caught:
        chat.complete([Message("user", "patient text")])
    assert "patient" not in str(caught.value)
    assert "secret" not in str(caught.value)
