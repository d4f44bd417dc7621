"""Build and save the MarianMT twin of a Bergamot student: same weights, self-attention where the SSRU was.

    model = build_marian(student)              # transformers' MarianMTModel, not yet trained
    save_marian(model, student, folder, "en", "pt")

Everything but the decoder's recurrent cells is copied, so the encoder is the teacher's own from the first
moment. The self-attention that replaces a cell starts as the mean over the prefix of what the cell would
have stored.

A start token of zero embedding is what Marian decodes from; transformers gets it as `<pad>`, which
therefore needs a row of zeros and, for CTranslate2, the last place in the vocabulary.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mt.starter.bergamot import Student

POSITIONS = 512
# Far below any real logit, yet inside the range of fp16.
NEVER = -1e4
EOS, UNK = 0, 1


def build_marian(student: Student) -> Any:
    import torch
    import transformers

    pad = student.vocabulary_size
    hidden = int(student.weights["encoder_l1_ffn_W1"].shape[1])
    library: Any = transformers
    config = library.MarianConfig(
        vocab_size=pad + 1,
        d_model=student.dimension,
        encoder_layers=student.encoder_layers,
        decoder_layers=student.decoder_layers,
        encoder_attention_heads=student.heads,
        decoder_attention_heads=student.heads,
        encoder_ffn_dim=hidden,
        decoder_ffn_dim=hidden,
        activation_function="relu",
        scale_embedding=True,
        static_position_embeddings=True,
        normalize_before=False,
        normalize_embedding=False,
        max_position_embeddings=POSITIONS,
        dropout=0.0,
        tie_word_embeddings=True,
        share_encoder_decoder_embeddings=True,
        eos_token_id=EOS,
        forced_eos_token_id=EOS,
        unk_token_id=UNK,
        bos_token_id=None,
        pad_token_id=pad,
        decoder_start_token_id=pad,
        num_beams=1,
    )
    with torch.random.fork_rng():  # the new attention's random start is the same in every run
        torch.manual_seed(0)
        model = library.MarianMTModel(config)
    state = model.state_dict()
    with torch.no_grad():
        for name, values in _copied(student, model):
            state[name].copy_(values)
    model.load_state_dict(state)
    model.tie_weights()
    return model.eval()


def save_marian(model: Any, student: Student, folder: Path, source: str, target: str) -> None:
    """A folder that transformers and CTranslate2's converter both read; weights as fp16."""
    import copy

    import sentencepiece
    from transformers import MarianTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(student.vocabulary))
    vocabulary = {pieces.id_to_piece(i): i for i in range(student.vocabulary_size)}
    vocabulary["<pad>"] = student.vocabulary_size
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    for name in ("source.spm", "target.spm"):
        shutil.copyfile(student.vocabulary, folder / name)
    tokenizer = MarianTokenizer(
        source_spm=str(folder / "source.spm"),
        target_spm=str(folder / "target.spm"),
        vocab=str(folder / "vocab.json"),
        source_lang=source,
        target_lang=target,
        model_max_length=POSITIONS,
    )
    tokenizer.save_pretrained(folder)
    copy.deepcopy(model).half().save_pretrained(folder, safe_serialization=True)


def _copied(student: Student, model: Any) -> list[tuple[str, Any]]:
    """(name in transformers, values) for every tensor that the teacher already has."""
    import torch

    weights = {name: torch.from_numpy(values) for name, values in student.weights.items()}
    embeddings = torch.cat([weights["Wemb"], torch.zeros(1, student.dimension)])
    bias = torch.cat([weights["decoder_ff_logit_out_b"].reshape(-1), torch.tensor([NEVER])])
    embedded = ("model.shared", "model.encoder.embed_tokens", "model.decoder.embed_tokens", "lm_head")
    tied = [f"{name}.weight" for name in embedded]
    out = [(name, embeddings) for name in tied if name in model.state_dict()]
    out.append(("final_logits_bias", bias.reshape(1, -1)))

    def linear(to: str, weight: str, bias_name: str) -> list[tuple[str, Any]]:
        return [(f"{to}.weight", weights[weight].T), (f"{to}.bias", weights[bias_name].reshape(-1))]

    def norm(to: str, name: str) -> list[tuple[str, Any]]:
        return [
            (f"{to}.{a}", weights[f"{name}_ln_{b}"].reshape(-1))
            for a, b in (("weight", "scale"), ("bias", "bias"))
        ]

    def attention(to: str, name: str) -> list[tuple[str, Any]]:
        projections = (("q_proj", "q"), ("k_proj", "k"), ("v_proj", "v"), ("out_proj", "o"))
        return [t for a, b in projections for t in linear(f"{to}.{a}", f"{name}_W{b}", f"{name}_b{b}")]

    def feed_forward(to: str, name: str) -> list[tuple[str, Any]]:
        first = linear(f"{to}.fc1", f"{name}_ffn_W1", f"{name}_ffn_b1")
        second = linear(f"{to}.fc2", f"{name}_ffn_W2", f"{name}_ffn_b2")
        return first + second + norm(f"{to}.final_layer_norm", f"{name}_ffn_ffn")

    for i in range(student.encoder_layers):
        to, name = f"model.encoder.layers.{i}", f"encoder_l{i + 1}"
        out += attention(f"{to}.self_attn", f"{name}_self") + norm(
            f"{to}.self_attn_layer_norm", f"{name}_self_Wo"
        )
        out += feed_forward(to, name)
    for i in range(student.decoder_layers):
        to, name = f"model.decoder.layers.{i}", f"decoder_l{i + 1}"
        out += attention(f"{to}.encoder_attn", f"{name}_context")
        out += norm(f"{to}.encoder_attn_layer_norm", f"{name}_context_Wo") + feed_forward(to, name)
        out += norm(f"{to}.self_attn_layer_norm", f"{name}_rnn_ffn")
        out += [
            (f"{to}.self_attn.v_proj.weight", weights[f"{name}_rnn_W"].T),
            (f"{to}.self_attn.v_proj.bias", torch.zeros(student.dimension)),
            (f"{to}.self_attn.out_proj.weight", torch.eye(student.dimension)),
            (f"{to}.self_attn.out_proj.bias", torch.zeros(student.dimension)),
        ]
    return out
