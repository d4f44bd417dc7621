"""A chat model as judge: error spans in MQM categories, and which of two translations is better, asked both
ways.

In: a chat model and texts. Out: checked answers, or that there was none: `judged` is False and nothing is
counted.

    spans = judge_errors(chat, "Take 5 mg.", "Tome 50 mg.", "en", "pt")
    spans.errors[0].severity                       # "critical"
    judge_pair(chat, "Take 5 mg.", "Tome 5 mg.", "Tome 50 mg.", "en", "pt").winner   # "first"

A judge is biased by order, so each pair is asked twice with the order swapped; only agreement decides, and
the rate of agreement is reported. Answers are validated; a span must be in the text. After `attempts` it is
"not judged".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.llm import ChatError, ChatModel, Message
from data.segments import Span

_PROMPTS = Path(__file__).parent / "prompts"
ATTEMPTS = 3
Category = Literal[
    "accuracy/mistranslation", "accuracy/omission", "accuracy/addition", "accuracy/untranslated",
    "terminology", "fluency/grammar", "fluency/spelling", "fluency/punctuation", "style", "locale", "other",
]  # fmt: skip
Severity = Literal["critical", "major", "minor"]
# Points of MQM as WMT counts them; critical is not in that scheme and weighs as its worst.
WEIGHTS: dict[str, float] = {"critical": 25, "major": 5, "minor": 1}


class _Error(BaseModel):
    model_config = ConfigDict(extra="ignore")
    span: str = Field(min_length=1)
    side: Literal["source", "target"] = "target"
    category: Category
    severity: Severity
    explanation: str = ""


class _Errors(BaseModel):
    model_config = ConfigDict(extra="ignore")
    errors: list[_Error] = Field(max_length=50)


class _Preference(BaseModel):
    model_config = ConfigDict(extra="ignore")
    better: Literal["A", "B", "tie"]
    reason: str = ""


_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class JudgedError:
    side: str
    span: Span
    category: str
    severity: str
    explanation: str


@dataclass(frozen=True, slots=True)
class ErrorSpans:
    """`judged` False: the judge gave no usable answer, for the `reason`; that is not "no errors"."""

    judged: bool
    errors: tuple[JudgedError, ...] = ()
    reason: str = ""

    @property
    def points(self) -> float:
        return sum(WEIGHTS[error.severity] for error in self.errors)


@dataclass(frozen=True, slots=True)
class Preference:
    """`winner` is first, second, tie, or empty where a judge disagrees with itself or did not answer."""

    winner: str
    judged: bool
    agreed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PreferenceSummary:
    """`agreement` is the share of judged pairs on which both orders say the same; None if none was."""

    first: int
    second: int
    tie: int
    disagreed: int
    not_judged: int
    judge: str

    @property
    def agreement(self) -> float | None:
        judged = self.first + self.second + self.tie + self.disagreed
        return (judged - self.disagreed) / judged if judged else None


def judge_errors(
    chat: ChatModel, source: str, target: str, source_language: str, target_language: str
) -> ErrorSpans:
    asked = _material(source_language, target_language, source, translation=target)
    sides = {"source": source, "target": target}

    def spans_are_there(answer: _Errors) -> str:
        lost = sum(error.span not in sides[error.side] for error in answer.errors)
        return f"{lost} spans are not in the text, letter by letter" if lost else ""

    answer, reason = _ask(chat, "error_spans.md", asked, _Errors, spans_are_there)
    if answer is None:
        return ErrorSpans(False, reason=reason)
    return ErrorSpans(True, tuple(_located(error, sides[error.side]) for error in answer.errors))


def judge_pair(
    chat: ChatModel, source: str, first: str, second: str, source_language: str, target_language: str
) -> Preference:
    """Asked as (first, second) and as (second, first)."""
    if first == second:
        return Preference("tie", judged=True, agreed=True, reason="the same text")
    winners = []
    for a, b, names in ((first, second, ("first", "second")), (second, first, ("second", "first"))):
        asked = _material(source_language, target_language, source, A=a, B=b)
        answer, reason = _ask(chat, "preference.md", asked, _Preference, lambda _: "")
        if answer is None:
            return Preference("", judged=False, agreed=False, reason=reason)
        winners.append({"A": names[0], "B": names[1]}.get(answer.better, "tie"))
    agreed = winners[0] == winners[1]
    return Preference(winners[0] if agreed else "", judged=True, agreed=agreed)


def summarise(preferences: Iterable[Preference], judge: str) -> PreferenceSummary:
    found = list(preferences)

    def count(winner: str) -> int:
        return sum(one.judged and one.agreed and one.winner == winner for one in found)

    return PreferenceSummary(
        first=count("first"),
        second=count("second"),
        tie=count("tie"),
        disagreed=sum(one.judged and not one.agreed for one in found),
        not_judged=sum(not one.judged for one in found),
        judge=judge,
    )


def _ask(
    chat: ChatModel, prompt: str, asked: str, shape: type[_Answer], problem: Callable[[_Answer], str]
) -> tuple[_Answer | None, str]:
    """Up to ATTEMPTS times, telling the model what was wrong with its last answer."""
    messages = [
        Message("system", (_PROMPTS / prompt).read_text(encoding="utf-8")),
        Message("user", asked),
    ]
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            reply = chat.complete(messages, as_json=True)
        except ChatError as error:
            return None, str(error)  # the adapter has tried again already
        answer, reason = _read(reply.text, reply.finish, shape, problem)
        if answer is not None:
            return answer, ""
        messages = [
            *messages[:2],
            Message("assistant", reply.text or "(nothing)"),
            Message("user", f"That cannot be used: {reason}. Answer again, with the JSON object only."),
        ]
    return None, f"no usable answer in {ATTEMPTS} attempts: {reason}"


def _read(
    text: str, finish: str, shape: type[_Answer], problem: Callable[[_Answer], str]
) -> tuple[_Answer | None, str]:
    if finish != "stop":
        return None, f"the answer was cut off or withheld ({finish})"
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None, "no JSON object in the answer"
    try:
        answer = shape.model_validate(json.loads(text[start : end + 1]))
    except ValidationError as error:
        first = error.errors()[0]
        return None, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    except (ValueError, RecursionError):
        return None, "not valid JSON"
    wrong = problem(answer)
    return (None, wrong) if wrong else (answer, "")


def _material(source_language: str, target_language: str, source: str, **texts: str) -> str:
    """JSON, so that no text can pass itself off as another part of the question."""
    return json.dumps(
        {"source_language": source_language, "target_language": target_language, "source": source, **texts},
        ensure_ascii=False,
        indent=1,
    )


def _located(error: _Error, text: str) -> JudgedError:
    start = text.index(error.span)
    return JudgedError(
        error.side, Span(start, start + len(error.span)), error.category, error.severity, error.explanation
    )
