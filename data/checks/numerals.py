"""Numbers as a line writes them: digits, words, ordinals, Roman numerals, fractions.

In goes a Line; out come its Numbers in order. One written form may have several readings, the likeliest for
the language first:

>>> readings("1.500", "."), readings("1.500", ",")
((1.5, 1500.0), (1500.0, 1.5))
>>> [number.readings[0] for number in numbers_of(read("vinte e cinco dias, tipo II", table_for("pt")))]
[25.0, 2.0]
"""

from __future__ import annotations

import re
from functools import lru_cache

from data.checks.halves import articles, with_fractions, with_halves
from data.checks.reading import Line, read
from data.checks.spoken import spoken_numbers
from data.checks.tables import table_for
from data.checks.values import MAY, MUST, SWAP, Number, Reading

__all__ = ["MAY", "MUST", "SWAP", "Number", "numbers_of", "read", "readings", "table_for"]

_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{1,3}(?:,\d{3})+")
_ROMAN = re.compile(r"(?:X{0,3})(?:IX|IV|V?I{0,3})")
_SMALL = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 0.125}
_SPACES = (" ", "\u00a0", "\u202f", "\u2009")


@lru_cache(1 << 14)
def readings(written: str, decimal_mark: str) -> tuple[Reading, ...]:
    """The numbers that this string of digits, points and commas may mean; `decimal_mark` "" is unknown."""
    points, commas = written.count("."), written.count(",")
    if not points and not commas:
        return (float(written) if len(written) < 300 else written,)
    if points and commas:
        mark = "." if written.rfind(".") > written.rfind(",") else ","
        return (_decimal(written, mark),)
    mark = "." if points else ","
    if points + commas > 1:
        return (_whole(written),) if _GROUPED.fullmatch(written) else (written.replace(",", "."),)
    if not _GROUPED.fullmatch(written) or written[0] == "0":
        return (_decimal(written, mark),)
    both = (_decimal(written, mark), _whole(written))
    return both if mark == decimal_mark else both[::-1]


def _decimal(written: str, mark: str) -> Reading:
    whole, _, rest = written.rpartition(mark)
    digits = whole.replace(".", "").replace(",", "")
    return round(float(f"{digits}.{rest}"), 9) if len(written) < 300 else written


def _whole(written: str) -> Reading:
    digits = written.replace(".", "").replace(",", "")
    return float(digits) if len(digits) < 300 else digits


def numbers_of(line: Line) -> list[Number]:
    """All numbers of the line, those in words put together, in order."""
    found = [_digits(line, i) for i in line.digits]
    words = line.marks
    if line.table is not None and (words["number_plain"] or words["number_ordinal"] or words["number_loose"]):
        found += spoken_numbers(line, line.table.number_joiners)
    found += _symbols(line)
    if line.table is not None:
        found += _romans(line)
    found += articles(line)
    found.sort(key=lambda number: number.first)
    if found:
        found = with_fractions(_fractions(_scaled(_spaced(found, line), line), line), line)
    return with_halves(found, line)


def _digits(line: Line, i: int) -> Number:
    table = line.table
    written = line.words[i]
    values = readings(written, table.decimal_mark if table else "")
    demand = SWAP if _in_a_name(line, i) else MUST
    return Number(values, demand, "digits", i, i + 1)


def _in_a_name(line: Line, i: int) -> bool:
    """COVID-19, CD4, H1N1: digits that a letter leads up to without a space."""
    if i == 0 or not line.touches(i - 1):
        return False
    before = line.words[i - 1]
    if before[0].isalpha():
        return before not in ("x", "q", "h")
    return before == "-" and i > 1 and line.words[i - 2][0].isalpha() and line.touches(i - 2)


def _symbols(line: Line) -> list[Number]:
    """½ and its like, alone or after a whole number (handled as a number of its own)."""
    if line.text.isascii():
        return []
    return [
        Number((_SMALL[word],), MUST, "digits", i, i + 1)
        for i, word in enumerate(line.written)
        if word in _SMALL
    ]


def _romans(line: Line) -> list[Number]:
    """II, III, VIII anywhere; I, V, X only after a word such as type, grade, stage."""
    table = line.table
    found: list[Number] = []
    if table is None:
        return found
    for i, word in enumerate(line.written):
        if word[0] not in "IVX" or not word.isupper() or len(word) > 6 or not _ROMAN.fullmatch(word):
            continue
        cued = i > 0 and line.words[i - 1] in table.roman_after
        if cued or word in ("II", "III", "VII", "VIII"):
            found.append(Number((_roman(word),), MUST if cued else SWAP, "roman", i, i + 1))
    return found


def _roman(word: str) -> float:
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in word]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return float(sum(-value if value < after else value for value, after in pairs))


def _spaced(found: list[Number], line: Line) -> list[Number]:
    """10 000: a whole number in groups of three may be one number; its parts are kept in case it is not."""
    joined: list[Number] = []
    for number in found:
        before = joined[-1] if joined else None
        if before is not None and _may_join(before, number, line):
            text = "".join(line.words[k] for part in (before.parts or (before,)) for k in [part.first])
            whole = float(text + line.words[number.first])
            parts = (*(before.parts or (before,)), number)
            joined[-1] = Number((whole,), MUST, "digits", before.first, number.last, parts)
        else:
            joined.append(number)
    return joined


def _may_join(before: Number, number: Number, line: Line) -> bool:
    if (
        number.form != "digits"
        or before.form != "digits"
        or before.last != number.first
        or len(before.parts) > 4
    ):
        return False
    head, tail = line.words[before.first], line.words[number.first]
    if len(tail) != 3 or not tail.isdigit() or not head.isdigit() or len(head) > 3:
        return False
    return line.text[line.spans[before.last - 1][1] : line.spans[number.first][0]] in _SPACES


def _scaled(found: list[Number], line: Line) -> list[Number]:
    """2.5 million, 3 mil, 2 mil millones: digits times the scale word that follows."""
    result: list[Number] = []
    for number in found:
        before = result[-1] if result else None
        value = number.readings[0]
        if (
            before is not None
            and before.last == number.first
            and before.form == "digits"
            and number.form == "words"
            and isinstance(value, float)
            and value >= 100
            and line.marks["number_plain"]
        ):
            scaled = tuple(r * value if isinstance(r, float) else r for r in before.readings)
            result[-1] = Number(scaled, MUST, "digits", before.first, number.last)
        else:
            result.append(number)
    return result


def _fractions(found: list[Number], line: Line) -> list[Number]:
    """1/2, 3/4 and 2½, each with its parts in case the other side reads two numbers in it."""
    result: list[Number] = []
    for number in found:
        before = result[-1] if result else None
        value = _fraction(before, number, line) if before is not None else None
        if before is not None and value is not None:
            result[-1] = Number((value,), MUST, "digits", before.first, number.last, (before, number))
        else:
            result.append(number)
    return result


def _fraction(before: Number, number: Number, line: Line) -> float | None:
    one, two = before.value, number.value
    if before.form != "digits" or before.parts or not isinstance(one, float) or not isinstance(two, float):
        return None
    if number.first == before.last and line.written[number.first] in _SMALL:
        return one + two
    slashed = number.first == before.last + 1 and line.words[before.last] == "/"
    if slashed and number.form == "digits" and 1 <= one < two <= 10 and two.is_integer() and one.is_integer():
        after = line.words[number.last] if number.last < len(line.words) else ""
        return None if after in ("/", "h") else round(one / two, 9)
    return None
