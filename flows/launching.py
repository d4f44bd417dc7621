"""Training in several processes: a launcher (torchrun, accelerate) starts this module in each of them.

In: the launcher's words from the pipeline's file, and what to train. Out: what training says of its result.

    job = Job(base, mixture, dev, out, config)
    train_with(("torchrun", "--nproc-per-node=2"), job, print)        # {"steps": 120, "tokens": ..., ...}

    operation:
      launcher: [torchrun, --nproc-per-node=2]
      # launcher: [accelerate, launch, --num_processes=2, --cpu]

The first process prints its progress, which is shown as it comes; all else goes to `launcher.log` beside the
model. When the flow is killed its processes end within a second, and a next run waits for that.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from data.errors import ConfigError, MedloopError, ModelError
from data.files import atomic_write
from data.settings import CHECKOUT, switch_telemetry_off
from flows.embedded_server import end_with
from mt.config import TrainConfig
from mt.finetune_mixture import Mixture

LOG = "launcher.log"
_JOB, _RESULT, _PROBLEM, _LOCK = "job.json", "result.json", "problem.txt", ".training.lock"
_FLOW = "MEDLOOP_FLOW"  # process and machine of the flow, for the processes that it started
_SHOWN = "| "  # before the lines of the first process that people should see
_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    base: Path
    mixture: Mixture
    dev: Path
    out: Path
    config: TrainConfig


def found_launcher(launcher: Sequence[str]) -> str:
    """The program of the launcher's first word; that of this environment first."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which(launcher[0], path=places)
    if program is None:
        raise ConfigError(
            f"operation.launcher: no program {launcher[0]!r} here; torchrun comes with the extra train"
        )
    return program


def train_with(launcher: Sequence[str], job: Job, tell: Callable[[str], object]) -> dict[str, Any]:
    program, place = found_launcher(launcher), job.out.parent
    folder = place / ".launched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _JOB).write_bytes(TypeAdapter(Job).dump_json(job))
    environ = {**os.environ, _FLOW: f"{os.getpid()} {os.uname().nodename}"}
    command = [program, *launcher[1:], "-m", "flows.launching", str(folder)]
    with (
        (place / LOG).open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=CHECKOUT, env=environ
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                if line.startswith(_SHOWN):
                    tell(line.removeprefix(_SHOWN).rstrip("\n"))
        except BaseException:
            process.terminate()  # the launcher ends its processes
            raise
    if (folder / _PROBLEM).exists():
        raise ModelError((folder / _PROBLEM).read_text(encoding="utf-8"))
    if process.returncode or not (folder / _RESULT).exists():
        raise ModelError(f"{launcher[0]} ended with code {process.returncode}; read {place / LOG}")
    found: dict[str, Any] = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
    shutil.rmtree(folder)
    (place / _LOCK).unlink(missing_ok=True)
    return found


def main(folder: Path) -> int:
    """One of the launcher's processes."""
    switch_telemetry_off()
    threading.Thread(target=_end_with_the_flow, daemon=True).start()
    job = TypeAdapter(Job).validate_json((folder / _JOB).read_bytes())
    try:
        found = _trained(job)
    except MedloopError as error:
        with atomic_write(folder / _PROBLEM) as stream:
            stream.write(str(error))
        return 2
    if found is not None:
        with atomic_write(folder / _RESULT) as stream:
            json.dump(found, stream)
    return 0


def _trained(job: Job) -> dict[str, Any] | None:
    """None in all processes but the first."""
    from filelock import FileLock

    from flows.training import quick_scores, told_result
    from mt.finetune import finetune
    from mt.finetune_progress import plain_lines

    arguments = (job.base, job.mixture, job.dev, job.out, job.config, quick_scores)
    if os.environ.get("RANK", "0") != "0":
        finetune(*arguments)
        return None
    with FileLock(job.out.parent / _LOCK, timeout=_WAIT_SECONDS):
        return told_result(finetune(*arguments, progress=plain_lines(_show)))


def _show(text: str) -> None:
    sys.stdout.write(f"{_SHOWN}{text}\n")
    sys.stdout.flush()


def _end_with_the_flow() -> None:
    """A killed flow leaves nobody behind who would write where the next run does."""
    process, _, machine = os.environ.get(_FLOW, "").partition(" ")
    if machine == os.uname().nodename:
        end_with(int(process))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
