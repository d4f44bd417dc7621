"""From the starter to a medical model: the ablation behind docs/results.md, and the recipe of the best one.

    python benchmarks/medical.py prepare --data ../shared/data --work artifacts/medical --direction en-pt
    python benchmarks/medical.py train   --work artifacts/medical --direction en-pt --variant anchor
    python benchmarks/medical.py blend   --work artifacts/medical --direction en-pt --variant anchor
    python benchmarks/medical.py report  --work artifacts/medical --direction en-pt

`prepare` splits by document, leaves out what is like a test or dev segment, and writes the sources:

- `trials`, `articles`: real pairs (ReBEC, SciELO);
- `chosen`: the same source sentences, with that one of the starter's own n best translations that is nearest
  to the reference: in the domain's words, yet in the model's own hand;
- `back`: Portuguese abstracts, translated back by the reverse starter;
- `synthetic`: what benchmarks/synthetic_gain.py made around terms, put there by hand;
- `replay`: general sentences with the starter's own translation, learnt by divergence from the starter alone.

`choose` makes `chosen`, the slowest of them. Each variant adds a source. `blend` goes back some of the way
to the starter, as far as dev says, as `blend` in a TrainConfig does. Decisions are made on dev; `report`
scores the variants on the test parts.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starter_quality import held_out, rows  # type: ignore[import-not-found]

from data.dedup import NearIndex
from data.jsonl import write_jsonl
from data.segments import Segment
from mt.config import DecodeConfig, TrainConfig
from mt.finetune import finetune
from mt.finetune_mixture import Mixture, Source

STARTERS = Path(__file__).parent.parent / "mt" / "starter" / "models"
DEV, TEST = 300, 500
NEAR = 0.7
REPLAY = 12_000
BEST_OF = 6

# The others show what their sources do, without the moving average.
AVERAGED = ("averaged", "anchor", "chosen", "mixed")
SHARES = (0.3, 0.5, 0.7, 1.0)

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Length:
    tokens: int
    minutes: float


def prepare(data: Path, work: Path, direction: str) -> None:
    target = direction.split("-")[1]
    trials, articles = rows(data / "rebec-train.en-pt.jsonl"), rows(data / "scielo-med.en-pt.jsonl")
    reserved = {row["id"] for row in held_out(trials)}
    rest = sorted((row for row in trials if row["id"] not in reserved), key=lambda row: digest(document(row)))
    articles.sort(key=lambda row: digest(row["id"]))
    parts = {
        "test.trials": held_out(trials)[:1000],
        "test.articles": articles[:TEST],
        "test.covid": rows(data / "tico19-dev.en-pt.jsonl")[DEV:],
        "test.general": rows(data / "general-dev.en-pt.jsonl")[200:],
        "dev.trials": rest[:DEV],
        "dev.articles": articles[TEST : TEST + DEV],
        "dev.covid": rows(data / "tico19-dev.en-pt.jsonl")[:DEV],
        "dev.general": rows(data / "general-dev.en-pt.jsonl")[:200],
    }
    dev_trials = {document(row) for row in parts["dev.trials"]}
    kept_apart = [row for name, part in parts.items() for row in part]
    real = {
        "trials": [row for row in rest if document(row) not in dev_trials],
        "articles": articles[TEST + DEV :],
    }
    work.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        write_jsonl(work / f"{name}.jsonl", turned(part, direction))
    index = index_of(kept_apart)
    for name, part in real.items():
        clean = [row for row in part if not seen(row, index) and sane(row)]
        print(f"{name}: {len(part)} pairs, {len(clean)} of them unlike dev and test and of sane lengths")
        real[name] = clean
        write_jsonl(work / f"{name}.jsonl", turned(clean, direction))
    write_jsonl(work / "replay.jsonl", replay(data, direction))
    if target == "pt":
        write_jsonl(work / "back.jsonl", back(data, index))


def choose(work: Path, direction: str) -> None:
    pairs = [row for name in ("trials", "articles") for row in rows(work / f"{name}.jsonl")]
    write_jsonl(work / "chosen.jsonl", chosen(pairs, direction))


def document(row: Row) -> str:
    return str(row["id"].split(":")[1])


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def turned(part: Iterable[Row], direction: str) -> list[Row]:
    if direction == "en-pt":
        return list(part)
    swap = {"src": "tgt", "tgt": "src", "src_lang": "tgt_lang", "tgt_lang": "src_lang"}
    return [{swap.get(key, key): value for key, value in row.items()} for row in part]


def index_of(part: Sequence[Row]) -> dict[str, NearIndex]:
    sides = {side: NearIndex(NEAR) for side in ("src", "tgt")}
    for side, index in sides.items():
        for row in part:
            index.add(Segment(row["id"], row[side]))
    return sides


def seen(row: Row, index: Mapping[str, NearIndex]) -> bool:
    return any(side.find(Segment(row["id"], row[name])) for name, side in index.items())


def sane(row: Row) -> bool:
    long, short = max(len(row["src"]), len(row["tgt"])), min(len(row["src"]), len(row["tgt"]))
    return short >= 8 and long <= 2 * short + 20 and row["src"] != row["tgt"]


def engine(direction: str) -> Any:
    from mt.config import DeviceConfig
    from mt.engine import Engine
    from mt.models import find_model

    source, target = direction.split("-")
    return Engine(find_model(source, target, str(STARTERS / direction)), DeviceConfig(bulk=True))


def chosen(pairs: Sequence[Row], direction: str) -> list[Row]:
    """The candidate nearest to the reference by sentence chrF."""
    from sacrebleu.metrics.chrf import CHRF

    chrf = CHRF()
    translator = engine(direction)
    decode = DecodeConfig(beam_size=BEST_OF, n_best=BEST_OF)
    found = []
    for start in range(0, len(pairs), 512):
        part = pairs[start : start + 512]
        fitting = translator.fits([row["src"] for row in part])
        part = [row for row, fits in zip(part, fitting, strict=True) if fits]
        for row, candidates in zip(
            part, translator.candidates([r["src"] for r in part], decode), strict=True
        ):
            best = max(candidates, key=lambda c: chrf.sentence_score(c.text, [row["tgt"]]).score)
            found.append(row | {"id": f"chosen:{row['id']}", "tgt": best.text, "origin": "chosen"})
        print(f"chosen {start + len(part)} of {len(pairs)}", flush=True)
    return found


def replay(data: Path, direction: str) -> list[Row]:
    import gzip

    source, target = direction.split("-")
    with gzip.open(data / f"general-mono.{source}.txt.gz", "rt", encoding="utf-8") as stream:
        lines = [line.strip() for line in stream if 20 <= len(line) <= 400]
    picked = random.Random(1).sample(lines, REPLAY)
    return [
        {"id": f"replay:{i}", "src": text, "tgt": out, "src_lang": source, "tgt_lang": target}
        for i, (text, out) in enumerate(zip(picked, engine(direction).translate(picked), strict=True))
        if out
    ]


def back(data: Path, index: Mapping[str, NearIndex]) -> list[Row]:
    texts = [row["text"] for row in rows(data / "scielo-mono.pt.jsonl")]
    out = engine("pt-en").translate(texts, DecodeConfig(beam_size=4))
    made = [
        {"id": f"back:{i}", "src": english, "tgt": text, "src_lang": "en", "tgt_lang": "pt"}
        for i, (text, english) in enumerate(zip(texts, out, strict=True))
        if english
    ]
    return [row for row in made if not seen(row, index) and sane(row)]


def variants(work: Path) -> dict[str, tuple[Source, ...]]:
    def source(name: str, weight: float, **more: float) -> Source:
        return Source(name, work / f"{name}.jsonl", weight, **more)  # type: ignore[arg-type]

    real = (source("trials", 4), source("articles", 4))
    back, synthetic = (*real, source("back", 1)), (*real, source("back", 1), source("synthetic", 1))
    replayed = source("replay", 2, cross_entropy=0.0, anchor=1.0)
    made = {
        "real": real,
        "back": back,
        "synthetic": synthetic,
        "replay": (*synthetic, replayed),
        "averaged": (*synthetic, replayed),
        "anchor": (source("trials", 4, anchor=0.3), source("articles", 4, anchor=0.3), replayed),
        "chosen": (source("chosen", 7, anchor=0.2), source("replay", 3, cross_entropy=0.0, anchor=1.0)),
        "mixed": (source("trials", 3, anchor=0.3), source("chosen", 5, anchor=0.2), replayed),
    }
    there = {path.stem for path in work.glob("*.jsonl")}
    return {name: found for name, found in made.items() if {one.name for one in found} <= there}


def train(work: Path, direction: str, variant: str, length: Length, rate: float, threads: int) -> None:
    out = work / "runs" / variant
    config = settings(direction, variant, length, rate, threads)
    started = time.monotonic()
    done = finetune(
        STARTERS / direction,
        Mixture(variants(work)[variant]),
        dev_files(work),
        out,
        config,
        scores,
        log_line,
    )
    row = {"variant": variant, "minutes": round((time.monotonic() - started) / 60, 1), "tokens": done.tokens}
    print(json.dumps(row | {"base": done.base_scores, "dev": done.scores}, default=dict))


def settings(direction: str, variant: str, length: Length, rate: float, threads: int) -> TrainConfig:
    source, target = direction.split("-")
    return TrainConfig(
        source=source,
        target=target,
        learning_rate=rate,
        epochs=4,
        max_tokens=length.tokens,
        max_minutes=length.minutes,
        batch_tokens=2500,
        ema_decay=0.995 if variant in AVERAGED else 0.0,
        warmup=0.15,
        freeze=("embeddings",),
        longest=160,
        evaluations=3,
        patience=0,
        dev_segments=DEV,
        threads=threads,
    )


def dev_files(work: Path) -> dict[str, Path]:
    return {path.name.split(".")[1]: path for path in sorted(work.glob("dev.*.jsonl"))}


def blend(work: Path, direction: str, variant: str, threads: int) -> None:
    """A finished variant, back on the line to the starter: what is best on dev becomes VARIANT+blend."""
    from mt.finetune_blend import State, blended
    from mt.finetune_models import load_base, load_marian, save
    from mt.finetune_scoring import DevSets

    config = settings(direction, variant, Length(1, 0), 1e-5, threads)
    base = load_base(STARTERS / direction)
    model = load_marian(work / "runs" / variant)
    dev = DevSets.read(dev_files(work), base, config, scores)

    def score(state: State) -> dict[str, float]:
        found = dev.score(model, state)
        print(json.dumps(found), flush=True)
        return found

    tuned = {name: parameter.detach() for name, parameter in model.named_parameters()}
    best = blended(base.folder, tuned, score(tuned), SHARES, score, config.dev_metric)
    save(model, base, work / "runs" / f"{variant}+blend", config.weights, best.state)
    print(json.dumps({"variant": f"{variant}+blend", "share": best.share, "dev": best.scores}))


def log_line(progress: Any) -> None:
    shown = {k: v for k, v in dataclasses.asdict(progress).items() if v}
    print(json.dumps(shown, default=str), flush=True)


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    import sacrebleu

    return {
        "chrF": sacrebleu.corpus_chrf(list(translations), [list(references)]).score,
        "BLEU": sacrebleu.corpus_bleu(list(translations), [list(references)]).score,
    }


def report(work: Path, direction: str) -> None:
    """All finished variants and the starter on the test parts, int8 and greedy, with paired bootstrap."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.significance import PairedTest

    from mt.engine import Engine
    from mt.models import find_model
    from mt.starter.graft import convert_int8

    source, target = direction.split("-")
    systems = {"starter": engine(direction)}
    for folder in sorted((work / "runs").glob("*/model.safetensors")):
        if not (folder.parent / "ct2" / "model.bin").exists():
            convert_int8(folder.parent)
        systems[folder.parent.name] = Engine(find_model(source, target, str(folder.parent / "ct2")))
    for path in sorted(work.glob("test.*.jsonl")):
        part = rows(path)
        outputs = {name: system.translate([r["src"] for r in part]) for name, system in systems.items()}
        references = [r["tgt"] for r in part]
        metrics: dict[str, Any] = {
            "BLEU": BLEU(references=[references]), "chrF": CHRF(references=[references])
        }  # fmt: skip
        _, found = PairedTest(
            list(outputs.items()), metrics, references=None, test_type="bs", n_samples=1000
        )()
        names = list(found)[1:]
        print(f"\n{path.name} ({len(part)} segments)\n\n| system | BLEU | p | chrF | p |")
        print("|---|---:|---:|---:|---:|")
        for i, system in enumerate(outputs):
            cells = []
            for name in names:
                value: Any = found[name][i]
                cells += [f"{value.score:.2f}", "" if value.p_value is None else f"{value.p_value:.3f}"]
            print(f"| {system} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=["prepare", "choose", "train", "blend", "report"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("artifacts/medical"))
    parser.add_argument("--direction", choices=["en-pt", "pt-en"], default="en-pt")
    parser.add_argument("--variant", default="anchor")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so many; 0: no limit")
    parser.add_argument("--tokens", type=int, default=0, help="target tokens; 0: four rounds of the data")
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    work = options.work / options.direction
    if options.step == "prepare":
        prepare(options.data, work, options.direction)
    elif options.step == "choose":
        choose(work, options.direction)
    elif options.step == "train":
        length = Length(options.tokens, options.minutes)
        train(work, options.direction, options.variant, length, options.rate, options.threads)
    elif options.step == "blend":
        blend(work, options.direction, options.variant, options.threads)
    else:
        report(work, options.direction)


if __name__ == "__main__":
    main()
