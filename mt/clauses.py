"""A sentence longer than a model takes into pieces that fit, without losing a character.

In: the sentence, the limit in tokens, and how to count tokens of many strings at once (a batch call of the
tokenizer; each character is counted two or three times in all). Out: pieces that join to exactly the
sentence, cut at the best places there are: sentence marks, then semicolons and colons, commas, dashes and
brackets, conjunctions, spaces, and inside a word only where there is nothing else.

>>> split_long("one two; three four five", 4, lambda texts: [len(text.split()) for text in texts])
['one two; ', 'three four five']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

CountTokens = Callable[[Sequence[str]], Sequence[int]]

# A word with the space behind it; ideographic marks end a word without one.
_WORD = re.compile(r"[^\s、，；：。！？]*[、，；：。！？]*\s*")
_MARKS = (
    re.compile(r"[.!?。！？…][\"'”’»)\]]*\s*$"),
    re.compile(r"[;:；：]\s*$"),
    re.compile(r"(?:[,，、)\]]|(?:^|\s)[-–—]+)\s*$"),
)
_CONJUNCTION = re.compile(
    r"(?:and|or|but|because|which|while|where|with|e|ou|mas|porque|que|enquanto|com|y|o|pero|con|et|mais|avec"
    r"|und|oder|aber|weil|mit)\s",
    re.IGNORECASE,
)
_NOT_IN_A_WORD = 1  # a cut between words beats one inside
_HARD_CUT = 16  # characters of an overlong word that stay together
_JOINERS = frozenset("\u200d\u2060")
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two make a flag


def split_long(sentence: str, limit: int, count_tokens: CountTokens) -> list[str]:
    """Pieces of at most `limit` tokens each; only a single character may be longer than a tiny limit."""
    if limit < 1:
        raise ValueError(f"limit must be at least 1 token, not {limit}")
    atoms, sizes, ranks = _atoms(sentence, limit, count_tokens)
    pieces = ["".join(atoms[start:end]) for start, end in _ranges(sizes, ranks, limit)]
    # Tokens of joined parts of a word need not add up, so what came out is counted once more.
    result: list[str] = []
    for piece, size in zip(pieces, count_tokens(pieces), strict=True):
        halve = size > limit and limit > 1 and len(piece) > 1
        result += split_long(piece, limit // 2, count_tokens) if halve else [piece]
    return result


def _atoms(sentence: str, limit: int, count_tokens: CountTokens) -> tuple[list[str], list[int], list[int]]:
    """Smallest parts, their tokens, and how good it is to cut behind each."""
    atoms = [word for word in _WORD.findall(sentence) if word]
    ranks = [_rank(word, following) for word, following in pairwise([*atoms, ""])]
    sizes = list(count_tokens(atoms))
    for width in (_HARD_CUT, 1):
        if max(sizes, default=0) <= limit:
            break
        cut = [
            _hard_cut(atom, width) if size > limit else [atom]
            for atom, size in zip(atoms, sizes, strict=True)
        ]
        ranks = [
            rank for parts, last in zip(cut, ranks, strict=True) for rank in [0] * (len(parts) - 1) + [last]
        ]
        atoms = [part for parts in cut for part in parts]
        sizes = list(count_tokens(atoms))
    return atoms, sizes, ranks


def _rank(word: str, following: str) -> int:
    for position, mark in enumerate(_MARKS):
        if mark.search(word):
            return 5 - position
    return 2 if _CONJUNCTION.match(following) else _NOT_IN_A_WORD


def _ranges(sizes: Sequence[int], ranks: Sequence[int], limit: int) -> Iterator[tuple[int, int]]:
    """Ranges of atoms within the limit: of similar sizes, ending at the best-ranked place near that size."""
    ends = list(accumulate(sizes))
    start, done, count = 0, 0, len(sizes)
    while start < count:
        left = ends[-1] - done
        if left <= limit:
            yield start, count
            return
        target = left / -(-left // limit)
        best, best_key = start + 1, (-1, 0.0)
        for end in range(start + 1, count + 1):
            size = ends[end - 1] - done
            if size > limit:
                break
            key = (ranks[end - 1] if size >= target / 2 else -1, -abs(size - target))
            if key >= best_key:
                best, best_key = end, key
        yield start, best
        start, done = best, ends[best - 1]


def _hard_cut(word: str, width: int) -> list[str]:
    """Parts of about `width` characters, not between a character and what combines with it."""
    parts: list[str] = []
    start = 0
    while start < len(word):
        end = min(start + width, len(word))
        furthest = min(end + 32, len(word))
        while end < furthest and _combines(word[start:end], word[end]):
            end += 1
        parts.append(word[start:end])
        start = end
    return parts


def _combines(part: str, after: str) -> bool:
    before = part[-1]
    return (
        before in _JOINERS
        or after in _JOINERS
        or after.isspace()
        or unicodedata.category(after)[0] == "M"
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")
        or (after in _FLAG_LETTERS and (len(part) - len(part.rstrip(_FLAG_LETTERS))) % 2 == 1)
    )
