"""Which forms belong to one word: plural, gender and verb forms, for the five languages that are tested.

In: a word as it stands in the text, and its language. Out: a key that all forms of the word share; other
languages get the word itself, without case.

>>> keys = WordKeys("pt")
>>> keys["infecções"] == keys["Infecção"], keys["crônicas"] == keys["crônico"]
(True, True)

simplemma's dictionaries do the work. Around them: words that they lack lose their plural and gender endings
by rule; Brazilian accents are looked up by their European spelling; contractions stand for their preposition
(`ao paciente`, `aos pacientes`). A key is for finding candidates: `same_word` then says whether two forms
differ only as the term allows, since a lemma alone would take `thinner` for `thin` and `wound` for `wind`.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from data.errors import MissingExtraError
from terminology.tokens import normalised

if TYPE_CHECKING:
    from simplemma.strategies import DictionaryLookupStrategy

INFLECTED = ("en", "pt", "es", "fr", "de")

# Endings of words that the dictionary lacks; the first that fits is replaced.
_PLURALS = {
    "en": (("ies", "y"), ("ses", "s"), ("xes", "x"), ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", "")),
    "pt": (("ões", "ão"), ("ães", "ão"), ("ais", "al"), ("eis", "el"), ("óis", "ol"), ("ns", "m"),
           ("res", "r"), ("zes", "z"), ("us", "us"), ("is", "is"), ("s", "")),
    "es": (("ciones", "ción"), ("siones", "sión"), ("ces", "z"), ("res", "r"), ("les", "l"), ("us", "us"),
           ("is", "is"), ("s", "")),
    "fr": (("aux", "al"), ("ss", "ss"), ("us", "us"), ("s", ""), ("eux", "eu")),
    "de": (("ungen", "ung"), ("heiten", "heit"), ("keiten", "keit"), ("ionen", "ion"), ("en", ""), ("es", ""),
           ("em", ""), ("er", ""), ("e", ""), ("s", "")),
}  # fmt: skip
_FEMININE = {"pt": ("a", "o"), "es": ("a", "o"), "fr": ("e", "")}
_CONTRACTIONS = {
    "pt": {"a": "ao aos à às", "de": "do da dos das", "em": "no na nos nas", "por": "pelo pela pelos pelas",
           "o": "a os as", "um": "uma"},
    "es": {"a": "al", "de": "del", "el": "la los las", "un": "una"},
    "fr": {"à": "au aux", "de": "du des d", "le": "la les l", "un": "une"},
    "de": {"in": "im ins", "an": "am ans", "zu": "zum zur", "von": "vom", "der": "die das dem den des"},
}  # fmt: skip
# Participles that the dictionary takes for words of their own.
_PARTICIPLES = {"suspenso": "suspender", "expulso": "expelir", "eleito": "eleger", "aceito": "aceitar"}
_ADJECTIVE = re.compile(r"..(?:[ií]c|iv|os|[aá]ri)a$")
_SILENT_C = re.compile(r"(?<=[aeiou])(?<!c)([tç])(?=[aãeiíoóõ])")
_EUROPEAN = str.maketrans("ôê", "óé")
# Ending of an infinitive, and of a form that only a verb has: that the dictionary leads the second back to
# the first tells `hospitalizar` from `pulmonar`.
_INFINITIVE = {
    "pt": (("ar", "ando"), ("er", "endo"), ("ir", "indo"), ("por", "pondo")),
    "es": (("ar", "ando"), ("er", "iendo"), ("ir", "iendo")),
    "fr": (("er", "ait"), ("ir", "issait"), ("re", "ait"), ("enir", "enait")),
    "de": (("en", "t"), ("en", "et"), ("ern", "ert"), ("eln", "elt")),
}
_NEW_VERB = re.compile(r"..[bcçdgmpstvz]ar$")  # `intubar`; adjectives end in -lar, -nar, -ear
# Singular and plural in English; the dictionary agrees on the lemma first.
_NUMBER = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"), ("ves", "fe"), ("ses", "sis"), ("ae", "a"),
    ("i", "us"), ("a", "um"), ("a", "on"), ("ices", "ix"), ("ices", "ex"), ("men", "man"), ("mata", "ma"),
    ("ges", "x"), ("children", "child"), ("feet", "foot"), ("teeth", "tooth"),
    ("mice", "mouse"), ("people", "person"),
)  # fmt: skip
_ACRONYM_PLURAL = re.compile(r"([A-Z0-9]*[A-Z])['’]?s")


class WordKeys(dict[str, str]):
    """Surface form to key, remembered: a text is lemmatised once per distinct word."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = base_language(language)

    def __missing__(self, surface: str) -> str:
        key = self[surface] = _key(normalised(surface), self.language)
        return key


@cache
def word_keys(language: str) -> WordKeys:
    """The shared keys of a language."""
    return WordKeys(language)


@lru_cache(maxsize=1024)
def base_language(code: str) -> str:
    """`pt-BR` and `pt_PT` are `pt`."""
    return re.split(r"[-_]", code.casefold(), maxsplit=1)[0]


def same_word(term_form: str, text_form: str, language: str, verb: bool = False) -> bool:
    """Whether two forms that share a key differ only by number and gender, or, for verbs, in any way."""
    first, second = normalised(term_form).casefold(), normalised(text_form).casefold()
    language = base_language(language)
    if first == second:
        return True
    if language == "pt" and _spelled_apart(first, second):
        return False
    if verb:
        return True
    if language == "en":
        return _ACRONYM_PLURAL.fullmatch(text_form) is not None or _differ_by_number(first, second)
    return is_infinitive(first, language) == is_infinitive(second, language)


