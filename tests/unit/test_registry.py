"""Versions, aliases and archives: what changes, and all that is refused."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from data.errors import InputError, LanguagePairError, MedloopError, ModelError
from mt.models import STARTERS, find_model, installed_models
from mt.models_cli import app
from mt.registry import Registry
from mt.registry_archive import export_version, import_version


def made(folder: Path, content: str = "weights") -> Path:
    """A converted folder, as far as the registry looks at it."""
    (folder / "ct2").mkdir(parents=True)
    (folder / "ct2" / "model.bin").write_bytes(b"\x06\x00\x00\x00" + content.encode())
    for name in ("config.json", "shared_vocabulary.json"):
        (folder / "ct2" / name).write_text("{}", encoding="utf-8")
    for name in ("source.spm", "target.spm"):
        (folder / "ct2" / name).write_bytes(b"\n\x0e")
    manifest = {"licence": "CC0-1.0", "origin": content}
    (folder / "medloop.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def registry() -> Registry:
    return Registry.standard()


@pytest.fixture
def two(registry: Registry, tmp_path: Path) -> tuple[str, str]:
    first = registry.register(made(tmp_path / "one", "first"), "en", "pt")
    second = registry.register(made(tmp_path / "two", "second"), "en", "pt")
    return first, second


def test_versions_are_named_by_date_and_content(registry: Registry, two: tuple[str, str]) -> None:
    assert [version.name for version in registry.versions("en-pt")] == sorted(
        two, key=lambda name: [v.name for v in registry.versions("en-pt")].index(name)
    )
    assert len(set(two)) == 2
    assert registry.resolve("en-pt", "candidate").name == two[1]
    assert not list((registry.root / "en-pt").glob(".incoming*"))


def test_the_same_content_is_the_same_version(
    registry: Registry, two: tuple[str, str], tmp_path: Path
) -> None:
    assert registry.register(made(tmp_path / "again", "first"), "en", "pt") == two[0]
    assert registry.resolve("en-pt", "candidate").name == two[0]


def test_promote_and_roll_back(registry: Registry, two: tuple[str, str]) -> None:
    first, second = two
    assert registry.promote("en-pt", first) == first
    assert registry.promote("en-pt") == second
    assert registry.promote("en-pt", second) == second
    assert registry.resolve("en-pt").name == second
    assert registry.rollback("en-pt") == first
    with pytest.raises(ModelError, match="en-pt: no earlier version to go back to"):
        registry.rollback("en-pt")


def test_production_comes_before_the_starter(registry: Registry, two: tuple[str, str]) -> None:
    assert find_model("en", "pt").folder == STARTERS / "en-pt"
    registry.promote("en-pt", two[0])
    assert find_model("en", "pt").name == two[0]
    assert find_model("en", "pt", "candidate").name == two[1]
    assert find_model("en", "pt", "en-pt@candidate").origin == "second"
    assert find_model("en", "pt", two[1]).licence == "CC0-1.0"
    assert {two[0], two[1], "en-pt"} <= {model.name for model in installed_models()}
    assert find_model("pt", "en").folder == STARTERS / "pt-en"
    with pytest.raises(LanguagePairError, match="no model translates pt-en; available pairs: en-pt"):
        find_model("pt", "en", "en-pt@candidate")


def test_what_is_in_production_stays(registry: Registry, two: tuple[str, str]) -> None:
    registry.promote("en-pt", two[0])
    with pytest.raises(ModelError, match="is in production; promote another version or roll back first"):
        registry.remove("en-pt", two[0])
    with pytest.raises(ModelError, match="is in production"):
        registry.remove("en-pt", "production")
    registry.remove("en-pt", two[1])
    with pytest.raises(ModelError, match=f"en-pt: no candidate model; versions: {two[0]}"):
        registry.resolve("en-pt", "candidate")


def test_a_removed_version_is_no_way_back(registry: Registry, two: tuple[str, str]) -> None:
    registry.promote("en-pt", two[0])
    registry.promote("en-pt", two[1])
    registry.remove("en-pt", two[0])
    with pytest.raises(ModelError, match="no earlier version"):
        registry.rollback("en-pt")


def test_a_damaged_version_is_not_promoted(registry: Registry, two: tuple[str, str]) -> None:
    (registry.resolve("en-pt", two[0]) / "ct2" / "model.bin").write_bytes(b"short")
    with pytest.raises(ModelError, match=r"ct2/model.bin: damaged"):
        registry.promote("en-pt", two[0])
    (registry.resolve("en-pt", two[1]) / "ct2" / "source.spm").unlink()
    with pytest.raises(ModelError, match=r"ct2/source.spm: missing; the copy is not complete"):
        registry.promote("en-pt", two[1])


def test_what_is_not_converted_is_not_registered(registry: Registry, tmp_path: Path) -> None:
    folder = made(tmp_path / "one")
    (folder / "ct2" / "model.bin").unlink()
    with pytest.raises(ModelError, match=r"model.bin: missing; convert the model first"):
        registry.register(folder, "en", "pt")
    with pytest.raises(ModelError, match=r"no language pair '../x-pt'; written like en-pt"):
        registry.register(folder, "../x", "pt")


def _hold(root: Path, held: Any, done: Any) -> None:
    with Registry(root)._changing("en-pt"):
        held.set()
        done.wait(30)


def test_a_second_process_is_told_to_try_again(
    registry: Registry, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mt.registry._SECONDS", 0.1)
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(registry.root, held, done))
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(ModelError, match="en-pt: another process is changing these models; try again"):
            registry.promote("en-pt", two[0])
    finally:
        done.set()
        other.join()
    assert registry.promote("en-pt", two[0]) == two[0]


def test_an_archive_carries_a_version(registry: Registry, two: tuple[str, str], tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    assert export_version(registry, "en-pt", "candidate", str(archive)) == two[1]
    elsewhere = Registry(tmp_path / "elsewhere")
    version = import_version(elsewhere, str(archive))
    folder = elsewhere.resolve("en-pt", "candidate")
    assert folder.name == version
    original = registry.resolve("en-pt", two[1])
    for name in ("ct2/model.bin", "ct2/source.spm"):
        assert (folder / name).read_bytes() == (original / name).read_bytes()
    assert json.loads((folder / "medloop.json").read_text(encoding="utf-8"))["licence"] == "CC0-1.0"


def test_any_fsspec_url_is_a_remote(registry: Registry, two: tuple[str, str], tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    export_version(registry, "en-pt", "candidate", "memory://models/en-pt.zip")
    assert import_version(Registry(tmp_path / "elsewhere"), "memory://models/en-pt.zip")


def _repacked(archive: Path, changes: dict[str, bytes | None]) -> Path:
    out = archive.with_name("changed.zip")
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            if entry.filename not in changes:
                target.writestr(entry, source.read(entry))
        for name, content in changes.items():
            if content is not None:
                target.writestr(name, content)
    return out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"../evil.json": b"{}"}, r"'../evil.json' leads out of the folder; refused"),
        ({"/etc/evil.json": b"{}"}, r"'/etc/evil.json' leads out of the folder"),
        ({"C:\\evil.json": b"{}"}, r"leads out of the folder"),
        ({"pytorch_model.bin": b"PK\x03\x04"}, r"'pytorch_model.bin' is no part of a model"),
        ({"ct2/weights.pkl": b"\x80\x04"}, r"'ct2/weights.pkl' is no part of a model"),
        ({"ct2/model.bin": b"\x80\x04\x95pickle"}, r"'ct2/model.bin' is a pickle or an archive"),
        ({"extra.json": b"\x80\x04\x95pickle"}, r"'extra.json' is a pickle"),
        ({"extra.json": b"{}"}, r"'extra.json' is not in its manifest; refused"),
        ({"ct2/target.spm": None}, r"ct2/target.spm: missing; the copy is not complete"),
        ({"ct2/target.spm": b"other"}, r"ct2/target.spm: damaged"),
        ({"medloop.json": None}, r"has no medloop.json with source and target"),
    ],
)
def test_archives_that_are_refused(
    registry: Registry, two: tuple[str, str], tmp_path: Path, changes: dict[str, bytes | None], message: str
) -> None:
    archive = tmp_path / "model.zip"
    export_version(registry, "en-pt", "candidate", str(archive))
    elsewhere = Registry(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=message):
        import_version(elsewhere, str(_repacked(archive, changes)))
    assert elsewhere.pairs() == [] or elsewhere.versions("en-pt") == []
    assert not (tmp_path / "evil.json").exists()


def test_a_half_copied_archive(registry: Registry, two: tuple[str, str], tmp_path: Path) -> None:
    archive = tmp_path / "model.zip"
    export_version(registry, "en-pt", "candidate", str(archive))
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(ModelError, match=r"not a whole archive .*copy it again"):
        import_version(Registry(tmp_path / "elsewhere"), str(archive))
    with pytest.raises(InputError, match=r"cannot read .*none.zip: No such file"):
        import_version(registry, str(tmp_path / "none.zip"))


def test_a_folder_that_was_half_copied_is_no_version(registry: Registry, two: tuple[str, str]) -> None:
    folder = registry.root / "en-pt" / "2026-01-01-abcdabcd"
    shutil.copytree(registry.resolve("en-pt", two[0]), folder)
    (folder / "medloop.json").unlink()
    assert folder.name not in {version.name for version in registry.versions("en-pt")}


def test_a_damaged_alias_file_is_named(registry: Registry, two: tuple[str, str]) -> None:
    (registry.root / "en-pt" / "aliases.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"aliases.json: damaged"):
        registry.resolve("en-pt")


def test_the_commands(registry: Registry, two: tuple[str, str], tmp_path: Path) -> None:
    first, second = two

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert call("promote", "en-pt") == f"en-pt: {second} is in production\n"
    assert call("promote", "en-pt", first) == f"en-pt: {first} is in production\n"
    assert f"{first}  en to pt  CC0-1.0  [production]" in call("list")
    assert call() == call("list")
    records = [json.loads(line) for line in call("list", "--json").splitlines()]
    assert {r["name"]: r["aliases"] for r in records}[second] == ["candidate"]
    assert json.loads(call("show", "en-pt"))["origin"] == "first"
    assert call("rollback", "en-pt") == f"en-pt: {second} is in production again\n"
    archive = str(tmp_path / "m.zip")
    assert call("export", "en-pt", first, archive) == f"en-pt: {first} is in {archive}\n"
    assert call("remove", "en-pt", first) == f"en-pt: {first} is removed\n"
    assert call("import", archive).endswith("is imported, as candidate\n")
    with pytest.raises(MedloopError, match="no version 'x'; versions: "):
        CliRunner().invoke(app, ["promote", "en-pt", "x"], catch_exceptions=False)
