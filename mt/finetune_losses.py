"""The output layer and its losses in one go: decoder states and right words in, loss and gradients out.

    total, shown = output_loss(states, model.lm_head.weight, bias, targets, pad)
    total.backward()

A small MarianMT model spends four fifths of a plain step on scores over its whole vocabulary. Here these are
exact all the same, but computed for real positions only, a chunk at a time, with the gradient made in the
same visit while the chunk is in the cache, in bf16 products with fp32 sums; no [positions x vocabulary]
tensor is ever kept. (Libraries that do this, liger-kernel and cut-cross-entropy, need Triton and a GPU.)

The loss of a position is `cross_entropy[i]` times its smoothed cross-entropy plus `divergence[i]` times the
Kullback-Leibler divergence from an anchor, a frozen model's distribution: its likeliest words one by one,
all others as one sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

# Positions a matrix product: large enough to be fast, small enough that bf16 scores stay near the cache.
_CHUNK = 512
# Positions whose fp32 scores are worked on at once: a few megabytes.
_BLOCK = 32
# -inf as a bias would make 0 times infinity of the anchor's impossible words.
_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class Anchor:
    """An anchor's likeliest words a position and their probabilities."""

    words: Tensor
    shares: Tensor


@dataclass(frozen=True, slots=True)
class Targets:
    """What each position should say; weights include the division by the number of positions of the step."""

    labels: Tensor
    cross_entropy: Tensor
    divergence: Tensor
    anchor: Anchor | None = None
    smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """For the log, unweighted: cross-entropy and divergence of each position."""

    cross_entropy: Tensor
    divergence: Tensor


def output_loss(
    states: Tensor, weight: Tensor, bias: Tensor, targets: Targets, pad: int, dtype: torch.dtype
) -> tuple[Tensor, Shown]:
    loss, cross_entropy, divergence = _OutputLoss.apply(  # type: ignore[no-untyped-call]
        states, weight, bias, targets, pad, dtype
    )
    return loss, Shown(cross_entropy, divergence)


def likeliest(states: Tensor, weight: Tensor, bias: Tensor, count: int, dtype: torch.dtype) -> Anchor:
    """What one anchor says at the positions of these states."""
    words, shares = [], []
    matrix, bias = weight.to(dtype), bias.float().clamp_min(_NEVER)
    for rows in states.to(dtype).split(_BLOCK * 4):
        share, word = torch.softmax((rows @ matrix.T).float() + bias, -1).topk(min(count, len(bias)), -1)
        words.append(word)
        shares.append(share)
    return Anchor(torch.cat(words), torch.cat(shares))


def mean_anchor(anchors: list[Anchor], count: int) -> Anchor:
    """An ensemble's likeliest words; a word that a member does not list counts as zero there."""
    if len(anchors) == 1:
        return anchors[0]
    words = torch.cat([anchor.words for anchor in anchors], 1)
    shares = torch.cat([anchor.shares for anchor in anchors], 1) / len(anchors)
    same = words[:, :, None] == words[:, None, :]
    sums = (same * shares[:, None, :]).sum(-1)
    earlier = torch.ones_like(same[0]).tril(-1)
    sums = sums.masked_fill((same & earlier.bool()).any(-1), 0)  # each word once
    best, places = sums.topk(count, -1)
    return Anchor(words.gather(1, places), best)


