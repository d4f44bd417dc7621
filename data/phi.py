"""Marks in made text what looks like a real person's: identifiers, contacts, or text copied from a seed.

In: a text, and the text it was seeded with. Out: reasons; none of them holds the text itself.

>>> suspicions("MRN: 00482913, tel. (555) 010-4477")
('record_number', 'phone')
"""

from __future__ import annotations

import re

_LOOKS = {
    "email": re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", re.I),
    "url": re.compile(r"https?://|www\.", re.I),
    "record_number": re.compile(
        r"\b(?:MRN|NHS|SSN|CPF|CNS|RG|patient (?:id|number)|record (?:no|number)|prontu[aá]rio)\b"
        r"\W{0,3}\d{4,}",
        re.I,
    ),
    "social_security": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    "cpf": re.compile(r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b"),
    "phone": re.compile(r"(?:\(\d{2,3}\)\s?|\+\d{1,3}[\s-]\d{1,4}[\s-])\d{3,5}[\s-]\d{3,4}\b"),
    "long_number": re.compile(r"(?<![\d.,])\d{8,}(?![\d.,]*\d)"),
    "named_person": re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Dra|Sr|Sra)\.? [A-Z][\w'-]+ (?:[A-Z]\.? )?[A-Z][\w'-]+"),
    "birth_date": re.compile(r"\b(?:DOB|date of birth|born on|nascid[oa] em)\W{0,3}\d", re.I),
    "street": re.compile(r"\b\d{1,5} [A-Z][a-z]+ (?:Street|Avenue|Road|Lane|Drive)\b"),
}
_COPIED_WORDS = 12
_WORD = re.compile(r"\w+")


def suspicions(text: str, seed_text: str = "") -> tuple[str, ...]:
    """Keys of `_LOOKS` that the text has something of, and `copied` where it repeats its seed."""
    found = [name for name, pattern in _LOOKS.items() if pattern.search(text)]
    if seed_text and copied(text, seed_text):
        found.append("copied")
    return tuple(found)


def copied(text: str, seed_text: str, words: int = _COPIED_WORDS) -> bool:
    """A run of so many words in common."""
    own, given = (_WORD.findall(one.lower()) for one in (text, seed_text))
    runs = {tuple(given[place : place + words]) for place in range(len(given) - words + 1)}
    return any(tuple(own[place : place + words]) in runs for place in range(len(own) - words + 1))
