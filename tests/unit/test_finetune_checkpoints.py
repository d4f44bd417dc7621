"""A checkpoint that cannot be read costs some minutes: the one before it is taken, and said so."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from data.errors import ModelError
from mt.finetune_checkpoints import Checkpoints, Position


def checkpoints(out: Path) -> Checkpoints:
    return Checkpoints(out, {"seed": 1})


def saved(out: Path, *steps: int) -> Checkpoints:
    found = checkpoints(out)
    for step in steps:
        found.keep_best(step, {"w": torch.full((2,), float(step))})
        found.save(Position(step=step, best=[(float(step), step)]), {"w": torch.full((2,), float(step))})
        found.forget_best([step])
    return found


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize("file", ["state.safetensors", "position.json"])
def test_the_one_before_is_taken(tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str) -> None:
    found = saved(tmp_path, 1, 2, 3)
    cut(found.folder / "last" / file)
    with caplog.at_level(logging.WARNING):
        at, tensors = checkpoints(tmp_path).load() or (Position(), {})
    assert (at.step, tensors["w"].tolist()) == (2, [2.0, 2.0])
    assert "last: damaged checkpoint (" in caplog.text
    assert "going on from the one before it, step 2" in caplog.text
    assert found.best([step for _, step in at.best])["w"].tolist() == [
        2.0,
        2.0,
    ]  # its best state is still there
    assert checkpoints(tmp_path).load() is not None


def test_killed_between_two_renames(tmp_path: Path) -> None:
    found = saved(tmp_path, 1, 2)
    (found.folder / "last").rename(found.folder / "last.part")
    assert (found.load() or (Position(), {}))[0].step == 1


def test_both_damaged_and_none(tmp_path: Path) -> None:
    assert checkpoints(tmp_path / "new").load() is None
    found = saved(tmp_path / "old", 1, 2)
    for name in ("last", "before"):
        cut(found.folder / name / "state.safetensors")
    with pytest.raises(ModelError, match=r"last: damaged checkpoint \(\w+\), and none before it"):
        found.load()


def test_the_loop_goes_on_from_it_to_the_same_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from data.jsonl import write_jsonl
    from mt.config import TrainConfig
    from mt.finetune import finetune
    from mt.finetune_mixture import Mixture, Source
    from mt.finetune_models import load_marian
    from tests.tiny_marian import SENTENCES, build_tiny_marian

    base, pairs = build_tiny_marian(tmp_path / "base"), tmp_path / "pairs.jsonl"
    write_jsonl(
        pairs, [{"id": f"t{i}", "src": f"{SENTENCES[i % 3]} {i}", "tgt": SENTENCES[3]} for i in range(30)]
    )
    config = TrainConfig(
        source="en", target="pt", max_tokens=2000, batch_tokens=200, evaluations=3, threads=1, dev_segments=4,
        precision="float32", checkpoint_seconds=0.0, report_seconds=0.0, learning_rate=1e-3,
    )  # fmt: skip

    def train(out: Path, **more: Any) -> Path:
        mixture = Mixture((Source("own", pairs),))
        settings = dataclasses.replace(config, max_wrong_language=1.0)
        return finetune(base, mixture, pairs, out, settings, lambda t, _: {"chrF": -len(t[0])}, **more).folder

    def stop(progress: Any) -> None:
        if progress.step == 6 and not progress.scores:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", progress=stop)
    cut(tmp_path / "killed" / ".work" / "last" / "state.safetensors")
    one, two = (load_marian(train(tmp_path / name)).state_dict() for name in ("killed", "calm"))
    assert all(torch.equal(one[name], two[name]) for name in one)
