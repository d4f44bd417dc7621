"""Grafting on a made-up student of the published file format: read exactly, imitated, resumed."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from data.errors import InputError, ModelError
from mt.starter.bergamot import read_student
from mt.starter.deepen import deepen
from mt.starter.distil import Distillation, Example, Progress, RunSettings, Stage, make_batches
from mt.starter.equalise import equalise
from mt.starter.graft import Recipe, graft
from mt.starter.marian import build_marian
from mt.starter.sources import excluded, read_texts
from mt.starter.teacher import Teacher, attention_mask
from tests.tiny_marian import SENTENCES, build_tiny_marian

pytestmark = pytest.mark.transformers
WIDTH, HIDDEN, HEADS = 16, 32, 2
SETTINGS = (
    "dec-cell: ssru\ntype: transformer\ntransformer-decoder-autoreg: rnn\ntransformer-preprocess: ''\n"
    "transformer-postprocess: dan\ntransformer-ffn-activation: relu\ntied-embeddings-all: true\n"
    "enc-depth: 1\ndec-depth: 2\ntransformer-heads: 2\n"
)
Tensors = dict[str, NDArray[np.float32]]


def student_tensors(vocabulary: int) -> Tensors:
    """Random weights under the names that Marian gives them."""
    random = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "Wemb": (vocabulary, WIDTH),
        "decoder_ff_logit_out_b": (1, vocabulary),
    }

    def block(name: str, attention: str) -> None:
        for part in "qkvo":
            shapes[f"{name}_{attention}_W{part}"] = (WIDTH, WIDTH)
            shapes[f"{name}_{attention}_b{part}"] = (1, WIDTH)
        shapes[f"{name}_ffn_W1"], shapes[f"{name}_ffn_b1"] = (WIDTH, HIDDEN), (1, HIDDEN)
        shapes[f"{name}_ffn_W2"], shapes[f"{name}_ffn_b2"] = (HIDDEN, WIDTH), (1, WIDTH)
        for norm in (f"{attention}_Wo", "ffn_ffn"):
            shapes[f"{name}_{norm}_ln_scale"] = shapes[f"{name}_{norm}_ln_bias"] = (1, WIDTH)

    block("encoder_l1", "self")
    for i in (1, 2):
        block(f"decoder_l{i}", "context")
        shapes[f"decoder_l{i}_rnn_W"] = shapes[f"decoder_l{i}_rnn_Wf"] = (WIDTH, WIDTH)
        for name in ("bf", "ffn_ln_scale", "ffn_ln_bias"):
            shapes[f"decoder_l{i}_rnn_{name}"] = (1, WIDTH)
    tensors = {
        name: (random.standard_normal(shape) * 0.3).astype(np.float32) for name, shape in shapes.items()
    }
    return {name: np.ones_like(t) if name.endswith("ln_scale") else t for name, t in tensors.items()}


def write_bin(path: Path, tensors: Tensors) -> None:
    """Marian's binary container: matrices as 8-bit with a multiplier, transposed but for the embeddings."""
    entries: list[tuple[str, int, tuple[int, ...], bytes]] = []
    for name, values in tensors.items():
        if values.shape[0] > 1 and not name.endswith("_b"):
            multiplier = np.float32(127 / np.abs(values).max())
            stored = np.round((values if name == "Wemb" else values.T) * multiplier).astype(np.int8)
            data = stored.tobytes() + multiplier.tobytes() + bytes(252)
            entries.append((name, 0x4101, values.shape, data))
        else:
            entries.append((name, 0x404, values.shape, values.tobytes()))
    entries.append(("special:model.yml", 0x101, (len(SETTINGS),), SETTINGS.encode()))
    raw = struct.pack("<QQ", 1, len(entries))
    for name, kind, shape, data in entries:
        raw += struct.pack("<QQQQ", len(name) + 1, kind, len(shape), len(data))
    raw += b"".join(name.encode() + b"\0" for name, *_ in entries)
    raw += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in entries)
    padding = -(len(raw) + 8) % 256
    path.write_bytes(raw + struct.pack("<Q", padding) + bytes(padding) + b"".join(e[3] for e in entries))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("student")
    tiny = build_tiny_marian(tmp_path_factory.mktemp("tiny"))
    (made / "vocab.enpt.spm").write_bytes((tiny / "source.spm").read_bytes())
    size = len(json.loads((tiny / "vocab.json").read_text(encoding="utf-8"))) - 1
    write_bin(made / "model.enpt.bin", student_tensors(size))
    (made / "lex.50.50.enpt.s2t.bin").write_bytes(b"a shortlist, not a model")
    return made


