"""What the translate command tells people beside the translation, on standard error, one line each.

In: results of the service. Out: lines:

    segment 3: critical number: The source says "5 mg", the translation says "50 mg", 10 times more.
    segment 4: term "flu" should be "gripe" (no_place)
    2 of 40 segments need review

`explained` tells of every term what became of it, and which step did it.
"""

from __future__ import annotations

from collections.abc import Iterator

from data.term_records import MISSING, TermRecord, TermUse
from mt.results import SegmentResult

_MOST_LINES = 50
_STEPS = {
    "replaced": "put in place of the old words",
    "forced": "forced, and the rest of the sentence written anew",
    "reranked": "found in another candidate",
    "post_edited": "brought in by the LLM",
}


class Watch:
    """Counts as the segments pass, and says what a person should see."""

    def __init__(self, explain: bool = False) -> None:
        self.segments = self.doubtful = 0
        self._explain = explain
        self._lines = 0

    def lines(self, result: SegmentResult) -> Iterator[str]:
        self.segments += 1
        self.doubtful += result.needs_review
        found = [*doubts(result), *(explained(result) if self._explain else ())]
        for line in found:
            self._lines += 1
            if self._explain or self._lines <= _MOST_LINES:
                yield f"segment {result.translation.source.id}: {line}"

    def closing(self) -> str:
        """The last line, where there is something to say."""
        if not self.doubtful:
            return ""
        hidden = 0 if self._explain else max(0, self._lines - _MOST_LINES)
        more = f"; {hidden} more lines with --explain" if hidden else ""
        return f"{self.doubtful} of {self.segments} segments need review{more}"


def doubts(result: SegmentResult) -> Iterator[str]:
    """Why a person should look; minor findings are no reason."""
    for finding in result.findings or ():
        if finding.severity != "minor":
            yield f"{finding.severity} {finding.kind}: {finding.message}"
    if result.terms is not None:
        for use in result.terms.required:
            if use.state == MISSING or use.reason:
                yield f'term "{use.source}" should be "{use.target}" ({use.reason})'
        for word in result.terms.forbidden:
            yield f'"{word}" is forbidden by the glossary'


def explained(result: SegmentResult) -> Iterator[str]:
    """Each term that is there, and how it came in; then the minor findings."""
    if result.terms is not None:
        for use in result.terms.required:
            if use.state != MISSING and not use.reason:
                yield f'term "{use.source}": "{use.target}" is there ({use.state}; {_how(use, result.terms)})'
        for edit in result.terms.edits:
            if edit.reason:
                yield f'term "{edit.term}": {edit.step} was refused ({edit.reason})'
    for finding in result.findings or ():
        if finding.severity == "minor":
            yield f"minor {finding.kind}: {finding.message}"


def _how(use: TermUse, terms: TermRecord) -> str:
    taken = [str(edit.step) for edit in terms.edits if edit.term == use.target and not edit.reason]
    return _STEPS.get(taken[-1], taken[-1]) if taken else "the model wrote it"
