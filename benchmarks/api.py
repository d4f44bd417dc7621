"""The translation server: batching, waiting, LibreTranslate beside it with the same model, start, soak.

    python benchmarks/api.py                                        # batching, http and start
    python benchmarks/api.py --part peer --libretranslate PYTHON    # an interpreter that has LibreTranslate
    python benchmarks/api.py --part soak --minutes 5

- `batching`, in one process: `--clients` threads that each send one sentence after another, through
  CTranslate2's own queue and through `mt.batching`, beside the engine in bulk.
- `http`: the same over loopback against `medloop serve`, beside the engine in bulk in this process, in turns
  with other sentences each round (the server keeps results), by the clock and by the seconds that both cores
  worked, the generator's included, which other jobs on the machine disturb less; what a lone request adds to
  the engine, and how much longer a sentence waits while a document of 200 segments is under way.
- `peer`: LibreTranslate with the same CTranslate2 model as an Argos package, as it comes (4 threads, beam 4)
  and told the best for this load (`--threads`, two translations at once, beam 1), in turns with medloop.
- `start`: from the command to the first translation.
- `soak`: mixed requests of 16 clients, and the server's memory.

The load generator (benchmarks/api_servers.py) runs on the same cores; `own cores` is what it took of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
PORT = 5055
PARTS = ("batching", "http", "start", "peer", "soak")

Translate = Callable[[list[str]], object]


def engine() -> Any:
    from mt.api.engines import load_engine
    from mt.models import find_model

    return load_engine(find_model("en", "pt"))


def seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def threads(translate: Translate, texts: Sequence[str], count: int) -> list[float]:
    """Each request's seconds, for threads that take turns at the texts."""
    waiting, guard = iter(texts), threading.Lock()
    taken: list[float] = []

    def work() -> None:
        while True:
            with guard:
                text = next(waiting, None)
            if text is None:
                return
            taken.append(seconds_of(partial(translate, [text])))

    clients = [threading.Thread(target=work) for _ in range(count)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return taken


def batching(texts: list[str], count: int, runs: int) -> dict[str, Any]:
    from benchmarks.api_servers import percentile
    from benchmarks.engine import words
    from mt.batching import Batcher

    bulk = engine()
    bulk.translate(texts[:64])
    batcher = Batcher(bulk)
    systems: dict[str, Translate] = {"CTranslate2 queue": bulk.translate, "mt.batching": batcher.translate}
    rates: dict[str, list[float]] = {name: [] for name in ("bulk", *systems)}
    p95: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(runs):
        rates["bulk"].append(words(texts) / seconds_of(lambda: bulk.translate(texts)))
        for name, translate in systems.items():
            start = time.perf_counter()
            taken = threads(translate, texts, count)
            rates[name].append(words(texts) / (time.perf_counter() - start))
            p95[name].append(percentile(taken, 0.95))
    batcher.close(5)
    return {
        "words per second": {name: statistics.median(rate) for name, rate in rates.items()},
        "share of bulk": {name: share(found, rates["bulk"]) for name, found in rates.items()},
        "p95 ms": {name: statistics.median(own) for name, own in p95.items()},
    }


def share(found: Sequence[float], bulk: Sequence[float]) -> float:
    return statistics.median(one / whole for one, whole in zip(found, bulk, strict=True))


def http(texts: list[str], count: int, runs: int, folder: Path) -> dict[str, Any]:
    from benchmarks.api_servers import load, ours, sentences_and_batches, serving, translate_body
    from benchmarks.engine import words

    bulk = engine()
    bulk.translate(texts[:64])
    rates: dict[str, list[float]] = {"bulk": [], "http": []}
    cores: list[float] = []
    loads = []
    with serving(ours(PORT, folder)) as server:
        load(PORT, "/translate", [translate_body(f"{text} ") for text in texts[:count]], count)
        for run in range(runs):
            own = texts[run::runs]
            alone = time.process_time()
            rates["bulk"].append(words(own) / seconds_of(partial(bulk.translate, own)))
            alone, served = time.process_time() - alone, server.core_seconds()
            loads.append(load(PORT, "/translate", map(translate_body, own), count))
            rates["http"].append(words(own) / loads[-1]["seconds"])
            own_seconds = loads[-1]["own cores"] * loads[-1]["seconds"]
            cores.append(alone / (server.core_seconds() - served + own_seconds))
        done, batches = sentences_and_batches(PORT)
        found = {
            "words per second": {name: statistics.median(rate) for name, rate in rates.items()},
            "share of bulk": share(rates["http"], rates["bulk"]),
            "each run": [one / whole for one, whole in zip(rates["http"], rates["bulk"], strict=True)],
            "share of bulk by the cores' seconds": statistics.median(cores),
            "load": loads[-1],
            "sentences a batch": done / batches,
            "lone request, ms over the engine": asyncio.run(lone(server.port, bulk, texts[:60])),
            "sentence beside a document of 200, ms longer": asyncio.run(beside(server.port, texts[:200])),
        }
    return found


async def lone(port: int, bulk: Any, texts: Sequence[str]) -> dict[str, float]:
    """Median difference, taken in turns; the text differs from those sent before by a space."""
    from benchmarks.api_servers import exchange, translate_body

    connection = await asyncio.open_connection("127.0.0.1", port)
    differences = []
    for text in texts:
        alone = seconds_of(partial(bulk.translate, [text]))
        start = time.perf_counter()
        await exchange(connection, "/translate", translate_body(f" {text}"))
        differences.append((time.perf_counter() - start - alone) * 1000)
    connection[1].close()
    return {"median": statistics.median(differences), "p90": sorted(differences)[int(len(differences) * 0.9)]}


async def beside(port: int, texts: Sequence[str]) -> dict[str, float]:
    """A short sentence again and again while a document is under way, less what it takes alone."""
    from benchmarks.api_servers import exchange, translate_body

    short, long = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    sent = 0

    async def once() -> float:
        nonlocal sent
        sent += 1
        start = time.perf_counter()
        await exchange(short, "/translate", translate_body(f"Take {sent} tablets daily."))
        return time.perf_counter() - start

    alone = statistics.median([await once() for _ in range(20)])
    body = {"texts": list(texts), "source": "en", "target": "pt", "check": False, "private": True}
    document = asyncio.create_task(exchange(long, "/v1/translate", json.dumps(body).encode()))
    start, taken = time.perf_counter(), []
    await asyncio.sleep(0.05)
    while not document.done():
        taken.append(await once())
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - start
    for connection in (short, long):
        connection[1].close()
    longer = sorted((one - alone) * 1000 for one in taken)
    return {
        "median": statistics.median(longer), "p95": longer[int(len(longer) * 0.95)], "most": longer[-1],
        "alone": alone * 1000, "sentences": len(taken), "document seconds": seconds,
    }  # fmt: skip


def start(_folder: Path) -> dict[str, float]:
    """Seconds; with a new home each time, as after set-up."""
    from benchmarks.api_servers import load, ours, serving, translate_body

    ready, first = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as new, serving(ours(PORT, Path(new))) as server:
            ready.append(server.start_seconds)
            found = load(PORT, "/translate", [translate_body("Take 5 mg once daily.")], 1)
            first.append(server.start_seconds + found["seconds"])
    return {
        "ready, seconds": statistics.median(ready),
        "first translation, seconds": statistics.median(first),
    }


def peer(texts: list[str], count: int, runs: int, folder: Path, python: str) -> dict[str, Any]:
    from benchmarks.api_servers import argos_packages, libretranslate, load, ours, serving, translate_body

    packages = argos_packages(folder)
    systems = {
        "medloop": ours(PORT, folder),
        "LibreTranslate as it comes": libretranslate(python, PORT + 1, packages, 4, (1, 0), 4),
        "LibreTranslate tuned": libretranslate(python, PORT + 2, packages, count, (2, 1), 1),
    }
    loads: dict[str, list[dict[str, Any]]] = {name: [] for name in systems}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(serving(command)).port for name, command in systems.items()}
        for port in ports.values():
            load(port, "/translate", [translate_body(f"{text} ") for text in texts[:count]], count)
        for run in range(runs):
            for name, port in ports.items():
                loads[name].append(load(port, "/translate", map(translate_body, texts[run::runs]), count))
    return {
        name: {kind: statistics.median(one[kind] for one in found) for kind in found[0]}
        for name, found in loads.items()
    }


def soak(texts: list[str], count: int, minutes: float, folder: Path) -> dict[str, Any]:
    from benchmarks.api_servers import mixed_load, ours, serving

    with serving(ours(PORT, folder)) as server:
        return asyncio.run(mixed_load(server, texts, count, minutes * 60))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sentences", type=int, default=1500)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--libretranslate", help="a Python interpreter that has libretranslate")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    from benchmarks.engine import sentences

    parts = chosen.part or PARTS[:3]
    if "peer" in parts and not chosen.libretranslate:
        parser.error("--part peer needs --libretranslate PYTHON")
    texts = sentences(chosen.data, chosen.sentences)
    count, runs, result = chosen.clients, chosen.runs, {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        works: dict[str, Callable[[], dict[str, Any]]] = {
            "batching": lambda: batching(texts, count, runs),
            "http": lambda: http(texts, count, runs, place),
            "start": lambda: start(place),
            "peer": lambda: peer(texts, count, runs, place, chosen.libretranslate),
            "soak": lambda: soak(texts, 16, chosen.minutes, place),
        }
        for part in parts:
            result[part] = works[part]()
            print(json.dumps({part: result[part]}, indent=1), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
