"""Finding a model: by pair, name, folder; and one clear line for every folder that is not one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from data.errors import InputError, LanguagePairError, ModelError
from mt.engine import Engine
from mt.models import STARTERS, find_model, installed_models
from tests.tiny_marian import build_tiny_marian

pytestmark = pytest.mark.transformers


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_marian(tmp_path_factory.mktemp("marian"))


def test_the_starters_are_there_and_say_their_licence() -> None:
    found = {model.pair: model for model in installed_models()}
    assert set(found) >= {"en-pt", "pt-en"}
    assert all(model.licence == "MPL-2.0" and model.origin for model in found.values())
    assert find_model("pt", "en").folder == STARTERS / "pt-en"


def test_a_marian_folder_is_converted_once(marian: Path, isolated_environment: Path) -> None:
    first = find_model("en", "pt", str(marian)).runnable
    assert first.is_relative_to(isolated_environment)
    made = (first / "model.bin").stat().st_mtime_ns
    assert find_model("en", "pt", str(marian)).runnable == first
    assert (first / "model.bin").stat().st_mtime_ns == made
    assert len(list(first.parent.iterdir())) == 1


def test_a_model_of_ones_own_is_found_by_its_name_and_pair(marian: Path, isolated_environment: Path) -> None:
    folder = isolated_environment / "medloop" / "models" / "cardiology"
    shutil.copytree(find_model("en", "pt", str(marian)).runnable, folder / "ct2")
    manifest = {"source": "en", "target": "xx", "licence": "private", "origin": "here"}
    (folder / "medloop.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert find_model("en", "xx").folder == folder
    assert find_model("en", "xx", "cardiology").licence == "private"


def test_unknown_pair_lists_the_pairs() -> None:
    with pytest.raises(LanguagePairError) as caught:
        find_model("en", "de")
    assert str(caught.value) == "no model translates en-de; available pairs: en-pt, pt-en"


def test_a_model_of_another_pair_is_refused(marian: Path) -> None:
    with pytest.raises(LanguagePairError, match="no model translates fr-de; available pairs: en-pt"):
        find_model("fr", "de", str(marian))


def test_several_target_languages(tmp_path: Path) -> None:
    folder = build_tiny_marian(tmp_path / "many", ("en", "roa"), (">>por<<", ">>spa<<"))
    model = find_model("en", "pt", str(folder))
    assert model.language_token("pt") == ">>por<<"
    assert model.language_token("spa") == ">>spa<<"
    rows = Engine(model, language="pt").tokenizer.encode(["fever"])
    assert rows[0][0] == ">>por<<"
    with pytest.raises(ModelError, match=r"does not translate into 'de'; its targets: por, spa$"):
        model.language_token("de")


@pytest.mark.parametrize(
    "missing", ["model.bin", "config.json", "source.spm", "target.spm", "shared_vocabulary.json"]
)
def test_the_missing_file_is_named(marian: Path, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(find_model("en", "pt", str(marian)).runnable, folder)
    (folder / missing).unlink()
    with pytest.raises(ModelError) as caught:
        find_model("en", "pt", str(folder))
    assert str(caught.value).startswith(f"{folder / missing}: missing")


@pytest.mark.parametrize(
    ("name", "what"), [("model.bin", "cannot be loaded"), ("source.spm", "missing or damaged")]
)
def test_a_damaged_file_is_named(marian: Path, tmp_path: Path, name: str, what: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(find_model("en", "pt", str(marian)).runnable, folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:40])
    with pytest.raises(ModelError, match=what) as caught:
        Engine(find_model("en", "pt", str(folder)))
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            "nowhere",
            ModelError,
            r"^no model 'nowhere': neither a folder nor one of the installed: en-pt, pt-en$",
        ),
        ("Helsinki-NLP/opus-mt-en-xx", InputError, r"not in the local cache, and the hub cannot be reached"),
    ],
)
def test_names_that_lead_nowhere(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_model("en", "pt", name)


def test_another_architecture_is_named(tmp_path: Path) -> None:
    for name in ("vocab.json", "source.spm", "target.spm"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(ModelError, match="model_type is 'bert'; the engine runs 'marian' models"):
        find_model("en", "pt", str(tmp_path))
