"""Seconds per stage of the main job, what is not the stages' own work, and the rates of bulk work.

Overhead is the start (imports, Prefect's embedded server), the time between stages (Prefect, hashes,
registry, smoke test) and the end. The embedded LLM is that of MEDLOOP_HOME where it lies there already; else
the run fetches and converts it, which counts as overhead, though it happens once.

    python benchmarks/pipeline.py                        # runs configs/starter.en-pt.yaml in a fresh home
    python benchmarks/pipeline.py --config FILE --base FOLDER
    python benchmarks/pipeline.py --bulk               # segments a second and core, translated and filtered

In: a pipeline. Out: a table; the load of the machine stands above it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARM = 64  # lines of a block, and of what is done before the clock starts
sys.path[0] = str(
    ROOT
)  # the scripts beside this one bear names of packages (terminology), and would hide them


@dataclass(frozen=True, slots=True)
class Stage:
    """By the wall clock: when its mark of completion was written, and how long its own work took."""

    name: str
    seconds: float
    ended: float

    @property
    def began(self) -> float:
        return self.ended - self.seconds


def pipeline(config: Path, base: str) -> None:
    from data.settings import home as standard

    if base:
        os.environ["MEDLOOP_BASE"] = base
    weights = standard() / "llm"
    with tempfile.TemporaryDirectory() as folder:
        if weights.is_dir():
            (Path(folder) / "llm").symlink_to(weights, target_is_directory=True)
        began = time.time()
        medloop = Path(sys.executable).parent / "medloop"
        program: list[str | Path] = [medloop, "pipeline", "run", "--demo", config]
        subprocess.run(program, check=True, env={**os.environ, "MEDLOOP_HOME": folder})
        ended = time.time()
        stages = sorted(stages_in(Path(folder)), key=lambda one: one.ended)
    whole, own = ended - began, sum(stage.seconds for stage in stages)
    rows = [(stage.name, stage.seconds) for stage in stages]
    rows.append(("all stages", own))
    rows.append(("before the first stage (imports, Prefect's server)", stages[0].began - began))
    rows.append(("between stages", stages[-1].ended - stages[0].began - own))
    rows.append(("after the last stage", ended - stages[-1].ended))
    rows += [("flow overhead", whole - own), ("whole run", whole)]
    print(f"\n{config.name}; load {os.getloadavg()[0]:.1f} at the end\n")
    print("| stage | seconds | share |\n|---|---:|---:|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.1f} | {seconds / whole:.1%} |")
    gaps = [(two.began - one.ended, one.name, two.name) for one, two in pairwise(stages)]
    print("\nlongest between: " + ", ".join(f"{a} to {b} {gap:.1f} s" for gap, a, b in sorted(gaps)[:-4:-1]))


def stages_in(folder: Path) -> Iterator[Stage]:
    for path in folder.glob("pipelines/*/[!.]*/complete.json"):
        mark = json.loads(path.read_text(encoding="utf-8"))
        yield Stage(mark["step"], mark["seconds"], path.stat().st_mtime)


def bulk(segments: int) -> None:
    """One worker with one thread, loaded and warm, by its core's seconds: right on a busy machine, too."""
    from flows.blocks import blocks_of, read_block
    from flows.bulk import FilterBlocks, Job, TranslateBlocks

    names = ("training.en-pt.jsonl", "testset.en-pt.jsonl")
    texts = "".join((ROOT / "data" / "samples" / name).read_text(encoding="utf-8") for name in names)
    lines = texts.splitlines(keepends=True)[: segments + WARM]
    words = sum(len(json.loads(line)["src"].split()) for line in lines[WARM:]) / len(lines[WARM:])
    jobs: list[tuple[str, Job]] = [("filter", FilterBlocks()), ("translate", TranslateBlocks("en", "pt"))]
    print(f"{len(lines) - WARM} segments of {words:.1f} words\n\n| work | segments/s and core |\n|---|---:|")
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        corpus.write_text("".join(lines), encoding="utf-8")
        for name, job in jobs:
            worker = job.worker(1)
            first, *others = blocks_of(str(corpus), WARM)
            worker(first)
            began = time.process_time()
            for block in others:
                worker(block)
            seconds = time.process_time() - began
            count = sum(len(read_block(block)) for block in others)
            print(f"| {name} | {count / seconds:.0f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "starter.en-pt.yaml")
    parser.add_argument("--base", default="")
    parser.add_argument("--bulk", action="store_true")
    parser.add_argument("--segments", type=int, default=320)
    chosen = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if chosen.bulk:
        bulk(chosen.segments)
    else:
        pipeline(chosen.config, chosen.base)