class _OutputLoss(torch.autograd.Function):
    """Gradients are made in `forward`, as everything for them is at hand there."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        bias: Tensor,
        targets: Targets,
        pad: int,
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor, Tensor]:
        matrix, inputs = weight.detach().to(dtype), states.detach().to(dtype)
        bias = bias.detach().float().clamp_min(_NEVER)
        wanted = ctx.needs_input_grad[:2]
        states_gradient = torch.empty_like(states, dtype=torch.float32) if wanted[0] else None
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32) if wanted[1] else None
        entropies, divergences = torch.empty_like(targets.cross_entropy), torch.zeros_like(targets.divergence)
        loss = torch.zeros((), device=states.device)
        for start in range(0, len(states), _CHUNK):
            rows = inputs[start : start + _CHUNK]
            scores = rows @ matrix.T
            for block in range(0, len(rows), _BLOCK):
                at = slice(start + block, min(start + block + _BLOCK, start + len(rows)))
                values = scores[block : block + _BLOCK]
                loss += _visit(values, bias, targets, at, pad, entropies, divergences)
            if states_gradient is not None:
                states_gradient[start : start + _CHUNK] = scores @ matrix
            if weight_gradient is not None:
                weight_gradient += scores.T @ rows
        ctx.gradients = states_gradient, weight_gradient
        ctx.kinds = states.dtype, weight.dtype
        ctx.mark_non_differentiable(entropies, divergences)
        return loss, entropies, divergences

    @staticmethod
    def backward(ctx: Any, *outer: Any) -> Any:
        scale = outer[0]
        states, weight = (
            None if gradient is None else gradient.mul_(scale).to(kind)
            for gradient, kind in zip(ctx.gradients, ctx.kinds, strict=True)
        )
        ctx.gradients = None
        return states, weight, None, None, None, None


def _visit(
    scores: Tensor,
    bias: Tensor,
    targets: Targets,
    at: slice,
    pad: int,
    entropies: Tensor,
    divergences: Tensor,
) -> Tensor:
    """The loss of some positions; their scores are replaced by the loss's gradient."""
    labels, strength = targets.labels[at, None], targets.cross_entropy[at, None]
    logs = torch.log_softmax(scores.float() + bias, -1)
    right = -logs.gather(1, labels)
    entropies[at] = right[:, 0]
    smoothed, share = right, targets.smoothing / (scores.shape[1] - 1)
    if targets.smoothing:
        # The start mark is no word, so smoothing gives it nothing; plain label smoothing would train it.
        others = -(logs.sum(1, keepdim=True) - logs[:, pad, None])
        smoothed = (1 - targets.smoothing) * right + share * others
    loss = (strength * smoothed).sum()
    factor = strength
    anchor = targets.anchor
    if anchor is not None:
        pull, words = targets.divergence[at, None], anchor.words[at]
        shares = anchor.shares[at].float()
        listed = logs.gather(1, words)
        probabilities = listed.exp()
        rest = (1 - shares.sum(1, keepdim=True)).clamp_min(0)
        own_rest = (1 - probabilities.sum(1, keepdim=True)).clamp_min(1e-6)
        divergence = (torch.xlogy(shares, shares) - shares * listed).sum(1, keepdim=True)
        divergence = divergence + torch.xlogy(rest, rest) - rest * own_rest.log()
        divergences[at] = divergence[:, 0]
        loss = loss + (pull * divergence).sum()
        ratio = rest / own_rest
        factor = strength + pull * (1 - ratio)
    gradient = logs.exp_().mul_(factor)
    gradient.scatter_add_(1, labels, -strength * (1 - targets.smoothing))
    if targets.smoothing:
        gradient -= strength * share
        gradient[:, pad] += strength[:, 0] * share
    if anchor is not None:
        gradient.scatter_add_(1, words, pull * (ratio * probabilities - shares))
    scores.copy_(gradient)
    return loss


def r_drop_divergence(
    first: Tensor, second: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype
) -> Tensor:
    """Mean of both Kullback-Leibler divergences between two passes with different dropout (R-Drop), summed.

    Through autograd, recomputing each chunk in the backward pass: an option need not be the fastest.
    """

    def chunk(one: Tensor, other: Tensor, matrix: Tensor) -> Tensor:
        a = torch.log_softmax((one.to(dtype) @ matrix.T).float() + bias, -1)
        b = torch.log_softmax((other.to(dtype) @ matrix.T).float() + bias, -1)
        forth = functional.kl_div(a, b, reduction="sum", log_target=True)
        return 0.5 * (forth + functional.kl_div(b, a, reduction="sum", log_target=True))

    from torch.utils.checkpoint import checkpoint

    total = torch.zeros((), device=first.device)
    matrix, bias = weight.to(dtype), bias.float().clamp_min(_NEVER)
    for one, other in zip(first.split(_CHUNK), second.split(_CHUNK), strict=True):
        total = total + checkpoint(chunk, one, other, matrix, use_reentrant=False)
    return total
