"""What the translation leaves out, adds, leaves untranslated or says again and again.

In go both Lines; out come Findings of kind missing, added, untranslated and repeated:

>>> source = read("Take the tablets with food and drink a large glass of water.", table_for("en"))
>>> [f.kind for f in compare(source, read("Tome os comprimidos.", table_for("pt")))]
['missing']
"""

from __future__ import annotations

from itertools import islice
from operator import eq

from data.checks import gaps
from data.checks.findings import ADDED, MISSING, REPEATED, UNTRANSLATED, Finding, Severity
from data.checks.reading import Line, read, table_for
from data.segments import Span

__all__ = ["compare", "read", "table_for"]

# A copied stretch counts from this many words, and only if enough of them are the source language's own.
_COPIED_WORDS = 5
_COPIED_FUNCTION_WORDS = 2
_LONGEST_LOOP = 8
_LOOP_WORDS = 3


def compare(source: Line, target: Line) -> list[Finding]:
    if not source.words or not target.words:
        return _empty(source, target)
    findings = _repeated(source, target)
    copied = _untranslated(source, target)
    findings += copied
    if not copied:
        findings += _missing_or_added(source, target)
    return findings


def _empty(source: Line, target: Line) -> list[Finding]:
    if source.words and not target.words:
        span = source.span(0, len(source.words))
        return [Finding(MISSING, "critical", span, None, "The translation is empty.")]
    if target.words and not source.words:
        span = target.span(0, len(target.words))
        return [Finding(ADDED, "critical", None, span, "The source is empty, the translation is not.")]
    return []


def _missing_or_added(source: Line, target: Line) -> list[Finding]:
    gap = gaps.missing(source, target)
    if gap is not None:
        quoted = _shortened(source.quote(gap.first, gap.last))
        message = f'Nothing in the translation answers "{quoted}".'
        return [Finding(MISSING, gap.severity, source.span(gap.first, gap.last), None, message)]
    gap = gaps.added(target, source)
    if gap is not None:
        quoted = _shortened(target.quote(gap.first, gap.last))
        message = f'Nothing in the source answers "{quoted}".'
        return [Finding(ADDED, gap.severity, None, target.span(gap.first, gap.last), message)]
    return []


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:50]} … {text[-25:]}"


def _untranslated(source: Line, target: Line) -> list[Finding]:
    """A stretch of the source that stands in the translation word for word, in the source's language."""
    if source.table is None or target.table is None or source.table is target.table:
        return []
    own = source.table.function_words - target.table.function_words
    if sum(1 for word in target.words if word in own) < _COPIED_FUNCTION_WORDS:
        return []
    run = _longest_copy(source.words, target.words)
    if run is None:
        return []
    first, last, at = run
    count = sum(1 for word in source.words[first:last] if word in own)
    if last - first < _COPIED_WORDS or count < _COPIED_FUNCTION_WORDS:
        return []
    whole = last - first > 0.6 * len(target.words)
    severity: Severity = "critical" if whole and len(target.words) > 6 else "major"
    target_span = target.span(at, at + last - first)
    message = f'Left in the source language: "{_shortened(target.quote(at, at + last - first))}".'
    return [Finding(UNTRANSLATED, severity, source.span(first, last), target_span, message)]


def _longest_copy(source: list[str], target: list[str]) -> tuple[int, int, int] | None:
    """The longest run of words that both share, found by runs of three: source first, last, target first."""
    places: dict[tuple[str, ...], int] = {}
    for i in range(len(source) - 2):
        places.setdefault((source[i], source[i + 1], source[i + 2]), i)
    best: tuple[int, int, int] | None = None
    j = 0
    while j < len(target) - 2:
        i = places.get((target[j], target[j + 1], target[j + 2]), -1)
        if i < 0:
            j += 1
            continue
        length = 3
        while (
            i + length < len(source) and j + length < len(target) and source[i + length] == target[j + length]
        ):
            length += 1
        if best is None or length > best[1] - best[0]:
            best = (i, i + length, j)
        j += length - 2
    return best


def _repeated(source: Line, target: Line) -> list[Finding]:
    """tome tome tome; "1 comprimido ao dia 1 comprimido ao dia": a loop that the source does not have."""
    loop = _loop(target.words)
    if loop is None or _loop(source.words) is not None:
        return []
    first, last = loop
    span: Span = target.span(first, last)
    message = f'The translation repeats itself: "{_shortened(target.quote(first, last))}".'
    return [Finding(REPEATED, "major", None, span, message)]


def _loop(words: list[str]) -> tuple[int, int] | None:
    """Two neighbouring copies of three to eight words, or three copies of fewer."""
    if len(set(words)) == len(words):
        return None
    lettered: bytes | None = None
    for period in range(1, _LONGEST_LOOP + 1):
        needed = 2 * period if period < _LOOP_WORDS else period
        run = b"\1" * needed
        same = bytes(map(eq, words, islice(words, period, None)))
        start = same.find(run)
        while start >= 0:
            lettered = lettered or bytes(map(_has_letters, words))
            if 1 in lettered[start + needed : start + needed + period]:
                return start, start + needed + period
            start = same.find(run, start + 1)
    return None


def _has_letters(word: str) -> bool:
    return len(word) > 1 and word[0].isalpha()
