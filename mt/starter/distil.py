"""Teach the graft to think like its teacher: batches of (source, prefix) in, a trained MarianMT out.

    run = Distillation(teacher, graft, RunSettings())
    run.stage(Stage.CELLS, batches, tokens=1_000_000)     # attention alone imitates the recurrent cells
    run.stage(Stage.DECODER, batches, tokens=8_000_000)   # the whole decoder imitates states and word choices
    run.stage(Stage.ALL, batches, tokens=2_000_000)       # encoder too, with small steps

The target of a pair is only a prefix to look at: what is learnt is the teacher's own state and distribution
there, so the graft's translations serve as well as the teacher's, and show the teacher where the graft goes
wrong.

Cheap on purpose. Nothing needs the softmax over the whole vocabulary: states are compared directly, word
choices on the teacher's likeliest words at each position, some of the batch's and some random ones. While
the encoder is frozen, its output and the teacher's states are computed once a batch and kept as bf16.
"""

from __future__ import annotations

import enum
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from data.errors import ModelError
from mt.starter.marian import EOS
from mt.starter.teacher import Teacher, after_self_attention, attention_mask, cross_attend, embed


class Stage(enum.StrEnum):
    CELLS = "cells"
    DECODER = "decoder"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What was found to work on two cores; `state_weight` weighs states against word choices in the loss."""

    learning_rate: float = 8e-4
    state_weight: float = 0.5
    batch_words: int = 500
    random_words: int = 250
    runners_up: int = 8
    average_decay: float = 0.998
    seed: int = 1
    checkpoint_seconds: float = 120.0
    report_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of the log."""

    stage: Stage
    share_done: float
    state_error: float
    word_divergence: float
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Example:
    source: tuple[int, ...]
    target: tuple[int, ...]


@dataclass(slots=True)
class Batch:
    """Padded pairs of like length, and what the frozen teacher says of them once it was asked."""

    examples: Sequence[Example]
    memo: tuple[Tensor, Tensor, Tensor] | None = None

    @property
    def target_tokens(self) -> int:
        return sum(len(example.target) for example in self.examples)


def make_batches(examples: Sequence[Example], padded_tokens: int) -> list[Batch]:
    """Sorted by length, so that little of a batch is padding."""
    ordered = sorted(examples, key=lambda example: (len(example.target), len(example.source)))
    batches: list[Batch] = []
    start = 0
    for end in range(1, len(ordered) + 1):
        full = end == len(ordered) or (end + 1 - start) * len(ordered[end].target) > padded_tokens
        if full:
            batches.append(Batch(ordered[start:end]))
            start = end
    return batches


