"""Kills the whole process of `medloop pipeline run` at random moments, and compares what is there in the end.

    python benchmarks/kills.py                    # ten points, seeded; about four minutes on two free cores
    python benchmarks/kills.py --points 3 --seed 5

In: nothing; it uses a tiny model, a chat server on loopback and the real stages (tests/tiny_pipeline.py)
with Prefect's embedded server in each run. A run that comes to its end before it is killed is compared, and
another begins from nothing. Out: a line for each kill (when, what was complete then), and whether all files
are those of an undisturbed run. Exit code 1 where they are not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # the scripts beside this one bear names of packages


def begun(config: Path, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    program: list[str | Path] = [Path(sys.executable).parent / "medloop", "pipeline", "run", config]
    return subprocess.Popen(program, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)


def killed_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """The run alone, as the system would when memory is short; its embedded server ends by itself."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def done_last(home: Path) -> str:
    marks = list((home / "pipelines").glob("*/[!.]*/complete.json"))
    return max(marks, key=lambda one: one.stat().st_mtime).parent.name if marks else "nothing"


def main(points: int, seed: int) -> int:
    from tests.tiny_marian import build_tiny_marian
    from tests.tiny_pipeline import ChatServer, artifacts, prepare_home, write_config

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ChatServer() as server:
        root = Path(folder)
        base = build_tiny_marian(root / "base")
        config = write_config(root / "config", base)
        fresh, calm, killed = (root / name for name in ("fresh", "calm", "killed"))
        prepare_home(fresh, base)
        shutil.copytree(fresh, calm)
        began = time.monotonic()
        if begun(config, server.environ(calm)).wait():
            sys.exit("the undisturbed run failed")
        seconds, calls = time.monotonic() - began, server.calls
        print(f"undisturbed: {seconds:.1f} s, {calls} LLM calls; load {os.getloadavg()[0]:.1f}")
        expected, drawn = artifacts(calm), random.Random(seed)
        kills = ended = again = 0
        same = True
        while kills < points or killed.exists():
            if not killed.exists():
                shutil.copytree(fresh, killed)
                before = server.calls
            process = begun(config, server.environ(killed))
            point = drawn.uniform(0.1, 0.95) * seconds
            if kills < points and killed_after(process, point):
                kills += 1
                print(f"{kills:>3}  {point:5.1f} s  killed after {done_last(killed)}", flush=True)
                continue
            ended += 1
            same = process.wait() == 0 and artifacts(killed) == expected and same
            again += server.calls - before - calls
            print(f"     ended; {'the same files' if same else 'FILES DIFFER'}", flush=True)
            shutil.rmtree(killed)
    print(f"{kills} kills in {ended} runs from start to end; {again} LLM calls were made again")
    print("all files are those of the undisturbed run" if same else "FILES DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--seed", type=int, default=11)
    chosen = parser.parse_args()
    sys.exit(main(chosen.points, chosen.seed))
