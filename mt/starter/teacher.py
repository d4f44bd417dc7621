"""The Bergamot student as it runs: an exact float twin in PyTorch, to translate and to be imitated.

    teacher = Teacher(student, build_marian(student))
    states = teacher(target_ids, encoded, mask)            # decoder states for a known target
    ids = teacher.translate(source_ids, mask, limit=128)   # greedy

The cell (SSRU) keeps one value a dimension: c_t = f_t * c_{t-1} + (1 - f_t) * W x_t with f_t = sigmoid(W_f
x_t + b_f), and gives LayerNorm(x_t + ReLU(c_t)). All the rest is shared with the MarianMT twin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from mt.starter.marian import EOS

if TYPE_CHECKING:
    from mt.starter.bergamot import Student

MASKED = -1e9
_CELL_TENSORS = ("W", "Wf", "bf", "ffn_ln_scale", "ffn_ln_bias")


def attention_mask(present: Tensor) -> Tensor:
    """Boolean [batch, length] to what is added to attention scores."""
    added = torch.zeros(present.shape, device=present.device).masked_fill(~present, MASKED)
    return added[:, None, None, :]


def cross_attend(
    attention: Any, queries: Tensor, memory: Tensor, mask: Tensor | None, causal: bool = False
) -> Tensor:
    """One MarianMT attention block, without the bookkeeping that transformers adds around it."""

    def split(values: Tensor) -> Tensor:
        return values.view(values.shape[0], -1, attention.num_heads, attention.head_dim).transpose(1, 2)

    mixed = functional.scaled_dot_product_attention(
        split(attention.q_proj(queries)),
        split(attention.k_proj(memory)),
        split(attention.v_proj(memory)),
        attn_mask=mask,
        is_causal=causal,
    )
    return attention.out_proj(mixed.transpose(1, 2).reshape(queries.shape))  # type: ignore[no-any-return]


def after_self_attention(layer: Any, states: Tensor, encoded: Tensor, mask: Tensor | None) -> Tensor:
    """The part of a decoder layer that teacher and graft have in common: cross-attention and feed-forward."""
    states = layer.encoder_attn_layer_norm(states + cross_attend(layer.encoder_attn, states, encoded, mask))
    return layer.final_layer_norm(states + layer.fc2(torch.relu(layer.fc1(states))))  # type: ignore[no-any-return]


def embed(model: Any, ids: Tensor, offset: int = 0) -> Tensor:
    decoder = model.model.decoder
    positions = decoder.embed_positions.weight[offset : offset + ids.shape[1]]
    return decoder.embed_tokens(ids) * model.config.d_model**0.5 + positions  # type: ignore[no-any-return]


class Teacher(nn.Module):
    """Shares the given MarianMT model, whose self-attention it leaves alone."""

    def __init__(self, student: Student, model: Any) -> None:
        super().__init__()
        self.model = model
        self.layers = student.decoder_layers
        for i in range(self.layers):
            for name in _CELL_TENSORS:
                values = torch.from_numpy(student.weights[f"decoder_l{i + 1}_rnn_{name}"])
                self.register_buffer(f"{name}_{i}", values.reshape(-1) if values.shape[0] == 1 else values)
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    def cell(self, layer: int, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        forget = torch.sigmoid(inputs @ self._tensor("Wf", layer) + self._tensor("bf", layer))
        update = (1 - forget) * (inputs @ self._tensor("W", layer))
        value = torch.zeros_like(update[:, 0]) if state is None else state
        values = []
        for t in range(inputs.shape[1]):
            value = forget[:, t] * value + update[:, t]
            values.append(value)
        out = inputs + torch.relu(torch.stack(values, 1))
        scale, bias = self._tensor("ffn_ln_scale", layer), self._tensor("ffn_ln_bias", layer)
        return functional.layer_norm(out, (out.shape[-1],), scale, bias), value

    def forward(self, target_ids: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
        """Decoder states [batch, length, dimension] for a known target that starts with the pad token."""
        states = embed(self.model, target_ids)
        for i, layer in enumerate(self.model.model.decoder.layers):
            states, _ = self.cell(i, states)
            states = after_self_attention(layer, states, encoded, mask)
        return states

    def cell_examples(self, target_ids: Tensor, encoded: Tensor, mask: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What goes into and comes out of every cell: a regression task for what replaces it."""
        states = embed(self.model, target_ids)
        examples = []
        for i, layer in enumerate(self.model.model.decoder.layers):
            inputs = states
            states, _ = self.cell(i, states)
            examples.append((inputs, states))
            states = after_self_attention(layer, states, encoded, mask)
        return examples

    @torch.no_grad()
    def translate(self, source_ids: Tensor, present: Tensor, limit: int) -> list[list[int]]:
        """Greedy translation of one padded batch; the end token is not part of what comes back."""
        encoded = self.model.model.encoder(input_ids=source_ids, attention_mask=present).last_hidden_state
        mask = attention_mask(present).to(encoded.dtype)
        projection, bias = self.model.model.shared.weight.to(encoded.dtype), self.model.final_logits_bias[0]
        tokens = torch.full((len(source_ids), 1), self.model.config.pad_token_id, device=source_ids.device)
        memory: list[Tensor | None] = [None] * self.layers
        finished = torch.zeros(len(source_ids), dtype=torch.bool, device=source_ids.device)
        produced = []
        for step in range(limit):
            states = embed(self.model, tokens, step)
            for i, layer in enumerate(self.model.model.decoder.layers):
                states, memory[i] = self.cell(i, states, memory[i])
                states = after_self_attention(layer, states, encoded, mask)
            tokens = ((states[:, -1].to(projection.dtype) @ projection.T) + bias).argmax(-1, keepdim=True)
            produced.append(tokens)
            finished |= tokens[:, 0] == EOS
            if bool(finished.all()):
                break
        rows: list[list[int]] = torch.cat(produced, 1).tolist()
        return [row[: row.index(EOS)] if EOS in row else row for row in rows]

    def _tensor(self, name: str, layer: int) -> Tensor:
        return self.get_buffer(f"{name}_{layer}")
