"""Training in processes that a launcher starts: as one process with all batches, and no one left behind."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data.errors import ConfigError, ModelError
from data.jsonl import write_jsonl
from flows.launching import Job, found_launcher, train_with
from mt.config import LoraConfig, TrainConfig
from mt.finetune_mixture import Mixture, Source
from tests.tiny_marian import SENTENCES, build_tiny_marian

ROWS = [
    {"id": f"t{i}", "src": f"{SENTENCES[i % 3]} {i}", "tgt": f"{SENTENCES[3 + i % 3]} {i}"} for i in range(40)
]
CONFIG = TrainConfig(
    source="en", target="pt", max_tokens=3000, batch_tokens=200, learning_rate=1e-3, precision="float32",
    evaluations=1, threads=1, dropout=0.0, dev_segments=4, longest=150, report_seconds=0.0,
    max_unknown=1.0, max_wrong_language=1.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("launching")
    pairs = folder / "pairs.jsonl"
    write_jsonl(pairs, ROWS)
    mixture = Mixture((Source("own", pairs, 3), Source("replay", pairs, 1, cross_entropy=0.0, anchor=1.0)))
    return Job(build_tiny_marian(folder / "base"), mixture, pairs, folder / "two" / "model", CONFIG)


def losses(lines: list[str]) -> list[float]:
    return [float(found[1]) for line in lines if (found := re.search(r"loss (\S+)", line))]


def test_two_processes_learn_what_one_learns_from_the_doubled_batch(job: Job, tmp_path: Path) -> None:
    import torch

    from flows.training import quick_scores
    from mt.finetune import finetune
    from mt.finetune_models import load_marian
    from mt.finetune_progress import plain_lines

    two: list[str] = []
    found = train_with(("torchrun", "--standalone", "--nproc-per-node=2"), job, two.append)
    one: list[str] = []
    doubled = dataclasses.replace(CONFIG, accumulate=2)
    trained = finetune(
        job.base, job.mixture, job.dev, tmp_path / "one", doubled, quick_scores, plain_lines(one.append)
    )
    assert (found["steps"], found["tokens"]) == (trained.steps, trained.tokens)
    assert trained.steps >= 5
    assert losses(two) == pytest.approx(losses(one), abs=2e-3)
    assert len(losses(one)) == trained.steps
    there, here = load_marian(job.out).state_dict(), load_marian(tmp_path / "one").state_dict()
    for name, values in here.items():
        torch.testing.assert_close(there[name], values, atol=1e-4, rtol=1e-3)
    assert sorted(path.name for path in job.out.parent.iterdir()) == ["launcher.log", "model"]


def test_what_is_wrong_is_told_in_one_line(job: Job, tmp_path: Path) -> None:
    broken: Any = dataclasses.replace(job, base=tmp_path / "none", out=tmp_path / "out" / "model")
    with pytest.raises(ModelError, match=r"none: no such folder"):
        train_with(("python",), broken, print)
    with pytest.raises(ModelError, match=r"python ended with code \d+; read .*launcher\.log"):
        train_with(("python", "-X", "importtime=nonsense", "-c", "raise SystemExit(3)"), broken, print)


def test_a_launcher_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"operation\.launcher: no program 'mpirum' here"):
        found_launcher(("mpirum",))


def test_no_process_outlives_the_flow() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    environ = {**os.environ, "MEDLOOP_FLOW": f"{gone.pid} {os.uname().nodename}"}
    code = "from flows.launching import _end_with_the_flow; _end_with_the_flow()"
    left = subprocess.run([sys.executable, "-c", code], env=environ, timeout=60, check=False)
    assert left.returncode == 1
    environ["MEDLOOP_FLOW"] = f"{gone.pid} another-machine"  # whose processes torchrun looks after
    assert subprocess.run([sys.executable, "-c", code], env=environ, timeout=60, check=False).returncode == 0


def test_a_job_travels_whole(job: Job) -> None:
    from pydantic import TypeAdapter

    kind = TypeAdapter(Job)
    whole = dataclasses.replace(
        job, config=dataclasses.replace(CONFIG, lora=LoraConfig(rank=2), freeze=("encoder",))
    )
    assert kind.validate_json(kind.dump_json(whole)) == whole
