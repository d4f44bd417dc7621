"""From a trained folder to one that runs, and what is found out on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import mt.parity
from data.errors import InputError, ModelError, OutputError
from data.fingerprints import FINGERPRINTS, fingerprints_of, read_fingerprints
from data.jsonl import read_jsonl, write_jsonl
from mt.config import QUANTIZATIONS, ConvertConfig
from mt.convert import convert
from mt.engine import Engine
from mt.finetune_models import load_marian
from mt.models import find_model
from mt.parity import ParityError
from mt.registry import Registry
from tests.tiny_marian import SENTENCES, build_tiny_marian

pytestmark = pytest.mark.transformers
CONFIG = ConvertConfig(quantization="float32", least_segments=12, most_segments=20, licence="CC0-1.0")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model whose output is not one word over and over: the embeddings are made to differ more."""
    folder = build_tiny_marian(tmp_path_factory.mktemp("checkpoint"))
    model = load_marian(folder)
    torch.manual_seed(2)
    with torch.no_grad():
        model.model.shared.weight[:-1] += torch.randn_like(model.model.shared.weight[:-1])
        for layer in model.model.decoder.layers:  # or the source would not matter
            for part in (layer.encoder_attn.v_proj, layer.encoder_attn.out_proj):
                part.weight *= 40
    model.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dev") / "dev.jsonl"
    write_jsonl(path, ({"src": f"{SENTENCES[i % 3]} {i}", "tgt": SENTENCES[3 + i % 3]} for i in range(16)))
    return path


