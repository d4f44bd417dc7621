"""What the roles of a chat model do, as plain functions: write, translate, criticise, revise.

In: a model, a prompt's values, numbered texts. Out: a text for each number, or the reason why there is
none.

    answer = slots(model, "translator", values, {"1": "Take 5 mg."}, "pt")
    answer.texts, answer.missing          # {"1": "Tome 5 mg."}, {}

Each segment has a slot with its id, so a reply with too many, too few or shuffled segments shifts nothing:
ids that were not asked for are passed over, and those that miss are asked for once more, alone. A refusal,
the prompt itself or another language is no text. Nothing that a model says is taken as an instruction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from data.languages import margin
from data.llm_values import ChatModel, ContextError, Message
from data.plan_tables import prompt

Item = TypeVar("Item")
LONGEST_SEGMENT: Final = 2_000
_LONGEST_REPLY: Final = 400_000
_ECHO_WORDS: Final = 8
_OTHER_LANGUAGE: Final = -0.5
_LETTERS_FOR_LANGUAGE: Final = 40
_SEVERITIES = ("critical", "major", "minor")
_REFUSAL = re.compile(
    r"^\W*(?:i['’]?m sorry|i am sorry|sorry,|i (?:cannot|can['’]?t|won['’]?t|am unable|am not able)|as an ai|"
    r"unfortunately, i|desculpe|lamento|não posso|lo siento|no puedo|je suis désolé|je ne peux pas|"
    r"es tut mir leid|ich kann (?:das |ihnen )?(?:leider )?nicht)", re.I,
)  # fmt: skip
_OF_A_MODEL = re.compile(
    r"as an ai|language model|modelo de lingua|assist|help (?:you|with)|request|ajudar|ayudar|aider|"
    r"policy|content",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """`missing` says why a slot has no text; `calls` and tokens are what it took."""

    texts: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    calls: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Flaw:
    """An error of one segment, after MQM; `span` stands in the translation, or is empty."""

    id: str
    category: str
    severity: str
    span: str = ""
    why: str = ""
    by: str = "critic"


@dataclass(slots=True)
class _Spent:
    calls: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0


def write(model: ChatModel, name: str, values: Mapping[str, object], language: str, most: int) -> Answer:
    """New segments, numbered anew; the prompt `name` says what. Asked once more where nothing came."""
    spent, reason = _Spent(), "no_json"
    for _ in range(2):
        found, reason = _ask(model, name, values, None, spent)
        kept: dict[str, str] = {}
        for _, text in found[:most]:
            problem = fault(text, prompt(name).text, language)
            reason = problem or reason
            if not problem and text not in kept.values():
                kept[str(len(kept) + 1)] = text
        if kept:
            return _answer(kept, {}, spent)
    return _answer({}, {"0": reason or "empty"}, spent)


def slots(
    model: ChatModel, name: str, values: Mapping[str, object],
    texts: Mapping[str, str | Mapping[str, object]], language: str,
) -> Answer:  # fmt: skip
    """A text for each id of `texts`; what misses is asked for once more, alone."""
    spent, done = _Spent(), dict[str, str]()
    missing = dict.fromkeys(texts, "no_reply")
    for _ in range(2):
        asked = {key: texts[key] for key in missing}
        if not asked:
            break
        found, trouble = _ask(model, name, values, asked, spent)
        counted = [key for key, _ in found]
        for key in asked:
            missing[key] = trouble or "slot_missing"
        for key, text in found:
            if key not in asked or key in done:
                continue
            problem = "slot_doubled" if counted.count(key) > 1 else fault(text, prompt(name).text, language)
            if problem:
                missing[key] = problem
            else:
                done[key] = text
                del missing[key]
    return _answer({key: done[key] for key in texts if key in done}, missing, spent)


def criticise(
    model: ChatModel, values: Mapping[str, object], pairs: Mapping[str, tuple[str, str]]
) -> tuple[list[Flaw], Answer]:
    """What the model finds wrong; an error in words that the translation has not got is made up."""
    spent = _Spent()
    listed = [{"id": key, "source": source, "translation": target} for key, (source, target) in pairs.items()]
    try:
        answer, trouble = _reply(model, "critic", values, {"segments": listed}, spent)
    except ContextError:
        if len(pairs) == 1:
            return [], _answer({}, {"0": "window_too_small"}, spent)
        parts = [criticise(model, values, half) for half in _halves(pairs)]
        together = total([answer for _, answer in parts])
        missing = {key: why for _, answer in parts for key, why in answer.missing.items()}
        return [flaw for flaws, _ in parts for flaw in flaws], Answer({}, missing, **together)
    errors = answer.get("errors") if isinstance(answer, dict) else None
    flaws: list[Flaw] = []
    for one in errors if isinstance(errors, list) else ():
        if not isinstance(one, dict) or str(one.get("id")) not in pairs:
            continue
        span, severity = str(one.get("span") or ""), str(one.get("severity") or "").lower()
        if span and span not in pairs[str(one["id"])][1]:
            continue
        flaws.append(
            Flaw(
                str(one["id"]), str(one.get("category") or "other")[:60],
                severity if severity in _SEVERITIES else "major", span, str(one.get("why") or "")[:300],
            )
        )  # fmt: skip
    return flaws, _answer({}, {} if isinstance(errors, list) else {"0": trouble or "no_json"}, spent)


def fault(text: str, instructions: str = "", language: str = "") -> str:
    """Why a text cannot be a segment; empty if it can."""
    if not text.strip():
        return "empty"
    if len(text) > LONGEST_SEGMENT:
        return "too_long"
    if _REFUSAL.match(text) and _OF_A_MODEL.search(text):
        return "refusal"
    if instructions and _echoes(text, instructions):
        return "prompt_echo"
    if "<html" in text[:200].lower() or "<!doctype" in text[:200].lower():
        return "html"
    if language and sum(map(str.isalpha, text)) >= _LETTERS_FOR_LANGUAGE:
        likelier = margin(text, language)
        if likelier is not None and likelier < _OTHER_LANGUAGE:
            return "other_language"
    return ""


def _ask(
    model: ChatModel, name: str, values: Mapping[str, object],
    asked: Mapping[str, str | Mapping[str, object]] | None, spent: _Spent,
) -> tuple[list[tuple[str, str]], str]:  # fmt: skip
    """The slots of the reply as they came, and what was wrong with it as a whole.

    What does not fit into the model's window is asked for in halves.
    """
    content: dict[str, object] = {}
    if asked is not None:
        listed = [
            {"id": key, **({"text": one} if isinstance(one, str) else one)} for key, one in asked.items()
        ]
        content = {"segments": listed}
    try:
        answer, trouble = _reply(model, name, values, content, spent)
    except ContextError:
        if asked is None:
            raise
        if len(asked) == 1:
            return [], "window_too_small"
        parts = [_ask(model, name, values, half, spent) for half in _halves(asked)]
        return [one for found, _ in parts for one in found], next((why for _, why in parts if why), "")
    segments = answer.get("segments") if isinstance(answer, dict) else None
    if not isinstance(segments, list):
        return [], trouble or "no_json"
    found = [
        (str(one.get("id")), re.sub(r"\s+", " ", one["text"]).strip())
        for one in segments
        if isinstance(one, dict) and isinstance(one.get("text"), str)
    ]
    return found, ""


def _halves(items: Mapping[str, Item]) -> tuple[dict[str, Item], dict[str, Item]]:
    listed = list(items.items())
    return dict(listed[: len(listed) // 2]), dict(listed[len(listed) // 2 :])


def _reply(
    model: ChatModel, name: str, values: Mapping[str, object], content: Mapping[str, object], spent: _Spent
) -> tuple[Any, str]:
    request = json.dumps(content, ensure_ascii=False) if content else "Write it now."
    messages = [Message("system", prompt(name).filled(values)), Message("user", request)]
    reply = model.complete(messages, as_json=True)
    spent.calls += 1
    spent.prompt_tokens += reply.prompt_tokens
    spent.reply_tokens += reply.reply_tokens
    if reply.finish in ("content_filter", "refusal") or _REFUSAL.match(reply.text):
        return None, "refusal"
    if len(reply.text) > _LONGEST_REPLY:
        return None, "too_long"
    parsed = _parsed(reply.text)
    if parsed is not None:
        return parsed, ""
    return None, "cut_off" if reply.finish == "length" else "no_json"


def _parsed(text: str) -> Any:
    """JSON, also in a fence or with talk around it; None for anything else."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        return json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None


def _echoes(text: str, instructions: str) -> bool:
    words, given = text.lower().split(), " ".join(instructions.lower().split())
    runs = (words[place : place + _ECHO_WORDS] for place in range(len(words) - _ECHO_WORDS + 1))
    return any(" ".join(run) in given for run in runs)


def _answer(texts: Mapping[str, str], missing: Mapping[str, str], spent: _Spent) -> Answer:
    return Answer(texts, missing, spent.calls, spent.prompt_tokens, spent.reply_tokens)


def total(answers: Sequence[Answer]) -> dict[str, int]:
    """What several answers took together."""
    names = ("calls", "prompt_tokens", "reply_tokens")
    return {name: sum(getattr(one, name) for one in answers) for name in names}
