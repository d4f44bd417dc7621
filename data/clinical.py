"""Clinical safety checks: what differs between a source text and its translation that could hurt someone.

In go the two texts and their languages; out come Findings, the gravest first:

>>> [finding] = check_pair("Take 5 mg twice daily.", "Tome 50 mg duas vezes ao dia.", "en", "pt")
>>> finding.kind, finding.severity, finding.message
('number', 'critical', 'The source says "5 mg", the translation says "50 mg", 10 times more.')

Pure, and linear in the length of the text. The words that the checks know lie in
`data/tables/clinical/*.toml`; for a language without a table the language-free
checks still run, and `checks_for` says which do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from data.checks import amounts, content, drugs, instruction, markup, negation, patient, sides
from data.checks.drugs import NameTable, name_table
from data.checks.findings import (
    ADDED,
    DATE,
    KINDS,
    MARKUP,
    MISSING,
    NUMBER,
    REPEATED,
    UNIT,
    Coverage,
    Finding,
    Severity,
)
from data.checks.reading import read
from data.checks.tables import base_language, languages, table_for
from data.segments import Pair

__all__ = [
    "KINDS",
    "Coverage",
    "Finding",
    "NameTable",
    "Severity",
    "check_pair",
    "check_pairs",
    "checks_for",
    "name_table",
]

_LANGUAGE_FREE = (NUMBER, UNIT, DATE, MISSING, ADDED, REPEATED, MARKUP)
_RANK = {"critical": 0, "major": 1, "minor": 2}


def check_pair(
    source: str, target: str, source_language: str, target_language: str, *, names: NameTable | None = None
) -> tuple[Finding, ...]:
    """Everything found in one pair; `names` adds a termbase's drug and substance names."""
    ours = read(source, table_for(source_language))
    theirs = read(target, table_for(target_language))
    findings = amounts.compare(ours, theirs)
    findings += content.compare(ours, theirs)
    if ours.table is not None and theirs.table is not None:
        findings += negation.compare(ours, theirs)
        findings += instruction.compare(ours, theirs)
        findings += sides.compare(ours, theirs)
        findings += patient.compare(ours, theirs)
        findings += drugs.compare(ours, theirs, names)
    findings += markup.compare(source, target)
    if len(findings) > 1:
        findings.sort(key=lambda finding: _RANK[finding.severity])
    return tuple(findings)


def check_pairs(
    pairs: Iterable[Pair], *, names: NameTable | None = None
) -> Iterator[tuple[Pair, tuple[Finding, ...]]]:
    """The same for a stream of pairs, each with its findings."""
    for pair in pairs:
        found = check_pair(
            pair.source.text, pair.target, pair.source_language, pair.target_language, names=names
        )
        yield pair, found


def checks_for(source_language: str, target_language: str) -> Coverage:
    """Which kinds run for this pair of languages, and why the others do not."""
    unknown = [code for code in (source_language, target_language) if table_for(code) is None]
    if not unknown:
        return Coverage(KINDS, ())
    missing = " and ".join(dict.fromkeys(base_language(code) or "an unnamed language" for code in unknown))
    reason = f"no clinical table for {missing}; there are {', '.join(languages())}"
    return Coverage(_LANGUAGE_FREE, tuple(kind for kind in KINDS if kind not in _LANGUAGE_FREE), reason)
