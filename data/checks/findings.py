"""What a check hands back.

In goes nothing; this file only names the values. One finding, as `medloop check --json` writes it:

    {"kind": "number", "severity": "critical", "source_span": [5, 6], "target_span": [5, 7],
     "message": "The source says 5 mg, the translation says 50 mg."}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data.segments import Span

Severity = Literal["critical", "major", "minor"]

NUMBER = "number"
UNIT = "unit"
FREQUENCY = "frequency"
DATE = "date"
COMPARISON = "comparison"
NEGATION = "negation"
INSTRUCTION = "instruction"
LATERALITY = "laterality"
DRUG = "drug"
PATIENT = "patient"
MISSING = "missing"
ADDED = "added"
UNTRANSLATED = "untranslated"
REPEATED = "repeated"
MARKUP = "markup"

KINDS = (
    NUMBER,
    UNIT,
    FREQUENCY,
    DATE,
    COMPARISON,
    NEGATION,
    INSTRUCTION,
    LATERALITY,
    DRUG,
    PATIENT,
    MISSING,
    ADDED,
    UNTRANSLATED,
    REPEATED,
    MARKUP,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the two sides that could matter to a patient."""

    kind: str
    severity: Severity
    source_span: Span | None
    target_span: Span | None
    message: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which kinds of check ran for a language pair, and which could not for want of a table."""

    ran: tuple[str, ...]
    skipped: tuple[str, ...]
    reason: str = ""
