"""Prompts that a weak model can write on, and what of its sentences may stay.

In: terms and a table of examples (`data/tables/synthesis/sentences.toml`). Out: prompts; and for what came
back the reason to drop it, or "".

>>> kind = Kind("note", ("",), (("rash", "The rash has gone."),))
>>> kind.prompt("fever", number=0)
'Term: rash | Sentence: The rash has gone.\\nTerm: fever | Sentence:'
>>> fault("She has a high fever.", "fever", kind)
''
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from data.phi import suspicions

_TABLE = Path(__file__).parent / "tables" / "synthesis" / "sentences.toml"
_SHOWN: Final = 4
_WORDS = re.compile(r"\w+(?:[-'’]\w+)*")
_ROLES = re.compile(r"\||\b(?:term|sentence|example|answer|note):", re.I)
_OF_MODELS = re.compile(
    r"\b(?:language model|as an ai|i cannot|i can't (?:help|assist)|the term|in this sentence)\b",
    re.I,
)  # fmt: skip
LEAST_WORDS: Final = 5
MOST_WORDS: Final = 40


@dataclass(frozen=True, slots=True)
class Kind:
    """A way of writing: openings, and examples as (term, sentence)."""

    name: str
    begins: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]

    def begin(self, drawn: random.Random, term: str = "") -> str:
        """Three in four with the term in it: without it, the model loses the term every other time."""
        with_term = [
            begin
            for begin in self.begins
            if "erm}" in begin and not (term and _no_singular_noun(term) and begin != "{Term}")
        ]
        free = [begin for begin in self.begins if "erm}" not in begin]
        return drawn.choice(with_term if with_term and (not free or drawn.random() < 0.75) else free)

    def shown(self, number: int) -> tuple[tuple[str, str], ...]:
        """Other examples, in another order, for each `number`; so that what is written varies too."""
        # Drawn from a string: hash() of a tuple would differ between runs.
        drawn = random.Random(f"{self.name}:{number}")
        return tuple(drawn.sample(self.examples, min(_SHOWN, len(self.examples))))

    def prompt(self, term: str, number: int, begin: str = "") -> str:
        lines = [f"Term: {name} | Sentence: {sentence}" for name, sentence in self.shown(number)]
        return "\n".join([*lines, f"Term: {term} | Sentence: {begin}".rstrip()])


def opening(begin: str, term: str) -> str:
    """An opening of the table with the term in it: `{Term}` stands first in the sentence."""
    return begin.replace("{Term}", term[:1].upper() + term[1:]).replace("{term}", term)


@cache
def kinds() -> tuple[Kind, ...]:
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(
        Kind(name, tuple(one["begins"]), tuple((term, sentence) for term, sentence in one["examples"]))
        for name, one in table.items()
        if isinstance(one, dict)
    )


@cache
def version() -> str:
    """Of the table, for the provenance of what was written with it."""
    return f"sentences@{tomllib.loads(_TABLE.read_text(encoding='utf-8'))['version']}"


def joined(begin: str, written: str) -> str:
    """The sentence: the opening that stood in the prompt, and what the model wrote on; the first only."""
    text = f"{begin} {written}" if begin else written
    text = re.sub(r"\s+", " ", text).strip().strip('"“”')
    text = re.sub(r" ([,.;:?!])(?= |$)", r"\1", text)
    end = re.search(r"(?<!\b[A-Z])(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)[.?!](?= [A-Z]|$)", text)
    return text[: end.end()] if end else text


def fault(sentence: str, term: str, kind: Kind) -> str:
    """Why the sentence cannot stay; empty if it can."""
    words = [word.lower() for word in _WORDS.findall(sentence)]
    if _ROLES.search(sentence) or _OF_MODELS.search(sentence):
        return "prompt_echo"
    if any(sentence.lower() == example.lower() for _, example in kind.examples):
        return "example_repeated"
    if not sentence.endswith((".", "?", "!")):
        return "not_a_sentence"
    if len(words) < LEAST_WORDS:
        return "too_short"
    if len(words) > MOST_WORDS:
        return "too_long"
    if not has_term(sentence, term):
        return "term_missing"
    if _repeats(words):
        return "repetition"
    if not sentence.isascii() and sum(character > "ɏ" for character in sentence) > 2:
        return "other_script"
    if not sentence[0].isupper() and not sentence[0].isdigit() and not sentence.startswith(term):
        return "not_a_sentence"
    return next((f"phi_{found}" for found in suspicions(sentence)), "")


def has_term(sentence: str, term: str) -> bool:
    """As whole words, perhaps in the plural; case counts only in short forms ("AIDS", "WFH")."""
    if term.casefold() not in sentence.casefold():  # most texts have not got most terms: no pattern needed
        return False
    return _pattern(term).search(sentence) is not None


@lru_cache(maxsize=4096)
def _pattern(term: str) -> re.Pattern[str]:
    short = term.isupper() and len(term) <= 5
    ending = "" if term.endswith("s") else "(?:e?s)?"
    return re.compile(rf"(?<!\w)(?<!\w-){re.escape(term)}{ending}(?!-?\w)", 0 if short else re.I)


def frame(sentence: str, term: str) -> str:
    """What is left without the term and numbers: a sentence made for many terms has the same frame."""
    bare = re.sub(re.escape(term), "_", sentence, flags=re.I).lower()
    return re.sub(r"[\d.,%]+", "0", bare).strip()


def _no_singular_noun(term: str) -> bool:
    """ "Masks was", "The infectious": of such words the model makes something only where it may choose."""
    endings = ("ous", "ic", "ive", "able", "ed", "ate", "ary", "ory", "ise", "ize")
    return term.endswith("s") or (" " not in term and term.endswith(endings))


def _repeats(words: Sequence[str]) -> bool:
    threes = [tuple(words[place : place + 3]) for place in range(len(words) - 2)]
    doubled = any(one == other and len(one) > 3 for one, other in pairwise(words))
    return doubled or len(set(threes)) < len(threes)
