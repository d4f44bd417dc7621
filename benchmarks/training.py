"""Training speed of `finetune`'s steps beside a plain `Seq2SeqTrainer`, in turns in one run.

    python benchmarks/training.py --model mt/starter/models/en-pt --data ../shared/data --json training.json

Same model, same pairs, same precision (bf16 where the hardware has it), same sum of target tokens a batch on
average, AdamW with the same constant rate, no dropout. What counts is real target tokens a second: padding is
no work done. The trainer gets its best plain form: dynamic padding. With `--grouped` it also sorts by length
(`group_by_length`), which a user may know to switch on. Each system is one undisturbed run of training that
stops after each turn for the next one; after each turn it also reports the mean cross-entropy of the same
held-out pairs, so the loss curves can be laid side by side. What each part of the speed brings is measured by
`benchmarks/training_parts.py`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from data.jsonl import read_pairs, write_pairs
from mt.config import TrainConfig
from mt.finetune import _dtype, _stepper
from mt.finetune_batches import collate
from mt.finetune_data import Corpus, read_corpora
from mt.finetune_mixture import Example, Mixture, Source, batches
from mt.finetune_models import Base, load_base, trainable

# High enough for the loss to move in a minute.
RATE = 1e-4
HELD = 64


class Ours:
    """The stepper, the batches and the optimiser that `finetune` uses."""

    name = "medloop"

    def __init__(self, base: Base, corpora: list[Corpus], config: TrainConfig) -> None:
        import torch

        self.stepper = _stepper(base, corpora, config)
        self.parameters = [p for p in self.stepper.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=RATE, betas=(0.9, 0.98), fused=True)
        self.stream = self.batches(corpora, config)

    def batches(self, corpora: list[Corpus], config: TrainConfig) -> Iterator[tuple[Example, ...]]:
        return batches(corpora, 10**7, config.batch_tokens, 1)

    @property
    def model(self) -> Any:
        return self.stepper.model

    def steps(self, count: int) -> tuple[int, float]:
        """Target tokens and seconds."""
        import torch

        done, start = 0, time.perf_counter()
        for batch in itertools.islice(self.stream, count):
            gradients, _, tokens = self.stepper.gradients([batch], self.parameters)
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
            done += tokens
        return done, time.perf_counter() - start


class Plain:
    """transformers' trainer: one call of `train`, in a thread of its own that waits between turns."""

    def __init__(
        self, base: Base, corpus: Corpus, rows: int, config: TrainConfig, grouped: bool, total: int
    ) -> None:
        self.name = "Seq2SeqTrainer, grouped" if grouped else "Seq2SeqTrainer"
        self.model: Any = trainable(base, config, "default")  # transformers' own kind of attention
        self.tokens, self.steps_left, self.seconds = 0, 0, 0.0
        self.failed: BaseException | None = None
        self.go, self.done = threading.Semaphore(0), threading.Semaphore(0)
        self.trainer = self._trainer(base, corpus, rows, grouped, total)
        self.thread = threading.Thread(target=self._train, args=(config.threads,), daemon=True)

    def steps(self, count: int) -> tuple[int, float]:
        before = self.tokens
        self.steps_left = count
        if not self.thread.is_alive():
            self.thread.start()
        start = time.perf_counter()
        self.go.release()
        self.done.acquire()
        if self.failed:
            raise self.failed
        return self.tokens - before, time.perf_counter() - start

    def _train(self, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.go.acquire()
        try:
            self.trainer.train()
        except BaseException as error:
            self.failed = error
        self.done.release()

    def _step_ended(self) -> None:
        self.steps_left -= 1
        if not self.steps_left:
            self.done.release()
            self.go.acquire()

    def _trainer(self, base: Base, corpus: Corpus, rows: int, grouped: bool, total: int) -> Any:
        import torch
        import transformers

        library: Any = transformers
        plain = self

        def collated(features: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
            wide, long = (max(len(f[key]) for f in features) for key in ("input_ids", "labels"))
            ids = torch.tensor(
                [[*f["input_ids"], *[base.pad] * (wide - len(f["input_ids"]))] for f in features]
            )
            labels = torch.tensor([[*f["labels"], *[-100] * (long - len(f["labels"]))] for f in features])
            return {"input_ids": ids, "attention_mask": (ids != base.pad).long(), "labels": labels}

        class Counted(library.Seq2SeqTrainer):  # type: ignore[misc]
            def training_step(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
                plain.tokens += int((inputs["labels"] != -100).sum())
                return super().training_step(model, inputs, *rest, **more)

        class Turns(library.TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, *_: Any, **__: Any) -> None:
                plain._step_ended()

        return Counted(
            model=self.model,
            args=library.Seq2SeqTrainingArguments(
                output_dir=tempfile.mkdtemp(prefix="medloop-trainer-"),
                per_device_train_batch_size=rows,
                max_steps=total,
                learning_rate=RATE,
                lr_scheduler_type="constant",
                adam_beta2=0.98,
                bf16=precision() == "bfloat16",
                use_cpu=True,
                group_by_length=grouped,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                seed=1,
            ),
            train_dataset=[
                {"input_ids": corpus.source_row(i).tolist(), "labels": corpus.target_row(i).tolist()}
                for i in range(len(corpus))
            ],
            data_collator=collated,
            callbacks=[Turns()],
        )


def precision() -> str:
    return str(_dtype("auto", "cpu")).removeprefix("torch.")


def held_loss(model: Any, base: Base, corpus: Corpus, config: TrainConfig) -> float:
    """Mean cross-entropy of held-out pairs in fp32, by the stepper, which a test holds to transformers'."""
    import torch

    from mt.finetune_step import Stepper

    stepper = Stepper(model, [], [corpus], base.pad, config, torch.float32, torch.device("cpu"))
    total = tokens = 0.0
    with torch.no_grad():
        for start in range(0, len(corpus), 16):
            some = tuple(Example(0, i) for i in range(start, min(start + 16, len(corpus))))
            count = sum(corpus.target_length(e.pair) for e in some)
            loss = stepper._loss(collate([corpus], some, base.pad, stepper._start(), stepper.device), count)
            total, tokens = total + float(loss) * count, tokens + count
    return total / tokens


def corpora(data: Path, base: Base, config: TrainConfig) -> tuple[Corpus, Corpus]:
    """Trials and articles to train on, and a few of both held out."""
    with tempfile.TemporaryDirectory() as temporary:
        pairs = [
            pair
            for name in ("rebec-train", "scielo-med")
            for pair in itertools.islice(read_pairs(data / f"{name}.en-pt.jsonl"), 4000)
        ]
        paths = Path(temporary) / "train.jsonl", Path(temporary) / "held.jsonl"
        write_pairs(paths[0], pairs[HELD // 2 : -HELD // 2])
        write_pairs(paths[1], pairs[: HELD // 2] + pairs[-HELD // 2 :])
        train, held = (
            read_corpora(Mixture((Source(path.stem, path),)), base.vocabulary, config)[0] for path in paths
        )
    return train, held


def rows_like(train: Corpus, batch_tokens: int) -> int:
    """Rows of the trainer's batches, so that they hold as many real target tokens as ours on average."""
    drawn = list(itertools.islice(batches([train], 10**7, batch_tokens, 1), 200))
    mean_tokens = sum(train.target_length(e.pair) for b in drawn for e in b) / len(drawn)
    return max(1, round(mean_tokens / (train.target_tokens / len(train))))


def in_turns(
    systems: list[Any], turns: int, steps: int, after: Callable[[Any], float] | None = None
) -> dict[str, dict[str, list[float]]]:
    """Tokens a second and a CPU second of each turn, and what `after` says; first steps do not count."""
    found: dict[str, dict[str, list[float]]] = {}
    for system in systems:
        system.steps(2)
        found[system.name] = {"rates": [], "work": [], "tokens": [], "after": []}
    for turn in range(turns):
        for system in systems if turn % 2 == 0 else systems[::-1]:
            worked = time.process_time()
            tokens, seconds = system.steps(steps)
            own = found[system.name]
            own["work"].append(tokens / (time.process_time() - worked))
            own["rates"].append(tokens / seconds)
            own["tokens"].append(tokens)
            said = f"turn {turn + 1}  {system.name}  {tokens / seconds:.0f} tokens/s"
            if after is not None:
                own["after"].append(after(system.model))
                said += f"  held-out loss {own['after'][-1]:.4f}"
            print(said, flush=True)
    return found


def options(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, default=Path("mt/starter/models/en-pt"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--tokens", type=int, default=1200, help="padded target tokens a batch of ours")
    parser.add_argument("--steps", type=int, default=6, help="steps a turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    return parser


def main() -> None:
    parser = options((__doc__ or "").splitlines()[0])
    parser.add_argument("--grouped", action="store_true", help="also the trainer with group_by_length")
    arguments = parser.parse_args()
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    config = TrainConfig(
        source="en", target="pt", batch_tokens=arguments.tokens, dropout=0.0, threads=arguments.threads
    )
    base = load_base(arguments.model)
    train, held = corpora(arguments.data, base, config)
    rows, total = rows_like(train, arguments.tokens), 2 + arguments.turns * arguments.steps
    ours = Ours(base, [train], config)
    systems: list[Any] = [ours, Plain(base, train, rows, config, False, total + 1)]
    if arguments.grouped:
        systems.append(Plain(base, train, rows, config, True, total + 1))
    before = held_loss(ours.model, base, held, config)
    found = in_turns(
        systems, arguments.turns, arguments.steps, lambda model: held_loss(model, base, held, config)
    )
    plain = statistics.median(found["Seq2SeqTrainer"]["rates"])
    report = {
        "model": arguments.model.name,
        "precision": precision(),
        "threads": arguments.threads,
        "rows of the trainer": rows,
        "load average": os.getloadavg()[0],
        "held-out loss before": round(before, 4),
        "systems": {
            name: {
                "target tokens/s": round(statistics.median(own["rates"]), 1),
                "target tokens a CPU second": round(statistics.median(own["work"]), 1),
                "runs": [round(value, 1) for value in own["rates"]],
                "times the trainer": round(statistics.median(own["rates"]) / plain, 2),
                "target tokens after each turn": list(itertools.accumulate(own["tokens"])),
                "held-out loss after each turn": [round(value, 4) for value in own["after"]],
            }
            for name, own in found.items()
        },
    }
    print(json.dumps(report, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
