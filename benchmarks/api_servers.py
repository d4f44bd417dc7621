"""Servers under test, and a lean load generator for them: what benchmarks/api.py measures with.

In: a command that serves HTTP, and request bodies. Out: seconds, counts, memory.

    with serving(ours(5055, folder)) as server:
        load(server.port, "/translate", bodies, clients=32)["requests per second"]

The generator writes prepared bytes to kept connections and reads no more of an answer than its length, as it
shares the cores with the server: 0.1 to 0.2 ms of a core for each request, which `own cores` shows.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Its sentence splitter would have to be fetched; without one it has less to do, to its advantage.
_LIBRETRANSLATE = """
import sys
import argostranslate.translate as t
class Whole:
    def __init__(self, package): pass
    def split_sentences(self, text): return [text]
t.MiniSBDSentencizer = Whole
from libretranslate.main import main
main()
"""


@dataclass(frozen=True, slots=True)
class Command:
    words: list[str]
    port: int
    environment: dict[str, str]
    ready: str


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int
    start_seconds: float

    def megabytes(self) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def core_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ours(port: int, folder: Path) -> Command:
    serve = [str(Path(sys.executable).parent / "medloop"), "serve", "--port", str(port)]
    return Command(serve, port, {"MEDLOOP_DATABASE": f"sqlite:///{folder / 'state.db'}"}, "/readyz")


def argos_packages(folder: Path) -> Path:
    """Our starters in both directions as Argos packages."""
    from mt.models import find_model

    names = {"en": "English", "pt": "Portuguese"}
    for source, target in (("en", "pt"), ("pt", "en")):
        model = find_model(source, target).runnable
        package = folder / "packages" / f"translate-{source}_{target}-1_0"
        shutil.copytree(model, package / "model")
        # Argos hands over pieces without the end of sentence, without which the model rambles on.
        config = json.loads((model / "config.json").read_text()) | {"add_source_eos": True}
        (package / "model" / "config.json").write_text(json.dumps(config))
        shutil.copy(model / "source.spm", package / "sentencepiece.model")
        metadata = {"package_version": "1.0", "argos_version": "1.9", "from_code": source, "to_code": target}
        metadata |= {"from_name": names[source], "to_name": names[target]}
        (package / "metadata.json").write_text(json.dumps(metadata))
    return folder / "packages"


def libretranslate(
    python: str, port: int, packages: Path, threads: int, engine: tuple[int, int], beam: int
) -> Command:
    """`engine`: CTranslate2's translations at once, and threads for each; it comes with 1 and all, beam 4."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--load-only", "en,pt", "--threads", str(threads)]
    environment = {
        "ARGOS_PACKAGES_DIR": str(packages),
        "XDG_DATA_HOME": str(packages.parent / "data"),
        "ARGOS_INTER_THREADS": str(engine[0]),
        "ARGOS_INTRA_THREADS": str(engine[1]),
        "ARGOS_BEAM_SIZE": str(beam),
    }
    quiet = ["--disable-web-ui", "--disable-files-translation"]
    return Command([python, "-c", _LIBRETRANSLATE, *options, *quiet], port, environment, "/languages")


