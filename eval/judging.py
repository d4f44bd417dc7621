"""Runs the judge over a test set: a sample of it, as every question costs.

In: a `JudgePlan`, materials, outputs. Out: error spans by place, a score of MQM points, preferences with
agreement.

    errors(material, JudgePlan(chat, segments=50))    # {0: ErrorSpans(judged=True, ...), 7: ...}
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from data.llm import ChatModel
from eval.judge import ErrorSpans, Preference, judge_errors, judge_pair, summarise
from eval.scores import Material, NotMeasured, Score, ratio_score, sign

if TYPE_CHECKING:
    from eval.results import PreferenceResult
    from eval.systems import Outputs
    from eval.testsets import TestSet

SCORE = "judge: MQM points"


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """`segments` of the test set, drawn by `seed`, the same for all systems; 0 is all."""

    chat: ChatModel
    segments: int = 50
    seed: int = 12345

    def places(self, count: int) -> list[int]:
        if not self.segments or self.segments >= count:
            return list(range(count))
        return sorted(random.Random(self.seed).sample(range(count), self.segments))


def errors(material: Material, plan: JudgePlan | None) -> dict[int, ErrorSpans]:
    if plan is None:
        return {}
    languages = (material.source_language, material.target_language)
    return {
        place: judge_errors(plan.chat, material.sources[place], material.outputs[place], *languages)
        for place in plan.places(len(material.ids))
    }


def error_score(
    found: dict[int, ErrorSpans], material: Material, plan: JudgePlan | None
) -> tuple[list[Score], list[NotMeasured]]:
    """MQM points a judged segment; a segment that was not judged counts nowhere."""
    if plan is None:
        return [], []
    judged = {place: spans for place, spans in found.items() if spans.judged}
    gaps = []
    if len(judged) < len(found):
        reason = f"{len(found) - len(judged)} of {len(found)} segments: " + next(
            spans.reason for spans in found.values() if not spans.judged
        )
        gaps.append(NotMeasured(f"{SCORE} (part)" if judged else SCORE, reason))
    if not judged:
        return [], gaps
    parts = [
        (judged[place].points, 1.0) if place in judged else (0.0, 0.0) for place in range(len(material.ids))
    ]
    signature = sign(
        SCORE,
        [("judge", plan.chat.name), ("weights", "25/5/1"), ("judged", len(judged)), ("seed", plan.seed)],
    )
    return [ratio_score(SCORE, parts, signature, higher_is_better=False)], gaps


def preferences(
    testset: TestSet, outputs: Sequence[Outputs], plan: JudgePlan | None
) -> tuple[PreferenceResult, ...]:
    from eval.results import PreferenceResult

    if plan is None:
        return ()
    places = plan.places(len(testset.pairs))
    found = []
    for first, second in combinations(outputs, 2):
        answers: list[Preference] = [
            judge_pair(
                plan.chat,
                testset.pairs[place].source.text,
                first.texts[place],
                second.texts[place],
                testset.source_language,
                testset.target_language,
            )
            for place in places
        ]
        summary = summarise(answers, plan.chat.name)
        found.append(PreferenceResult(first.system.name, second.system.name, summary))
    return tuple(found)
