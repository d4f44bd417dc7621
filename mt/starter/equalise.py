"""Make a MarianMT model survive 8-bit arithmetic better, without changing what it computes.

    equalise(model, examples)

CTranslate2 rounds a matrix row by row and activations token by token, each to its own largest value, so
one loud channel makes all others coarse. Between two linear layers a channel can be scaled down in the
first and up in the second: across ReLU because it is positively homogeneous, across attention because
values are only averaged. Scales balance how loud a channel is on real text against how large the weights
that read it are, as SmoothQuant does (Xiao et al., 2023, arXiv:2211.10438).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from mt.starter.distil import Example, padded

_LARGEST_SCALE = 16.0
_QUIET = 1e-3  # of the loudest channel: quieter ones are not scaled up further
_BATCH = 32


@torch.no_grad()
def equalise(model: Any, examples: Sequence[Example]) -> None:
    """Rescales in place, by what the examples send through each layer."""
    pairs = list(_linear_pairs(model))
    loudness: dict[int, Tensor] = {}

    def listen(number: int) -> Any:
        def hook(_: Any, inputs: tuple[Tensor, ...]) -> None:
            peak = inputs[0].reshape(-1, inputs[0].shape[-1]).abs().amax(0)
            loudness[number] = torch.maximum(loudness[number], peak) if number in loudness else peak

        return hook

    hooks = [second.register_forward_pre_hook(listen(i)) for i, (_, second) in enumerate(pairs)]
    pad = int(model.config.pad_token_id)
    device = next(model.parameters()).device
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        source, present = padded([example.source for example in batch], pad, device)
        target, _ = padded([(pad, *example.target[:-1]) for example in batch], pad, device)
        model.model(input_ids=source, attention_mask=present, decoder_input_ids=target)
    for hook in hooks:
        hook.remove()
    for i, (first, second) in enumerate(pairs):
        _balance(first, second, loudness[i])


def _balance(first: Any, second: Any, peak: Tensor) -> None:
    reading = second.weight.abs().amax(0).clamp_min(1e-4)
    scale = torch.sqrt(peak.clamp_min(float(peak.max()) * _QUIET) / reading)
    scale = (scale / scale.log().mean().exp()).clamp(1 / _LARGEST_SCALE, _LARGEST_SCALE)
    first.weight.div_(scale[:, None])
    first.bias.div_(scale)
    second.weight.mul_(scale[None])


def _linear_pairs(model: Any) -> Iterator[tuple[Any, Any]]:
    """(writes the channels, reads them), wherever nothing stands between that minds their scale."""
    homogeneous = model.config.activation_function == "relu"
    for layer in [*model.model.encoder.layers, *model.model.decoder.layers]:
        if homogeneous:
            yield layer.fc1, layer.fc2
        yield layer.self_attn.v_proj, layer.self_attn.out_proj
        if hasattr(layer, "encoder_attn"):
            yield layer.encoder_attn.v_proj, layer.encoder_attn.out_proj
