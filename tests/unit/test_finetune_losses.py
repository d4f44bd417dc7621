"""The fused output layer gives what plain autograd gives, to the last gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional

from mt.finetune_losses import (
    Anchor,
    Targets,
    likeliest,
    mean_anchor,
    output_loss,
    r_drop_divergence,
)

WORDS, WIDTH, POSITIONS, PAD = 23, 8, 700, 22


def _layer() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(5)
    states = torch.randn(POSITIONS, WIDTH, requires_grad=True)
    weight = torch.randn(WORDS, WIDTH, requires_grad=True)
    bias = torch.randn(WORDS)
    bias[PAD] = float("-inf")
    return states, weight, bias, torch.randint(0, PAD, (POSITIONS,))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("anchored", [False, True])
def test_gradients_equal_those_of_autograd(smoothing: float, anchored: bool) -> None:
    states, weight, bias, labels = _layer()
    strength, pull = torch.rand(POSITIONS), torch.rand(POSITIONS)
    anchor = None
    if anchored:
        with torch.no_grad():
            anchor = likeliest(torch.randn(POSITIONS, WIDTH), weight, bias, 5, torch.float32)
    targets = Targets(labels, strength, pull, anchor, smoothing)
    loss, shown = output_loss(states, weight, bias, targets, PAD, torch.float32)
    ours = torch.autograd.grad(loss, [states, weight])

    logs = torch.log_softmax(states @ weight.T + bias.clamp_min(-1e4), -1)
    right = -logs.gather(1, labels[:, None])[:, 0]
    even = -torch.cat([logs[:, :PAD], logs[:, PAD + 1 :]], 1).mean(1)
    expected = (strength * ((1 - smoothing) * right + smoothing * even)).sum()
    if anchor is not None:
        listed = logs.gather(1, anchor.words)
        theirs = torch.cat([anchor.shares, 1 - anchor.shares.sum(1, keepdim=True)], 1)
        mine = torch.cat([listed, (1 - listed.exp().sum(1, keepdim=True)).log()], 1)
        divergence = functional.kl_div(mine, theirs, reduction="none").sum(1)
        torch.testing.assert_close(shown.divergence, divergence, atol=1e-4, rtol=1e-3)
        expected = expected + (pull * divergence).sum()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(shown.cross_entropy, right.detach(), rtol=1e-5, atol=1e-5)
    for mine_, theirs_ in zip(ours, torch.autograd.grad(expected, [states, weight]), strict=True):
        torch.testing.assert_close(mine_, theirs_, rtol=1e-3, atol=2e-4)


def test_a_frozen_matrix_gets_no_gradient() -> None:
    states, weight, bias, labels = _layer()
    weight.requires_grad_(False)
    even = torch.ones(POSITIONS)
    loss, _ = output_loss(states, weight, bias, Targets(labels, even, even * 0), PAD, torch.float32)
    loss.backward()
    assert states.grad is not None
    assert weight.grad is None


def test_the_anchor_of_the_same_model_pulls_nowhere() -> None:
    states, weight, bias, labels = _layer()
    with torch.no_grad():
        anchor = likeliest(states, weight, bias, 6, torch.float32)
    none = torch.zeros(POSITIONS)
    loss, shown = output_loss(
        states, weight, bias, Targets(labels, none, none + 1, anchor), PAD, torch.float32
    )
    assert float(shown.divergence.abs().max()) < 1e-5
    gradient = torch.autograd.grad(loss, states)[0]
    assert float(gradient.abs().max()) < 1e-5


def test_an_ensembles_words_are_counted_once() -> None:
    one = Anchor(torch.tensor([[3, 7]]), torch.tensor([[0.6, 0.2]]))
    two = Anchor(torch.tensor([[7, 5]]), torch.tensor([[0.9, 0.05]]))
    mean = mean_anchor([one, two], 3)
    found = dict(zip(mean.words[0].tolist(), mean.shares[0].tolist(), strict=True))
    assert found == pytest.approx({7: 0.55, 3: 0.3, 5: 0.025})


def test_r_drop_is_zero_for_equal_passes_and_both_ways_mean_for_others() -> None:
    states, weight, bias, _ = _layer()
    bias = bias.clamp_min(-1e4)
    other = states.detach() + 0.1 * torch.randn_like(states)
    same = r_drop_divergence(states, states, weight, bias, torch.float32)
    assert same.item() == pytest.approx(0, abs=1e-4)
    a, b = (torch.log_softmax(x @ weight.T + bias, -1) for x in (states, other))
    both = 0.5 * ((a.exp() * (a - b)).sum() + (b.exp() * (b - a)).sum())
    found = r_drop_divergence(states, other, weight, bias, torch.float32)
    torch.testing.assert_close(found, both, rtol=1e-4, atol=1e-4)
