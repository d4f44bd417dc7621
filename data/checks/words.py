"""Cut a line into words and give each word the forms that checks compare.

In goes text; out come the words as written, folded words, and on demand their places:

>>> split("Não tome 2,5 mg/kg.")
['Não', 'tome', '2,5', 'mg', '/', 'kg', '.']
>>> fold("Não"), skeleton("amoxicilline"), skeleton("amoxicilina")
('nao', 'amoxiciline', 'amoxicilina')
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

DIGITS = frozenset("0123456789")
_SMALL = "½¼¾⅓⅔⅛²³¹"
TOKEN = re.compile(rf"\d+(?:[.,]\d+)*|[^\W\d_{_SMALL}]+(?:['’´]t(?![^\W\d_]))?|[^\w\s]|[{_SMALL}]|_+")
# Words of patients' text stay in the cache, so its size is bounded; longer "words" are not words.
_CACHE, _LONGEST = 1 << 16, 64
_DOUBLED = re.compile(r"([a-z])\1+")
_SPELLINGS = (("ph", "f"), ("qu", "c"), ("k", "c"), ("y", "i"), ("h", ""))
_ROUND_E = re.compile(r"^e(?=s[ptc])")


def split(text: str) -> list[str]:
    """Numbers keep their inner points and commas; every other symbol stands alone."""
    return TOKEN.findall(text)


@lru_cache(_CACHE)
def _fold(word: str) -> str:
    plain = unicodedata.normalize(
        "NFKD", word.casefold().replace("’", "'").replace("´", "'").replace("º", "°")
    )
    return "".join(c for c in plain if not unicodedata.combining(c)).replace("ß", "ss")


def fold(word: str) -> str:
    """Lower case, no accents, one apostrophe, one sign for micro."""
    if word.isascii():
        return word.lower()
    return _fold(word[:_LONGEST])


@lru_cache(_CACHE)
def skeleton(folded: str) -> str:
    """A spelling in which cognates of the five languages meet: ph = f, th = t, y = i, k = c, ll = l."""
    for written, plain in _SPELLINGS:
        folded = folded.replace(written, plain)
    return _ROUND_E.sub("", _DOUBLED.sub(r"\1", folded))