@lru_cache(maxsize=1 << 16)
def is_infinitive(word: str, language: str) -> bool:
    """Whether a word is the dictionary form of a verb (`suspender`); no for English."""
    language = base_language(language)
    verb = re.sub(r"-?se$", "", word) if language in ("pt", "es") and word.endswith("rse") else word
    verb = verb.removesuffix("-se")
    lemma = _lemma(verb, language) if language in _INFINITIVE else None
    if lemma is None:
        return language in ("pt", "es") and _NEW_VERB.search(verb) is not None
    return any(
        verb.endswith(ending) and _lemma(verb[: -len(ending)] + form, language) == lemma
        for ending, form in _INFINITIVE[language]
    )


def is_ordinary_word(word: str, language: str) -> bool:
    """Whether the dictionary has it in lower case: `aids` and `smart`, but not `unicef`."""
    lemma = _lemma(word.lower(), base_language(language))
    return lemma is not None and lemma.islower()


def _key(word: str, language: str) -> str:
    if language not in INFLECTED:
        return word.casefold()
    plural = _ACRONYM_PLURAL.fullmatch(word)
    if plural and len(plural[1]) > 1:
        word = plural[1]
    folded = _cased(word, language)
    preposition = _prepositions(language).get(folded)
    if preposition:
        return preposition
    if language == "en" and _keeps_its_form(folded):
        return folded
    return _lowest(folded, language).casefold()


def _cased(word: str, language: str) -> str:
    """Lower case, but a German noun keeps its capital: the dictionary tells `Arm` from `arm`."""
    if language == "de" and word[:1].isupper():
        return word[0] + word[1:].lower()
    return word.lower() if len(word.lower()) == len(word) else word.casefold()


def _keeps_its_form(word: str) -> bool:
    """Comparatives and adverbs are words of their own: a blood thinner is not thin."""
    return word.endswith(("er", "est", "ly")) or word in ("worse", "worst", "less", "least", "more", "most")


def _lowest(word: str, language: str) -> str:
    """Follows the dictionary down: `infectados` to `infectado` to `infectar`."""
    seen: list[str] = []
    while word not in seen and len(seen) < 4:
        seen.append(word)
        word = _lemma(word, language) or _by_rule(word, language)
    return min(seen[seen.index(word) :]) if word in seen else word


@lru_cache(maxsize=1 << 18)
def _lemma(word: str, language: str) -> str | None:
    """The dictionary's lemma, or nothing where it does not have the word."""
    if language == "en" and word.endswith("ses") and word != "bases" and _known(word[:-2] + "is", language):
        return word[:-2] + "is"
    if language == "pt" and word in _PARTICIPLES:
        return _PARTICIPLES[word]
    for spelling in _spellings(word) if language == "pt" else (word,):
        lemma = _dictionary().get_lemma(spelling, language)
        if lemma is not None:
            return _masculine(lemma, language)
    return None


def _spellings(word: str) -> tuple[str, ...]:
    """A word as the dictionary may spell it: `crônica` as `crónica`, `infetar` as `infectar`."""
    older = _SILENT_C.sub(r"c\1", word) if _SILENT_C.search(word) else ""
    return (word, word.translate(_EUROPEAN), *((older,) if older else ()))


def _masculine(lemma: str, language: str) -> str:
    """`crónica` is listed as a lemma beside `crónico`."""
    if language not in ("pt", "es") or not _ADJECTIVE.search(lemma):
        return lemma
    return lemma[:-1] + "o" if _known(lemma[:-1] + "o", language) else lemma


def _known(word: str, language: str) -> bool:
    return _dictionary().get_lemma(word, language) is not None


def _by_rule(word: str, language: str) -> str:
    if len(word) < 5 or not word.isalpha():
        return word
    stem = next((word[: -len(end)] + new for end, new in _PLURALS[language] if word.endswith(end)), word)
    if language in ("pt", "es"):
        stem = re.sub(r"(?:ad[oa]|ando)$", "ar", stem)
    ending, replacement = _FEMININE.get(language, ("", ""))
    if stem == word and ending and stem.endswith(ending):
        return stem[: -len(ending)] + replacement
    return stem


def _spelled_apart(first: str, second: str) -> bool:
    """`crónica` and `crônicas`: the spelling of the other continent is not the client's word."""
    if ("ct" in first or "cç" in first) != ("ct" in second or "cç" in second):
        return True
    differing = next(((a, b) for a, b in zip(first, second, strict=False) if a != b), ("", ""))
    return {*differing} in ({"ó", "ô"}, {"é", "ê"})


def _differ_by_number(first: str, second: str) -> bool:
    return any(
        (a.endswith(plural) and b.endswith(singular) and a[: -len(plural)] == b.removesuffix(singular))
        for a, b in ((first, second), (second, first))
        for plural, singular in _NUMBER
    )


def is_listed(word: str, language: str) -> bool:
    """Whether the dictionary has this very form."""
    return base_language(language) in INFLECTED and _known(word, base_language(language))


@cache
def _prepositions(language: str) -> dict[str, str]:
    listed = _CONTRACTIONS.get(language, {})
    return {form: preposition for preposition, forms in listed.items() for form in forms.split()}


@cache
def _dictionary() -> DictionaryLookupStrategy:
    """The dictionaries alone: simplemma's guesses by ending are too free to make two words one term."""
    try:
        from simplemma.strategies import DictionaryLookupStrategy
    except ModuleNotFoundError:
        raise MissingExtraError("finding inflected terms", "terms") from None
    return DictionaryLookupStrategy()
