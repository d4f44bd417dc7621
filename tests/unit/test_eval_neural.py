"""COMET and BERTScore for real, on tiny random models made here with the libraries' own classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval.neural import BertScore, Comet, find_checkpoint, revision
from eval.scores import Material, Unmeasured
from eval.testsets import load_testset

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # these libraries warn of each other
    pytest.mark.slow,
]
TINY = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 130,
}  # fmt: skip


@pytest.fixture(scope="module")
def material() -> Material:
    testset = load_testset("bundled", limit=12)
    return testset.material(" ".join(pair.target.split()[::-1]) for pair in testset.pairs)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny XLM-R with a tokenizer of its own."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("tiny-xlm-r")
    texts = [text for pair in load_testset("bundled").pairs for text in (pair.source.text, pair.target)]
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained = tokenizers.Tokenizer(tokenizers.models.Unigram())
    trained.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    trained.train_from_iterator(
        texts,
        tokenizers.trainers.UnigramTrainer(
            vocab_size=300, special_tokens=special, unk_token="<unk>", show_progress=False
        ),
    )
    trained.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    trained.save(str(folder / "trained.json"))
    tokenizer = transformers.XLMRobertaTokenizerFast(tokenizer_file=str(folder / "trained.json"))
    tokenizer.model_max_length = 120
    tokenizer.save_pretrained(folder)
    transformers.set_seed(1)
    config = transformers.XLMRobertaConfig(vocab_size=len(tokenizer), **TINY)
    transformers.XLMRobertaModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the hub holds one: hparams.yaml beside checkpoints/model.ckpt."""
    torch, yaml = pytest.importorskip("torch"), pytest.importorskip("yaml")
    models = pytest.importorskip("comet.models")
    torch.manual_seed(2)
    model = models.RegressionMetric(
        pretrained_model=str(encoder), hidden_sizes=[8], load_pretrained_weights=True, local_files_only=True
    )
    folder = tmp_path_factory.mktemp("tiny-comet")
    (folder / "checkpoints").mkdir()
    parameters = dict(model.hparams)
    (folder / "hparams.yaml").write_text(yaml.safe_dump(parameters))
    saved = {
        "state_dict": model.state_dict(), "hyper_parameters": parameters, "epoch": 0, "global_step": 0,
        "pytorch-lightning_version": "2.0.0",
    }  # fmt: skip
    torch.save(saved, folder / "checkpoints" / "model.ckpt")
    return folder / "checkpoints" / "model.ckpt"


def test_comet_scores_as_comet_does(checkpoint: Path, material: Material) -> None:
    score = Comet(str(checkpoint.parent.parent)).score(material)
    comet = pytest.importorskip("comet")
    model: Any = comet.load_from_checkpoint(str(checkpoint), local_files_only=True)
    rows = [
        {"src": source, "mt": output, "ref": reference}
        for source, output, reference in zip(
            material.sources, material.outputs, material.references, strict=True
        )
    ]
    theirs = model.predict(rows, batch_size=5, gpus=0, progress_bar=False, num_workers=1)
    assert score.per_segment == pytest.approx([100 * value for value in theirs.scores], abs=1e-3)
    assert score.value == pytest.approx(100 * theirs.system_score, abs=1e-3)
    assert len(set(score.per_segment)) > 6  # the model does tell segments apart
    assert f"revision:{revision(checkpoint)}" in score.signature
    assert score.signature.endswith("|scale:100|version:2.2.7|segments:12")


def test_comet_is_found_by_its_variable(
    checkpoint: Path, material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDLOOP_COMET_MODEL", str(checkpoint))
    assert Comet().score(material).signature.startswith("COMET|model:tiny-comet")


def test_a_damaged_checkpoint_is_not_measured(tmp_path: Path, material: Material) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "model.ckpt").write_bytes(b"no checkpoint")
    (tmp_path / "hparams.yaml").write_text("class_identifier: regression_metric\n")
    with pytest.raises(Unmeasured, match=r"model\.ckpt cannot be loaded"):
        Comet(str(tmp_path)).score(material)


def test_bertscore_scores_as_bert_score_does(encoder: Path, material: Material) -> None:
    score = BertScore(str(encoder)).score(material)
    bert_score = pytest.importorskip("bert_score")
    theirs = bert_score.score(
        list(material.outputs), list(material.references), model_type=str(encoder), num_layers=2
    )[2]
    assert score.per_segment == pytest.approx([100 * float(value) for value in theirs], abs=1e-3)
    assert "|layer:2|idf:no|" in score.signature


def test_what_is_not_there_is_named_with_the_way_to_it(tmp_path: Path) -> None:
    with pytest.raises(Unmeasured, match="neither a folder nor in the Hugging Face cache") as caught:
        find_checkpoint("Unbabel/wmt22-comet-da")
    assert caught.value.enable.startswith("hf download Unbabel/wmt22-comet-da")
    with pytest.raises(Unmeasured, match=r"has no checkpoints/\*\.ckpt"):
        find_checkpoint(str(tmp_path))


def test_a_revision_comes_from_the_cache_or_the_file(tmp_path: Path) -> None:
    cached = tmp_path / "snapshots" / "0123456789abcdef" / "checkpoints" / "model.ckpt"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"x")
    assert revision(cached) == "0123456789ab"
    plain = tmp_path / "model.ckpt"
    plain.write_bytes(b"x")
    first = revision(plain)
    plain.write_bytes(b"y")
    assert first.startswith("sha256-ends-")
    assert first != revision(plain)
