"""Every YAML of a pipeline in the repository loads, and each kind of mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import ConfigError, InputError
from flows.config import Pipeline, load_pipeline, load_pipelines

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))
GOOD = """\
name: tiny
source: en
target: pt
data:
  real:
    - {name: own, path: pairs.jsonl}
  dev: pairs.jsonl
training:
  epochs: 1
evaluation:
  sets:
    - {name: domain, path: pairs.jsonl, role: domain}
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "pairs.jsonl").write_text('{"src": "a", "tgt": "b"}\n', encoding="utf-8")
    path = tmp_path / "tiny.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_all_configurations_of_the_repository_load(path: Path) -> None:
    assert all(isinstance(one, Pipeline) for one in load_pipelines(path))


def test_paths_are_relative_to_the_file(good: Path) -> None:
    found = load_pipeline(good)
    assert found.data.dev == good.parent / "pairs.jsonl"
    assert found.pair == "en-pt"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  epochs: 1", "  epocs: 1", ":9: training.epocs: no such key; did you mean epochs? valid: "),
        ("  epochs: 1", "  epochs: many", "tiny.yaml:9: training.epochs: input should be a valid number"),
        ("  epochs: 1", "  schedule: never", ":9: training.schedule: no schedule 'never'; valid: "),
        ("name: tiny", "nam: tiny", "tiny.yaml:1: nam: no such key"),
        ("name: tiny\n", "", "tiny.yaml:1: name: is missing"),
        ("target: pt", "target: 7", "tiny.yaml:3: target: input should be a valid string, not 7"),
        ("pairs.jsonl}", "nowhere.jsonl}", "tiny.yaml:6: data.real[0].path: no such file: "),
        ("  dev: pairs.jsonl", "  dev: a\n  dev: b", "tiny.yaml:8: data.dev: given twice, first in line 7"),
        ("name: tiny", "name: [tiny", "tiny.yaml:2: not YAML: "),
        ("name: tiny", "name: tiny\ngate: {fastest: 1}", "tiny.yaml:2: gate.fastest: no such key"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(good: Path, old: str, new: str, message: str) -> None:
    good.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_pipeline(good)
    assert message in str(caught.value)


def test_all_mistakes_are_told_at_once(good: Path) -> None:
    good.write_text(GOOD.replace("epochs: 1", "epochs: x").replace("name: tiny", "name: 1"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_pipeline(good)
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"cannot read nowhere\.yaml: No such file"):
        load_pipeline(Path("nowhere.yaml"))
