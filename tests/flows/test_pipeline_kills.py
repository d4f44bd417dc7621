"""The real pipeline, killed at random moments and started again, ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from flows.engine import EmbeddedServer
from tests.tiny_marian import build_tiny_marian
from tests.tiny_pipeline import ROOT, ChatServer, artifacts, prepare_home, write_config

KILLS = 3  # benchmarks/kills.py does it ten times, from the start of the process on

# Imports once what `medloop pipeline run` imports, and forks: the start of a run then costs no seconds.
STARTER = """
import os, sys
import flows.running, flows.pipeline_cli, mt.finetune, mt.finetune_loop, mt.convert, mt.engine, transformers
import ctranslate2, prefect.engine, eval.report, eval.run, data.synthesis, data.duplicates
import terminology.enforcement
from transformers import MarianMTModel, MarianTokenizer
for line in sys.stdin:
    home, config = line.split()
    run = os.fork()
    if run == 0:
        os.environ["MEDLOOP_HOME"] = home
        from flows.cli import main
        sys.argv = ["medloop", "pipeline", "run", config]
        os.dup2(2, 1)
        try:
            code = main()
        except SystemExit as end:
            code = end.code
        os._exit(code or 0)
    print(run, flush=True)
    print(os.waitpid(run, 0)[1], flush=True)
"""


class Starter:
    def __init__(self, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", STARTER], cwd=ROOT, env=environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _line(self) -> int:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise AssertionError(self._process.stderr.read())
        return int(line)

    def begin(self, home: Path, config: Path) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{home} {config}\n")
        self._process.stdin.flush()
        return self._line()

    def end(self) -> int:
        """The status as `os.waitpid` gives it."""
        return self._line()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_killed_at_random_points_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    homes = {name: tmp_path / name for name in ("calm", "killed")}
    with ChatServer() as chat, contextlib.ExitStack() as stack:
        server = EmbeddedServer(os.environ)
        stack.callback(server.stop)
        # A server of one's own, by environment variables only.
        environ = chat.environ(tmp_path) | {"PREFECT_API_URL": server.api_url}
        starter = stack.enter_context(contextlib.closing(Starter(environ)))
        base = build_tiny_marian(tmp_path / "base")
        config = write_config(tmp_path / "config", base)
        prepare_home(homes["calm"], base)
        shutil.copytree(homes["calm"], homes["killed"])
        server.join()
        began = time.monotonic()
        starter.begin(homes["calm"], config)
        assert starter.end() == 0
        seconds, calls = time.monotonic() - began, chat.calls
        points, kills = random.Random(11), 0
        for _ in range(KILLS):  # each run goes on where the one before was killed
            run = starter.begin(homes["killed"], config)
            time.sleep(points.uniform(0.1, 0.5) * seconds)
            with contextlib.suppress(ProcessLookupError):  # it had ended
                os.kill(run, signal.SIGKILL)
            kills += starter.end() == signal.SIGKILL
        starter.begin(homes["killed"], config)
        assert starter.end() == 0
    expected, found = artifacts(homes["calm"]), artifacts(homes["killed"])
    assert found == expected
    assert not any("again" in name or ".work" in name for name in expected)
    assert kills >= 2
    assert calls <= chat.calls - calls <= calls + 3 * kills  # a document takes three
    aliases = json.loads((homes["killed"] / "models" / "en-pt" / "aliases.json").read_text(encoding="utf-8"))
    assert aliases["production"] == aliases["candidate"] != aliases["before"][0]
