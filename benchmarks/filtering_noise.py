"""Clean pairs made bad in six ways, each as web-made corpora and failing models make them.

In: clean records of a corpus in their order, and a seeded `random.Random`. Out: records with `noise` set.

    misaligned    the target of the pair after it (of the same document, mostly)
    swapped       source and target in each other's place
    truncated     a target that stops after 30 to 70 % of its words
    number        a number of the target that is another one
    untranslated  the source again, now and then with a few words translated
    gibberish     what broken models and encodings write: loops, letters, word salad, mojibake
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from data.dedup import jaccard, normal_form, shingles

Record = dict[str, Any]
_DIGITS = re.compile(r"\d+")
_ALIKE = 0.25  # two titles of the same trial say the same: such a neighbour is no misalignment


def noisy(kind: str, records: Sequence[Record], place: int, dice: random.Random) -> Record | None:
    """The record at this place made bad, or None where that cannot be done to it."""
    changed = KINDS[kind](records, place, dice)
    if changed is None or changed == (records[place]["src"], records[place]["tgt"]):
        return None
    record = records[place]
    return record | {"id": f"{record['id']}:{kind}", "src": changed[0], "tgt": changed[1], "noise": kind}


def _misaligned(records: Sequence[Record], place: int, dice: random.Random) -> tuple[str, str] | None:
    if place + 1 >= len(records):
        return None
    own, other = (shingles(normal_form(records[place + step]["tgt"])) for step in (0, 1))
    own_source, other_source = (shingles(normal_form(records[place + step]["src"])) for step in (0, 1))
    if max(jaccard(own, other), jaccard(own_source, other_source)) > _ALIKE:
        return None
    return records[place]["src"], records[place + 1]["tgt"]


def _swapped(records: Sequence[Record], place: int, dice: random.Random) -> tuple[str, str] | None:
    return records[place]["tgt"], records[place]["src"]


def _truncated(records: Sequence[Record], place: int, dice: random.Random) -> tuple[str, str] | None:
    words = records[place]["tgt"].split()
    if len(words) < 6:
        return None
    return records[place]["src"], " ".join(words[: max(2, round(len(words) * dice.uniform(0.3, 0.7)))])


def _number(records: Sequence[Record], place: int, dice: random.Random) -> tuple[str, str] | None:
    target = records[place]["tgt"]
    found = list(_DIGITS.finditer(target))
    if not found:
        return None
    chosen = dice.choice(found)
    old = int(chosen[0])
    new = dice.choice([old * 10, old + dice.randint(1, 9), max(0, old - dice.randint(1, 9)), old * 2 + 1])
    if new == old:
        return None
    return records[place]["src"], f"{target[: chosen.start()]}{new}{target[chosen.end() :]}"


def _untranslated(records: Sequence[Record], place: int, dice: random.Random) -> tuple[str, str] | None:
    source = records[place]["src"]
    words = source.split()
    if len(words) < 5:
        return None
    if dice.random() < 0.5:
        return source, source
    head = records[place]["tgt"].split()[: max(1, len(words) // 6)]
    return source, " ".join([*head, *words[len(head) :]])


def _gibberish(records: Sequence[Record], place: int, dice: random.Random) -> tuple[str, str] | None:
    record = records[place]
    target, words = record["tgt"], record["tgt"].split()
    if len(words) < 5:
        return None
    made = dice.choice((_loop, _letters, _salad, _mojibake))(target, words, records, dice)
    return record["src"], made


def _loop(target: str, words: list[str], records: Sequence[Record], dice: random.Random) -> str:
    start = dice.randrange(len(words))
    piece = words[start : start + dice.randint(1, 3)]
    return " ".join([*words[:start], *piece * max(4, len(words) // len(piece))])


def _letters(target: str, words: list[str], records: Sequence[Record], dice: random.Random) -> str:
    return " ".join("".join(dice.choices("abcdefghijlmnopqrstuvxz", k=len(word))) for word in words)


def _salad(target: str, words: list[str], records: Sequence[Record], dice: random.Random) -> str:
    pool = [word for other in dice.sample(records, 8) for word in other["tgt"].split()]
    return " ".join(dice.choices(pool, k=len(words)))


def _mojibake(target: str, words: list[str], records: Sequence[Record], dice: random.Random) -> str:
    once = target.encode().decode("latin-1")
    return once if once != target else " ".join(f"{word}\ufffd" for word in words)


KINDS: dict[str, Callable[[Sequence[Record], int, random.Random], tuple[str, str] | None]] = {
    "misaligned": _misaligned,
    "swapped": _swapped,
    "truncated": _truncated,
    "number": _number,
    "untranslated": _untranslated,
    "gibberish": _gibberish,
}
