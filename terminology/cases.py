"""A segment on its way through enforcement, and what is told of it afterwards.

In: a segment, its terms, the model's draft. Out: a `TermedTranslation` whose edits tell each try: which step,
which term, taken or refused and why.

>>> TermEdit(Step.FORCED, "suspender", "safety")
TermEdit(step=<Step.FORCED: 'forced'>, term='suspender', reason='safety')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from data.segments import Segment, Translation
from terminology.checking import State, TermCheck, TermStatus, check_matches
from terminology.decoding import Draft
from terminology.guards import Version
from terminology.matching import TermMatch

ABSENT = "no_place"  # the draft holds nothing that looks at the source term
TOO_LONG = "too_long"  # the model does not read the sentence whole


class Step(StrEnum):
    """Which step made the text."""

    NO_TERMS = "no_terms"
    PLAIN = "plain"
    REPLACED = "replaced"
    FORCED = "forced"
    RERANKED = "reranked"
    POST_EDITED = "post_edited"


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

    def give_up(self, status: TermStatus, reason: str) -> None:
        self.given_up.add(_place(status))
        if status.shared:  # the term is there; that it stands only once may well be right
            return
        self.edits.append(TermEdit(Step.FORCED, status.variant, reason))

    def accept(self, draft: Draft, version: Version, step: Step, terms: Sequence[str]) -> None:
        self.draft, self.version, self.step = draft, version, step
        self.edits.extend(TermEdit(step, term) for term in terms)


def version_of(
    matches: Sequence[TermMatch], draft: Draft, language: str, score: float | None = None
) -> Version:
    check = check_matches(matches, draft.text, language)
    return Version(draft.text, check, draft.score if score is None else score)


def result_of(case: Case) -> TermedTranslation:
    translation = Translation(case.segment, case.version.text, case.version.score)
    step = case.step if case.matches else Step.NO_TERMS
    return TermedTranslation(translation, case.version.check, step, tuple(case.edits))


def _place(status: TermStatus) -> tuple[int, int]:
    return status.match.span.start, status.match.span.end
