"""The real loop on a tiny random Marian: it learns, resumes exactly, survives what goes wrong."""

from __future__ import annotations

import dataclasses
import errno
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

import mt.finetune_checkpoints
from data.errors import ConfigError, MedloopError, ModelError, OutputError
from data.fingerprints import FINGERPRINTS, read_fingerprints
from data.jsonl import read_pairs, write_jsonl
from mt.config import LoraConfig, TrainConfig
from mt.finetune import RECORD, Trained, _stepper, finetune
from mt.finetune_data import read_corpora
from mt.finetune_mixture import Example, Mixture, Source
from mt.finetune_models import load_base, load_marian, save, trainable
from mt.finetune_progress import TrainProgress, line
from mt.finetune_step import Stepper
from tests.tiny_marian import SENTENCES, build_tiny_marian

pytestmark = pytest.mark.transformers

ROWS = [
    {"id": f"t{i}", "src": f"{SENTENCES[i % 3]} {i}", "tgt": f"{SENTENCES[3 + i % 3]} {i}"} for i in range(40)
]
CONFIG = TrainConfig(
    source="en",
    target="pt",
    max_tokens=6000,
    batch_tokens=300,
    learning_rate=3e-3,
    precision="float32",
    evaluations=3,
    threads=1,
    ema_decay=0.9,
    dropout=0.1,
    dev_segments=4,
    longest=150,
    report_seconds=0.0,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_marian(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    write_jsonl(path, ROWS)
    return path


def length(translations: Sequence[str], references: Sequence[str]) -> Mapping[str, float]:
    """Not a measure of quality, but a number that depends on the translations."""
    return {"chrF": -sum(abs(len(t) - len(r)) for t, r in zip(translations, references, strict=True))}


def train(base: Path, pairs: Path, out: Path, config: TrainConfig = CONFIG, **more: Any) -> Trained:
    mixture = Mixture((Source("own", pairs, 3), Source("replay", pairs, 1, cross_entropy=0.0, anchor=1.0)))
    return finetune(base, more.pop("mixture", mixture), pairs, out, config, length, **more)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_marian(folder).state_dict())


def test_it_learns_says_so_and_keeps_a_record(base: Path, pairs: Path, tmp_path: Path) -> None:
    seen: list[TrainProgress] = []
    trained = train(base, pairs, tmp_path / "out", progress=seen.append)
    losses = [p.losses["own"].cross_entropy for p in seen if "own" in p.losses]
    assert sum(losses[-3:]) < 0.95 * sum(losses[:3])
    assert {name for p in seen for name in p.losses} == {"own", "replay"}
    assert any("own" in line(p) and "tokens/s" in line(p) for p in seen)
    assert len(trained.history) == 3
    assert trained.ended == "length"
    assert trained.scores["chrF"] == max(scores["chrF"] for scores in trained.history)
    record = json.loads((tmp_path / "out" / RECORD).read_text(encoding="utf-8"))
    assert [source["read"] for source in record["sources"]] == [40, 40]
    assert record["config"]["seed"] == 1
    assert not (tmp_path / "out" / ".work").exists()
    seen_text = next(iter(read_pairs(pairs))).source.text
    assert read_fingerprints(tmp_path / "out" / FINGERPRINTS).seen(seen_text) == "exact"


def test_the_seed_decides(base: Path, pairs: Path, tmp_path: Path) -> None:
    short = dataclasses.replace(CONFIG, max_tokens=1500, evaluations=1)
    runs = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(base, pairs, tmp_path / name, dataclasses.replace(short, seed=seed))
        runs[name] = weights(tmp_path / name)
    assert all(torch.equal(runs["a"][name], runs["b"][name]) for name in runs["a"])
    assert not all(torch.equal(runs["a"][name], runs["c"][name]) for name in runs["a"])


def test_a_killed_run_ends_like_an_undisturbed_one(base: Path, pairs: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill_at(step: int) -> Any:
        def show(progress: TrainProgress) -> None:
            if progress.step == step and not progress.scores:
                raise Killed

        return show

    config = dataclasses.replace(CONFIG, checkpoint_seconds=0.0, average_best=2)
    undisturbed = train(base, pairs, tmp_path / "a", config)
    for step in (4, 11):
        with pytest.raises(Killed):
            train(base, pairs, tmp_path / "b", config, progress=kill_at(step))
    resumed = train(base, pairs, tmp_path / "b", config)
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert undisturbed.history == resumed.history
    assert undisturbed.scores == resumed.scores


def test_a_run_killed_while_it_wrote_its_result_takes_no_further_step(
    base: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    config = dataclasses.replace(CONFIG, max_tokens=900, evaluations=1)
    undisturbed = train(base, pairs, tmp_path / "a", config)
    with monkeypatch.context() as patch:
        patch.setattr("mt.finetune.save", killed)
        with pytest.raises(KeyboardInterrupt):
            train(base, pairs, tmp_path / "b", config)
    resumed = train(base, pairs, tmp_path / "b", config)
    assert (resumed.steps, resumed.history) == (undisturbed.steps, undisturbed.history)
    first, second = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_out_of_memory_halves_the_batch_and_changes_nothing(
    base: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(CONFIG, max_tokens=1500, evaluations=1, dropout=0.0)
    train(base, pairs, tmp_path / "roomy", config)
    real, sizes = Stepper._loss, []

    def cramped(self: Stepper, batch: Any, tokens: int) -> torch.Tensor:
        sizes.append(len(batch.examples))
        if len(batch.examples) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return real(self, batch, tokens)

    monkeypatch.setattr(Stepper, "_loss", cramped)
    train(base, pairs, tmp_path / "cramped", config)
    assert max(sizes[-5:]) <= 2
    roomy, tight = weights(tmp_path / "roomy"), weights(tmp_path / "cramped")
    for name, values in roomy.items():
        torch.testing.assert_close(values, tight[name], atol=2e-3, rtol=0)


def test_a_loss_that_is_no_number_stops_with_the_ids(
    base: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stepper, "_loss", lambda self, batch, tokens: torch.tensor(float("nan")))
    with pytest.raises(MedloopError, match=r"the loss is nan; ids of the batch: t\d+, t\d+"):
        train(base, pairs, tmp_path / "out")


def test_a_full_disk_leaves_the_last_good_checkpoint(
    base: Path, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = dataclasses.replace(CONFIG, max_tokens=2400, checkpoint_seconds=0.0)
    real, written = mt.finetune_checkpoints._write, 0

    def full(path: Path, tensors: Any) -> None:
        nonlocal written
        written += path.name == "state.safetensors"
        if written == 4:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, tensors)

    with monkeypatch.context() as patch:
        patch.setattr(mt.finetune_checkpoints, "_write", full)
        with pytest.raises(OutputError, match="No space left on device; the last good checkpoint is"):
            train(base, pairs, tmp_path / "out", config)
    assert not (tmp_path / "out" / ".work" / "last.part").exists()
    train(base, pairs, tmp_path / "out", config)
    train(base, pairs, tmp_path / "undisturbed", config)
    one, two = weights(tmp_path / "out"), weights(tmp_path / "undisturbed")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_checkpoint_of_another_run_is_refused(base: Path, pairs: Path, tmp_path: Path) -> None:
    def stop(progress: TrainProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(base, pairs, tmp_path / "out", progress=stop)
    with pytest.raises(ConfigError, match=r"another run \(learning_rate, seed differ\)"):
        train(base, pairs, tmp_path / "out", dataclasses.replace(CONFIG, seed=9, learning_rate=1e-4))


def test_lora_is_merged_and_only_then_differs(base: Path, pairs: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, lora=LoraConfig(rank=2, layers=("q_proj", "fc1")), max_tokens=1500)
    train(base, pairs, tmp_path / "out", config)
    before, after = weights(base), weights(tmp_path / "out")
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("q_proj.weight" in name or "fc1.weight" in name for name in changed)


def test_lora_says_the_same_once_it_is_merged_and_read_again(base: Path, tmp_path: Path) -> None:
    start = load_base(base)
    model: Any = trainable(start, dataclasses.replace(CONFIG, dropout=0.0, lora=LoraConfig(rank=3))).eval()
    torch.manual_seed(1)
    state = {name: torch.randn_like(p) for name, p in model.named_parameters() if p.requires_grad}
    save(model, start, tmp_path / "merged", "float32", state)
    names = dict(model.named_parameters())
    with torch.no_grad():
        for name, values in state.items():
            names[name].copy_(values)
    ids = torch.tensor([[5, 6, 7, 0]])
    beside = model(input_ids=ids, decoder_input_ids=ids).logits
    merged = load_marian(tmp_path / "merged").eval()(input_ids=ids, decoder_input_ids=ids).logits
    torch.testing.assert_close(merged, beside, atol=1e-4, rtol=1e-4)
    plain = load_marian(base).eval()(input_ids=ids, decoder_input_ids=ids).logits
    assert float((beside - plain).abs().max()) > 0.1


def test_bf16_on_a_cpu_goes_the_same_way(base: Path, pairs: Path, tmp_path: Path) -> None:
    """Weights stay in fp32; products in bf16 change each gradient by a few parts in a hundred at most."""
    start = load_base(base)
    found = {}
    for precision in ("float32", "bfloat16"):
        config = dataclasses.replace(CONFIG, dropout=0.0, precision=precision)
        corpora = read_corpora(Mixture((Source("own", pairs),)), start.vocabulary, config)
        stepper = _stepper(start, corpora, config)
        parameters = [p for p in stepper.model.parameters() if p.requires_grad]
        gradients, loss, _ = stepper.gradients([tuple(Example(0, i) for i in range(9))], parameters)
        assert {gradient.dtype for gradient in gradients} == {torch.float32}
        found[precision] = torch.cat([gradient.flatten() for gradient in gradients]), loss
    (exact, loss), (rounded, other) = found.values()
    assert other == pytest.approx(loss, rel=0.01)
    assert other != loss
    assert float((exact - rounded).norm() / exact.norm()) < 0.05
    trained = train(base, pairs, tmp_path / "out", dataclasses.replace(CONFIG, precision="bfloat16"))
    assert trained.ended == "length"
    assert {values.dtype for values in weights(tmp_path / "out").values()} == {torch.float32}


def test_frozen_parts_stay(base: Path, pairs: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, freeze=("embeddings", "encoder"), max_tokens=1500, r_drop=0.5)
    train(base, pairs, tmp_path / "out", config)
    before, after = weights(base), weights(tmp_path / "out")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(".decoder.layers." in name for name in changed)


def test_accumulated_batches_are_one_large_batch(base: Path, pairs: Path) -> None:
    start = load_base(base)
    config = dataclasses.replace(CONFIG, dropout=0.0)
    mixture = Mixture((Source("own", pairs),))
    corpora = read_corpora(mixture, start.vocabulary, config)
    stepper = _stepper(start, corpora, config)
    parameters = [p for p in stepper.model.parameters() if p.requires_grad]
    some = tuple(Example(0, i) for i in range(9))
    whole, loss, tokens = stepper.gradients([some], parameters)
    parts, same_loss, same_tokens = stepper.gradients([some[:2], some[2:]], parameters)
    assert tokens == same_tokens
    assert loss == pytest.approx(same_loss, rel=1e-5)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_the_loss_is_that_of_transformers(base: Path, pairs: Path) -> None:
    start = load_base(base)
    config = dataclasses.replace(CONFIG, dropout=0.0)
    corpora = read_corpora(Mixture((Source("own", pairs),)), start.vocabulary, config)
    stepper = _stepper(start, corpora, config)
    some = tuple(Example(0, i) for i in range(6))
    parameters = [p for p in stepper.model.parameters() if p.requires_grad]
    _, loss, _ = stepper.gradients([some], parameters)
    model = trainable(start, config).eval()
    rows = [(corpora[0].source_row(i), corpora[0].target_row(i)) for i in range(6)]
    pad = torch.nn.utils.rnn.pad_sequence
    sources = pad([torch.tensor(s).long() for s, _ in rows], True, start.pad)
    labels = pad([torch.tensor(t).long() for _, t in rows], True, -100)
    theirs = model(input_ids=sources, attention_mask=(sources != start.pad).long(), labels=labels).loss
    assert loss == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda config, numbers: config.update(model_type="t5"), "architecture 't5'.*takes 'marian'"),
        (lambda config, numbers: numbers.update(extra=len(numbers)), "vocab.json has .* pieces, the weights"),
        (
            lambda config, numbers: (
                numbers.update({"<pad>": 5, "x": len(numbers) - 1}),
                numbers.pop(next(n for n, i in numbers.items() if i == 5 and n != "<pad>")),
            ),
            "<pad> is entry 5 of .* must be the last one",
        ),
    ],
)
def test_bases_that_cannot_be_trained(base: Path, tmp_path: Path, break_it: Any, message: str) -> None:
    import shutil

    folder = tmp_path / "base"
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    numbers = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    break_it(config, numbers)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps(numbers), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        load_base(folder)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        load_base(tmp_path / "none")
