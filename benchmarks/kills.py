"""Kills the whole process of `medloop pipeline run` at random moments, and compares what is there in the end.

    python benchmarks/kills.py                    # ten points, seeded; about four minutes on two free cores
    python benchmarks/kills.py --points 3 --seed 5

In: nothing; it uses a tiny model, a chat server on loopback and the real stages (tests/tiny_pipeline.py)
with Prefect's embedded server in each run. Out: a line for each kill (when, what was complete then), and
whether all files are those of an undisturbed run. Exit code 1 where they are not.
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


def killed_whole(process: subprocess.Popen[bytes]) -> bool:
    """The run alone, as the system would when memory is short; its embedded server ends by itself."""
    if process.poll() is not None:
        return False
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def main(points: int, seed: int) -> int:
    from tests.tiny_marian import build_tiny_marian
    from tests.tiny_pipeline import ChatServer, artifacts, prepare_home, write_config

    with tempfile.TemporaryDirectory() as folder, ChatServer() as server:
        root = Path(folder)
        base = build_tiny_marian(root / "base")
        config = write_config(root / "config", base)
        homes = {name: root / name for name in ("calm", "killed")}
        prepare_home(homes["calm"], base)
        shutil.copytree(homes["calm"], homes["killed"])
        began = time.monotonic()
        if begun(config, server.environ(homes["calm"])).wait():
            sys.exit("the undisturbed run failed")
        seconds, calls = time.monotonic() - began, server.calls
        print(f"undisturbed: {seconds:.1f} s, {calls} LLM calls; load {os.getloadavg()[0]:.1f}")
        drawn = random.Random(seed)
        kills = 0
        for number in range(1, points + 1):
            point = drawn.uniform(0.1, 0.95) * seconds
            process = begun(config, server.environ(homes["killed"]))
            time.sleep(point)
            killed = killed_whole(process)
            kills += killed
            marks = sorted(
                (homes["killed"] / "pipelines").glob("*/[!.]*/complete.json"),
                key=lambda one: one.stat().st_mtime,
            )
            done = marks[-1].parent.name if marks else "nothing"
            print(
                f"{number:>3}  {point:5.1f} s  {'killed' if killed else 'had ended'} after {done}", flush=True
            )
        code = begun(config, server.environ(homes["killed"])).wait()
        same = artifacts(homes["killed"]) == artifacts(homes["calm"])
        again = server.calls - 2 * calls
    print(f"{kills} of {points} killed; ended with {code}; {again} LLM calls were made again")
    print("all files are those of the undisturbed run" if same else "FILES DIFFER")
    return 0 if same and code == 0 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--seed", type=int, default=11)
    chosen = parser.parse_args()
    sys.exit(main(chosen.points, chosen.seed))
