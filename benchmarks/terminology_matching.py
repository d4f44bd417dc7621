"""How fast a termbase loads and matches, and whether that depends on its size.

    python -m benchmarks.terminology_matching --data ../shared/data
    python -m benchmarks.terminology_matching --tbx 200                 a TBX of so many MB instead

Terms are n-grams of one to four words from medical English, padded with made-up ones to 100,000; the text is
2 MB of clinical English, matched twice: with every word new, and again. One process, one thread; seconds are
those of the processor, so a busy machine hardly counts.

Bars: 100,000 terms loaded and built in 5 s at most; 1 MB/s at least, whatever the number of terms.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.path[0] == str(Path(__file__).parent):  # run by its path, it would find terminology.py beside it first
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import csv
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable

from terminology.files import load_termbase
from terminology.formats.tbx import read_tbx
from terminology.inflection import word_keys
from terminology.matching import TermMatcher
from terminology.tokens import TOKEN

TEXTS = ("scielo-med.en-pt.jsonl", "rebec-train.en-pt.jsonl", "tico19-dev.en-pt.jsonl")
SIZES = (100, 10_000, 100_000)
TEXT_BYTES = 2_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--tbx", type=int, default=0, help="MB; writes such a file and reads it, no more")
    arguments = parser.parse_args()
    if arguments.tbx:
        with tempfile.TemporaryDirectory() as folder:
            measure_tbx(Path(folder) / "big.tbx", arguments.tbx * 1_000_000)
        return
    segments = english(arguments.data)
    text = take(segments, TEXT_BYTES)
    terms = some_terms(segments, max(SIZES))
    print(f"text: {sum(map(len, text)):,} characters in {len(text):,} segments")
    print(f"{'terms':>8} {'load s':>7} {'build s':>8} {'MB/s':>6} {'again':>6} {'matches':>8} {'peak MB':>8}")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder) / "terms.csv", terms[:size], text)


def measure_tbx(path: Path, size: int) -> None:
    """Three languages, of which two are read; half of each entry is a note, as in real ones."""
    entry = (
        '<conceptEntry id="c{0}"><descrip type="subjectField">medicine</descrip><langSec xml:lang="en">'
        '<termSec><term>term number {0}</term></termSec></langSec><langSec xml:lang="pt"><termSec>'
        '<term>termo número {0}</term><termNote type="administrativeStatus">preferredTerm-admn-sts</termNote>'
        '</termSec></langSec><langSec xml:lang="de"><termSec><term>Begriff {0}</term><note>{1}</note>'
        "</termSec></langSec></conceptEntry>\n"
    )
    written, number = 0, 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write('<tbx type="TBX-Basic" style="dca" xml:lang="en"><text><body>\n')
        while written < size:
            written += len(text := entry.format(number, "ausführlich " * 40)) + 40
            number += 1
            stream.write(text)
        stream.write("</body></text></tbx>\n")
    ways: tuple[tuple[str, Callable[[], int]], ...] = (
        ("streamed", lambda: sum(1 for _ in read_tbx(path, "en", "pt"))),
        ("loaded", lambda: len(load_termbase(path, "en", "pt").termbase.terms)),
    )
    for what, read in ways:
        before, start = peak_megabytes(), time.process_time()
        count = read()
        seconds = time.process_time() - start
        print(
            f"{path.stat().st_size / 1e6:.0f} MB of TBX {what}: {count:,} terms, {seconds:.1f} s, "
            f"{peak_megabytes() - before:.0f} MB more memory"
        )


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(path: Path, terms: list[tuple[str, str]], text: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("en", "pt"), *terms])
    word_keys("en").clear()  # what an earlier size has lemmatised must not count
    start = time.process_time()
    termbase = load_termbase(path, "en", "pt").termbase
    loaded = time.process_time()
    matcher = TermMatcher([termbase])
    built = time.process_time()
    matches = sum(len(matcher.find(segment)) for segment in text)
    matched = time.process_time()
    for segment in text:
        matcher.find(segment)
    end = time.process_time()
    megabytes = sum(len(segment.encode()) for segment in text) / 1e6
    peak = peak_megabytes()
    print(
        f"{len(terms):>8,} {loaded - start:>7.2f} {built - loaded:>8.2f} "
        f"{megabytes / (matched - built):>6.2f} {megabytes / (end - matched):>6.2f} "
        f"{matches:>8,} {peak:>8.0f}"
    )


def english(folder: Path) -> list[str]:
    return [
        json.loads(line)["src"]
        for name in TEXTS
        for line in (folder / name).read_text(encoding="utf-8").splitlines()
    ]


def take(segments: list[str], size: int) -> list[str]:
    taken, total = [], 0
    for segment in random.Random(1).sample(segments, len(segments)):
        taken.append(segment)
        total += len(segment.encode()) + 1
        if total >= size:
            break
    return taken


def some_terms(segments: list[str], count: int) -> list[tuple[str, str]]:
    """Distinct n-grams in random order, words of four letters at least at both ends."""
    dice = random.Random(2)
    found: dict[str, None] = {}
    for segment in dice.sample(segments, len(segments)):
        words = [word for word in TOKEN.findall(segment) if word.isalpha()]
        for _ in range(12):
            length = min(dice.choice((1, 2, 2, 3, 3, 4)), len(words))
            start = dice.randrange(max(len(words) - length, 0) + 1)
            gram = words[start : start + length]
            if gram and len(gram[0]) > 3 and len(gram[-1]) > 3:
                found[" ".join(gram)] = None
    terms = list(found)
    while len(terms) < count:
        terms.append(f"{dice.choice(terms)} {dice.choice(terms)}")
    return [(term, f"alvo {number}") for number, term in enumerate(terms[:count])]


if __name__ == "__main__":
    main()
