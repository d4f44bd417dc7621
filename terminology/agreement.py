"""The forms in which a required term may have to stand, so that it agrees with the sentence around it.

In: a target variant as the base has it, and its language. Out: the variant itself first, then plural, gender
and verb forms, and the determiners that may stand before it; the model's own score picks among them.

>>> forms("doença respiratória", "pt", Need(plural=True))
('doenças respiratórias', 'doença respiratória')
>>> determiners("da", "pt")
('da', 'do', 'dos', 'das')

Only forms that `terminology.inflection` knows to be the same word are offered, so what is forced here also
passes the check.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from terminology.inflection import base_language, is_infinitive, is_listed, word_keys
from terminology.tokens import TOKEN
from terminology.wording import is_acronym

_TABLE = Path(__file__).parent / "tables" / "agreement.json"
_MOST_FORMS = 12
_NEAR = 3  # words behind a noun, among which a participle or adjective may agree with it


@dataclass(frozen=True, slots=True)
class Need:
    """What the source says about the form: its number, or that a verb is not in its base form."""

    plural: bool = False
    singular: bool = False
    conjugated: bool = False


@lru_cache(maxsize=1 << 14)
def forms(variant: str, language: str, need: Need = Need()) -> tuple[str, ...]:
    """The variant in the forms that may be needed, likelier ones first."""
    table = _table(base_language(language))
    words = variant.split()
    if not table or not words or all(is_acronym(word) for word in words):
        return (variant,)
    if is_infinitive(words[0].casefold(), language):
        found = _conjugated(words, table)
        own = [variant, *found]
        offered = own if not need.conjugated else [*found, variant]
    else:
        offered = _declined(variant, words, table, language, need)
    known = [form for form in dict.fromkeys(offered) if form == variant or _same(form, variant, language)]
    return tuple(known[:_MOST_FORMS])


def _declined(variant: str, words: list[str], table: dict[str, Any], language: str, need: Need) -> list[str]:
    """A number that the source asks for comes first; a single word may also be an adjective."""
    if need.plural:
        return [*_with_head(words, table, language, _plurals), variant]
    if need.singular:
        return [*_with_head(words, table, language, _singulars), variant]
    if len(words) > 1:
        return [variant]
    return [variant, *_genders(words, table, language), *_plurals(words[0], table)]


@lru_cache(maxsize=1 << 12)
def verb_as(old: str, variant: str, language: str) -> str:
    """The verb `variant` in the form that another verb stands in; nothing where that cannot be told.

    >>> verb_as("segure", "suspender", "pt")
    'suspenda'
    """
    classes = {
        ending: endings.split()
        for ending, endings in _table(base_language(language)).get("verbs", {}).items()
    }
    own = next((ending for ending in classes if variant.endswith(ending)), "")
    if not own or not is_infinitive(variant, language) or is_infinitive(old, language):
        return ""
    found = {
        variant.removesuffix(own) + classes[own][number]
        for infinitive, endings in classes.items()
        for number, ending in enumerate(endings)
        if old.endswith(ending) and is_infinitive(old.removesuffix(ending) + infinitive, language)
    }
    return found.pop() if len(found) == 1 else ""


def agrees_clearly(first: str, second: str, language: str) -> bool:
    """Whether two words end alike in a way that tells gender and number: `vacinação` and `infecção`."""
    endings = _table(base_language(language)).get("clear", "").split()
    return any(first.endswith(ending) and second.endswith(ending) for ending in endings)


@lru_cache(maxsize=1 << 12)
def gender(word: str, language: str) -> str:
    """`masculine`, `feminine` or nothing where the noun's ending does not tell.

    >>> gender("exantema", "pt"), gender("síndrome", "pt"), gender("abdome", "pt")
    ('masculine', 'feminine', '')
    """
    table = _table(base_language(language))
    own = word.casefold()
    for each in (own, own.removesuffix("s")):
        for kind in ("masculine", "feminine"):
            if each in table.get(f"{kind}_words", "").split():
                return kind
    endings = [
        (len(ending), kind)
        for kind in ("masculine", "feminine")
        for ending in table.get(kind, "").split()
        if any(each.endswith(ending) for each in (own, own.removesuffix("s")))
    ]
    return max(endings, default=(0, ""))[1]


def agrees_behind(after: str, asked: str, language: str) -> bool:
    """Whether the next few words may stand behind a noun of this gender: not `a febre foi tratado`."""
    table = _table(base_language(language))
    ends = {
        kind: tuple(
            f"{ending}{vowel}{plural}" for ending in table.get("bending", "").split() for plural in ("", "s")
        )
        for kind, vowel in (("masculine", "o"), ("feminine", "a"))
    }
    other = "feminine" if asked == "masculine" else "masculine"
    near = after.partition(",")[0].partition(".")[0].split()[:_NEAR]
    return not any(word.endswith(ends[other]) for word in near)


def determiner_gender(word: str, language: str) -> str:
    """Of a determiner that has one: they are listed by turns."""
    table = _table(base_language(language))
    for group in table.get("determiners", ()) if "masculine" in table else ():
        listed = group.split()
        if word.casefold() in listed and len(listed) in (2, 4):
            return ("masculine", "feminine")[listed.index(word.casefold()) % 2]
    return ""


def is_link(word: str, language: str) -> bool:
    """Prepositions, articles and the like, in which a term does not begin."""
    table = _table(base_language(language))
    return word.casefold() in table.get("links", "").split() or bool(determiners(word, language))


@cache
def articles(language: str) -> frozenset[str]:
    """The definite ones, which begin a noun phrase and nothing else."""
    return frozenset(_table(base_language(language)).get("determiners", [""])[0].split())


@cache
def adjective_endings(language: str) -> tuple[str, ...]:
    return tuple(_table(base_language(language)).get("adjectives", "").split())


@cache
def predicates(language: str) -> dict[str, str]:
    """Forms of `to be`, and endings that tell a noun from what may stand behind those."""
    found: dict[str, str] = _table(base_language(language)).get("predicates", {})
    return found


@cache
def of_words(language: str) -> tuple[str, ...]:
    """The prepositions by which a noun describes another one."""
    return tuple(_table(base_language(language)).get("of", ()))


@lru_cache(maxsize=1 << 10)
def determiners(word: str, language: str) -> tuple[str, ...]:
    """A determiner and its other genders and numbers; nothing for any other word."""
    table = _table(base_language(language))
    for group in table.get("determiners", ()):
        listed = group.split()
        if word.casefold() in listed:
            rest = [other.replace("_", " ") for other in listed if other != word.casefold()]
            return (word, *(other.capitalize() if word[:1].isupper() else other for other in rest))
    return ()


def _with_head(words: list[str], table: dict[str, Any], language: str, change: Any) -> list[str]:
    """A noun phrase with its head changed and what agrees with it: up to `de`, or the last word."""
    if base_language(language) in ("en", "de"):
        return [" ".join([*words[:-1], form]) for form in change(words[-1], table)]
    links = table["links"].split()
    end = next((place for place, word in enumerate(words) if place and word.casefold() in links), len(words))
    changed = [next(iter(change(word, table)), word) for word in words[:end]]
    return [" ".join([*changed, *words[end:]])]


def _plurals(word: str, table: dict[str, Any]) -> list[str]:
    if is_acronym(word):
        return [word]
    found = [word[: len(word) - len(end)] + new for end, new in table["plurals"] if word.endswith(end)]
    if not table.get("umlaut"):
        return found[:1]
    rounded = _rounded(word)
    found += [rounded + end for end in ("e", "er", "") if rounded != word]
    return [form for form in found if is_listed(form, "de")]


def _singulars(word: str, table: dict[str, Any]) -> list[str]:
    found = [
        word[: len(word) - len(new)] + end for end, new in table["plurals"] if new and word.endswith(new)
    ]
    return [form for form in found if form and form != word][:1]


def _rounded(word: str) -> str:
    """The last vowel with an umlaut: `Krankenhaus` to `Krankenhäus`, whose plural has it."""
    place = max(word.rfind(vowel) for vowel in "aou")
    if word[:place].endswith("a") and word[place : place + 1] == "u":
        place -= 1
    if place < 0:
        return word
    return word[:place] + word[place].translate(str.maketrans("aou", "äöü")) + word[place + 1 :]


def _genders(words: list[str], table: dict[str, Any], language: str) -> list[str]:
    word = words[0]
    changed = [word[: len(word) - len(end)] + new for end, new in table["genders"] if word.endswith(end)]
    if base_language(language) == "de":
        return changed
    known = is_listed(word, language)  # of a word that the dictionary has, `fármaca` would be listed, too
    changed = [form for form in changed[:1] if not known or is_listed(form, language)]
    return [*changed, *(plural for form in changed for plural in _plurals(form, table))]


def _conjugated(words: list[str], table: dict[str, Any]) -> list[str]:
    verb, rest = words[0], words[1:]
    for ending, endings in table["verbs"].items():
        if verb.removesuffix("-se").endswith(ending):
            stem = verb.removesuffix("-se")[: -len(ending)]
            return [" ".join([stem + new, *rest]) for new in endings.split()]
    return []


def _same(form: str, variant: str, language: str) -> bool:
    keys = word_keys(language)
    return [keys[word] for word in TOKEN.findall(form)] == [keys[word] for word in TOKEN.findall(variant)]


@cache
def _table(language: str) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return tables.get(language, {})
