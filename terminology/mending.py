"""The rounds of enforcement without an LLM: replace, let the model finish, look through its other candidates.

In: cases that miss a term. Out: the same cases, changed as far as the guard allowed, each with its edits.

    Mender(decoder, "pt").mend([case])
    case.version.text, case.step                     # "Suspenda metoprolol.", Step.REPLACED

Rounds take one term of each segment at a time, from left to right, and share their batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from terminology.cases import PART_OF_SPEECH, Case, Step, version_of
from terminology.decoding import Decoder, Draft
from terminology.forcing import (
    Option,
    finish,
    keeps_old_words,
    loses_words,
    options,
    says_it_again,
    smooth,
    spliced,
)
from terminology.guards import LOST, REPEATED, GuardLimits, SafetyCheck, Version, judge_edit
from terminology.placing import Attempt, text_of
from terminology.word_classes import has_object


@dataclass(frozen=True, slots=True)
class EnforceConfig:
    """Up to `finished` beginnings are tried for each term; `candidates` above 1 allows re-ranking."""

    rounds: int = 6
    finished: int = 2
    candidates: int = 4
    expected_bonus: float = 0.5  # log-probability, for the base's own form, or its plural for a plural
    ending_bonus: float = 1.0  # for a form with the ending of the old words, which tells gender and number
    smooth_margin: float = 0.3  # of the mean log-probability behind a replaced term
    limits: GuardLimits = field(default_factory=GuardLimits)


class Mender:
    """`safety` takes source and target and names what is clinically wrong, as the guard needs it."""

    def __init__(
        self, decoder: Decoder, language: str, config: EnforceConfig, safety: SafetyCheck | None
    ) -> None:
        self.decoder, self.language, self.config, self.safety = decoder, language, config, safety

    def mend(self, cases: list[Case]) -> None:
        for _ in range(self.config.rounds):
            waiting = [case for case in cases if case.open]
            if not waiting:
                break
            self._round(waiting)
        if self.config.candidates > 1:
            self._rerank([case for case in cases if not case.version.check.ok and not case.misfits])

    def _round(self, cases: list[Case]) -> None:
        """The next missing term of each segment: replaced if that reads well, else forced."""
        ranked = [found for case in cases if (found := options(self.decoder, case, self.language))]
        ranked = [
            group for group in ranked if not (self._is_sure(group) and self._replace(group[0], strict=False))
        ]
        flat = [option for group in ranked for option in group]
        scores = (
            self.decoder.beginning_scores(
                [option.case.segment.text for option in flat], [option.pieces for option in flat]
            )
            if flat
            else []
        )
        for option, score in zip(flat, scores, strict=True):
            option.scores = score
        unsettled = []
        for group in ranked:
            group.sort(key=lambda option: -option.likelihood - self._bonus(option.attempt))
            if not self._replace(group[0], strict=True):
                unsettled.append(group)
        self._force(unsettled)

    def _is_sure(self, group: list[Option]) -> bool:
        """One way to write it, no shorter, which agrees as the old words did: nothing to ask the model."""
        attempt = group[0].attempt
        longer = len(attempt.form.split()) >= len(attempt.old.split())
        return len(group) == 1 and longer and attempt.agrees_clearly(self.language)

    def _bonus(self, attempt: Attempt) -> float:
        """Between likely forms the expected one is the safer choice, and one that ends as the old words."""
        expected = self.config.expected_bonus if attempt.expected else 0.0
        return expected + (self.config.ending_bonus if attempt.ends_alike else 0.0)

    def _replace(self, option: Option, strict: bool) -> bool:
        """Takes the draft with only the old words replaced; `strict` wants it as smooth as before."""
        case = option.case
        if strict and not smooth(option, self.config.smooth_margin):
            return False
        draft = spliced(self.decoder, option)
        score = case.version.score - option.surprise / (len(draft.pieces) + 1)
        return self._take(case, option, draft, score, Step.REPLACED) == ""

    def _take(self, case: Case, option: Option, draft: Draft, score: float, step: Step) -> str:
        """Lets the guard judge; takes the draft, or says why not."""
        if option.attempt.stands_bare(self.language):
            return PART_OF_SPEECH
        if option.attempt.clashes(self.language) and not self._stands(option, draft, step):
            return PART_OF_SPEECH
        if step is Step.FORCED and (
            keeps_old_words(option, draft) or says_it_again(self.decoder, option, draft)
        ):
            return REPEATED
        if loses_words(self.decoder, option, draft, finished=step is Step.FORCED):
            return LOST
        version = version_of(case.matches, draft, self.language, score)
        verdict = judge_edit(case.segment.text, case.version, version, self.config.limits, self.safety)
        if verdict.keep:
            case.accept(draft, version, step, [option.status.variant])
        return verdict.reason

    def _stands(self, option: Option, draft: Draft, step: Step) -> bool:
        """Whether a sentence that the model finished goes on as behind a noun."""
        if option.attempt.after.startswith("-"):  # `tocá-las`
            return False
        behind = text_of(draft.pieces)[len(text_of(option.pieces[: option.last])) :]
        return step is Step.FORCED and not has_object(option.attempt.old, behind, self.language)

    def _force(self, groups: list[list[Option]]) -> None:
        """Lets the model finish the likeliest beginning of each segment; where that is refused, the next."""
        reasons: dict[int, str] = {}
        for turn in range(self.config.finished):
            tried = [beginnings[turn] for group in groups if len(beginnings := _different(group)) > turn]
            for option, draft in zip(tried, finish(self.decoder, tried) if tried else (), strict=True):
                reason = self._take(option.case, option, draft, option.score_around(draft), Step.FORCED)
                reasons[id(option.case)] = reasons.get(id(option.case), "") or reason
                if not reason:
                    reasons[id(option.case)] = ""
            groups = [group for group in groups if reasons[id(group[0].case)]]
        for group in groups:
            if not self._replace(group[0], strict=False):
                group[0].case.give_up(group[0].status, reasons[id(group[0].case)])

    def _rerank(self, cases: list[Case]) -> None:
        """The model's other candidates, for terms that found no place in the first one."""
        if not cases:
            return
        found = self.decoder.drafts([case.segment.text for case in cases], count=self.config.candidates)
        limits = replace(self.config.limits, changed_words=1.0)
        for case, candidates in zip(cases, found, strict=True):
            for draft in candidates:
                version = version_of(case.matches, draft, self.language)
                gained = _gained(case.version, version) or _rid_of(case.version, version)
                if gained and judge_edit(case.segment.text, case.version, version, limits, self.safety).keep:
                    case.accept(draft, version, Step.RERANKED, gained)


def _different(group: list[Option]) -> list[Option]:
    """Options whose beginnings differ; what follows the term is the model's to write."""
    found: dict[str, Option] = {}
    for option in group:
        found.setdefault(option.attempt.beginning, option)
    return list(found.values())


def _gained(before: Version, after: Version) -> list[str]:
    """Required terms that came in."""
    still = {status.match.span for status in after.check.missing}
    return [status.variant for status in before.check.missing if status.match.span not in still]


def _rid_of(before: Version, after: Version) -> list[str]:
    """Forbidden words that went, where no other term was lost for it."""
    if after.check.wanting > before.check.wanting:
        return []
    left = {use.variant for use in after.check.forbidden}
    return [use.variant for use in before.check.forbidden if use.variant not in left]
