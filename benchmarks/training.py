"""Training speed of `finetune`'s steps beside a plain `Seq2SeqTrainer`, in turns in one run.

    python benchmarks/training.py --model mt/starter/models/en-pt --data ../shared/data --json training.json

Same model, same pairs, same precision (bf16 where the hardware has it), same sum of target tokens a batch on
average, AdamW with the same rate, no dropout. What counts is real target tokens a second: padding is no work
done. The trainer gets its best plain form: dynamic padding. With `--grouped` it also sorts by length
(`group_by_length`), which a user may know to switch on. Both report the mean cross-entropy of the same
held-out pairs before and after, and of the steps between. On a busy machine look at tokens per CPU second.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.jsonl import read_pairs, write_pairs
from mt.config import TrainConfig
from mt.finetune import _stepper
from mt.finetune_data import Corpus, read_corpora
from mt.finetune_mixture import Example, Mixture, Source, batches
from mt.finetune_models import Base, load_base

RATE = 2e-5
HELD = 96


class Ours:
    """The stepper, the batches and the optimiser that `finetune` uses."""

    name = "medloop"

    def __init__(self, base: Base, corpora: list[Corpus], config: TrainConfig) -> None:
        import torch

        self.stepper = _stepper(base, corpora, config)
        self.parameters = [p for p in self.stepper.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=RATE, betas=(0.9, 0.98), fused=True)
        self.corpora = corpora
        self.stream = batches(corpora, 10**7, config.batch_tokens, 1)
        self.losses: list[tuple[float, int]] = []

    def steps(self, count: int) -> int:
        import torch

        done = 0
        for batch in itertools.islice(self.stream, count):
            gradients, loss, tokens = self.stepper.gradients([batch], self.parameters)
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
            self.losses.append((loss, tokens))
            done += tokens
        return done

    @property
    def model(self) -> Any:
        return self.stepper.model


class Plain:
    """transformers' trainer, asked for a few steps at a time."""

    def __init__(self, base: Base, corpus: Corpus, rows: int, config: TrainConfig, grouped: bool) -> None:
        import torch
        import transformers

        from mt.finetune_models import trainable

        self.name = "Seq2SeqTrainer, grouped" if grouped else "Seq2SeqTrainer"
        library: Any = transformers
        model: Any = trainable(base, config, "default")
        data = [
            {"input_ids": corpus.source_row(i).tolist(), "labels": corpus.target_row(i).tolist()}
            for i in range(len(corpus))
        ]
        self.tokens, self.model = 0, model
        self.losses: list[tuple[float, int]] = []
        plain = self
        bf16 = _bf16()

        def collate(features: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
            pad = base.pad
            wide, long = (max(len(f[key]) for f in features) for key in ("input_ids", "labels"))
            ids = torch.tensor([[*f["input_ids"], *[pad] * (wide - len(f["input_ids"]))] for f in features])
            labels = torch.tensor([[*f["labels"], *[-100] * (long - len(f["labels"]))] for f in features])
            return {"input_ids": ids, "attention_mask": (ids != pad).long(), "labels": labels}

        class Counted(library.Seq2SeqTrainer):  # type: ignore[misc]
            def training_step(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
                tokens = int((inputs["labels"] != -100).sum())
                loss = super().training_step(model, inputs, *rest, **more)
                plain.tokens += tokens
                plain.losses.append((float(loss), tokens))
                return loss

        folder = tempfile.mkdtemp(prefix="medloop-trainer-")
        self.make: Callable[[int], Any] = lambda steps: Counted(
            model=model,
            args=library.Seq2SeqTrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=rows,
                max_steps=steps,
                learning_rate=RATE,
                lr_scheduler_type="constant",
                adam_beta2=0.98,
                bf16=bf16,
                use_cpu=True,
                group_by_length=grouped,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                seed=1,
            ),
            train_dataset=data,
            data_collator=collate,
        )

    def steps(self, count: int) -> int:
        before = self.tokens
        self.make(count).train()
        return self.tokens - before


def _bf16() -> bool:
    import torch

    from mt.finetune import _dtype

    return bool(_dtype("auto", "cpu") == torch.bfloat16)


def held_loss(model: Any, base: Base, corpus: Corpus, config: TrainConfig) -> float:
    """Mean cross-entropy of held-out pairs in fp32, by the stepper, which a test holds to transformers'."""
    import torch

    from mt.finetune_step import Stepper

    stepper = Stepper(model, [], [corpus], base.pad, config, torch.float32, torch.device("cpu"))
    with torch.no_grad():
        total = tokens = 0.0
        for start in range(0, len(corpus), 16):
            some = tuple(Example(0, i) for i in range(start, min(start + 16, len(corpus))))
            count = sum(corpus.target_length(e.pair) for e in some)
            from mt.finetune_batches import collate

            loss = stepper._loss(collate([corpus], some, base.pad, stepper._start(), stepper.device), count)
            total, tokens = total + float(loss) * count, tokens + count
    return total / tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("mt/starter/models/en-pt"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--tokens", type=int, default=2000, help="padded target tokens a batch of ours")
    parser.add_argument("--steps", type=int, default=8, help="steps a turn")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--grouped", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    config = TrainConfig(source="en", target="pt", batch_tokens=arguments.tokens, dropout=0.0)
    base = load_base(arguments.model)
    with tempfile.TemporaryDirectory() as temporary:
        pairs = [
            pair
            for name in ("rebec-train", "scielo-med")
            for pair in itertools.islice(read_pairs(arguments.data / f"{name}.en-pt.jsonl"), 4000)
        ]
        paths = Path(temporary) / "train.jsonl", Path(temporary) / "held.jsonl"
        write_pairs(paths[0], pairs[HELD // 2 : -HELD // 2])
        write_pairs(paths[1], pairs[: HELD // 2] + pairs[-HELD // 2 :])
        train, held = (
            read_corpora(Mixture((Source(path.stem, path),)), base.vocabulary, config)[0] for path in paths
        )
    ours = Ours(base, [train], config)
    drawn = list(itertools.islice(batches([train], 10**7, arguments.tokens, 1), 200))
    mean_tokens = sum(train.target_length(e.pair) for b in drawn for e in b) / len(drawn)
    rows = max(1, round(mean_tokens / (train.target_tokens / len(train))))
    systems: list[Any] = [ours, Plain(base, train, rows, config, False)]
    if arguments.grouped:
        systems.append(Plain(base, train, rows, config, True))
    before = held_loss(ours.model, base, held, config)
    rates: dict[str, list[float]] = {system.name: [] for system in systems}
    work: dict[str, list[float]] = {system.name: [] for system in systems}
    for system in systems:
        system.steps(1)  # warm
    for turn in range(arguments.turns):
        for system in systems if turn % 2 == 0 else systems[::-1]:
            start, worked = time.perf_counter(), time.process_time()
            tokens = system.steps(arguments.steps)
            rates[system.name].append(tokens / (time.perf_counter() - start))
            work[system.name].append(tokens / (time.process_time() - worked))
            print(f"turn {turn + 1}  {system.name}  {rates[system.name][-1]:.0f} tokens/s", flush=True)
    report: dict[str, Any] = {
        "model": arguments.model.name,
        "precision": "bfloat16" if _bf16() else "float32",
        "threads": arguments.threads,
        "rows of the trainer": rows,
        "held-out loss before": round(before, 4),
        "load average": os.getloadavg()[0],
        "systems": {},
    }
    plain = statistics.median(rates["Seq2SeqTrainer"])
    plain_work = statistics.median(work["Seq2SeqTrainer"])
    for system in systems:
        rate = statistics.median(rates[system.name])
        tokens = sum(count for _, count in system.losses)
        report["systems"][system.name] = {
            "target tokens/s": round(rate, 1),
            "runs": [round(value, 1) for value in rates[system.name]],
            "times the trainer": round(rate / plain, 2),
            "target tokens per CPU second": round(statistics.median(work[system.name]), 1),
            "times the trainer, by CPU time": round(statistics.median(work[system.name]) / plain_work, 2),
            "tokens": tokens,
            "mean training loss": round(sum(loss * count for loss, count in system.losses) / tokens, 4),
            "held-out loss after": round(held_loss(system.model, base, held, config), 4),
        }
    print(json.dumps(report, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
