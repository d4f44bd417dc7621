"""Text as the tokens that terms are matched by, with positions in the text exactly as it was given.

In: any text, composed or decomposed, in any script. Out: tokens; `normalised` gives the form to compare.

>>> [token for token in TOKEN.findall("Non-steroidals 2.5 mg/kg")]
['Non', 'steroidals', '2.5', 'mg', '/', 'kg']

Words, numbers, and every other mark are tokens. Left out, so that they never keep a term from matching:
white space, hyphens inside a word (`follow-up` is `follow up`), a possessive `'s`, and marks that only steer
display. A decimal number is one token, so `5 mg` is not found in `2.5 mg`. Scripts that set no spaces between
words (Chinese, Japanese, Thai ...) and Korean, which hangs particles on its words, are tokens by character.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# Marks that `\w` leaves out though they belong to the word: combining accents (decomposed text), points and
# vowel signs of Hebrew, Arabic and the Indic scripts, soft hyphens and joiners.
_MARKS = (
    r"\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f"
    r"\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0966-\u0dff\u1ab0-\u1aff"
    r"\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200b-\u200d\u2060\ufeff"
)
# Kana, Han, Hangul, Thai, Lao, Myanmar, Khmer.
_BY_CHARACTER = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_JAMO = r"\u1100-\u11ff"  # Korean letters, in decomposed text: again one token a syllable
_VOWELS = (
    r"\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b6-\u17d3\u3099\u309a"
)
_HYPHENS = r"\-\u2010\u2011\u2212"
_APOSTROPHES = r"'\u2019\u02bc\u2032\u00b4`"
_SILENT = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"

_WORD = rf"(?:[^\W{_BY_CHARACTER}{_JAMO}]|[{_MARKS}])"

TOKEN = re.compile(
    rf"\d+(?:[.,]\d+)+"
    rf"|[{_BY_CHARACTER}][{_VOWELS}{_MARKS}]*"
    r"|[\u1100-\u115f][\u1160-\u11a7][\u11a8-\u11ff]?|[\u1100-\u11ff]"
    rf"|(?!(?<=\w[{_APOSTROPHES}])[sS]\b)[^\W{_BY_CHARACTER}{_JAMO}]{_WORD}*"
    rf"|(?<!\w)[{_HYPHENS}](?!\w)"
    rf"|(?<=\w)[{_APOSTROPHES}](?![sS]\b)|(?<!\w)[{_APOSTROPHES}]"
    rf"|[^\w\s{_HYPHENS}{_APOSTROPHES}{_MARKS}{_SILENT}]"
)
_POSSESSIVE = re.compile(rf"[{_APOSTROPHES}][sS]\b")
_INVISIBLE = re.compile(rf"[{_SILENT}]")
_SAME_MARK = str.maketrans("\u2019\u02bc\u2032\u00b4`\u2010\u2011\u2212", "'" * 5 + "---")


def normalised(token: str) -> str:
    """One form for all ways to encode a token: composed, without invisible marks, plain hyphen and quote.

    Compatibility forms (`ﬁ`, `Ｃ`, `CO₂`) become plain, but not behind a digit: `10²` must not be `102`.
    """
    if token.isascii():
        return "'" if token == "`" else token
    form: Literal["NFC", "NFKC"] = "NFC" if token[0].isdigit() else "NFKC"
    return _INVISIBLE.sub("", unicodedata.normalize(form, token.translate(_SAME_MARK)))


def ends_possessive(text: str) -> bool:
    return re.search(rf"[{_APOSTROPHES}][sS]$", text) is not None


def possessive_end(text: str, end: int) -> int:
    """Where a possessive that follows `end` ends; `end` itself where there is none."""
    found = _POSSESSIVE.match(text, end)
    return found.end() if found else end
