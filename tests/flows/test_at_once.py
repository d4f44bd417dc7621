"""A second run while the first still goes, a base that is not there, a hub that does not answer."""

from __future__ import annotations

import dataclasses
import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError, LanguagePairError, ModelError
from flows import full_pipeline
from flows.config import Pipeline, load_pipeline
from flows.run import Run, run_folder
from flows.serve import deployments
from flows.showing import Show
from flows.step_folders import LockedError, StepFolders, locked
from flows.training import base_folder

STARTER = Path(__file__).resolve().parents[2] / "configs" / "starter.en-pt.yaml"


def run_of(at_once: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose stages are instant."""
    pipeline = changed(operation=load_pipeline(STARTER).operation.model_copy(update={"at_once": at_once}))
    outcome = type("Outcome", (), {"released": type("Released", (), {"state": "released"})})
    monkeypatch.setattr(full_pipeline, "_whole", lambda run: outcome)
    folders = StepFolders(run_folder(pipeline), wait=at_once == "wait")
    folders.root.mkdir(parents=True)
    return Run(STARTER, pipeline, folders, Show(quiet=True))


def changed(**more: Any) -> Pipeline:
    return load_pipeline(STARTER).model_copy(update=more)


def test_the_second_run_is_refused_or_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = run_of("refuse", monkeypatch)
    skipping = run.pipeline.operation.model_copy(update={"at_once": "skip"})
    other = dataclasses.replace(run, pipeline=run.pipeline.model_copy(update={"operation": skipping}))
    with locked(run.folders.root / ".pipeline.lock", "the first"):
        with pytest.raises(
            LockedError, match=r"pipeline starter\.en-pt: another run is at it \(process \d+ on"
        ):
            full_pipeline.state_of(run)
        assert full_pipeline.state_of(other) == "skipped"
    assert full_pipeline.state_of(run) == "released"


def test_the_second_run_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of("wait", monkeypatch)
    states: list[str] = []
    second = threading.Thread(target=lambda: states.append(full_pipeline.state_of(run)))
    with locked(run.folders.root / ".pipeline.lock", "the first"):
        second.start()
        time.sleep(0.3)
        assert not states
    second.join(20)
    assert states == ["released"]


@pytest.mark.parametrize(("at_once", "strategy"), [("skip", "CANCEL_NEW"), ("wait", "ENQUEUE")])
def test_what_is_due_too_early_waits_or_is_skipped(tmp_path: Path, at_once: str, strategy: str) -> None:
    text = STARTER.read_text(encoding="utf-8") + f"operation: {{at_once: {at_once}}}\n"
    config = tmp_path / "one.yaml"
    config.write_text(text, encoding="utf-8")
    found = deployments([config])
    assert [one.name for one in found] == [
        f"{word}-starter.en-pt" for word in ("nightly", "weekly-evaluation", "monthly-regeneration")
    ]
    limits = [(one.concurrency_limit, str(one.concurrency_options.collision_strategy)) for one in found]
    assert limits == [(1, strategy)] * 3 or limits == [(1, f"ConcurrencyLimitStrategy.{strategy}")] * 3


def test_a_pair_without_a_base_lists_those_with_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mt.models.STARTERS", tmp_path)
    (tmp_path / "en-pt").mkdir()
    (tmp_path / "en-pt" / "model.safetensors").touch()
    with pytest.raises(LanguagePairError, match=r"no model translates fr-de; available pairs: en-pt"):
        base_folder(changed(source="fr", target="de", base=""))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"empty: has no weights to train \(model\.safetensors or"):
        base_folder(changed(base=str(tmp_path / "empty")))


def test_a_hub_out_of_reach_is_no_matter_for_what_is_cached(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    pipeline = changed(base="clinic/opus-en-pt")
    with pytest.raises(InputError, match=r"clinic/opus-en-pt: not in the local cache, and the hub cannot be"):
        base_folder(pipeline)
    cached = tmp_path / "models--clinic--opus-en-pt"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("abc", encoding="utf-8")
    (cached / "snapshots" / "abc").mkdir(parents=True)
    (cached / "snapshots" / "abc" / "config.json").write_text("{}", encoding="utf-8")
    assert base_folder(pipeline) == cached / "snapshots" / "abc"


def test_progress_is_a_bar_on_a_terminal_and_lines_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    for terminal in (True, False):
        stream = io.StringIO()
        show = Show(console=Console(file=stream, force_terminal=terminal, highlight=False))
        with show.stage("train"):
            show.goes_on("step 3", 0.25)
            show.plain("dev 71.2")
            show._told -= 60.0  # a minute later
            show.goes_on("step 9", 0.75)
            if terminal:
                assert show._bar is not None
                show._bar[0].refresh()
        text = stream.getvalue()
        assert "dev 71.2" in text
        assert ("\x1b[" in text) is terminal
        assert ("train: step 9" in text) is not terminal
        assert "step 9" in text
