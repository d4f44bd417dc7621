"""Makes translations use the termbase's words: cheapest means first, and each result must pass the guard.

In: segments, a decoder, a matcher. Out: a `TermedTranslation` for each: the text, what the check says of it,
which step made it, and, where a term is still missing, why.

    enforcer = Enforcer(decoder, TermMatcher([termbase]))
    enforcer.translate([Segment("s1", "Hold metoprolol.")])[0].translation.target   # "Suspender metoprolol."

1. The plain translation has the terms already: nothing to do.
2. Forced decoding: the draft is cut where the model put the source term, the required term is written there
   in every form that may agree, the model finishes the sentence, and the likeliest that passes is taken.
   Several terms go from left to right, a round each. All segments and all forms share one batch.
3. Another candidate of the model (n-best) has the terms, within a score margin.
4. An LLM, for what still misses a term, where one is configured and allowed (`terminology.postedit`).

Step 3 costs a beam search a segment and step 2 only the ends of sentences, so 2 comes before 3: cheapest
first, as measured in `benchmarks/terminology.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from data.segments import Segment, Translation
from terminology.checking import TermCheck, TermStatus, check_matches
from terminology.decoding import Decoder, Draft
from terminology.guards import GuardLimits, SafetyCheck, Version, judge_edit
from terminology.matching import TermMatch, TermMatcher
from terminology.placing import Attempt, attempts

ABSENT = "no_place"  # the draft holds nothing that looks at the source term
TOO_LONG = "too_long"  # the model does not read the sentence whole


class Step(StrEnum):
    """Which step made the text."""

    NO_TERMS = "no_terms"
    PLAIN = "plain"
    FORCED = "forced"
    RERANKED = "reranked"
    POST_EDITED = "post_edited"


@dataclass(frozen=True, slots=True)
class EnforceConfig:
    """`finished` beginnings are completed for each term; `candidates` above 1 allows re-ranking."""

    rounds: int = 4
    finished: int = 2
    candidates: int = 4
    exact_bonus: float = 0.02  # of the mean log-probability, for the form that the base writes
    limits: GuardLimits = field(default_factory=GuardLimits)


@dataclass(frozen=True, slots=True)
class TermEdit:
    """One try to bring a term in; `reason` says why it was refused, empty when it was taken."""

    step: Step
    term: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TermedTranslation:
    """A translation with what the termbase says of it, and what was done."""

    translation: Translation
    check: TermCheck
    step: Step
    edits: tuple[TermEdit, ...] = ()

    @property
    def why_missing(self) -> dict[str, str]:
        """Each required target that is still missing, with the last reason."""
        reasons = {edit.term: edit.reason for edit in self.edits if edit.reason}
        return {status.variant: reasons.get(status.variant, ABSENT) for status in self.check.missing}


@dataclass(slots=True)
class _Case:
    """A segment under way."""

    segment: Segment
    matches: tuple[TermMatch, ...]
    draft: Draft
    version: Version
    step: Step = Step.PLAIN
    edits: list[TermEdit] = field(default_factory=list)
    given_up: set[tuple[int, int]] = field(default_factory=set)

    @property
    def open(self) -> list[TermStatus]:
        return [
            status
            for status in self.version.check.missing
            if (status.match.span.start, status.match.span.end) not in self.given_up
        ]


@dataclass(slots=True)
class _Try:
    """One forced beginning of one segment."""

    case: _Case
    status: TermStatus
    attempt: Attempt
    pieces: list[str]
    scores: list[float] = field(default_factory=list)

    @property
    def score(self) -> float:
        return sum(self.scores)


class Enforcer:
    """`safety` takes source and target and names what is clinically wrong, as the guard needs it."""

    def __init__(
        self,
        decoder: Decoder,
        matcher: TermMatcher,
        config: EnforceConfig = EnforceConfig(),
        safety: SafetyCheck | None = None,
    ) -> None:
        self.decoder, self.matcher, self.config, self.safety = decoder, matcher, config, safety

    def translate(self, segments: Sequence[Segment]) -> list[TermedTranslation]:
        """Plain translations, mended where a term is missing; in the order of the segments."""
        found = [self.matcher.find(segment.text) for segment in segments]
        drafts: dict[int, Draft] = {}
        for wanted in (False, True):  # attention costs a little, so only sentences with terms ask for it
            chosen = [number for number, matches in enumerate(found) if bool(matches) is wanted]
            texts = [segments[number].text for number in chosen]
            decoded = self.decoder.drafts(texts, attention=wanted) if chosen else []
            drafts.update(zip(chosen, (candidates[0] for candidates in decoded), strict=True))
        cases = [
            _Case(segment, matches, drafts[number], self._version(matches, drafts[number]))
            for number, (segment, matches) in enumerate(zip(segments, found, strict=True))
        ]
        self._mend([case for case in cases if not case.version.check.ok])
        return [_result(case) for case in cases]

    def _version(self, matches: Sequence[TermMatch], draft: Draft, score: float | None = None) -> Version:
        check = check_matches(matches, draft.text, self.matcher.target_language)
        return Version(draft.text, check, draft.score if score is None else score)

    def _mend(self, cases: list[_Case]) -> None:
        for _ in range(self.config.rounds):
            tries = [attempt for case in cases if case.open for attempt in self._next_tries(case)]
            if not tries and not any(case.open for case in cases):
                break
            self._force(tries)
        if self.config.candidates > 1:
            self._rerank([case for case in cases if not case.version.check.ok])

    def _next_tries(self, case: _Case) -> list[_Try]:
        """What to try for the missing term that comes first in the draft."""
        spans = self.decoder.source_spans(case.segment.text)
        placed: list[tuple[int, TermStatus, list[Attempt]]] = []
        for status in case.open:
            place, found = attempts(
                case.draft, spans, status.match, case.segment.text, self.matcher.target_language
            )
            if found:
                placed.append((place, status, found))
            else:
                self._give_up(case, status, ABSENT)
        if not placed:
            return []
        _, status, found = min(placed, key=lambda item: item[0])
        return [
            _Try(case, status, attempt, self.decoder.target_pieces(attempt.beginning)) for attempt in found
        ]

    def _give_up(self, case: _Case, status: TermStatus, reason: str, step: Step = Step.FORCED) -> None:
        case.given_up.add((status.match.span.start, status.match.span.end))
        case.edits.append(TermEdit(step, status.variant, reason))

    def _force(self, tries: list[_Try]) -> None:
        """Ranks the beginnings, lets the model finish the best of each segment, and takes what passes."""
        if not tries:
            return
        scores = self.decoder.beginning_scores(
            [one.case.segment.text for one in tries], [one.pieces for one in tries]
        )
        by_case: dict[int, list[_Try]] = {}
        for one, score in zip(tries, scores, strict=True):
            one.scores = score
            by_case.setdefault(id(one.case), []).append(one)
        best = [one for group in by_case.values() for one in _likeliest(group, self.config.finished)]
        drafts = self.decoder.drafts(
            [one.case.segment.text for one in best], prefixes=[one.pieces for one in best], attention=True
        )
        results: dict[int, list[tuple[_Try, Draft]]] = {}
        for one, candidates in zip(best, drafts, strict=True):
            results.setdefault(id(one.case), []).append((one, candidates[0]))
        for group_results in results.values():
            self._take_best(group_results)

    def _take_best(self, results: list[tuple[_Try, Draft]]) -> None:
        case, status = results[0][0].case, results[0][0].status
        reason = ""
        for one, draft in sorted(results, key=lambda result: -self._rank(*result)):
            version = self._version(case.matches, draft, self._score_around(one, draft))
            verdict = judge_edit(case.segment.text, case.version, version, self.config.limits, self.safety)
            if verdict.keep:
                case.draft, case.step = draft, Step.FORCED
                case.version = replace(version, score=_whole_score(one, draft))
                case.edits.append(TermEdit(Step.FORCED, status.variant))
                return
            reason = reason or verdict.reason
        self._give_up(case, status, reason)

    def _rank(self, one: _Try, draft: Draft) -> float:
        """The likeliest text, but between likely forms rather the one that the base writes."""
        bonus = self.config.exact_bonus if one.attempt.form == one.attempt.variant else 0.0
        return _whole_score(one, draft) + bonus

    def _score_around(self, one: _Try, draft: Draft) -> float:
        """The score without the term's own pieces: what the client says need not be likely, the rest must."""
        before, form = one.attempt.before, one.attempt.form
        first = len(self.decoder.target_pieces(before)) if before else 0
        last = len(self.decoder.target_pieces(before + form))
        pieces = len(draft.pieces) + 1
        total = draft.score * pieces + one.score - sum(one.scores[first:last])
        return total / max(1, pieces - (last - first))

    def _rerank(self, cases: list[_Case]) -> None:
        """The model's other candidates, for terms that could not be forced in."""
        readable = self.decoder.fits([case.segment.text for case in cases]) if cases else []
        chosen = [case for case, fits in zip(cases, readable, strict=True) if fits]
        if not chosen:
            return
        found = self.decoder.drafts([case.segment.text for case in chosen], count=self.config.candidates)
        for case, candidates in zip(chosen, found, strict=True):
            for draft in candidates:
                version = self._version(case.matches, draft)
                better = len(version.check.missing) < len(case.version.check.missing)
                limits = replace(self.config.limits, changed_words=1.0)
                if better and judge_edit(case.segment.text, case.version, version, limits, self.safety).keep:
                    had = {status.variant for status in case.version.check.missing}
                    gained = had - {status.variant for status in version.check.missing}
                    case.draft, case.version, case.step = draft, version, Step.RERANKED
                    case.edits.extend(TermEdit(Step.RERANKED, term) for term in sorted(gained))


def _whole_score(one: _Try, draft: Draft) -> float:
    """The draft's own score takes forced pieces for sure."""
    return draft.score + one.score / (len(draft.pieces) + 1)


def _likeliest(tries: list[_Try], count: int) -> list[_Try]:
    """The likeliest open beginnings, and the likeliest draft with only the old words replaced."""
    ranked = sorted(tries, key=lambda one: -one.score)
    kept = [one for one in ranked if not one.attempt.after][:count]
    return kept + [one for one in ranked if one.attempt.after][:1]


def _result(case: _Case) -> TermedTranslation:
    translation = Translation(case.segment, case.version.text, case.version.score)
    step = case.step if case.matches else Step.NO_TERMS
    return TermedTranslation(translation, case.version.check, step, tuple(case.edits))
