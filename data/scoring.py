"""Measures of a pair: numbers about it, without a decision.

In: the two texts and their languages. Out: numbers by name, the same names that limits are set for.

    form("Take 5 mg.", "Take 5 mg.", "en", "pt")["copied"]                # 1.0
    clinical("Take 5 mg.", "Tome 50 mg.", "en", "pt")["clinical_number"]  # 1

`form` is what can be seen in the texts alone, at tens of thousands of pairs a second; `clinical` counts the
findings of the safety checks. A measure that says nothing of a pair (the language of a single word) is left
out of its numbers. Model-based measures are in `scoring_models.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from data.checks.markup import compare as compare_markup
from data.clinical import check_pair
from data.languages import margin

Measures = dict[str, float]
GROUPS = ("form", "clinical", "terms")
_WORD = re.compile(r"[^\W\d_]+")
_SMOOTHING = 15  # characters: "HIV" and "VIH positivo" are no odd pair
_FEW_WORDS = 8
_LEAST_COPIED = 4  # words; a copied name or two is right
_GRAM = 3
_LEAST_REPEATED = 8
_LEAST_LONG = 3
_LONG = re.compile(r"[^\W\d_]{5}")
_CONSONANT_RUN = re.compile("[bcdfghjklmnpqrstvwxz]" * 5)  # a first look, three times as quick as _ODD
_ODD = re.compile(r"\b[bcdfghjklmnpqrstvwxz]{5}|[bcdfghjklmnpqrstvwxz]{6}")
_FAR = re.compile(r"[^\x00-\u024f\u2000-\u206f]")
# What UTF-8 read as Latin-1 looks like (Ã©, â€™), the replacement mark, and controls. Quotation marks after
# Ã are left alone: «AMANHû is right.
_SUSPECT = re.compile(r"[ÃÂâ\ufffd\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff]")
_BROKEN = re.compile(
    r"Ã[\x80-\xaa\xac-\xba\xbc-\xbf‚ƒ„…†‡ˆ‰Š‹Œ˜™š›œ]|Â[\xa0-\xaa\xac-\xba\xbc-\xbf]|â€"
    r"|[\ufffd\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff]"
)
_SCRIPTS = {
    **dict.fromkeys(("ru", "uk", "bg", "mk", "be"), ("CYRILLIC",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    **dict.fromkeys(("zh", "ja", "ko"), ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA")),
    **{"el": ("GREEK",), "he": ("HEBREW",), "hi": ("DEVANAGARI",), "th": ("THAI",)},
}


def form(source: str, target: str, source_language: str = "", target_language: str = "") -> Measures:
    """Everything that needs neither tables of words nor models of translation."""
    lengths = sorted((len(source.strip()), len(target.strip())))
    source_words, target_words = _words(source), _words(target)
    measures: Measures = {
        "shorter": lengths[0],
        "longer": lengths[1],
        "length_ratio": round((lengths[1] + _SMOOTHING) / (lengths[0] + _SMOOTHING), 3),
        "target_share": round((len(target.strip()) + _SMOOTHING) / (len(source.strip()) + _SMOOTHING), 3),
        "copied": copied(source_words, target_words),
        "repetition": round(max(0.0, repetition(target_words) - repetition(source_words)), 3),
        "letters_difference": round(
            abs(letter_share(source, source_words) - letter_share(target, target_words)), 3
        ),
        "odd_words": max(odd_words(source), odd_words(target)),
        "broken_characters": broken_characters(source) + broken_characters(target),
        "other_script": round(
            max(other_script(source, source_language), other_script(target, target_language)), 3
        ),
        "markup": len(compare_markup(source, target)),
        "end": end_difference(source, target),
    }
    languages = (("source_language", source, source_language), ("target_language", target, target_language))
    for name, text, language in languages:
        said = margin(text, language)
        if said is not None:
            measures[name] = said
    return measures


def clinical(source: str, target: str, source_language: str = "", target_language: str = "") -> Measures:
    """How many findings of the safety checks, by severity and by kind; a kind without one is left out."""
    findings = check_pair(source, target, source_language, target_language)
    counts = Counter(f"clinical_{finding.kind}" for finding in findings)
    severities = Counter(finding.severity for finding in findings)
    serious = Counter(f"critical_{finding.kind}" for finding in findings if finding.severity == "critical")
    return {
        "clinical_critical": severities["critical"],
        "clinical_major": severities["major"],
        **counts,
        **serious,
    }


def terms(source: str, target: str, asked: Sequence[Any]) -> Measures:
    """The share of the terms that a record says were asked for, and that stand in it.

    A term is `{"source": ..., "target": ...}`, a `[source, target]`, or a text of the source side.
    """
    sides = [_sides(term) for term in asked]
    wanted = [
        (term, text) for pair in sides for term, text in zip(pair, (source, target), strict=True) if term
    ]
    if not wanted:
        return {}
    found = sum(term.casefold() in text.casefold() for term, text in wanted)
    return {"terms_found": round(found / len(wanted), 3)}


def measures_of(record: Mapping[str, Any], groups: Sequence[str]) -> Measures:
    """The measures of a record in these groups."""
    texts = (record["src"], record["tgt"], str(record.get("src_lang", "")), str(record.get("tgt_lang", "")))
    measures: Measures = {}
    for group in groups:
        if group == "terms":
            measures |= terms(texts[0], texts[1], record.get("terms") or ())
        else:
            measures |= _OF_TEXTS[group](*texts)
    return measures


_OF_TEXTS: dict[str, Callable[[str, str, str, str], Measures]] = {"form": form, "clinical": clinical}


def copied(source_words: Sequence[str], target_words: Sequence[str]) -> float:
    """The share of target words that stand in the source as they are; 0 where they are few."""
    if len(target_words) < _LEAST_COPIED:
        return 0.0
    shared = set(source_words).intersection(target_words)
    if len(shared) < _FEW_WORDS:  # the rule between two languages, and quicker than counting all words
        common = sum(min(source_words.count(word), target_words.count(word)) for word in shared)
    else:
        common = (Counter(source_words) & Counter(target_words)).total()
    return round(common / len(target_words), 3)


def repetition(words: Sequence[str]) -> float:
    """The share of runs of three words that were there before."""
    if len(words) < _LEAST_REPEATED:
        return 0.0
    grams = set(zip(words, words[1:], words[2:], strict=False))
    return 1 - len(grams) / (len(words) - _GRAM + 1)


def letter_share(text: str, words: Sequence[str]) -> float:
    seen = len(text) - text.count(" ")
    return sum(map(len, words)) / seen if seen else 0.0


def odd_words(text: str) -> float:
    """The share of longer words that nobody could say: without a vowel, or six consonants in a row."""
    if not _CONSONANT_RUN.search(text) or not _ODD.search(text):
        return 0.0
    long = len(_LONG.findall(text))
    return round(len(_ODD.findall(text)) / long, 3) if long >= _LEAST_LONG else 0.0


def broken_characters(text: str) -> int:
    if (text.isascii() and text.isprintable()) or not _SUSPECT.search(text):
        return 0
    return len(_BROKEN.findall(text))


def other_script(text: str, language: str) -> float:
    """The share of letters of a script that the language is not written in; Greek letters pass as symbols."""
    if not language or (_scripts(language) == ("LATIN",) and not _FAR.search(text)):
        return 0.0
    letters = Counter(filter(str.isalpha, text))
    own = (*_scripts(language), "LATIN", "GREEK", "MICRO")
    total = letters.total()
    odd = sum(count for letter, count in letters.items() if not _script(letter).startswith(own))
    return odd / total if total else 0.0


def end_difference(source: str, target: str) -> int:
    """1 where one side ends as a sentence does and the other in the middle of a word or phrase."""
    ends = [text.rstrip(" \"'”’»)]")[-1:] for text in (source, target)]
    closed = [end in ".!?…。؟" for end in ends]
    return int(all(ends) and closed[0] != closed[1])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _scripts(language: str) -> tuple[str, ...]:
    return _SCRIPTS.get(language.replace("_", "-").split("-")[0].lower(), ("LATIN",))


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN")


def _sides(term: Any) -> tuple[str, str]:
    if isinstance(term, Mapping):
        return str(term.get("source") or term.get("src") or ""), str(
            term.get("target") or term.get("tgt") or ""
        )
    if isinstance(term, list | tuple) and len(term) == 2:
        return str(term[0]), str(term[1])
    return str(term), ""