def test_both_containers_hold_the_same(folder: Path, tmp_path: Path) -> None:
    student = read_student(folder)
    written = student_tensors(student.vocabulary_size)
    assert set(student.weights) == set(written)
    for name, values in written.items():
        step = np.abs(values).max() / 127
        np.testing.assert_allclose(student.weights[name], values, atol=step * 0.51)
    settings = np.frombuffer(SETTINGS.encode(), np.int8)
    np.savez(tmp_path / "model.npz", **student.weights, **{"special:model.yml": settings})
    (tmp_path / "vocab.spm").write_bytes(student.vocabulary.read_bytes())
    again = read_student(tmp_path)
    assert again.settings == student.settings
    assert all(np.array_equal(again.weights[name], values) for name, values in student.weights.items())


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: raw[:-400], "cut off inside the tensor"),
        (lambda raw: raw[:8], "damaged Marian binary model"),
        (lambda raw: b"PK" + raw, "not a Marian binary model of version 1"),
        (
            lambda raw: raw.replace(b"dec-cell: ssru", b"dec-cell: gru_"),
            "dec-cell is 'gru_'; grafting knows 'ssru' only",
        ),
    ],
)
def test_damaged_students_are_named(folder: Path, tmp_path: Path, damage: object, message: str) -> None:
    assert callable(damage)
    (tmp_path / "vocab.spm").write_bytes((folder / "vocab.enpt.spm").read_bytes())
    (tmp_path / "model.bin").write_bytes(damage((folder / "model.enpt.bin").read_bytes()))
    with pytest.raises(ModelError, match=message) as caught:
        read_student(tmp_path)
    assert str(tmp_path / "model.bin") in str(caught.value)


def test_a_folder_without_a_model_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"needs one \*.bin or \*.npz model and one shared \*.spm vocabulary"
    ):
        read_student(tmp_path)


def test_the_cell_follows_its_formula_and_greedy_decoding_its_own_states(folder: Path) -> None:
    student = read_student(folder)
    teacher = Teacher(student, build_marian(student))
    inputs = torch.randn(1, 3, WIDTH)
    got, _ = teacher.cell(0, inputs)
    weights = {name: torch.from_numpy(values) for name, values in student.weights.items()}
    state = torch.zeros(WIDTH)
    for t in range(3):
        x = inputs[0, t]
        forget = torch.sigmoid(x @ weights["decoder_l1_rnn_Wf"] + weights["decoder_l1_rnn_bf"][0])
        state = forget * state + (1 - forget) * (x @ weights["decoder_l1_rnn_W"])
        summed = x + torch.relu(state)
        normed = (summed - summed.mean()) / torch.sqrt(summed.var(unbiased=False) + 1e-5)
        wanted = normed * weights["decoder_l1_rnn_ffn_ln_scale"][0] + weights["decoder_l1_rnn_ffn_ln_bias"][0]
        torch.testing.assert_close(got[0, t], wanted, atol=1e-5, rtol=1e-4)
    source = torch.tensor([[5, 6, 7, 0]])
    present = torch.ones_like(source, dtype=torch.bool)
    (row,) = teacher.translate(source, present, 12)
    pad = student.vocabulary_size
    encoded = teacher.model.model.encoder(input_ids=source, attention_mask=present).last_hidden_state
    states = teacher(torch.tensor([[pad, *row]]), encoded, attention_mask(present))
    choices = (states[0] @ teacher.model.model.shared.weight.T + teacher.model.final_logits_bias[0]).argmax(
        -1
    )
    assert choices.tolist()[: len(row)] == row


def test_training_brings_the_graft_to_its_teacher(folder: Path) -> None:
    student = read_student(folder)
    seen: list[Progress] = []
    run = Distillation(
        Teacher(student, build_marian(student)),
        build_marian(student),
        RunSettings(report_seconds=0.0),
        report=seen.append,
    )
    random = np.random.default_rng(1)
    examples = [
        Example((*random.integers(2, 50, 8).tolist(), 0), (*random.integers(2, 50, 9).tolist(), 0))
        for _ in range(64)
    ]
    batches = make_batches(examples, 200)
    assert sum(len(batch.examples) for batch in batches) == 64
    for stage, tokens in ((Stage.CELLS, 8_000), (Stage.DECODER, 20_000), (Stage.ALL, 1_000)):
        run.stage(stage, stage, batches, tokens)
    errors = {stage: [p.state_error for p in seen if p.stage is stage] for stage in Stage}
    assert errors[Stage.CELLS][-1] < 0.85 * errors[Stage.CELLS][0]
    assert errors[Stage.DECODER][-1] < 0.9 * errors[Stage.DECODER][0]


