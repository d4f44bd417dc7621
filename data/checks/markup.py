"""Placeholders, tags, links and addresses must come through untouched, in any language.

In go the two texts; out come Findings of kind markup:

>>> [finding.message for finding in compare("Dear {name}", "Cara {nome}")]
['The placeholder or markup "{name}" is gone from the translation.', 'The translation adds "{nome}".']
"""

from __future__ import annotations

import re
from collections import Counter

from data.checks.findings import MARKUP, Finding, Severity
from data.segments import Span

_LIKELY = re.compile(r"[{}%$&@\[]|</?[a-zA-Z]|://|www\.")
_MARKUP = re.compile(
    r"\{\{[\w.: -]{1,60}\}\}"
    r"|\$?\{[\w.:-]{0,60}\}"
    r"|%\(\w{1,60}\)[sdif]"
    r"|(?<![\d\w%)])%[sdif](?!\w)"
    r"|\[\[[^\[\]]{1,60}\]\]"
    r"|</?[a-zA-Z][a-zA-Z0-9]{0,15}(?:\s[^<>]{0,200})?/?>"
    r"|&(?:[a-zA-Z]{2,10}|#\d{1,6});"
    r"|https?://[^\s<>\"')\]]{1,300}"
    r"|www\.[^\s<>\"')\]]{1,300}"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,100}"
)
_MOST = 20


def compare(source: str, target: str) -> list[Finding]:
    if not _LIKELY.search(source) and not _LIKELY.search(target):
        return []
    ours, theirs = _found(source), _found(target)
    lost = _difference(ours, theirs)
    new = _difference(theirs, ours)
    findings = [
        Finding(
            MARKUP,
            _severity(text),
            span,
            None,
            f'The placeholder or markup "{text}" is gone from the translation.',
        )
        for text, span in lost
    ]
    findings += [
        Finding(MARKUP, "major", None, span, f'The translation adds "{text}".') for text, span in new
    ]
    return findings


def _severity(text: str) -> Severity:
    return "critical" if text[0] in "{%$[" else "major"


def _found(text: str) -> list[tuple[str, Span]]:
    return [(match[0].rstrip(".,;:"), Span(*match.span())) for match in _MARKUP.finditer(text)]


def _difference(ours: list[tuple[str, Span]], theirs: list[tuple[str, Span]]) -> list[tuple[str, Span]]:
    left = Counter(text for text, _ in theirs)
    missing = []
    for text, span in ours:
        if left[text] > 0:
            left[text] -= 1
        else:
            missing.append((text, span))
    return missing[:_MOST]
