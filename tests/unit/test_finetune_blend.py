"""Weights between the base and the tuned model: which share is kept, and what is saved."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from data.jsonl import write_jsonl
from mt.config import TrainConfig
from mt.finetune import RECORD, finetune
from mt.finetune_blend import State, blended
from mt.finetune_mixture import Mixture, Source
from mt.finetune_models import load_marian
from tests.tiny_marian import SENTENCES, build_tiny_marian

pytestmark = pytest.mark.transformers


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_marian(tmp_path_factory.mktemp("base"))


def away(base: Path, by: float) -> dict[str, torch.Tensor]:
    return {name: p.detach() + by for name, p in load_marian(base).named_parameters()}


@pytest.mark.parametrize(("best_at", "share"), [(1.0, 1.0), (0.5, 0.5), (0.2, 0.25), (0.0, 0.25)])
def test_the_share_with_the_best_score_is_kept(base: Path, best_at: float, share: float) -> None:
    start = away(base, 0.0)

    def score(state: State) -> dict[str, float]:
        moved = float((next(iter(state.values())) - next(iter(start.values()))).mean())
        return {"chrF": -abs(moved - best_at)}

    tuned = away(base, 1.0)
    found = blended(base, tuned, score(tuned), (0.25, 0.5, 1.0), score, "chrF")
    assert found.share == share
    for name, tensor in found.state.items():
        torch.testing.assert_close(tensor, start[name] + share, rtol=0, atol=1e-5)
    assert found.scores == score(found.state)


def test_a_run_saves_the_blend_and_says_its_share(base: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    write_jsonl(
        pairs, [{"id": f"{i}", "src": SENTENCES[i % 3], "tgt": f"{SENTENCES[3]} {i}"} for i in range(20)]
    )
    calls = iter(range(100))

    def later_is_better(translations: object, references: object) -> Mapping[str, float]:
        return {"chrF": float(next(calls))}

    config = TrainConfig(
        source="en", target="pt", max_tokens=900, batch_tokens=300, learning_rate=3e-3, precision="float32",
        evaluations=1, threads=1, ema_decay=0.0, dev_segments=4, longest=150,
    )  # fmt: skip
    mixture = Mixture((Source("own", pairs, 1),))
    tuned = finetune(base, mixture, pairs, tmp_path / "tuned", config, later_is_better)
    halfway = dataclasses.replace(config, blend=(0.5,))
    half = finetune(base, mixture, pairs, tmp_path / "half", halfway, later_is_better)
    assert (tuned.share, half.share) == (1.0, 0.5)
    assert half.scores["chrF"] > max(row["chrF"] for row in half.history)
    start, end, between = (
        dict(load_marian(folder).named_parameters()) for folder in (base, tuned.folder, half.folder)
    )
    for name, tensor in between.items():
        torch.testing.assert_close(tensor, (start[name] + end[name]) / 2, rtol=0, atol=1e-6)
    record = json.loads((half.folder / RECORD).read_text(encoding="utf-8"))
    assert record["share_of_tuned_weights"] == 0.5
