"""Where a program will fill something in: `{name}`, `%s`, `%(x)d`, `{{ value }}`, `${x}`, ICU messages,
and Weblate's `[X12X]`.

In: text. Out: the places, in order, which a translation must hold again, each as it is.

>>> [text[start:end] for text in ["Hi {name}, 5% of %(n)d"] for start, end in placeholders(text)]
['{name}', '%(n)d']

Braces around words ("{see below}") and per cent signs behind a number ("5 % sodium") are ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# %(name)s; %s, %1$d, %.2f; %NAME%; {% if %}
_PRINTF = re.compile(
    r"""%\([\w.]+\)[-+#0]?\d*(?:\.\d+)?[diouxXeEfFgGcrsa]
      | (?<![\d%])%(?:\d+\$)?[-+#0]*\d*(?:\.(?:\d+|\*))?(?:hh?|ll?|[Lzjt])?[diouxXeEfFgGcs@](?![^\W\d_])
      | (?<![\w%])%[A-Za-z_]\w{1,40}%
      | \{%[^{}]{0,400}?%\}
    """,
    re.VERBOSE,
)
_SIMPLE = re.compile(r"\{\s*[\w.$@#|!:()\[\]'\",<>^+=%/-]*\s*\}")
_ICU = re.compile(
    r"\{\s*\w+\s*,\s*(?:plural|select|selectordinal|number|date|time|spellout|ordinal|duration|choice)\b"
)
_DOUBLE = re.compile(r"\{\{[^{}]{0,400}\}\}\}?")
# In place of what a string's own format marks, when it asks LibreTranslate.
_WEBLATE = re.compile(r"\[X\d+X\]")
_SIGN = re.compile(r"[{%]|\[(?=X\d)")
_LONGEST = 1500


def placeholders(text: str) -> Iterator[tuple[int, int]]:
    position = 0
    for sign in _SIGN.finditer(text):
        start = sign.start()
        if start < position:
            continue
        printf = (_WEBLATE if sign[0] == "[" else _PRINTF).match(text, start)
        end = printf.end() if printf else _braced(text, start) if sign[0] == "{" else 0
        if end:
            dressed = sign[0] == "{" and start > position and text[start - 1] in "$#"
            yield start - dressed, end
            position = end


def _braced(text: str, start: int) -> int:
    """Where the placeholder that begins here ends; 0 when it is none."""
    for pattern in (_DOUBLE, _SIMPLE):
        found = pattern.match(text, start)
        if found:
            return found.end()
    return _balanced(text, start) if _ICU.match(text, start) else 0


def _balanced(text: str, start: int) -> int:
    depth = 0
    for found in re.compile(r"[{}]").finditer(text, start, start + _LONGEST):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return found.end()
    return 0
