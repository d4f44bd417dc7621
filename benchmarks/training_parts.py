"""What each part of the training speed brings: `finetune`'s step with one part at a time done the plain way.

    python benchmarks/training_parts.py --data ../shared/data --json parts.json

The variants take turns in one run, on the same pairs, with the same sum of target tokens a batch on average.
`--compile` has torch.compile beside the step as it is, and says how long its first steps took. `--profile`
prints where the time of a step goes.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import statistics
import time
from collections.abc import Iterator

import training  # type: ignore[import-not-found]
from torch import Tensor

from mt.config import TrainConfig
from mt.finetune_batches import Batch
from mt.finetune_data import Corpus
from mt.finetune_mixture import Example
from mt.finetune_models import Base, load_base, marian_of
from mt.finetune_step import Stepper


class Variant(training.Ours):  # type: ignore[misc]
    def __init__(
        self, name: str, base: Base, corpora: list[Corpus], config: TrainConfig, rows: int = 0
    ) -> None:
        self.name, self.rows = name, rows
        super().__init__(base, corpora, config)

    def batches(self, corpora: list[Corpus], config: TrainConfig) -> Iterator[tuple[Example, ...]]:
        """With `rows`: so many pairs a batch, whatever their lengths."""
        if not self.rows:
            drawn: Iterator[tuple[Example, ...]] = super().batches(corpora, config)
            return drawn
        order = random.Random(1).sample(range(len(corpora[0])), len(corpora[0]))
        examples = (Example(0, pair) for pair in itertools.cycle(order))
        return iter(lambda: tuple(itertools.islice(examples, self.rows)), ())


class PlainLoss(Stepper):
    """transformers' own loss, over all positions and words at once."""

    def _loss(self, batch: Batch, tokens: int) -> Tensor:
        import torch

        marian = marian_of(self.model)
        labels = torch.full_like(batch.prefix, -100)
        labels[batch.used] = batch.labels
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            found = marian(
                input_ids=batch.sources,
                attention_mask=batch.present.long(),
                decoder_input_ids=batch.prefix,
                labels=labels,
                use_cache=False,
            )
        loss: Tensor = found.loss
        return loss


def variants(base: Base, corpora: list[Corpus], config: TrainConfig, rows: int) -> list[Variant]:
    plain_loss = Variant("transformers' loss", base, corpora, config)
    plain_loss.stepper = _as(PlainLoss, plain_loss.stepper)
    attention = Variant("fused attention", base, corpora, config)
    attention.model.set_attn_implementation("sdpa")
    return [
        Variant("as it is", base, corpora, config),
        plain_loss,
        Variant("lengths mixed", base, corpora, config, rows),
        attention,
        Variant("float32", base, corpora, dataclasses.replace(config, precision="float32")),
        Variant("frozen embeddings", base, corpora, dataclasses.replace(config, freeze=("embeddings",))),
        Variant(
            "frozen embeddings, encoder",
            base,
            corpora,
            dataclasses.replace(config, freeze=("embeddings", "encoder")),
        ),
    ]


def _as(kind: type[Stepper], stepper: Stepper) -> Stepper:
    return kind(**{field.name: getattr(stepper, field.name) for field in dataclasses.fields(Stepper)})


def compiled(base: Base, corpora: list[Corpus], config: TrainConfig) -> Variant:
    variant = Variant("torch.compile", base, corpora, config)
    inner = marian_of(variant.model).model
    for layer in [*inner.encoder.layers, *inner.decoder.layers]:
        layer.compile(dynamic=True)
    return variant


def profile(variant: Variant, steps: int) -> None:
    import torch

    variant.steps(2)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        tokens, seconds = variant.steps(steps)
    print(f"{variant.name}: {tokens} tokens in {seconds:.1f} s")
    print(
        profiler.key_averages().table(sort_by="self_cpu_time_total", row_limit=24, max_name_column_width=48)
    )


def main() -> None:
    parser = training.options((__doc__ or "").splitlines()[0])
    parser.add_argument("--compile", action="store_true", help="torch.compile and the step as it is, alone")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    config = TrainConfig(source="en", target="pt", batch_tokens=arguments.tokens, dropout=0.0)
    base = load_base(arguments.model)
    train, _ = training.corpora(arguments.data, base, config)
    if arguments.profile:
        profile(Variant("as it is", base, [train], config), arguments.steps)
        return
    warm = 0.0
    if not arguments.compile:
        systems = variants(base, [train], config, training.rows_like(train, arguments.tokens))
    else:
        systems = [Variant("as it is", base, [train], config), compiled(base, [train], config)]
        start = time.perf_counter()
        systems[-1].steps(2)
        warm = time.perf_counter() - start
    found = training.in_turns(systems, arguments.turns, arguments.steps)
    medians = {
        name: [statistics.median(own[kind]) for kind in ("rates", "work")] for name, own in found.items()
    }
    first = medians["as it is"][1]
    report = {
        "precision": training.precision(),
        "threads": arguments.threads,
        "seconds of the first compiled steps": round(warm, 1),
        "target tokens/s, a CPU second, times the step as it is by the latter": {
            name: [round(rate, 1), round(work, 1), round(work / first, 2)]
            for name, (rate, work) in medians.items()
        },
    }
    print(json.dumps(report, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