@pytest.fixture(autouse=True)
def short_translations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random models never end by themselves."""
    monkeypatch.setattr(mt.parity, "_LONGEST_TARGET", 20)


def same(translations: Sequence[str], references: Sequence[str]) -> Mapping[str, float]:
    return {"BLEU": 50.0, "chrF": 70.0}


def test_a_faithful_model_becomes_a_folder_that_translates(
    checkpoint: Path, dev: Path, tmp_path: Path
) -> None:
    fingerprints_of(["Take 5 mg."]).write(checkpoint / FINGERPRINTS)
    manifest = convert(checkpoint, tmp_path / "out", CONFIG, dev, same)
    assert manifest.parity.segments == 16
    assert manifest.parity.identical == 1.0
    assert manifest.parity.losses == {"BLEU": 0.0, "chrF": 0.0}
    assert set(manifest.files) >= {"ct2/model.bin", "ct2/source.spm", "README.md", "parity.jsonl"}
    read = json.loads((tmp_path / "out" / "medloop.json").read_text(encoding="utf-8"))
    assert (read["source"], read["target"], read["licence"]) == ("en", "pt", "CC0-1.0")
    assert (tmp_path / "out" / "README.md").read_text(encoding="utf-8").startswith("---\nlanguage:\n- en\n")
    version = Registry.standard().register(tmp_path / "out", "en", "pt")
    installed = find_model("en", "pt", version)
    assert read_fingerprints(installed.folder / FINGERPRINTS).seen("Take 5 mg.") == "exact"
    found = Engine(installed).translate(["Take 5 mg."])
    assert found == Engine(find_model("en", "pt", str(checkpoint))).translate(["Take 5 mg."])


def test_the_comparison_compares_something(checkpoint: Path, dev: Path, tmp_path: Path) -> None:
    """Other translations for other sentences, or the test above would prove nothing."""
    outputs = Engine(find_model("en", "pt", str(checkpoint))).translate(SENTENCES)
    assert len(set(outputs)) > 1


def test_a_model_that_translates_otherwise_is_refused_with_the_differences(
    checkpoint: Path, dev: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mt.parity._greedy

    def other(*arguments: Any) -> list[list[str]]:
        rows = real(*arguments)
        rows[3] = ["▁Tome"]
        return rows

    monkeypatch.setattr(mt.parity, "_greedy", other)
    with pytest.raises(ParityError, match=r"only 93.8% of 16 translations are those of transformers"):
        convert(checkpoint, tmp_path / "out", CONFIG, dev, same)
    assert not (tmp_path / "out").exists()
    report = [record for _, record in read_jsonl(tmp_path / "out.parity.jsonl")]
    assert [record["id"] for record in report] == ["dev:4"]
    assert report[0]["transformers"] != report[0]["float32"] == report[0]["quantised"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parity.jsonl"]


def test_quantisation_may_lose_little(checkpoint: Path, dev: Path, tmp_path: Path) -> None:
    calls = 0

    def falling(translations: Sequence[str], references: Sequence[str]) -> Mapping[str, float]:
        nonlocal calls
        calls += 1
        return {"BLEU": 50.0 - 0.4 * (calls - 1), "chrF": 70.0}

    config = ConvertConfig(least_segments=12, most_segments=20)
    with pytest.raises(ParityError, match=r"int8 loses 0.40 BLEU \(0.3 is the most\)"):
        convert(checkpoint, tmp_path / "out", config, dev, falling)


@pytest.mark.parametrize("quantization", [form for form in QUANTIZATIONS if form != "float32"])
def test_every_form_is_made_and_says_where_it_was_not_run(
    checkpoint: Path, dev: Path, tmp_path: Path, quantization: str, caplog: pytest.LogCaptureFixture
) -> None:
    import ctranslate2

    config = ConvertConfig(quantization, least_segments=12, most_segments=20)
    manifest = convert(checkpoint, tmp_path / "out", config, dev, same)
    assert manifest.quantization == quantization
    assert manifest.files["ct2/model.bin"]["bytes"] > 0
    here = quantization in ctranslate2.get_supported_compute_types("cpu")
    said = f"{quantization} was compared in {manifest.parity.computed_as}, as this machine does not"
    assert (said in caplog.text) == (not here)
    assert (said in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")) == (not here)


@pytest.mark.parametrize(
    ("computed_as", "unseen"),
    [
        ("int8_float32", ""),
        ("int8", ""),
        ("float32", "int8 was compared in float32, as this machine does not compute in int8; "),
        ("", ""),  # manifests made before this was written down
    ],
)
def test_what_was_not_compared(computed_as: str, unseen: str) -> None:
    parity = mt.parity.Parity(200, 1.0, 1.0, {}, {}, computed_as)
    assert mt.parity.not_run_here(parity, "int8").removesuffix("compare again where it will run") == unseen


def test_too_few_segments_prove_nothing(checkpoint: Path, dev: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dev.jsonl: 16 segments; .* takes 200 or more"):
        convert(checkpoint, tmp_path / "out", ConvertConfig(), dev, same)


def test_an_earlier_conversion_is_not_overwritten(checkpoint: Path, dev: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        convert(checkpoint, tmp_path / "out", CONFIG, dev, same)


def _changed(checkpoint: Path, folder: Path, change: Any) -> Path:
    shutil.copytree(checkpoint, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    numbers = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    tensors = load_file(str(folder / "model.safetensors"))
    change(config, numbers, tensors)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps(numbers), encoding="utf-8")
    save_file(tensors, str(folder / "model.safetensors"), {"format": "pt"})
    return folder


def _pad_first(config: dict[str, Any], numbers: dict[str, int], tensors: dict[str, torch.Tensor]) -> None:
    last = len(numbers) - 1
    other = next(piece for piece, number in numbers.items() if number == 2)
    numbers["<pad>"], numbers[other] = 2, last
    config["pad_token_id"] = config["decoder_start_token_id"] = 2


def _added_tokens(config: dict[str, Any], numbers: dict[str, int], tensors: dict[str, torch.Tensor]) -> None:
    numbers["<term>"] = len(numbers)


def _untied(config: dict[str, Any], numbers: dict[str, int], tensors: dict[str, torch.Tensor]) -> None:
    tensors["lm_head.weight"] = tensors["model.shared.weight"] + 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_pad_first, r"<pad> is entry 2 of \d+; it must be the last one, or rows shift"),
        (_added_tokens, r"vocab.json has \d+ pieces, the weights \d+; tokens were added to one"),
        (_untied, r"lm_head.weight is not the shared embedding; the model is not tied as it says"),
    ],
)
def test_pitfalls_of_vocabularies(
    checkpoint: Path, dev: Path, tmp_path: Path, change: Any, message: str
) -> None:
    folder = _changed(checkpoint, tmp_path / "changed", change)
    with pytest.raises(ModelError, match=message):
        convert(folder, tmp_path / "out", CONFIG, dev, same)


def test_tied_embeddings_survive_saving_and_reloading(checkpoint: Path, tmp_path: Path) -> None:
    model = load_marian(checkpoint).eval()
    ids = torch.tensor([[5, 6, 7, 0]])
    before = model(input_ids=ids, decoder_input_ids=ids).logits
    model.save_pretrained(str(tmp_path / "saved"))
    again = load_marian(tmp_path / "saved").eval()
    assert again.lm_head.weight.data_ptr() == again.model.shared.weight.data_ptr()
    torch.testing.assert_close(again(input_ids=ids, decoder_input_ids=ids).logits, before)
