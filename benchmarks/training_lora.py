"""LoRA beside full fine-tuning: the same pairs and target tokens, dev scores and seconds of both.

    python benchmarks/medical.py prepare --work artifacts/medical
    python benchmarks/training_lora.py --data artifacts/medical/en-pt --out artifacts/lora --json lora.json

In: the folder that `medical.py prepare` writes (`trials.jsonl`, `articles.jsonl`, `dev.*.jsonl`). Each
finished model is loaded again and converted with its parity check; LoRA is merged into the weights.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mt.config import ConvertConfig, LoraConfig, TrainConfig
from mt.convert import convert
from mt.finetune import finetune
from mt.finetune_mixture import Mixture, Source
from mt.finetune_progress import plain_lines
from mt.parity import ParityError

# LoRA takes larger steps: few numbers move, from zero.
RATES = {"full": 6e-5, "lora": 6e-4}


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    import sacrebleu

    return {
        "chrF": sacrebleu.corpus_chrf(list(translations), [list(references)]).score,
        "BLEU": sacrebleu.corpus_bleu(list(translations), [list(references)]).score,
    }


def trained(kind: str, arguments: argparse.Namespace) -> dict[str, Any]:
    config = TrainConfig(
        source="en",
        target="pt",
        max_tokens=arguments.tokens,
        batch_tokens=2000,
        learning_rate=RATES[kind],
        ema_decay=0.99,
        evaluations=1,
        dev_segments=arguments.segments,
        threads=arguments.threads,
        lora=LoraConfig(rank=16) if kind == "lora" else None,
    )
    mixture = Mixture(
        tuple(Source(name, arguments.data / f"{name}.jsonl") for name in ("trials", "articles"))
    )
    dev = {path.name.split(".")[1]: path for path in sorted(arguments.data.glob("dev.*.jsonl"))}
    worked = time.process_time()
    done = finetune(arguments.model, mixture, dev, arguments.out / kind, config, scores, plain_lines(print))
    worked = time.process_time() - worked
    names = sorted(name for name in done.scores if name.endswith("/BLEU"))
    return {
        "steps": done.steps,
        "tokens": done.tokens,
        "seconds of training": round(done.seconds),
        "CPU seconds with scoring": round(worked),
        "dev": {name: [round(done.base_scores[name], 2), round(done.scores[name], 2)] for name in names},
        **converted(done.folder, arguments.out / f"{kind}-int8", dev["trials"], arguments.segments),
    }


def converted(checkpoint: Path, out: Path, dev: Path, segments: int) -> dict[str, Any]:
    try:
        parity = convert(
            checkpoint, out, ConvertConfig(least_segments=min(200, segments)), dev, scores
        ).parity
    except ParityError as error:
        return {"conversion refused": str(error).split(": ", 1)[1].split(";")[0]}
    return {
        "like transformers": parity.identical,
        "int8 loses": {name: round(value, 2) for name, value in parity.losses.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("mt/starter/models/en-pt"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=150_000)
    parser.add_argument("--segments", type=int, default=200, help="of each dev set")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=sorted(RATES), default=sorted(RATES))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    report = {kind: trained(kind, arguments) for kind in arguments.kinds}
    print(json.dumps(report, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
