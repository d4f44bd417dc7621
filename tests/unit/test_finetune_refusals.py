"""What fine-tuning refuses before its first step, and how it says so."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import torch

from data.errors import ConfigError, InputError, MedloopError, ModelError
from data.jsonl import write_jsonl
from mt.config import TrainConfig
from mt.finetune import _stepper, finetune
from mt.finetune_data import read_corpora
from mt.finetune_mixture import Example, Mixture, Source
from mt.finetune_models import load_base
from mt.finetune_step import Stepper
from tests.tiny_marian import SENTENCES, build_tiny_marian

pytestmark = pytest.mark.transformers
CONFIG = TrainConfig(source="en", target="pt", max_tokens=300, threads=1, precision="float32")
ROWS = [{"id": f"t{i}", "src": f"{SENTENCES[i % 3]} {i}", "tgt": f"{SENTENCES[3]} {i}"} for i in range(9)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_marian(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    write_jsonl(path, ROWS)
    return path


def even(translations: Sequence[str], references: Sequence[str]) -> Mapping[str, float]:
    return {"chrF": 1.0, "BLEU": 2.0}


@pytest.mark.parametrize(
    ("records", "kind", "message"),
    [
        ([], InputError, r"dev.jsonl: no pairs of en-pt with both sides; dev needs some"),
        ([ROWS[0] | {"tgt": " "}], InputError, r"dev.jsonl: no pairs of en-pt with both sides"),
        ([ROWS[0] | {"src_lang": "en", "tgt_lang": "es"}], InputError, r"no pairs of en-pt with both sides"),
        ([{"id": "a", "src": "Take 5 mg."}], MedloopError, r"dev.jsonl:1: .*tgt"),
    ],
)
def test_dev_without_pairs(
    base: Path, pairs: Path, tmp_path: Path, records: list[dict[str, str]], kind: type, message: str
) -> None:
    write_jsonl(tmp_path / "dev.jsonl", records)
    with pytest.raises(kind, match=message):
        finetune(base, Mixture((Source("a", pairs),)), tmp_path / "dev.jsonl", tmp_path / "out", CONFIG, even)


def test_a_measure_that_the_metric_does_not_give(base: Path, pairs: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, dev_metric="COMET")
    with pytest.raises(ConfigError, match=r"no dev_metric 'COMET'; the metric gives chrF, BLEU"):
        finetune(base, Mixture((Source("a", pairs),)), pairs, tmp_path / "out", config, even)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(base: Path, pairs: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, device="cuda")
    with pytest.raises(ConfigError, match=r"device 'cuda' is not here; valid here: auto, cpu"):
        finetune(base, Mixture((Source("a", pairs),)), pairs, tmp_path / "out", config, even)


def _separate(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["share_encoder_decoder_embeddings"] = False
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_separate, r"separate vocabularies for the two sides; only shared ones can be trained"),
        (lambda f: (f / "model.safetensors").unlink(), r"missing; this folder can translate but not be"),
        (lambda f: (f / "config.json").write_text("[", encoding="utf-8"), r"config.json: damaged; it should"),
        (lambda f: (f / "config.json").unlink(), r"config.json: missing; a base is a MarianMT folder"),
        (lambda f: (f / "source.spm").write_bytes(b"x"), r"source.spm: missing or damaged SentencePiece"),
    ],
)
def test_bases_in_disorder(
    base: Path, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    shutil.copytree(base, tmp_path / "base")
    damage(tmp_path / "base")
    with pytest.raises(ModelError, match=message):
        load_base(tmp_path / "base")


def test_weights_cut_short(base: Path, pairs: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "base")
    weights = tmp_path / "base" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"base: cannot be loaded \("):
        finetune(tmp_path / "base", Mixture((Source("a", pairs),)), pairs, tmp_path / "out", CONFIG, even)


def test_an_anchor_of_another_vocabulary(base: Path, pairs: Path, tmp_path: Path) -> None:
    other = build_tiny_marian(tmp_path / "other", tokens=(">>pt<<",))
    config = dataclasses.replace(CONFIG, anchor_models=(str(other),))
    with pytest.raises(ConfigError, match=r"its vocabulary is not the base's; choose one of its kin"):
        finetune(base, Mixture((Source("a", pairs, anchor=1),)), pairs, tmp_path / "out", config, even)


def test_a_pair_that_does_not_fit_into_memory_is_named(
    base: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = load_base(base)
    corpora = read_corpora(Mixture((Source("a", pairs),)), start.vocabulary, CONFIG)
    stepper = _stepper(start, corpora, CONFIG)

    def full(self: Stepper, batch: object, tokens: int) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(Stepper, "_loss", full)
    with pytest.raises(ModelError, match=r"out of memory with a single pair \(ids of the batch: t3\); lower"):
        stepper.gradients([(Example(0, 3), Example(0, 4))], list(stepper.model.parameters()))


def test_a_few_unknown_letters_are_reported_and_do_not_stop(
    base: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_jsonl(tmp_path / "a.jsonl", [*ROWS, {"id": "u", "src": "Take 5 mg.", "tgt": "Tome 5 mg 日."}])
    with caplog.at_level(logging.INFO):
        read_corpora(Mixture((Source("own", tmp_path / "a.jsonl"),)), load_base(base).vocabulary, CONFIG)
    assert "of the target pieces are unknown" in caplog.text
    assert "日" not in caplog.text
