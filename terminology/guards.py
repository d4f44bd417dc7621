"""Whether an edit for the sake of a term may be taken; otherwise the earlier text stays.

In: the text before and after, what the termbase says of both, and the model's scores. Out: a `Verdict` whose
reason is a stable key for counting:

    terms_missing   a term that the edit was to bring is not there, or one that was there is gone
    forbidden       a forbidden variant appeared
    score           the model finds the edited text much less likely
    length          the text grew or shrank beyond reason
    lost            a source word that the earlier text spoke of is spoken of no more
    repeated        words stand twice that did not before
    rewritten       more changed than the term and its surroundings
    safety          the clinical safety checks find something new
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from data.segments import Verdict
from terminology.checking import TermCheck
from terminology.medicines import medicine_names
from terminology.termbase import Termbase
from terminology.tokens import TOKEN

REPEATED = "repeated"
LOST = "lost"
# Source and target in, kinds of findings out; the edge hands in the clinical checks.
SafetyCheck = Callable[[str, str], Iterable[str]]


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """How far an edited text may be from the earlier one."""

    score_margin: float = 0.7  # of the mean log-probability per piece, the term itself not counted
    length_ratio: float = 1.6
    spare_words: int = 4  # short sentences may grow by a few words whatever the ratio
    lost_words: int = 3  # and shrink by fewer, for what is gone may be what mattered
    changed_words: float = 0.5  # of the earlier words, on top of the term's own


@dataclass(frozen=True, slots=True)
class Version:
    """A text with what is known of it."""

    text: str
    check: TermCheck
    score: float


def clinical_safety(
    source_language: str, target_language: str, termbases: Sequence[Termbase] = ()
) -> SafetyCheck:
    """The clinical checks as the guard wants them: a grave finding is new if its message is.

    What the termbases call a medicine is no other medicine. Weak signs of loss are left out: a term that is
    shorter than the old words looks like something missing, and the guard's own limit of length sees more.
    """
    from data.checks.findings import MISSING
    from data.clinical import check_pair

    names = medicine_names(termbases)

    @lru_cache(maxsize=4096)  # each text is the earlier one of several tries
    def kinds(source: str, target: str) -> list[str]:
        return [
            f"{finding.kind}: {finding.message}" if finding.severity == "critical" else finding.kind
            for finding in check_pair(source, target, source_language, target_language, names=names)
            if finding.severity == "critical" or (finding.severity == "major" and finding.kind != MISSING)
        ]

    return kinds


def judge_edit(
    source: str, before: Version, after: Version, limits: GuardLimits, safety: SafetyCheck | None = None
) -> Verdict:
    """The cheap tests first, the clinical checks last."""
    reason = (
        _terms(before.check, after.check)
        or _score(before, after, limits)
        or _shape(before, after, limits)
        or _safety(source, before.text, after.text, safety)
    )
    return Verdict(keep=not reason, reason=reason)


def _terms(before: TermCheck, after: TermCheck) -> str:
    had = {status.match.span for status in before.statuses} - {status.match.span for status in before.missing}
    lacks = {status.match.span for status in after.missing}
    if had & lacks or after.wanting >= before.wanting > 0:
        return "terms_missing"
    known = Counter(use.variant for use in before.forbidden)
    return "forbidden" if Counter(use.variant for use in after.forbidden) - known else ""


def _score(before: Version, after: Version, limits: GuardLimits) -> str:
    return "score" if after.score < before.score - limits.score_margin else ""


def _shape(before: Version, after: Version, limits: GuardLimits) -> str:
    old, new = (TOKEN.findall(version.text.casefold()) for version in (before, after))
    still = {status.match.span for status in after.check.missing}
    gained = [status for status in before.check.missing if status.match.span not in still]
    brought = sum(len(TOKEN.findall(status.variant)) for status in gained)
    if _length_is_off(
        len(old) - sum(len(TOKEN.findall(status.match.term.source)) for status in gained),
        len(new) - brought,
        limits,
    ):
        return "length"
    if _doubled(new) - _doubled(old):
        return REPEATED
    same = sum(block.size for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    changed = max(len(old), len(new)) - same - brought
    return "rewritten" if changed > max(limits.spare_words + 2, limits.changed_words * len(old)) else ""


def _length_is_off(old: int, new: int, limits: GuardLimits) -> bool:
    """Compares what stands around the terms, for the terms themselves may be long."""
    longest = max(old * limits.length_ratio, old + limits.spare_words)
    shortest = old - max(limits.lost_words, old // 10)
    return not shortest <= new <= longest


def _doubled(words: list[str]) -> Counter[tuple[str, ...]]:
    """Runs of one to four words that follow themselves: `gripe gripe`, `de saúde de saúde`."""
    return Counter(
        tuple(words[start : start + length])
        for length in range(1, 5)
        for start in range(len(words) - 2 * length + 1)
        if words[start : start + length] == words[start + length : start + 2 * length]
        and any(word.isalpha() for word in words[start : start + length])
    )


def _safety(source: str, before: str, after: str, safety: SafetyCheck | None) -> str:
    if safety is None:
        return ""
    new = Counter(safety(source, after)) - Counter(safety(source, before))
    return "safety" if new else ""
