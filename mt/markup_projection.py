"""Tags from their places in a sentence to the fitting places in its translation.

In: the sentence, its translation, the tags by place, and which target word belongs to which source word (the
model's attention). Out: the translation with every tag in it once, pairs around the words that translate the
words they were around:

    Take <b>two red</b> tablets.   ->   Tome <b>dois comprimidos vermelhos</b>.

Pairs stay nested as they were. A pair inside a word (CO<sub>2</sub>) goes to the same letters where the
translation has the word, too.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

Links = Sequence[Sequence[float]]
"""`links[t][s]`: how much target word `t` looked at source word `s`; rows add up to 1 at most."""

WORD = re.compile(r"\w+(?:[-'’./,]\w+)*|[^\w\s]")
_DEEPEST = 30
# Source words times target words, beyond which tags go by their share of the words: no model aligns so long a
# sentence, and the table of a line of 100,000 letters would take gigabytes.
_MOST_LINKS = 90_000


@dataclass(slots=True)
class Mark:
    """A tag, or a pair of them around `children`; `start` and `end` are places in the sentence."""

    start: int
    end: int
    raw: str
    closing: str | None = None
    spaces: tuple[bool, bool] = (False, False)  # was there space before and behind
    children: list[Mark] = field(default_factory=list)

    def covers(self, length: int) -> bool:
        return self.start <= 0 and self.end >= length

    def copied(self) -> Mark:
        return replace(self, children=[child.copied() for child in self.children])


@dataclass(slots=True)
class _Placed:
    start: int
    end: int
    mark: Mark
    inner: list[_Placed]


def spans(text: str) -> list[tuple[int, int]]:
    """Words and punctuation marks, as places."""
    return [found.span() for found in WORD.finditer(text)]


def even_links(source: int, target: int) -> list[list[float]]:
    """Where nothing is known: as far into the translation as into the sentence; none where it is too long."""
    if source * target > _MOST_LINKS:
        return []
    rows = [[0.0] * source for _ in range(target)]
    for t in range(target if source else 0):
        rows[t][min(source - 1, t * source // target)] = 1.0
    return rows


def project(
    source: str, target: str, marks: Sequence[Mark], links: Links, encode: Callable[[str], str]
) -> str:
    """The translation with the marks in it; `encode` writes text between them."""
    words, targets = spans(source), spans(target)
    if _depth(marks) > _DEEPEST or len(words) * len(targets) > _MOST_LINKS:
        placed = _evenly(words, targets, _flat(marks))
    else:
        placed = _Projection(source, target, links).placed(marks, 0, len(target))
    return _rendered(target, 0, len(target), placed, encode)


class _Projection:
    def __init__(self, source: str, target: str, links: Links) -> None:
        self.source, self.target, self.links = source, target, links
        self.words, self.targets = spans(source), spans(target)
        self._starts = [start for start, _ in self.targets]
        self._ends = [end for _, end in self.targets]
        self._source_starts = [start for start, _ in self.words]
        self._source_ends = [end for _, end in self.words]

    def placed(self, marks: Sequence[Mark], low: int, high: int) -> list[_Placed]:
        """Marks of one level within a stretch of the translation; pairs first, as they need the room."""
        found: dict[int, _Placed] = {}
        taken: list[tuple[int, int]] = []
        singles: list[int] = []
        for number, mark in enumerate(marks):
            place = self._range(mark, low, high, taken) if mark.closing is not None else None
            if place is None:
                singles.append(number)
                continue
            taken.append(place)
            found[number] = _Placed(*place, mark, self.placed(mark.children, *place))
        least = low
        for number in singles:
            mark = marks[number]
            place_of = max(least, _outside(self._point(mark, low, high), taken))
            place_of = least = _outside(place_of, taken, forward=True)
            found[number] = _Placed(place_of, place_of, mark, self.placed(mark.children, place_of, place_of))
        return [found[number] for number in range(len(marks))]

    def _source_words(self, start: int, end: int) -> tuple[int, int]:
        return bisect_right(self._source_ends, start), bisect_left(self._source_starts, end)

    def _range(
        self, mark: Mark, low: int, high: int, taken: Sequence[tuple[int, int]]
    ) -> tuple[int, int] | None:
        first, last = self._source_words(mark.start, mark.end)
        if first >= last or low >= high:
            return None
        if mark.start <= self._source_starts[0] and mark.end >= self._source_ends[-1]:
            whole = (low, high)
            return None if any(start < high and end > low for start, end in taken) else whole
        exact = self._same_letters(mark, first, last, low, high, taken)
        if exact:
            return exact
        free = [
            low <= start and end <= high and not any(a < end and start < b for a, b in taken)
            for start, end in self.targets
        ]
        gains = [
            1.3 * sum(row[first:last]) / (sum(row) or 1.0) - 0.5 if is_free else None
            for row, is_free in zip(self.links, free, strict=True)
        ]
        words = _best_run(gains)
        return (self._starts[words[0]], self._ends[words[1]]) if words else None

    def _same_letters(
        self, mark: Mark, first: int, last: int, low: int, high: int, taken: Sequence[tuple[int, int]]
    ) -> tuple[int, int] | None:
        """The same words, or the same part of the same word, where the translation has them just once."""
        start, end = self._source_starts[first], self._source_ends[last - 1]
        text = self.source[start:end]
        pattern = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)")
        places = [
            found.start()
            for found in pattern.finditer(self.target, low, high)
            if not any(a < found.end() and found.start() < b for a, b in taken)
        ]
        if len(places) != 1 and not (places and (start < mark.start or mark.end < end)):
            return None
        left = max(0, mark.start - start)
        right = min(end, mark.end) - start
        return places[0] + left, places[0] + right

    def _point(self, mark: Mark, low: int, high: int) -> int:
        """A place before the word that translates the next one, or behind that of the one before."""
        following = bisect_left(self._source_starts, mark.start)
        before = bisect_right(self._source_ends, mark.start) - 1
        if following >= len(self.words) or (not mark.spaces[1] and not mark.spaces[0] and before < 0):
            return high if following >= len(self.words) else low
        if before < 0:
            return low
        behind = (mark.spaces[1] and not mark.spaces[0]) or self._source_ends[before] == mark.start
        word = self._looking_at(before if behind else following, low, high)
        if word is None:
            return low + (high - low) * mark.start // max(1, len(self.source))
        return self._ends[word] if behind else self._starts[word]

    def _looking_at(self, source_word: int, low: int, high: int) -> int | None:
        best, weight = None, 0.05
        for word, row in enumerate(self.links):
            if row[source_word] > weight and low <= self._starts[word] and self._ends[word] <= high:
                best, weight = word, row[source_word]
        return best


def _outside(place: int, taken: Sequence[tuple[int, int]], forward: bool = False) -> int:
    """Not inside a pair that it was not in."""
    for start, end in sorted(taken):
        if start < place < end:
            return end if forward or place - start > end - place else start
    return place


def _best_run(gains: Sequence[float | None]) -> tuple[int, int] | None:
    """First and last of the neighbours that gain most together; of none with a gain, the best single one."""
    best: tuple[float, int, int] | None = None
    total, start = 0.0, 0
    single: tuple[float, int] | None = None
    for index, gain in enumerate(gains):
        if gain is None:
            total, start = 0.0, index + 1
            continue
        if gain > -0.45 and (single is None or gain > single[0]):
            single = (gain, index)
        if total <= 0:
            total, start = 0.0, index
        total += gain
        if total > 0 and (best is None or total > best[0]):
            best = (total, start, index)
    if best:
        return best[1], best[2]
    return (single[1], single[1]) if single else None


def _rendered(
    target: str, low: int, high: int, placed: Sequence[_Placed], encode: Callable[[str], str]
) -> str:
    parts: list[str] = []
    position = low
    for one in sorted(placed, key=lambda one: (one.start, one.end)):
        parts.append(encode(target[position : one.start]))
        raw = one.mark.raw
        if one.mark.closing is not None:
            inner = _rendered(target, one.start, one.end, one.inner, encode)
            parts += (raw, inner, one.mark.closing)
        else:
            before, behind = one.mark.spaces
            if before and one.start > 0 and not target[one.start - 1].isspace():
                raw = f" {raw}"
            if behind and one.start < len(target) and not target[one.start].isspace():
                raw = f"{raw} "
            parts.append(raw)
        position = one.end
    parts.append(encode(target[position:high]))
    return "".join(parts)


def _depth(marks: Sequence[Mark]) -> int:
    depth, level = 0, list(marks)
    while level and depth <= _DEEPEST:
        depth += 1
        level = [child for mark in level for child in mark.children]
    return depth


def _flat(marks: Sequence[Mark]) -> list[Mark]:
    """Pairs as two single marks, in order."""
    found: list[Mark] = []
    stack: list[Mark | str | tuple[int, str]] = list(reversed(marks))
    while stack:
        mark = stack.pop()
        if isinstance(mark, tuple):
            found.append(Mark(mark[0], mark[0], mark[1]))
        elif isinstance(mark, Mark):
            found.append(Mark(mark.start, mark.start, mark.raw))
            if mark.closing is not None:
                stack.append((mark.end, mark.closing))
                stack.extend(reversed(mark.children))
    return found


def _evenly(
    words: Sequence[tuple[int, int]], targets: Sequence[tuple[int, int]], marks: Sequence[Mark]
) -> list[_Placed]:
    """Each mark behind the same share of the words; never inside one, and none before the one before it."""
    starts, ends = [start for start, _ in words], {end for _, end in words}
    placed, least = [], 0
    for mark in marks:
        number = bisect_left(starts, mark.start) * len(targets) // max(1, len(words))
        if number and (mark.start in ends or number == len(targets)):
            least = max(least, targets[number - 1][1])
        elif targets:
            least = max(least, targets[number][0])
        placed.append(_Placed(least, least, mark, []))
    return placed
