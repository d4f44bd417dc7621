"""Seconds per stage of the main job, what is not the stages' own work, and the rates of bulk work.

Overhead is all that no stage's mark counts: imports, Prefect and its server, hashes, registry and smoke test.

    python benchmarks/pipeline.py                        # runs configs/starter.en-pt.yaml in a fresh home
    python benchmarks/pipeline.py --config FILE --base FOLDER
    python benchmarks/pipeline.py --bulk               # segments a second and core, translated and filtered

In: a pipeline. Out: a table; the load of the machine stands above it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARM = 64  # lines of a block, and of what is done before the clock starts
sys.path[0] = str(
    ROOT
)  # the scripts beside this one bear names of packages (terminology), and would hide them


def pipeline(config: Path, base: str) -> None:
    """Seconds of each stage's own work, as its mark of completion tells; what is left is the flow's."""
    if base:
        os.environ["MEDLOOP_BASE"] = base
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDLOOP_HOME"] = home
        began = time.monotonic()
        from flows.engine import start_server

        starting = start_server()
        from flows.running import run_pipelines

        states = run_pipelines(config, 1, starting)
        whole = time.monotonic() - began
        paths = sorted(Path(home).glob("pipelines/*/*/complete.json"), key=lambda path: path.stat().st_mtime)
        marks = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    own = sum(mark["seconds"] for mark in marks)
    print(f"\n{config.name}: {', '.join(states)}; load {os.getloadavg()[0]:.1f} at the end\n")
    print("| stage | seconds | share |\n|---|---:|---:|")
    for mark in [*marks, {"step": "all stages", "seconds": own}]:
        print(f"| {mark['step']} | {mark['seconds']:.1f} | {mark['seconds'] / whole:.1%} |")
    print(f"| flow overhead | {whole - own:.1f} | {(whole - own) / whole:.1%} |")
    print(f"| whole run | {whole:.1f} | 100 % |")


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
