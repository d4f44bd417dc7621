"""How long an evaluation takes: the whole command, and the significance tests alone.

    .venv/bin/python benchmarks/evaluation.py

`medloop eval` with the starter model plain and with terms on the bundled test set, without COMET, as a
process of its own (medians of 3); then significance tests of three systems on 10,000 segments.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if sys.path[0] == str(Path(__file__).parent):
    sys.path[0] = str(Path(__file__).parent.parent)

import numpy as np

from eval.scores import Material, mean_score
from eval.significance import analyse
from eval.surface import Chrf
from eval.testsets import load_testset

GLOSSARY = "source,target\nsymptoms,sintomas\nsurveillance,vigilância\nhealth,saúde\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    whole = statistics.median(whole_command() for _ in range(runs))
    print(f"medloop eval, two systems, 200 segments, with report: {whole:.1f} s (median of {runs})")
    print(f"significance, 3 systems, mean of 10,000 segments, 1,000 resamples: {significance():.1f} s")
    seconds = significance_of_chrf()
    print(f"significance, 2 systems, chrF2++ of 10,000 segments, 1,000 resamples: {seconds:.1f} s")


def whole_command() -> float:
    with tempfile.TemporaryDirectory() as folder:
        glossary = Path(folder) / "terms.csv"
        glossary.write_text(GLOSSARY, encoding="utf-8")
        command = [
            str(Path(sys.executable).parent / "medloop"), "eval",
            "--systems", "plain@none=default", "terms@proper=default", "--glossary", str(glossary),
            "--testset", "bundled", "--comet", "no", "--output", f"{folder}/out",
        ]  # fmt: skip
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - start


def significance() -> float:
    rng = np.random.default_rng(1)
    ids = [str(number) for number in range(10_000)]
    table = {
        name: {"m": mean_score("m", list(rng.normal(50, 10, 10_000)), "m", ids)} for name in ("a", "b", "c")
    }
    start = time.perf_counter()
    analyse(table)
    return time.perf_counter() - start


def significance_of_chrf() -> float:
    references = tuple(pair.target for pair in load_testset("bundled").pairs) * 50
    ids = tuple(map(str, range(len(references))))
    table = {}
    for name, cut in (("a", 1), ("b", 2)):
        outputs = tuple(" ".join(text.split()[cut:]) for text in references)
        table[name] = {"m": Chrf().score(Material(references, outputs, references, ids, "en", "pt"))}
    start = time.perf_counter()
    analyse(table)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
