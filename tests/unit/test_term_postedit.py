"""Post-editing by an LLM: what is taken, and what each bad reply comes to."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from data.llm import ChatError, Message, Reply
from data.segments import Hypothesis, Pair, Segment, Span, Translation
from terminology.enforcement import Enforcer, Step
from terminology.guards import clinical_safety
from terminology.matching import TermMatcher
from terminology.memory import TranslationMemory
from terminology.postedit import PostEditConfig, PostEditor
from terminology.termbase import Status, Term, Termbase, Variant

SOURCE = "If you have <b>influenza</b>, take 5 mg once daily."
DRAFT = "Se tiver <b>influenza</b>, tome 5 mg uma vez por dia."
GOOD = "Se tiver <b>gripe</b>, tome 5 mg uma vez por dia."

NEAR = ("If you have influenza, rest.", "Se tiver gripe, repouse.")


class Blind:
    """A model that finds no place for any term; whatever is not Portuguese it finds unlikely."""

    def drafts(self, sentences, count=1, prefixes=None, attention=False):  # type: ignore[no-untyped-def]
        return [[_Draft(DRAFT)] for _ in sentences]

    def beginning_scores(
        self, sentences: Sequence[str], beginnings: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        return [[-0.1] * len(pieces) for pieces in beginnings]

    def score(self, sentences: Sequence[str], translations: Sequence[str]) -> list[float]:
        return [-0.3 if "tome" in text else -4.0 for text in translations]

    def fits(self, sentences: Sequence[str]) -> list[bool]:
        return [True for _ in sentences]

    def source_spans(self, sentence: str) -> list[Span]:
        return []

    def target_pieces(self, text: str) -> list[str]:
        return text.split()


class _Draft(Hypothesis):
    score = -0.2
    pieces = ("▁x",)
    attention = ((0.0,),)

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "text", text)


class Chat:
    name = "fake"

    def __init__(self, answer: Callable[[list[dict[str, object]]], str | Reply]) -> None:
        self.answer = answer
        self.asked: list[list[dict[str, object]]] = []

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        slots = json.loads(messages[1].content)["segments"]
        self.asked.append(slots)
        reply = self.answer(slots)
        return reply if isinstance(reply, Reply) else Reply(reply)


def says(*texts: str) -> Chat:
    return Chat(
        lambda slots: json.dumps({"segments": [{"id": slot["id"], "translations": texts} for slot in slots]})
    )


def run(chat: Chat, count: int = 1, config: PostEditConfig = PostEditConfig()):  # type: ignore[no-untyped-def]  # noqa: B008
    targets = (Variant("gripe"), Variant("influenza", Status.FORBIDDEN))
    base = Termbase("b", "en", "pt", (Term("1", "influenza", targets),))
    memory = TranslationMemory(
        [Pair(Segment("m", "If you have influenza, rest."), "Se tiver gripe, repouse.")]
    )
    enforcer = Enforcer(
        Blind(),
        TermMatcher([base]),
        safety=clinical_safety("en", "pt"),
        post_editor=PostEditor(chat, "en", "pt", memory.neighbours, config),
    )
    return enforcer.mended([Translation(Segment(str(n), SOURCE), DRAFT) for n in range(count)])


def test_a_good_reply_is_taken() -> None:
    chat = says(GOOD)
    [result] = run(chat)
    assert (result.translation.target, result.step, result.check.ok) == (GOOD, Step.POST_EDITED, True)
    [[slot]] = chat.asked
    assert slot["draft"] == DRAFT
    assert slot["required"] == [{"source": "influenza", "targets": ["gripe"]}]
    assert slot["forbidden"] == ["influenza"]
    assert slot["similar"] == [
        {"source": "If you have influenza, rest.", "target": "Se tiver gripe, repouse."}
    ]


def _timeout(_: object) -> str:
    raise ChatError("fake: no reply (APITimeoutError)")


def _second(good: str) -> Chat:
    return says("Se tiver <b>influenza</b>, tome 50 mg.", good)


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        (Chat(_timeout), "no_reply"),
        (Chat(lambda _: "I am sorry, I cannot give medical advice."), "unreadable"),
        (Chat(lambda _: Reply('{"segments": [', finish="length")), "unreadable"),
        (Chat(lambda _: Reply("", finish="content_filter")), "unreadable"),
        (Chat(lambda _: '{"segments": []}'), "no_candidate"),
        (Chat(lambda _: '{"segments": [{"id": "7", "translations": ["x"]}]}'), "no_candidate"),
        (Chat(lambda _: '{"segments": [{"id": "1", "translations": [""]}]}'), "no_candidate"),
        (says("Si tiene <b>gripe</b>, consuma 5 mg una vez al día."), "score"),  # another language
        (says("Se tiver gripe, tome 5 mg uma vez por dia."), "length"),  # markup dropped
        (says("Se tiver <i>gripe</i>, tome 5 mg uma vez por dia."), "safety"),  # markup changed
        (says("Se tiver <b>gripe</b>, tome 50 mg uma vez por dia."), "safety"),  # dose changed
        (says("Se tiver <b>gripe</b>, tome 5 mg duas vezes por dia."), "safety"),
        (says("Se tiver <b>gripe</b>, não tome 5 mg uma vez por dia."), "safety"),
        (says(DRAFT), "terms_missing"),
        (says(GOOD + " Consulte o seu médico se os sintomas não passarem em três dias."), "length"),
    ],
)
def test_a_bad_reply_leaves_the_earlier_text(chat: Chat, reason: str) -> None:
    [result] = run(chat)
    assert (result.translation.target, result.step) == (DRAFT, Step.PLAIN)
    assert result.edits[-1].reason == reason
    assert result.why_missing == {"gripe": reason}


def test_a_term_that_came_in_beside_a_forbidden_word_still_needs_a_person() -> None:
    [result] = run(says("Se tiver <b>gripe</b> (influenza), tome 5 mg uma vez por dia."))
    assert not result.check.missing
    assert not result.check.ok


def test_of_several_candidates_one_that_passes_is_taken() -> None:
    [result] = run(_second(GOOD))
    assert result.translation.target == GOOD


def test_replies_cannot_shift() -> None:
    def backwards(slots: list[dict[str, object]]) -> str:
        last = slots[-1]
        return json.dumps({"segments": [{"id": last["id"], "translations": [GOOD]}]})

    results = run(Chat(backwards), count=3, config=PostEditConfig(segments_a_call=3))
    assert [result.translation.target for result in results] == [DRAFT, DRAFT, GOOD]


def test_one_call_that_fails_costs_only_its_own_segments() -> None:
    calls = iter([_timeout, says(GOOD).answer])
    chat = Chat(lambda slots: next(calls)(slots))
    results = run(chat, count=2, config=PostEditConfig(segments_a_call=1, calls_at_once=1))
    assert [result.translation.target for result in results] == [DRAFT, GOOD]


REPLY = '{"segments": [{"id": "1", "translations": ["GOOD"]}]}'


@pytest.mark.parametrize(
    ("reply", "target"),
    [
        (REPLY.replace('"1"', "1").replace("GOOD", GOOD.replace(" ", "\\n ")), GOOD),
        (f"Here it is:\n```json\n{REPLY.replace('GOOD', GOOD)}\n```", GOOD),
        ('{"segments": [{"id": "1", "translations": [5, null]}]}', DRAFT),
        ('{"segments": "no"}', DRAFT),
        ('{"a":' * 100_000 + "}", DRAFT),
        ("null", DRAFT),
    ],
)
def test_replies_are_read_as_far_as_they_can(reply: str, target: str) -> None:
    [result] = run(Chat(lambda _: reply))
    assert result.translation.target == target


def test_a_broken_reply_goes_back_once() -> None:
    answers = iter(["Sure!", says(GOOD).answer([{"id": "1"}])])
    chat = Chat(lambda _: next(answers))
    [result] = run(chat)
    assert (result.translation.target, len(chat.asked)) == (GOOD, 2)
