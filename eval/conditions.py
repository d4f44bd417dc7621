"""Translates under the conditions of the WMT 2025 terminology task: proper terms, random terms, no terms.

In: sentences, the test set's segment of each, a termbase. Out: translations with the terms enforced that the
reference has too, as in the task: a system is not asked for a term that the translator decided against.

    enforced(engine, ["A fever."], [0], testset, termbase)    # ["Uma febre."]

Without references every term that is found is enforced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.clinical import check_pair
from data.segments import Segment
from eval.testsets import TestSet
from terminology.checking import State, check_matches
from terminology.enforcement import Enforcer
from terminology.matching import TermMatch, TermMatcher
from terminology.termbase import Termbase

if TYPE_CHECKING:
    from mt.engine import Engine


class RequiredTerms(TermMatcher):
    """Finds of a sentence's terms those that its segment's reference has."""

    def __init__(self, termbases: Sequence[Termbase], wanted: dict[str, set[str]]) -> None:
        super().__init__(termbases)
        self._wanted = wanted

    def find(self, text: str) -> tuple[TermMatch, ...]:
        wanted = self._wanted.get(text)
        found = super().find(text)
        return found if wanted is None else tuple(match for match in found if match.term.id in wanted)


def enforced(
    engine: Engine,
    sentences: Sequence[str],
    owners: Sequence[int],
    testset: TestSet,
    termbases: Sequence[Termbase],
) -> list[str]:
    from mt.decoder import EngineDecoder

    source, target = testset.source_language, testset.target_language

    def safety(text: str, translation: str) -> list[str]:
        return [finding.kind for finding in check_pair(text, translation, source, target)]

    typography = engine.typography
    readable = [typography.plain(sentence) for sentence in sentences]
    matcher = RequiredTerms(termbases, _wanted(readable, owners, testset, termbases))
    enforcer = Enforcer(EngineDecoder(engine), matcher, safety=safety)
    segments = [Segment(str(number), sentence) for number, sentence in enumerate(readable)]
    return [
        typography.restored(result.translation.target, sentence)
        for result, sentence in zip(enforcer.translate(segments), sentences, strict=True)
    ]


def _wanted(
    sentences: Sequence[str], owners: Sequence[int], testset: TestSet, termbases: Sequence[Termbase]
) -> dict[str, set[str]]:
    if not testset.has_references:
        return {}
    matcher = TermMatcher(termbases)
    wanted: dict[str, set[str]] = {}
    for sentence, owner in zip(sentences, owners, strict=True):
        checked = check_matches(matcher.find(sentence), testset.pairs[owner].target, testset.target_language)
        there = {status.match.term.id for status in checked.statuses if status.state is not State.MISSING}
        wanted.setdefault(sentence, set()).update(there)
    return wanted