def padded(rows: Sequence[Sequence[int]], value: int, device: torch.device) -> tuple[Tensor, Tensor]:
    width = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[value] * (width - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, torch.arange(width, device=device)[None, :] < lengths[:, None]


@dataclass(slots=True)
class _Position:
    """Where a stopped run goes on."""

    stage: str = ""
    tokens: int = 0
    step: int = 0


class Distillation:
    """One run; `checkpoint`, when given, is written as it goes and read back by the next run."""

    def __init__(
        self,
        teacher: Teacher,
        graft: Any,
        settings: RunSettings,
        checkpoint: Path | None = None,
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self.teacher, self.graft, self.settings = teacher, graft, settings
        self.checkpoint, self.report = checkpoint, report
        self.device = next(graft.parameters()).device
        self._pad = int(graft.config.pad_token_id)
        self._done: set[str] = set()
        self._resumed: dict[str, Any] | None = self._read_checkpoint()

    def stage(self, stage: Stage, name: str, batches: Sequence[Batch], tokens: int) -> None:
        """Train until `tokens` target tokens were seen; a stage that an earlier run finished is skipped."""
        if name in self._done:
            return
        parameters = self._free(stage)
        optimiser = torch.optim.AdamW(
            parameters, lr=self.settings.learning_rate, betas=(0.9, 0.98), weight_decay=0
        )
        average = [p.detach().clone() for p in parameters]
        at = _Position(name)
        if self._resumed is not None and self._resumed["position"]["stage"] == name:
            optimiser.load_state_dict(self._resumed["optimiser"])
            average = [values.to(self.device) for values in self._resumed["average"]]
            at = _Position(**self._resumed["position"])
            self._resumed = None
        losses: list[tuple[float, float]] = []
        saved = reported = time.monotonic()
        tokens_since = 0
        for batch in self._forever(batches, at.step):
            if at.tokens >= tokens:
                break
            share = at.tokens / tokens
            for group in optimiser.param_groups:
                group["lr"] = self._rate(stage, at.step, share)
            loss, shown = self._loss(stage, batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            at.step += 1
            at.tokens += batch.target_tokens
            tokens_since += batch.target_tokens
            decay = min(self.settings.average_decay, (1 + at.step) / (10 + at.step))
            torch._foreach_lerp_(average, [p.detach() for p in parameters], 1 - decay)
            losses.append(shown)
            now = time.monotonic()
            if now - reported > self.settings.report_seconds:
                state, word = (sum(values) / len(losses) for values in zip(*losses, strict=True))
                self.report(Progress(stage, share, state, word, tokens_since / (now - reported)))
                losses, tokens_since, reported = [], 0, now
            if now - saved > self.settings.checkpoint_seconds:
                self._write_checkpoint(at, optimiser, average)
                saved = now
        with torch.no_grad():
            for parameter, values in zip(parameters, average, strict=True):
                parameter.copy_(values)
        self._done.add(name)
        self._write_checkpoint(_Position(), None, [])

    def _loss(self, stage: Stage, batch: Batch) -> tuple[Tensor, tuple[float, float]]:
        pad = self._pad
        source, present = padded([e.source for e in batch.examples], pad, self.device)
        prefix, used = padded([(pad, *e.target[:-1]) for e in batch.examples], pad, self.device)
        words, _ = padded([e.target for e in batch.examples], pad, self.device)
        mask = attention_mask(present)
        with torch.autocast(self.device.type, torch.bfloat16):
            if stage is Stage.CELLS:
                with torch.no_grad():
                    encoded = self._encode(self.teacher.model, source, present)
                    examples = self.teacher.cell_examples(prefix, encoded, mask)
                return self._cell_loss(examples, used)
            encoded, wanted, candidates = self._teacher_view(batch, source, present, prefix, used, mask)
            if stage is Stage.ALL:
                encoded = self._encode(self.graft, source, present)
            states = self._decode(prefix, encoded, mask)[used].float()
        state_error = functional.mse_loss(states, wanted) / wanted.var()
        word_divergence = self._word_divergence(
            states, wanted, torch.cat([candidates, words[used][:, None]], 1)
        )
        loss = self.settings.state_weight * state_error + word_divergence
        return loss, (state_error.item(), word_divergence.item())

    def _cell_loss(
        self, examples: list[tuple[Tensor, Tensor]], used: Tensor
    ) -> tuple[Tensor, tuple[float, float]]:
        loss = torch.zeros((), device=self.device)
        for layer, (inputs, outputs) in zip(self.graft.model.decoder.layers, examples, strict=True):
            wanted = outputs.float()[used]
            got = self._self_attend(layer, inputs.float()).float()[used]
            loss = loss + functional.mse_loss(got, wanted) / wanted.var()
        return loss, (loss.item() / len(examples), 0.0)

    def _word_divergence(self, states: Tensor, wanted: Tensor, near: Tensor) -> Tensor:
        """Kullback-Leibler divergence from the teacher's word choice, on the words that matter.

        `near` holds, a position, the teacher's likeliest words and the one that was written; words of the
        batch and random ones, the same for all positions, keep the rest of the vocabulary down.
        """
        model = self.teacher.model
        written = torch.unique(near[:, -1])
        written = written[torch.randperm(len(written), device=self.device)[: self.settings.batch_words]]
        some = torch.randint(0, self._pad, (self.settings.random_words,), device=self.device)
        shared = torch.unique(torch.cat([written, some]))
        near_rows, near_bias = model.model.shared.weight[near], model.final_logits_bias[0, near]
        shared_rows, shared_bias = (
            model.model.shared.weight[shared].bfloat16(),
            model.final_logits_bias[0, shared],
        )

        def word_scores(values: Tensor) -> Tensor:
            by_position = (values[:, None] * near_rows).sum(-1) + near_bias
            by_batch = (values.bfloat16() @ shared_rows.T).float() + shared_bias
            return torch.cat([by_position, by_batch], 1).log_softmax(-1)

        with torch.no_grad():
            theirs = word_scores(wanted)
        return functional.kl_div(word_scores(states), theirs, reduction="batchmean", log_target=True)

    @torch.no_grad()
    def _teacher_view(
        self, batch: Batch, source: Tensor, present: Tensor, prefix: Tensor, used: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Encoder output, the teacher's decoder states at real positions, and its likeliest words there."""
        if batch.memo is None:
            encoded = self._encode(self.teacher.model, source, present)
            states = self.teacher(prefix, encoded, mask)[used]
            matrix = self.teacher.model.model.shared.weight.bfloat16()
            scores = states.bfloat16() @ matrix.T + self.teacher.model.final_logits_bias.bfloat16()
            words = scores.topk(self.settings.runners_up, -1).indices
            batch.memo = encoded[present].bfloat16(), states.bfloat16(), words
        flat, states, words = batch.memo
        encoded = torch.zeros(*present.shape, flat.shape[-1], device=self.device)
        encoded[present] = flat.float()
        return encoded, states.float(), words

    def _encode(self, model: Any, source: Tensor, present: Tensor) -> Tensor:
        return model.model.encoder(input_ids=source, attention_mask=present).last_hidden_state  # type: ignore[no-any-return]

    def _decode(self, prefix: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
        states = embed(self.graft, prefix)
        for layer in self.graft.model.decoder.layers:
            states = after_self_attention(layer, self._self_attend(layer, states), encoded, mask)
        return states

    def _self_attend(self, layer: Any, states: Tensor) -> Tensor:
        attended = cross_attend(layer.self_attn, states, states, None, causal=True)
        return layer.self_attn_layer_norm(states + attended)  # type: ignore[no-any-return]

    def _rate(self, stage: Stage, step: int, share: float) -> float:
        peak = self.settings.learning_rate * {Stage.CELLS: 2.0, Stage.DECODER: 1.0, Stage.ALL: 0.3}[stage]
        return peak * min(1.0, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))

    def _free(self, stage: Stage) -> list[Any]:
        """Embeddings stay the teacher's: they are its vocabulary, and cost the most to train."""
        chosen = []
        for name, parameter in self.graft.named_parameters():
            free = {
                Stage.CELLS: ".decoder." in name and "self_attn" in name,
                Stage.DECODER: ".decoder.layers." in name,
                Stage.ALL: ".layers." in name,
            }[stage]
            parameter.requires_grad_(free)
            if free:
                chosen.append(parameter)
        return chosen

    def _forever(self, batches: Sequence[Batch], skip: int) -> Iterator[Batch]:
        """Each epoch's order depends on the seed and the epoch alone, so a resumed run sees the same."""
        epoch, skipped = divmod(skip, len(batches))
        while True:
            order = list(batches)
            random.Random(f"{self.settings.seed}-{epoch}").shuffle(order)
            yield from order[skipped:]
            epoch, skipped = epoch + 1, 0

    def _write_checkpoint(self, at: _Position, optimiser: Any, average: list[Tensor]) -> None:
        if self.checkpoint is None:
            return
        state = {
            "model": self.graft.state_dict(),
            "optimiser": optimiser.state_dict() if optimiser is not None else {},
            "average": average,
            "position": {"stage": at.stage, "tokens": at.tokens, "step": at.step},
            "done": sorted(self._done),
            "rng": torch.get_rng_state(),
        }
        temporary = self.checkpoint.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(self.checkpoint)

    def _read_checkpoint(self) -> dict[str, Any] | None:
        if self.checkpoint is None or not self.checkpoint.exists():
            torch.manual_seed(self.settings.seed)
            return None
        state: dict[str, Any] = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        try:
            self.graft.load_state_dict(state["model"])
        except RuntimeError as error:
            raise ModelError(
                f"{self.checkpoint}: checkpoint of another teacher; remove it to start anew"
            ) from error
        self._done = set(state["done"])
        torch.set_rng_state(state["rng"].cpu())
        return state


def join_examples(examples: Sequence[Example], count: int, longest: int, seed: int) -> list[Example]:
    """Long examples out of short ones: attention has to meet positions that few sentences reach."""
    rng = random.Random(seed)
    shuffled = rng.sample(list(examples), len(examples))
    joined: list[Example] = []
    source: tuple[int, ...] = ()
    target: tuple[int, ...] = ()
    for example in shuffled:
        if len(joined) == count:
            break
        if source and max(len(source) + len(example.source), len(target) + len(example.target)) > longest:
            joined.append(Example((*source, EOS), (*target, EOS)))
            source = target = ()
        source, target = source + example.source[:-1], target + example.target[:-1]
    return joined


def end_with_eos(ids: Sequence[int], limit: int) -> tuple[int, ...]:
    return (*ids[: limit - 1], EOS)