def test_a_stopped_run_ends_like_an_undisturbed_one(folder: Path, tmp_path: Path) -> None:
    student = read_student(folder)
    batches = make_batches([Example((4, 5, i + 6, 0), (7, i + 8, 9, 0)) for i in range(24)], 20)

    def train(checkpoint: Path, stop_after: int) -> dict[str, torch.Tensor]:
        class Stop(Exception):
            pass

        reports = 0

        def report(progress: Progress) -> None:
            nonlocal reports
            reports += 1
            if reports == stop_after:
                raise Stop

        settings = RunSettings(checkpoint_seconds=0.0, report_seconds=0.0)
        for _ in range(2):
            model = build_marian(student)
            run = Distillation(Teacher(student, build_marian(student)), model, settings, checkpoint, report)
            try:
                run.stage(Stage.DECODER, "decoder", batches, 1_500)
                return dict(model.state_dict())
            except Stop:
                continue
        raise AssertionError("stopped twice")

    undisturbed, resumed = train(tmp_path / "a.pt", 0), train(tmp_path / "b.pt", 7)
    assert all(torch.equal(undisturbed[name], resumed[name]) for name in undisturbed)


@pytest.mark.slow
def test_the_whole_recipe_gives_a_model_that_translates(folder: Path, tmp_path: Path) -> None:
    from mt.engine import Engine
    from mt.models import find_model

    recipe = Recipe(
        teacher_sentences=4,
        fresh_sentences=2,
        rounds=1,
        cell_tokens=60,
        decoder_tokens=60,
        round_tokens=60,
        all_tokens=60,
        joined_sentences=2,
        batch_tokens=60,
        longest=40,
    )
    out = tmp_path / "out"
    graft(folder, SENTENCES, out, "en", "pt", recipe)
    assert not (out / ".work").exists()
    assert len(Engine(find_model("en", "pt", str(out))).translate(SENTENCES)) == len(SENTENCES)


def test_equalising_changes_the_weights_and_not_the_output(folder: Path) -> None:
    student = read_student(folder)
    model = build_marian(student)
    ids = torch.tensor([[5, 6, 7, 0]])
    prefix = torch.tensor([[student.vocabulary_size, 9, 8]])
    before = model(input_ids=ids, decoder_input_ids=prefix).logits
    loud = model.model.encoder.layers[0]
    with torch.no_grad():  # one channel a hundred times as loud as the others
        loud.fc1.weight[3] *= 100
        loud.fc1.bias[3] *= 100
        loud.fc2.weight[:, 3] /= 100
    weights = loud.fc2.weight.clone()
    equalise(model, [Example((5, 6, 7, 0), (9, 8, 0))])
    assert not torch.equal(weights, loud.fc2.weight)
    torch.testing.assert_close(
        model(input_ids=ids, decoder_input_ids=prefix).logits, before, atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_deeper_graft_computes_nearly_the_same_at_first(folder: Path, at: int) -> None:
    model = build_marian(read_student(folder))
    random = np.random.default_rng(2)
    examples = [
        Example((*random.integers(2, 50, 8).tolist(), 0), (*random.integers(2, 50, 9).tolist(), 0))
        for _ in range(80)
    ]
    deeper = deepen(model, at, examples)
    assert [len(m.model.decoder.layers) for m in (model, deeper)] == [2, 3]
    ids, prefix = torch.tensor([examples[0].source]), torch.tensor([examples[0].target])
    before, after = (
        m.model(input_ids=ids, decoder_input_ids=prefix).last_hidden_state for m in (model, deeper)
    )
    assert torch.mean((after - before) ** 2) < 0.15 * before.var()
    names = dict(model.named_parameters())
    moved = {name: p for name, p in deeper.named_parameters() if f"decoder.layers.{at}." not in name}
    assert len(moved) == len(names)
    assert all(any(torch.equal(p, q) for q in names.values()) for p in moved.values())


def test_texts_are_distinct_and_without_the_test_set(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n\none\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"src": "three"}\n{"src": "two"}\n', encoding="utf-8")
    (tmp_path / "held.jsonl").write_text('{"src": "three"}\n', encoding="utf-8")
    texts = read_texts([str(tmp_path / "a.txt"), f"{tmp_path / 'b.jsonl'}:src"], seed=1)
    assert sorted(texts) == ["one", "three", "two"]
    assert sorted(excluded(texts, [f"{tmp_path / 'held.jsonl'}:src"])) == ["one", "two"]
    with pytest.raises(InputError, match="cannot be read"):
        read_texts([str(tmp_path / "none.txt")], seed=1)
