"""One step: batches in, gradients and shown losses out; halves a batch that memory cannot hold.

    stepper = Stepper(model, teachers, corpora, base, config)
    gradients, shown = stepper.gradients([examples, more_examples])

Gradients of several batches, or of the halves of one, add up to exactly those of all their examples at
once: every position's loss is divided by the number of positions of the whole step.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data.errors import MedloopError, ModelError
from mt.config import TrainConfig
from mt.finetune_batches import Batch, collate
from mt.finetune_data import Corpus
from mt.finetune_losses import (
    Anchor,
    Targets,
    likeliest,
    mean_anchor,
    output_loss,
    r_drop_divergence,
)
from mt.finetune_mixture import Example
from mt.finetune_models import marian_of
from mt.finetune_parallel import ALONE, Team

log = logging.getLogger(__name__)

_NAMED = 20


class NotFinite(MedloopError):
    """A loss or gradient that is no number; names the pairs of the batch."""


@dataclass(slots=True)
class Sums:
    """A source's losses since the last report, unweighted."""

    cross_entropy: float = 0.0
    divergence: float = 0.0
    tokens: int = 0


@dataclass(slots=True)
class Stepper:
    model: Any
    teachers: Sequence[Any]
    corpora: Sequence[Corpus]
    pad: int
    config: TrainConfig
    dtype: torch.dtype
    device: torch.device
    team: Team = ALONE
    sums: dict[int, Sums] = field(default_factory=dict)
    # What the frozen teachers said of an example, once they were asked: words and shares.
    memo: dict[Example, tuple[Any, Any]] = field(default_factory=dict)
    most_rows: int = 0

    def gradients(
        self, batches: Sequence[tuple[Example, ...]], parameters: Sequence[Tensor]
    ) -> tuple[list[Tensor], float, int]:
        """Gradients of the step, its loss, and its target tokens; of all processes together."""
        tokens = sum(self.corpora[e.corpus].target_length(e.pair) for batch in batches for e in batch)
        total: list[Tensor] | None = None
        loss = 0.0
        waiting = list(reversed(self.team.share(batches)))
        while waiting:
            examples = waiting.pop()
            found = self._attempt(examples, parameters, tokens)
            if found is None:
                middle = (len(examples) + 1) // 2
                waiting += [examples[middle:], examples[:middle]]
                continue
            loss += found[1]
            if total is None:
                total = found[0]
            else:
                torch._foreach_add_(total, found[0])
        gradients = total or []
        return gradients, self.team.add(gradients, loss), tokens

    def _attempt(
        self, examples: tuple[Example, ...], parameters: Sequence[Tensor], tokens: int
    ) -> tuple[list[Tensor], float] | None:
        """None when memory did not suffice, or is known not to."""
        if self.most_rows and len(examples) > self.most_rows:
            return None
        batch = collate(self.corpora, examples, self.pad, self._start(), self.device)
        try:
            loss = self._loss(batch, tokens)
            value = float(loss.detach())
            if not np.isfinite(value):
                raise NotFinite(f"the loss is {value}; {self.named(examples)}")
            gradients = list(torch.autograd.grad(loss, parameters, materialize_grads=True))
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            if len(examples) == 1:
                raise ModelError(
                    f"out of memory with a single pair ({self.named(examples)}); lower `longest`"
                ) from None
            self.most_rows = (len(examples) + 1) // 2
            log.warning("out of memory with %d pairs; going on with %d", len(examples), self.most_rows)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            return None
        return gradients, value

    def named(self, examples: Sequence[Example]) -> str:
        """The ids of a batch, for messages; never its text."""
        ids = [self.corpora[e.corpus].ids[e.pair] for e in examples]
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        return f"ids of the batch: {', '.join(ids[:_NAMED])}{more}"

    def _start(self) -> int:
        return int(marian_of(self.model).config.decoder_start_token_id)

    def _loss(self, batch: Batch, tokens: int) -> Tensor:
        marian = marian_of(self.model)
        states = self._states(self.model, batch)
        weight, bias = marian.lm_head.weight, marian.final_logits_bias[0]
        targets = self._targets(batch, tokens)
        loss, shown = output_loss(states, weight, bias, targets, self.pad, self.dtype)
        if self.config.r_drop:
            again = self._states(self.model, batch)
            second, _ = output_loss(again, weight, bias, targets, self.pad, self.dtype)
            apart = r_drop_divergence(states, again, weight, bias, self.dtype)
            loss = 0.5 * (loss + second) + self.config.r_drop * apart / tokens
        self._add(batch, shown.cross_entropy, shown.divergence)
        return loss

    def _states(self, model: Any, batch: Batch) -> Tensor:
        """The decoder's last states at real positions."""
        mixed = self.dtype != torch.float32
        with torch.autocast(self.device.type, self.dtype) if mixed else contextlib.nullcontext():
            found = marian_of(model).model(
                input_ids=batch.sources,
                attention_mask=batch.present.long(),
                decoder_input_ids=batch.prefix,
                use_cache=False,
            )
        states: Tensor = found.last_hidden_state[batch.used]
        return states

    def _targets(self, batch: Batch, tokens: int) -> Targets:
        sources = [corpus.source for corpus in self.corpora]

        def weights(values: list[float]) -> Tensor:
            return torch.tensor(values, device=self.device)[batch.origins] / tokens

        pull = weights([source.anchor for source in sources])
        return Targets(
            labels=batch.labels,
            cross_entropy=weights([source.cross_entropy for source in sources]),
            divergence=pull,
            anchor=self._anchor(batch) if self.teachers and bool(pull.any()) else None,
            smoothing=self.config.label_smoothing,
        )

    @torch.no_grad()
    def _anchor(self, batch: Batch) -> Anchor:
        pulled = [e for e in batch.examples if self.corpora[e.corpus].source.anchor]
        unknown = tuple(e for e in pulled if e not in self.memo)
        if unknown:
            self._ask(unknown)
        count = self.config.anchor_words
        lengths = [self.corpora[e.corpus].target_length(e.pair) for e in batch.examples]
        words = np.zeros((sum(lengths), count), np.int64)
        shares = np.zeros((sum(lengths), count), np.float32)
        at = 0
        for example, length in zip(batch.examples, lengths, strict=True):
            if example in self.memo:
                words[at : at + length], shares[at : at + length] = self.memo[example]
            else:
                words[at : at + length] = np.arange(count)
            at += length
        return Anchor(torch.from_numpy(words).to(self.device), torch.from_numpy(shares).to(self.device))

    def _ask(self, examples: tuple[Example, ...]) -> None:
        batch = collate(self.corpora, examples, self.pad, self._start(), self.device)
        count = self.config.anchor_words
        found = []
        for teacher in self.teachers:
            marian = marian_of(teacher)
            states = self._states(teacher, batch)
            found.append(
                likeliest(states, marian.lm_head.weight, marian.final_logits_bias[0], count, self.dtype)
            )
        anchor = mean_anchor(found, count)
        lengths = [self.corpora[e.corpus].target_length(e.pair) for e in examples]
        words = anchor.words.to("cpu", torch.int32).split(lengths)
        shares = anchor.shares.to("cpu", torch.float16).split(lengths)
        for example, word, share in zip(examples, words, shares, strict=True):
            self.memo[example] = word.numpy().copy(), share.numpy().copy()

    def _add(self, batch: Batch, cross_entropy: Tensor, divergence: Tensor) -> None:
        for number in sorted({e.corpus for e in batch.examples}):
            chosen = batch.origins == number
            sums = self.sums.setdefault(number, Sums())
            sums.cross_entropy += float(cross_entropy[chosen].sum())
            sums.divergence += float(divergence[chosen].sum())
            sums.tokens += int(chosen.sum())


def _out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return "can't allocate memory" in str(error) or "out of memory" in str(error).lower()
