"""Seconds per stage of the main job, what is not the stages' own work, and the rates of bulk work.

    python benchmarks/pipeline.py                        # runs configs/starter.en-pt.yaml in a fresh home
    python benchmarks/pipeline.py --config FILE --base FOLDER
    python benchmarks/pipeline.py --bulk               # segments a second, translated and filtered

In: a pipeline. Out: a table; the load of the machine stands above it.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIES = 5


def pipeline(config: Path, base: str) -> None:
    if base:
        os.environ["MEDLOOP_BASE"] = base
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDLOOP_HOME"] = home
        began = time.monotonic()
        from flows.engine import start_server

        starting = start_server()
        from flows.running import run_pipelines

        run_pipelines(config, 1, starting)
        whole = time.monotonic() - began
        marks = [json.loads(path.read_text()) for path in Path(home).glob("pipelines/*/*/complete.json")]
    for mark in marks:
        print(f"{mark['step']:<16}{mark['seconds']:>8.1f} s")
    own = sum(mark["seconds"] for mark in marks)
    print(f"{'all':<16}{whole:>8.1f} s")
    print(f"{'not the stages':<16}{whole - own:>8.1f} s  {(whole - own) / whole:.1%}")


def bulk() -> None:
    from flows.bulk import FilterBlocks, Job, TranslateBlocks, run_blocks

    sample = (ROOT / "data" / "samples" / "testset.en-pt.jsonl").read_text(encoding="utf-8")
    jobs: list[tuple[str, Job]] = [("translate", TranslateBlocks("en", "pt")), ("filter", FilterBlocks())]
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        corpus.write_text(sample * COPIES, encoding="utf-8")
        for name, job in jobs:
            began = time.monotonic()
            count = run_blocks(job, str(corpus), Path(folder) / f"{name}.jsonl")
            seconds = time.monotonic() - began
            print(f"{name:<10}{count:>7} segments{seconds:>8.1f} s{count / seconds:>8.0f} segments/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, default=ROOT / "configs" / "starter.en-pt.yaml")
    parser.add_argument("--base", default="")
    parser.add_argument("--bulk", action="store_true")
    chosen = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if chosen.bulk:
        bulk()
    else:
        pipeline(chosen.config, chosen.base)
