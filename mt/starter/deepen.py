"""Give a graft one more decoder layer, which at first changes next to nothing.

    deeper = deepen(graft, at=1, examples=examples)     # a new MarianMT model; `graft` is left alone

Self-attention has one set of weights a head where the recurrent cell that it replaces keeps a memory of its
own for every channel, and it lacks the cell's ReLU. Two layers of attention come closer than one can. The
new layer's branches start near zero. Its norms start as the affine maps that undo themselves best on real
text, as a norm after every block leaves no other way through.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from mt.starter.teacher import after_self_attention, attention_mask, cross_attend, embed

if TYPE_CHECKING:
    from mt.starter.distil import Example

# Not quite zero, or the two matrices of a branch would wait for each other.
_QUIET = 0.02
_BATCH = 32


@torch.no_grad()
def deepen(model: Any, at: int, examples: Sequence[Example]) -> Any:
    """The same model with a fresh decoder layer before the layer `at`."""
    config = copy.deepcopy(model.config)
    config.decoder_layers += 1
    with torch.random.fork_rng():
        torch.manual_seed(0)
        deeper = type(model)(config)
    state = deeper.state_dict()
    for name, values in model.state_dict().items():
        state[_moved(name, at)].copy_(values)
    for name, values in state.items():
        if f"decoder.layers.{at}." in name and ("out_proj" in name or "fc2" in name):
            values.mul_(_QUIET if name.endswith("weight") else 0.0)
    deeper.load_state_dict(state)
    deeper.tie_weights()
    deeper.to(next(model.parameters()).device)
    scale, shift = _undoing(torch.cat(_inputs(model, at, examples)))
    layer = deeper.model.decoder.layers[at]
    for norm in (layer.self_attn_layer_norm, layer.encoder_attn_layer_norm, layer.final_layer_norm):
        norm.weight.copy_(scale)
        norm.bias.copy_(shift)
    return deeper.eval()


def _moved(name: str, at: int) -> str:
    before, mark, after = name.partition("decoder.layers.")
    if not mark:
        return name
    number, _, rest = after.partition(".")
    return f"{before}{mark}{int(number) + (int(number) >= at)}.{rest}"


def _inputs(model: Any, at: int, examples: Sequence[Example]) -> list[Tensor]:
    """What the new layer will see on these examples, one row a token."""
    from mt.starter.distil import padded

    pad, device = int(model.config.pad_token_id), next(model.parameters()).device
    found = []
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        source, present = padded([example.source for example in batch], pad, device)
        prefix, used = padded([(pad, *example.target[:-1]) for example in batch], pad, device)
        encoded = model.model.encoder(input_ids=source, attention_mask=present).last_hidden_state
        states, mask = embed(model, prefix), attention_mask(present)
        for layer in model.model.decoder.layers[:at]:
            attended = cross_attend(layer.self_attn, states, states, None, causal=True)
            states = after_self_attention(layer, layer.self_attn_layer_norm(states + attended), encoded, mask)
        found.append(states[used])
    return found


def _undoing(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift, a channel, that bring a normalised row back to what it was (least squares)."""
    normed = functional.layer_norm(rows, rows.shape[-1:])
    centred = normed - normed.mean(0)
    scale = (centred * (rows - rows.mean(0))).sum(0) / (centred**2).sum(0).clamp_min(1e-6)
    return scale, rows.mean(0) - scale * normed.mean(0)
