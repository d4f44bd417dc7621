"""What kind of word stands in the translation where a term belongs: verb, adjective, or neither.

In: the words of the translation, the term's wording, the language. Out: whether the wording can stand there.

>>> is_adjective("pulmonar", "pt"), is_adjective("pulmão", "pt")
(True, False)
>>> has_object("tocar", " o rosto.", "pt"), has_object("tocar", " e lavar.", "pt")
(True, False)

A base without parts of speech gives *touching = comovente* for `avoid touching your face`; the model's own
word for it, `tocar`, tells what the source means. Endings and the lemmatiser's verbs are all that is known,
so each rule asks for little and is used where forcing would break the sentence.
"""

from __future__ import annotations

import re

from terminology.agreement import adjective_endings, articles, is_link, predicates
from terminology.inflection import is_infinitive
from terminology.wording import begins_with_infinitive

_NEXT = re.compile(r"\s*(-?)(\w+)")
_CLIPPED = {"á": "ar", "ê": "er", "í": "ir"}  # `tocá-las`
_SHORTEST = 5  # letters; `mar` and `sal` are no adjectives


def is_adjective(word: str, language: str) -> bool:
    """By its ending, as `pulmonar` and `respiratória`; infinitives may end so as well."""
    word = word.casefold()
    endings = adjective_endings(language)
    return len(word) >= _SHORTEST and word.endswith(endings) and not is_infinitive(word, language)


def has_object(old: str, after: str, language: str) -> bool:
    """Whether the old words are a verb whose object follows; no noun or adjective can take that over."""
    first = old.strip(" .,;:").partition(" ")[0].casefold()
    follows = _NEXT.match(after)
    if follows is None:
        return False
    hyphen, word = follows[1], follows[2].casefold()
    if hyphen and first[-1:] in _CLIPPED:
        first = first[:-1] + _CLIPPED[first[-1]]
    if not is_infinitive(first, language):
        return False
    return bool(hyphen) or word in articles(language) or not is_link(word, language)


def is_noun_for_predicate(form: str, old: str, before: str, language: str) -> bool:
    """Whether a bare noun would stand where a participle or adjective did: `has been dyspnea`."""
    table = predicates(language)
    first, last = old.split()[:1], form.split()[-1:]
    if (
        not table
        or not first
        or not last
        or (before.split() or [""])[-1].casefold() not in table["be"].split()
    ):
        return False
    was, is_now = first[0].strip(" .,;:").casefold(), last[0].casefold()
    nouns = tuple(table["nouns"].split())
    if was.endswith(nouns):
        return False
    return is_now.endswith(nouns) or was in (f"{is_now}d", f"{is_now}ed")


def is_noun_for_adjective(form: str, old: str, language: str) -> bool:
    """Whether a wording needs a preposition to stand where an adjective stood: `doença de pulmão`."""
    first, last = form.partition(" ")[0], old.strip(" .,;:").rpartition(" ")[2]
    if not first or is_link(first, language) or begins_with_infinitive(form, language):
        return False
    return is_adjective(last, language) and not is_adjective(first, language)