@contextmanager
def serving(command: Command) -> Iterator[Server]:
    start = time.perf_counter()
    process = subprocess.Popen(
        command.words, env=os.environ | command.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not answers(command.port, command.ready):
            if process.poll() is not None:
                raise SystemExit(f"{command.words[0]} ended with {process.returncode} before it was ready")
            time.sleep(0.02)
        yield Server(command.port, process.pid, time.perf_counter() - start)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def sentences_and_batches(port: int) -> tuple[float, float]:
    """So far, of all engines."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    sentences, batches = (
        sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"medloop_{name}_done{{"))
        for name in ("sentences", "batches")
    )
    return sentences, batches


def percentile(seconds: Sequence[float], share: float) -> float:
    """In milliseconds."""
    ranked = sorted(seconds)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] * 1000


def translate_body(text: str) -> bytes:
    return json.dumps({"q": text, "source": "en", "target": "pt", "format": "text"}).encode()


def load(port: int, path: str, bodies: Iterable[bytes], clients: int) -> dict[str, Any]:
    """Each client sends the next body as soon as its last was answered."""
    waiting = ((path, body) for body in bodies)
    taken: list[float] = []
    own, start = time.process_time(), time.perf_counter()
    statuses = asyncio.run(_clients(port, waiting, clients, taken))
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "requests per second": len(taken) / seconds,
        "p50 ms": percentile(taken, 0.5),
        "p95 ms": percentile(taken, 0.95),
        "failed": sum(count for status, count in statuses.items() if status != 200),
        "own cores": (time.process_time() - own) / seconds,
    }


async def _clients(
    port: int, waiting: Iterator[tuple[str, bytes]], count: int, taken: list[float]
) -> dict[int, int]:
    statuses: dict[int, int] = {}

    async def work() -> None:
        connection = await asyncio.open_connection("127.0.0.1", port)
        for path, body in waiting:
            start = time.perf_counter()
            status, _ = await exchange(connection, path, body)
            taken.append(time.perf_counter() - start)
            statuses[status] = statuses.get(status, 0) + 1
        connection[1].close()

    await asyncio.gather(*(work() for _ in range(count)))
    return statuses


async def exchange(
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    path: str,
    body: bytes,
    kind: str = "application/json",
) -> tuple[int, bytes]:
    reader, writer = connection
    writer.write(
        b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
        % (path.encode(), kind.encode(), len(body), body)
    )
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(b"content-length:")
    return int(head[9:12]), await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))


async def mixed_load(server: Server, texts: Sequence[str], count: int, seconds: float) -> dict[str, Any]:
    """Every protocol, no text twice, one in four private; memory is read every second."""
    statuses: dict[str, int] = {}
    memory: list[float] = []
    start = time.monotonic()
    numbers = iter(range(10**9))

    async def work() -> None:
        connection = await asyncio.open_connection("127.0.0.1", server.port)
        for number in numbers:
            if time.monotonic() - start > seconds:
                break
            path, kind, body = _mixed(number, texts)
            status, _ = await exchange(connection, path, body, kind)
            statuses[f"{path} {status}"] = statuses.get(f"{path} {status}", 0) + 1
        connection[1].close()

    async def watch() -> None:
        while True:
            memory.append(server.megabytes())
            await asyncio.sleep(1)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(work() for _ in range(count)))
    watching.cancel()
    fifth = max(1, len(memory) // 5)
    warm, last = max(memory[: 2 * fifth]), statistics.mean(memory[-fifth:])
    return {
        "requests": statuses,
        "failed": sum(n for name, n in statuses.items() if not name.endswith((" 200", " 202"))),
        "MB at most in the first two fifths": warm, "MB in the last fifth": last, "growth": last / warm - 1,
        "MB": [round(one) for one in memory[:: max(1, len(memory) // 20)]],
    }  # fmt: skip


def _mixed(number: int, texts: Sequence[str]) -> tuple[str, str, bytes]:
    text = f"{texts[number % len(texts)]} {number}."
    if number % 200 == 199:
        head = '--edge\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
        fields = [head.format("target", "", "pt"), head.format("source", "", "en")]
        upload = head.format("file", '; filename="a.txt"', "\n\n".join((text, *texts[:5])))
        body = "".join((*fields, upload, "--edge--\r\n"))
        return "/v1/documents", "multipart/form-data; boundary=edge", body.encode()
    wanted: dict[str, Any] = {"q": text, "source": "en", "target": "pt"}
    path = "/translate"
    if number % 4 == 1:
        path, wanted = "/v1/translate", {"text": text, "source": "en", "target": "pt", "private": True}
    elif number % 4 == 2:
        path = "/v2/translate"
        wanted = {"text": [f"<p>{text} <b>Rest.</b></p>"], "target_lang": "PT-BR", "tag_handling": "html"}
    elif number % 4 == 3:
        path, wanted = "/v1/translate", {"texts": [text, "Rest."], "source": "auto", "target": "pt"}
    return path, "application/json", json.dumps(wanted).encode()
