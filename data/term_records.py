"""What was done for the sake of terms, told so that the command, the service and a person read the same.

In: what enforcement did to a segment. Out: frozen values, shown by `translate --json` as:

    {"step": "replaced", "required": [{"source": "flu", "target": "gripe", "state": "exact"}],
     "edits": [{"step": "replaced", "term": "gripe"}]}

>>> TermRecord("plain", (TermUse("flu", "gripe", "missing", reason="no_place"),)).missing[0].target
'gripe'
"""

from __future__ import annotations

from dataclasses import dataclass

from data.segments import Span, Translation

MISSING = "missing"


@dataclass(frozen=True, slots=True)
class TermUse:
    """A required term: `state` is exact, inflected or missing; `reason` says what is wrong with it.

    `source` is the term as the base has it, `source_span` where the segment has it.
    """

    source: str
    target: str
    state: str
    source_span: Span | None = None
    target_span: Span | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TermEdit:
    """One try to bring a term in; `reason` says why it was refused, empty when it was taken."""

    step: str
    term: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TermRecord:
    """`step` made the text: no_terms, plain, replaced, forced, reranked or post_edited."""

    step: str
    required: tuple[TermUse, ...] = ()
    forbidden: tuple[str, ...] = ()
    edits: tuple[TermEdit, ...] = ()

    @property
    def missing(self) -> tuple[TermUse, ...]:
        return tuple(use for use in self.required if use.state == MISSING)

    @property
    def ok(self) -> bool:
        """Every term is there, in the document's own wording, and nothing that is forbidden."""
        return not self.forbidden and not any(use.reason or use.state == MISSING for use in self.required)


@dataclass(frozen=True, slots=True)
class Enforced:
    """A translation after enforcement, and the record of it."""

    translation: Translation
    terms: TermRecord
