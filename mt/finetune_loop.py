"""The run: steps, the moving average, evaluations, checkpoints, the end.

In: a stepper, the examples' order, dev sets. Out: the best state of the free parameters. All that a step
depends on (weights, optimiser, average, random state, position) is in the checkpoint, so a resumed run ends
as an undisturbed one, bit for bit on one machine and number of threads.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mt.config import TrainConfig
from mt.finetune_checkpoints import Checkpoints, Position
from mt.finetune_mixture import Example
from mt.finetune_progress import Show, SourceLoss, TrainProgress
from mt.finetune_step import NotFinite, Stepper

_BETAS = (0.9, 0.98)


@dataclass(frozen=True, slots=True)
class Ended:
    """`why` is "length", "patience" or "minutes"."""

    state: dict[str, Tensor]
    position: Position
    why: str


class Loop:
    def __init__(
        self,
        stepper: Stepper,
        config: TrainConfig,
        total_tokens: int,
        checkpoints: Checkpoints,
        score: Callable[[Mapping[str, Tensor]], dict[str, float]],
        show: Show,
    ) -> None:
        self.stepper, self.config, self.total = stepper, config, total_tokens
        self.checkpoints, self.score, self.show = checkpoints, score, show
        self.team = stepper.team
        named = [(name, p) for name, p in stepper.model.named_parameters() if p.requires_grad]
        self.names = [name for name, _ in named]
        self.parameters = [p for _, p in named]
        self.team.start_alike(self.parameters)
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=0.0, betas=_BETAS, weight_decay=config.weight_decay, fused=True
        )
        self.average = [p.detach().clone() for p in self.parameters] if config.ema_decay else []
        self.at = Position()

    def run(self, examples: Iterator[tuple[Example, ...]]) -> Ended:
        torch.manual_seed(self.config.seed)
        self._resume()
        stream = itertools.islice(examples, self.at.batches, None)
        started = saved = reported = time.monotonic()
        seconds_before = self.at.seconds
        tokens_reported, losses = self.at.tokens, []
        why = self._why_end()  # a run that was killed after its last step has only its result to write
        while not why:
            batches = list(itertools.islice(stream, self.config.accumulate * self.team.size))
            self.team.seed(self.config.seed, self.at.step)
            losses.append(self._step(batches))
            now = time.monotonic()
            self.at.seconds = self.team.agreed(seconds_before + now - started)
            if now - reported > self.config.report_seconds or self.at.step == 1:
                speed = (self.at.tokens - tokens_reported) / max(1e-9, now - reported)
                self._report(sum(losses) / len(losses), speed)
                losses, reported, tokens_reported = [], now, self.at.tokens
            due = self._share() >= (self.at.evaluations + 1) / self.config.evaluations
            if due or self._share() >= 1:
                self._evaluate()
                why = self._why_end()
            if due or now - saved > self.config.checkpoint_seconds:
                self._save()
                # Neither an evaluation nor a checkpoint is training time.
                saved = time.monotonic()
                reported += saved - now
        steps = [step for _, step in self.at.best]
        state = self.checkpoints.best(steps) if self.team.first else self.state()
        return Ended(state, self.at, why)

    def state(self) -> dict[str, Tensor]:
        """What counts on dev: the moving average where there is one."""
        return dict(zip(self.names, self.average or [p.detach() for p in self.parameters], strict=True))

    def _share(self) -> float:
        share = self.at.tokens / self.total
        if self.config.max_minutes:
            share = max(share, self.at.seconds / 60 / self.config.max_minutes)
        return share

    def _rate(self) -> float:
        share, warmup = min(1.0, self._share()), self.config.warmup
        if share < warmup:
            return self.config.learning_rate * max(share / warmup, 1 / (self.at.step + 1) / 100)
        after = (share - warmup) / (1 - warmup)
        shape = {
            "cosine": 0.5 * (1 + math.cos(math.pi * after)),
            "linear": 1 - after,
            "constant": 1.0,
            "inverse_sqrt": math.sqrt(max(warmup, 1e-3) / max(share, 1e-3)),
        }[self.config.schedule]
        return self.config.learning_rate * max(self.config.final_rate, shape)

    def _step(self, batches: list[tuple[Example, ...]]) -> float:
        gradients, loss, tokens = self.stepper.gradients(batches, self.parameters)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip or math.inf)
        if not math.isfinite(float(norm)):
            everything = [example for batch in batches for example in batch]
            raise NotFinite(f"a gradient is not finite; {self.stepper.named(everything)}")
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.at.step += 1
        self.at.batches += len(batches)
        self.at.tokens += tokens
        if self.average:
            decay = min(self.config.ema_decay, (1 + self.at.step) / (10 + self.at.step))
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)
        return loss

    def _evaluate(self) -> None:
        state = self.state()
        scores = self.team.agreed(self.score(state) if self.team.first else {})
        value = scores[self.config.dev_metric]
        self.at.evaluations = max(
            self.at.evaluations + 1, math.floor(min(1.0, self._share()) * self.config.evaluations)
        )
        self.at.scores.append({"step": self.at.step, "tokens": self.at.tokens, **scores})
        better = not self.at.best or value > self.at.best[0][0]
        self.at.since_best = 0 if better else self.at.since_best + 1
        kept = sorted([*self.at.best, (value, self.at.step)], reverse=True)[: self.config.average_best]
        if (value, self.at.step) in kept and self.team.first:
            self.checkpoints.keep_best(self.at.step, state)
        self.at.best = kept
        self.show(self._progress(0.0, 0.0, scores=scores))

    def _why_end(self) -> str:
        if self.at.tokens >= self.total:
            return "length"
        if self._share() >= 1:
            return "minutes"
        if self.config.patience and self.at.since_best >= self.config.patience:
            return "patience"
        return ""

    def _save(self) -> None:
        if not self.team.first:
            return
        tensors = {"random": torch.get_rng_state()}
        if torch.cuda.is_available():
            tensors["random.cuda"] = torch.cuda.get_rng_state()
        for name, parameter, mean in itertools.zip_longest(self.names, self.parameters, self.average):
            tensors[f"weight.{name}"] = parameter
            if mean is not None:
                tensors[f"average.{name}"] = mean
            for key, values in self.optimiser.state[parameter].items():
                tensors[f"{key}.{name}"] = values
        self.at.most_rows = self.stepper.most_rows
        self.checkpoints.save(self.at, tensors)
        self.checkpoints.forget_best([step for _, step in self.at.best])

    def _resume(self) -> None:
        found = self.team.in_turn(self.checkpoints.load)
        if found is None:
            return
        self.at, tensors = found
        self.stepper.most_rows = self.at.most_rows
        torch.set_rng_state(tensors["random"])
        if "random.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random.cuda"])
        with torch.no_grad():
            for i, (name, parameter) in enumerate(zip(self.names, self.parameters, strict=True)):
                parameter.copy_(tensors[f"weight.{name}"])
                if self.average:
                    self.average[i].copy_(tensors[f"average.{name}"])
                keys = ("step", "exp_avg", "exp_avg_sq")
                state: dict[str, Any] = {key: tensors[f"{key}.{name}"].to(parameter.device) for key in keys}
                self.optimiser.state[parameter] = state

    def _report(self, loss: float, speed: float) -> None:
        losses = {}
        tokens = sum(sums.tokens for sums in self.stepper.sums.values())
        for number, sums in sorted(self.stepper.sums.items()):
            losses[self.stepper.corpora[number].source.name] = SourceLoss(
                sums.cross_entropy / max(1, sums.tokens),
                sums.divergence / max(1, sums.tokens),
                sums.tokens / max(1, tokens),
            )
        self.stepper.sums.clear()
        self.show(self._progress(loss, speed, losses=losses))

    def _progress(self, loss: float, speed: float, **more: Any) -> TrainProgress:
        share = min(1.0, self._share())
        return TrainProgress(
            step=self.at.step,
            tokens=self.at.tokens,
            share_done=share,
            loss=loss,
            tokens_per_second=speed,
            learning_rate=self._rate(),
            seconds_left=self.at.seconds * (1 - share) / max(share, 1e-9),
            best=self.at.best[0][0] if self.at.best else None,
            metric=self.config.dev_metric,
            **more,
        )
