"""A segment on its way through enforcement, and what is told of it afterwards.

In: a segment, its terms, the model's draft. Out: a `TermedTranslation` whose edits tell each try: which step,
which term, taken or refused and why.

>>> TermEdit(Step.FORCED, "suspender", "safety")
TermEdit(step=<Step.FORCED: 'forced'>, term='suspender', reason='safety')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from data.segments import Segment, Translation
from data.term_records import TermEdit, TermRecord, TermUse
from terminology.checking import State, TermCheck, TermStatus, check_matches
from terminology.decoding import Draft
from terminology.guards import Version
from terminology.matching import TermMatch
from terminology.wordings import differs

ABSENT = "no_place"  # the draft holds nothing that looks at the source term
TOO_LONG = "too_long"  # the model does not read the sentence whole
PART_OF_SPEECH = "part_of_speech"  # the base's word is of another part of speech than its place wants
OTHER_WORDING = "other_wording"  # the term is there, in another wording than in the rest of the document


class Step(StrEnum):
    """Which step made the text."""

    NO_TERMS = "no_terms"
    PLAIN = "plain"
    REPLACED = "replaced"
    FORCED = "forced"
    RERANKED = "reranked"
    POST_EDITED = "post_edited"


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

    def after(self, earlier: TermedTranslation) -> TermedTranslation:
        """This result of a second pass, with what the first one did."""
        same = self.translation.target == earlier.translation.target
        return replace(self, step=earlier.step if same else self.step, edits=earlier.edits + self.edits)


@dataclass(slots=True)
class Case:
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
        """Terms without a place of their own in the target that are still worth a try."""
        wanting = [
            status for status in self.version.check.statuses if status.shared or status.state is State.MISSING
        ]
        return [status for status in wanting if _place(status) not in self.given_up]

    @property
    def misfits(self) -> bool:
        """Whether all that is wrong are terms of another part of speech; no candidate will have those."""
        reasons = {edit.term: edit.reason for edit in self.edits}
        check = self.version.check
        return not check.forbidden and all(
            reasons.get(status.variant) == PART_OF_SPEECH for status in check.missing
        )

    def give_up(self, status: TermStatus, reason: str) -> None:
        self.given_up.add(_place(status))
        if status.shared:  # the term is there; that it stands only once may well be right
            return
        self.edits.append(TermEdit(Step.FORCED, status.variant, reason))

    def accept(self, draft: Draft, version: Version, step: Step, terms: Sequence[str]) -> None:
        self.draft, self.version, self.step = draft, version, step
        self.edits.extend(TermEdit(step, term) for term in terms)

    def accept_text(self, version: Version, step: Step) -> None:
        """A text that did not come from the model, so that there is no draft behind it."""
        still = {status.match.span for status in version.check.missing}
        gained = [status.variant for status in self.version.check.missing if status.match.span not in still]
        self.accept(
            self.draft, version, step, gained or [use.variant for use in self.version.check.forbidden]
        )

    def refuse(self, step: Step, reason: str) -> None:
        """Nothing came of a step for the terms that are still wrong."""
        check = self.version.check
        wrong = [status.variant for status in check.missing] or [use.variant for use in check.forbidden]
        self.edits.extend(TermEdit(step, term, reason) for term in dict.fromkeys(wrong))


def version_of(
    matches: Sequence[TermMatch], draft: Draft, language: str, score: float | None = None, text: str = ""
) -> Version:
    text = text or draft.text
    return Version(text, check_matches(matches, text, language), draft.score if score is None else score)


def result_of(case: Case, plain: Translation) -> TermedTranslation:
    """The other candidates of the plain translation stay with it."""
    changed = case.version.text != plain.target
    score = case.version.score if changed or plain.score is not None else None
    translation = replace(plain, target=case.version.text, score=score)
    step = case.step if case.matches else Step.NO_TERMS
    return TermedTranslation(translation, case.version.check, step, tuple(case.edits))


def record_of(result: TermedTranslation, wordings: Mapping[str, str], language: str) -> TermRecord:
    """What crosses packages."""
    why = result.why_missing
    uses = tuple(
        TermUse(
            status.match.term.source,
            status.variant,
            status.state.value,
            status.match.span,
            status.span,
            _reason(status, why, wordings, language),
        )
        for status in result.check.statuses
    )
    forbidden = tuple(dict.fromkeys(use.variant for use in result.check.forbidden))
    return TermRecord(result.step.value, uses, forbidden, result.edits)


def _reason(status: TermStatus, why: Mapping[str, str], wordings: Mapping[str, str], language: str) -> str:
    if status.state is State.MISSING:
        return why[status.variant]
    return OTHER_WORDING if differs(status, wordings, language) else ""


def _place(status: TermStatus) -> tuple[int, int]:
    return status.match.span.start, status.match.span.end
