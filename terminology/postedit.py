"""An LLM brings in the terms that the model could not: the dearest means, and the last.

In: cases that still miss a term or hold a forbidden one. Out: the same cases; a reply that passes the guard
is taken, any other leaves the earlier text, and the case says why.

    editor = PostEditor(chat_model("postedit"), "en", "pt", memory.neighbours)
    Enforcer(decoder, matcher, safety=clinical_safety("en", "pt"), post_editor=editor)

A call holds a few segments, each with a slot of its own, so replies cannot shift; each slot may hold several
candidates. What a bad reply comes to:

    no_reply      no answer: a timeout, a full queue, no line
    unreadable    not the JSON that was asked for, nor when asked again: a refusal, a chat
    no_candidate  the slot of this segment is missing or empty
    ...           what the guard says: terms_missing, forbidden, score (another language), length, safety ...
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.llm import AnswerError, ChatError, ChatModel, Message
from terminology.cases import Case, Step, version_of
from terminology.decoding import Decoder
from terminology.guards import GuardLimits, SafetyCheck, Version, clinical_safety, judge_edit

logger = logging.getLogger(__name__)

NO_REPLY, UNREADABLE, NO_CANDIDATE = "no_reply", "unreadable", "no_candidate"
Neighbours = Callable[[str], Sequence[tuple[str, str]]]
_PROMPT = Path(__file__).parent / "prompts" / "postedit.md"
_NAMES = {"en": "English", "pt": "Portuguese", "es": "Spanish", "fr": "French", "de": "German"}


@dataclass(frozen=True, slots=True)
class PostEditConfig:
    """`score_margin` is wider than for other edits, for here the term's own pieces count."""

    candidates: int = 2
    segments_a_call: int = 4
    calls_at_once: int = 4
    score_margin: float = 1.0


class PostEditor:
    """Languages by code; `neighbours` gives similar approved pairs."""

    def __init__(
        self,
        model: ChatModel,
        source_language: str,
        target_language: str,
        neighbours: Neighbours | None = None,
        config: PostEditConfig = PostEditConfig(),
    ) -> None:
        self.model, self.config = model, config
        self._neighbours = neighbours
        self._system = _PROMPT.read_text(encoding="utf-8").format(
            source_language=_NAMES.get(source_language[:2], source_language),
            target_language=_NAMES.get(target_language[:2], target_language),
            candidates=config.candidates,
        )

    def candidates(self, cases: Sequence[Case]) -> list[list[str] | str]:
        """For each case its candidates, or why there are none."""
        size = self.config.segments_a_call
        calls = [cases[start : start + size] for start in range(0, len(cases), size)]
        with ThreadPoolExecutor(max_workers=self.config.calls_at_once) as pool:
            return [found for replies in pool.map(self._asked, calls) for found in replies]

    def _asked(self, cases: Sequence[Case]) -> list[list[str] | str]:
        slots = [self._slot(str(number), case) for number, case in enumerate(cases, 1)]
        messages = [
            Message("system", self._system),
            Message("user", json.dumps({"segments": slots}, ensure_ascii=False)),
        ]
        from terminology.postedit_replies import replies

        try:
            found = replies(self.model, messages)
        except ChatError as error:
            logger.warning("post-editing %d segments: %s", len(cases), error)
            return [UNREADABLE if isinstance(error, AnswerError) else NO_REPLY] * len(cases)
        return [found.get(slot["id"]) or NO_CANDIDATE for slot in slots]

    def _slot(self, name: str, case: Case) -> dict[str, Any]:
        check = case.version.check
        slot: dict[str, Any] = {
            "id": name,
            "source": case.segment.text,
            "draft": case.version.text,
            "required": [
                {"source": status.match.term.source, "targets": list(status.match.allowed)}
                for status in check.statuses
            ],
            "forbidden": list(dict.fromkeys(text for match in case.matches for text in match.forbidden)),
        }
        if self._neighbours is not None:
            found = self._neighbours(case.segment.text)
            slot["similar"] = [{"source": source, "target": target} for source, target in found]
        return slot


def post_edit(
    editor: PostEditor,
    cases: Sequence[Case],
    decoder: Decoder,
    languages: tuple[str, str],
    limits: GuardLimits,
    safety: SafetyCheck | None,
) -> None:
    """Lets the guard judge every candidate and takes the one that the model finds likeliest."""
    waiting = [case for case in cases if not case.version.check.ok]
    if not waiting:
        return
    safety = safety or clinical_safety(*languages)
    limits = replace(limits, score_margin=editor.config.score_margin)
    found = editor.candidates(waiting)
    for case, texts in zip(waiting, found, strict=True):
        reason = (
            texts if isinstance(texts, str) else _take(case, texts, decoder, languages[1], limits, safety)
        )
        if reason:
            case.refuse(Step.POST_EDITED, reason)


def _take(
    case: Case,
    texts: list[str],
    decoder: Decoder,
    language: str,
    limits: GuardLimits,
    safety: SafetyCheck,
) -> str:
    """The reason why none was taken; of the best candidate, where each has its own."""
    texts = list(dict.fromkeys(texts))
    whole = decoder.fits([case.segment.text])[0]  # what the model cannot read it cannot judge
    scores = (
        decoder.score([case.segment.text] * len(texts), texts) if whole else [case.version.score] * len(texts)
    )
    reasons: list[str] = []
    passing: list[tuple[int, float, int, Version]] = []
    for number, (text, score) in enumerate(zip(texts, scores, strict=True)):
        version = version_of(case.matches, case.draft, language, score, text)
        verdict = judge_edit(case.segment.text, case.version, version, limits, safety)
        reasons.append(verdict.reason)
        if verdict.keep:
            passing.append((version.check.wanting, -score, number, version))
    if not passing:
        return reasons[0]
    best = min(passing, key=lambda place: place[:3])[3]
    case.accept_text(best, Step.POST_EDITED)
    return ""
