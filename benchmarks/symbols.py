"""What becomes of signs that the starters' vocabularies lack: "<", "≥", "±", "µ", and those stuck to numbers.

    python benchmarks/symbols.py --data ../shared/data

For sentences of trials and articles that have such signs, with bare model input and with mt/symbols.py: BLEU,
chrF, and how many comparisons came out with the same sign before the same number.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import sacrebleu
from starter_quality import rows  # type: ignore[import-not-found]

from mt.config import DeviceConfig
from mt.engine import Engine
from mt.models import find_model
from mt.symbols import comparisons

FILES = ("rebec-train.en-pt.jsonl", "scielo-med.en-pt.jsonl")
LONGEST = 400


def right_signs(sources: Sequence[str], translations: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
    """By sign: how many there were, and how many came out before their number."""
    asked, right = Counter[str](), Counter[str]()
    for source, translation in zip(sources, translations, strict=True):
        found = Counter(comparisons(translation))
        for sign, digits in comparisons(source):
            if digits:
                asked[sign] += 1
                right[sign] += found[sign, digits] > 0
    return asked, right


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--segments", type=int, default=300)
    options = parser.parse_args()
    pairs = [row for name in FILES for row in rows(options.data / name)]
    for source, target in (("en", "pt"), ("pt", "en")):
        engine = Engine(find_model(source, target), DeviceConfig(bulk=True))
        side, other = ("src", "tgt") if source == "en" else ("tgt", "src")
        plain = engine.typography.plain
        part = [p for p in pairs if len(p[side]) < LONGEST and plain(p[side]) != p[side]][: options.segments]
        texts, references = [p[side] for p in part], [[p[other] for p in part]]
        systems = {
            "as it is": [found[0].text for found in next(engine.translate_stream([texts]))],
            "said in words": engine.translate(texts),
        }
        print(f"\n{source}-{target}, {len(part)} segments with such signs")
        for name, out in systems.items():
            asked, right = right_signs(texts, out)
            signs = ", ".join(f"{sign} {right[sign]}/{count}" for sign, count in asked.most_common(4))
            scores = (
                sacrebleu.corpus_bleu(out, references).score,
                sacrebleu.corpus_chrf(out, references).score,
            )
            share = 100 * right.total() / max(1, asked.total())
            print(f"{name}: BLEU {scores[0]:.2f}, chrF {scores[1]:.2f}, signs right {share:.1f} % ({signs})")


if __name__ == "__main__":
    main()
