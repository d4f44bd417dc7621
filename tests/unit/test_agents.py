"""The roles against a model that misbehaves: refusals, echoes, other languages, wrong counts of segments."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.agents import Flaw, criticise, fault, slots, write
from data.llm_values import ContextError, Message, Reply
from data.plan import SynthesisConfig, slot
from data.plan_tables import prompt

_PLACES = (
    "source_language target_language type type_hint specialty reader reader_hint style style_hint seed "
    "length terms phenomena variation case variants"
)
VALUES = dict.fromkeys(_PLACES.split(), "x")
TEXTS = {"1": "Take 5 mg.", "2": "Rest.", "3": "Drink water."}


class Script:
    """Replies in turn; keeps what it was asked."""

    name = "script"

    def __init__(self, *replies: str | Reply) -> None:
        self.replies, self.asked = list(replies), list[str]()

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        self.asked.append(messages[1].content)
        reply = self.replies.pop(0) if self.replies else "{}"
        return reply if isinstance(reply, Reply) else Reply(reply, "script", "stop", 3, 2)


def _segments(**texts: str) -> str:
    return json.dumps({"segments": [{"id": key[1:], "text": text} for key, text in texts.items()]})


def _slots(*replies: str | Reply) -> tuple[dict[str, str], dict[str, str], list[str]]:
    model = Script(*replies)
    answer = slots(model, "translator", VALUES, TEXTS, "pt")
    return dict(answer.texts), dict(answer.missing), model.asked


WHOLE = {"1": "Tome 5 mg.", "2": "Repouse.", "3": "Beba água."}


@pytest.mark.parametrize(
    "reply",
    [
        _segments(_1="Tome 5 mg.", _2="Repouse.", _3="Beba água."),
        _segments(_3="Beba água.", _1="Tome 5 mg.", _2="Repouse."),  # shuffled
        _segments(_0="Claro!", _1="Tome 5 mg.", _2="Repouse.", _3="Beba água.", _4="Mais."),  # too many
        f"Sure!\n```json\n{_segments(_1='Tome 5 mg.', _2='Repouse.', _3='Beba água.')}\n```\nAnything else?",
    ],
)
def test_each_slot_gets_its_own_text(reply: str) -> None:
    assert _slots(reply) == (WHOLE, {}, [json.dumps({"segments": _asked("1", "2", "3")})])


def test_only_what_misses_is_asked_for_again() -> None:
    texts, missing, asked = _slots(_segments(_1="Tome 5 mg.", _3="Beba água."), _segments(_2="Repouse."))
    assert (texts, missing) == (WHOLE, {})
    assert json.loads(asked[1])["segments"] == _asked("2")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (_segments(_1="Tome 5 mg.", _3="Beba água."), "slot_missing"),
        (_segments(_1="Tome 5 mg.", _2="I'm sorry, I can't help with that.", _3="Beba água."), "refusal"),
        (_segments(_1="Tome 5 mg.", _2="   ", _3="Beba água."), "empty"),
        (_segments(_1="Tome 5 mg.", _2="a" * 100_000, _3="Beba água."), "too_long"),
        (
            _segments(
                    _1="Tome 5 mg.", _2="keeps its id; none is joined, split or left out.", _3="Beba água."
                ),
            "prompt_echo",
        ),
        (
            _segments(
                _1="Tome 5 mg.",
                _2="Der Patient soll sich ausruhen und viel Wasser trinken, sagte der Arzt.",
                _3="Beba água.",
            ),
            "other_language",
        ),
        (
            _segments(_1="Tome 5 mg.", _2="A.", _3="Beba água.").replace(']', ', {"id": "2", "text": "B."}]'),
            "slot_doubled",
        ),
    ],
)  # fmt: skip
def test_a_bad_slot_is_left_empty_and_shifts_nothing(reply: str, reason: str) -> None:
    texts, missing, asked = _slots(reply, reply)
    assert texts == {"1": "Tome 5 mg.", "3": "Beba água."}
    assert missing == {"2": reason}
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("I cannot assist with that.", "refusal"),
        (Reply("", finish="content_filter"), "refusal"),
        (Reply('{"segments": [{"id": "1", "te', finish="length"), "cut_off"),
        ("<html><body>502 Bad Gateway</body></html>", "no_json"),
        ('{"segments": [{"id": "1", "text"', "no_json"),
        ('{"segments": "none"}', "no_json"),
        ('["a", "b"]', "no_json"),
        ("x" * 500_000, "too_long"),
        ("[" * 100_000 + "{" * 100_000 + "}" * 3, "no_json"),
        ("", "no_json"),
    ],
)
def test_a_reply_that_is_no_answer(reply: str | Reply, reason: str) -> None:
    assert _slots(reply, reply)[:2] == ({}, dict.fromkeys(TEXTS, reason))


def test_a_writer_is_asked_again_and_its_bad_segments_are_left_out() -> None:
    model = Script("Sorry, I won't.", _segments(_1="No fever.", _2="No fever.", _3="", _4="Rest."))
    answer = write(model, "writer", VALUES, "en", most=10)
    assert answer.texts == {"1": "No fever.", "2": "Rest."}
    assert (answer.calls, answer.prompt_tokens) == (2, 6)
    assert write(Script("{}", "{}"), "writer", VALUES, "en", 10).missing == {"0": "no_json"}


def test_a_writer_that_goes_on_and_on_is_cut() -> None:
    model = Script(json.dumps({"segments": [{"id": str(n), "text": f"Line {n}."} for n in range(9_000)]}))
    assert len(write(model, "writer", VALUES, "en", most=12).texts) == 12


def test_a_critic_is_believed_only_about_what_is_there() -> None:
    errors = [
        {"id": "1", "span": "50 mg", "category": "accuracy", "severity": "CRITICAL", "why": "dose"},
        {"id": "1", "span": "not there", "severity": "major"},
        {"id": "9", "span": "", "severity": "major"},
        {"id": "1", "span": "", "severity": "terrible"},
        "nonsense",
    ]
    pairs = {"1": ("Take 5 mg.", "Tome 50 mg.")}
    flaws, answer = criticise(Script(json.dumps({"errors": errors})), VALUES, pairs)
    assert flaws == [Flaw("1", "accuracy", "critical", "50 mg", "dose"), Flaw("1", "other", "major")]
    assert answer.missing == {}
    assert criticise(Script("Looks good!"), VALUES, pairs)[1].missing == {"0": "no_json"}


@pytest.mark.parametrize(
    "text",
    [
        "Sorry to hear that; since when do you have the pain?",
        "I can't move my left arm.",
        "I cannot feel my right leg.",
        "Unfortunately, I lost the tablets.",
        "Não posso dobrar o joelho.",
    ],
)
def test_what_a_patient_says_is_no_refusal(text: str) -> None:
    assert fault(text) == ""


@given(st.lists(st.sampled_from(["1", "2", "3", "7", ""]), max_size=6), st.text(max_size=20))
def test_no_reply_whatever_puts_a_text_into_another_slot(ids: list[str], noise: str) -> None:
    reply = noise + json.dumps({"segments": [{"id": key, "text": f"Texto {key}."} for key in ids]})
    texts, missing, _ = _slots(reply, reply)
    assert all(texts[key] == f"Texto {key}." for key in texts)
    assert {*texts, *missing} == {*TEXTS}


class SmallWindow:
    """Turns away what has more segments than `most`; else answers each with its own text in capitals."""

    name = "small"

    def __init__(self, most: int) -> None:
        self.most, self.asked = most, list[list[str]]()

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        segments = json.loads(messages[1].content)["segments"]
        self.asked.append([one["id"] for one in segments])
        if len(segments) > self.most:
            raise ContextError(self.name, 512)
        if "text" not in segments[0]:
            errors = [{"id": one["id"], "category": "accuracy", "severity": "major"} for one in segments]
            return Reply(json.dumps({"errors": errors}))
        return Reply(json.dumps({"segments": [one | {"text": one["text"].upper()} for one in segments]}))


def test_what_does_not_fit_into_the_window_is_asked_for_in_halves() -> None:
    model = SmallWindow(2)
    answer = slots(model, "translator", VALUES, TEXTS, "")
    assert answer.texts == {"1": "TAKE 5 MG.", "2": "REST.", "3": "DRINK WATER."}
    assert model.asked == [["1", "2", "3"], ["1"], ["2", "3"]]


def test_a_segment_longer_than_the_window_costs_the_others_nothing() -> None:
    answer = slots(SmallWindow(0), "translator", VALUES, TEXTS, "")
    assert answer.missing == dict.fromkeys(TEXTS, "window_too_small")


def test_a_critic_with_a_small_window_sees_all_pairs_in_parts() -> None:
    pairs = {key: (text, text) for key, text in TEXTS.items()}
    flaws, answer = criticise(SmallWindow(1), VALUES, pairs)
    assert [flaw.id for flaw in flaws] == ["1", "2", "3"]
    assert (answer.calls, answer.missing) == (3, {})
    assert criticise(SmallWindow(0), VALUES, pairs)[1].missing == {"0": "window_too_small"}


def test_prompts_have_versions_and_can_be_filled() -> None:
    assert slot(SynthesisConfig(), (), 0).type == "discharge summary"
    for name in ("writer", "terms", "paraphrase", "translator", "critic", "reviser"):
        one = prompt(name)
        assert one.version.startswith(f"{name}@")
        assert "data" in one.text or name == "terms"
        assert '{"' in one.filled(VALUES)


def _asked(*keys: str) -> list[dict[str, str]]:
    return [{"id": key, "text": TEXTS[key]} for key in keys]
