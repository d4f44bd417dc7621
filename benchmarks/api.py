"""Batching of concurrent requests, and the server beside LibreTranslate with the same model.

    python benchmarks/api.py --data ../shared/data           # the batcher, in one process
    python benchmarks/api.py --ours http://127.0.0.1:8000 --libretranslate http://127.0.0.1:5000

Without addresses it compares, for `--clients` threads that each send one sentence after another: the
engine in bulk (the most there is), CTranslate2's own asynchronous queue, and `mt.batching`; then what a
lone sentence pays for the batcher, and how long one waits behind a document of 200 segments. With
addresses a small asynchronous load generator (httpx, keep-alive, loopback) sends the same sentences to
each server in turn in LibreTranslate's protocol, `POST /translate`, and prints requests per second and
the percentiles.

LibreTranslate gets the same CTranslate2 model as an Argos package: see `--argos-package FOLDER`, which writes
it; unzip it under its packages folder (`ARGOS_PACKAGES_DIR`) and start `libretranslate --load-only en,pt`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

Translate = Callable[[list[str]], object]


def percentile(seconds: Sequence[float], share: float) -> float:
    ranked = sorted(seconds)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] * 1000


def clients(translate: Translate, texts: Sequence[str], count: int) -> tuple[float, list[float]]:
    """Wall seconds and each request's own, for threads that take turns at the texts."""
    waiting = iter(texts)
    guard = threading.Lock()
    taken: list[float] = []

    def work() -> None:
        while True:
            with guard:
                text = next(waiting, None)
            if text is None:
                return
            start = time.perf_counter()
            translate([text])
            taken.append(time.perf_counter() - start)

    threads = [threading.Thread(target=work) for _ in range(count)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, taken


def in_process(texts: list[str], count: int, runs: int) -> dict[str, Any]:
    from benchmarks.engine import words
    from mt.batching import Batcher
    from mt.engine import Engine
    from mt.models import find_model

    engine = Engine(find_model("en", "pt"))
    engine.translate(texts[:64])
    batcher = Batcher(engine)
    rates: dict[str, list[float]] = {"bulk": [], "CTranslate2 queue": [], "mt.batching": []}
    p95: dict[str, list[float]] = {"CTranslate2 queue": [], "mt.batching": []}
    systems: dict[str, Translate] = {"CTranslate2 queue": engine.translate, "mt.batching": batcher.translate}
    for _ in range(runs):
        start = time.perf_counter()
        engine.translate(texts)
        rates["bulk"].append(words(texts) / (time.perf_counter() - start))
        for name, translate in systems.items():
            seconds, taken = clients(translate, texts, count)
            rates[name].append(words(texts) / seconds)
            p95[name].append(percentile(taken, 0.95))
    shares = {
        name: statistics.median(one / bulk for one, bulk in zip(found, rates["bulk"], strict=True))
        for name, found in rates.items()
    }
    found = {
        "words per second": {name: statistics.median(rate) for name, rate in rates.items()},
        "share of bulk": shares,
        "p95 ms": {name: statistics.median(own) for name, own in p95.items()},
        "lone sentence, ms over the engine": lone(engine.translate, batcher.translate, texts[:60]),
        "sentence behind a document of 200, ms": behind(batcher.translate, texts),
    }
    batcher.close(5)
    return found


def lone(engine: Translate, batcher: Translate, texts: Sequence[str]) -> float:
    """Median difference, taken in turns."""
    differences = []
    for text in texts:
        times = []
        for translate in (engine, batcher):
            start = time.perf_counter()
            translate([text])
            times.append(time.perf_counter() - start)
        differences.append((times[1] - times[0]) * 1000)
    return statistics.median(differences)


def behind(translate: Translate, texts: Sequence[str]) -> dict[str, float]:
    """A short sentence again and again while a document is under way; less what it takes alone."""
    short = ["Take one tablet daily."]
    alone = []
    for _ in range(20):
        start = time.perf_counter()
        translate(short)
        alone.append(time.perf_counter() - start)
    document = threading.Thread(target=translate, args=(list(texts[:200]),))
    document.start()
    taken = []
    while document.is_alive():
        start = time.perf_counter()
        translate(short)
        taken.append(time.perf_counter() - start)
        time.sleep(0.01)
    own = statistics.median(alone) * 1000
    return {"median": percentile(taken, 0.5) - own, "p95": percentile(taken, 0.95) - own,
            "most": max(taken) * 1000 - own, "alone": own, "sentences": len(taken)}  # fmt: skip


async def load(address: str, texts: Sequence[str], count: int) -> dict[str, float]:
    import httpx

    waiting = iter(texts)
    taken: list[float] = []
    failed = 0
    async with httpx.AsyncClient(base_url=address, timeout=120, trust_env=False) as client:

        async def work() -> None:
            nonlocal failed
            for text in waiting:
                start = time.perf_counter()
                body = {"q": text, "source": "en", "target": "pt", "format": "text"}
                answer = await client.post("/translate", json=body)
                failed += answer.status_code != 200
                taken.append(time.perf_counter() - start)

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(count)))
        seconds = time.perf_counter() - start
    return {
        "requests per second": len(taken) / seconds,
        "p50 ms": percentile(taken, 0.5),
        "p95 ms": percentile(taken, 0.95),
        "failed": float(failed),
    }


def argos_package(folder: Path) -> None:
    from mt.models import find_model

    model = find_model("en", "pt")
    package = folder / "translate-en_pt-1_0"
    package.mkdir(parents=True)
    shutil.copytree(model.runnable, package / "model")
    shutil.copy(model.runnable / "source.spm", package / "sentencepiece.model")
    metadata = {"package_version": "1.0", "argos_version": "1.9", "from_code": "en", "to_code": "pt"}
    metadata |= {"from_name": "English", "to_name": "Portuguese"}
    (package / "metadata.json").write_text(json.dumps(metadata))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sentences", type=int, default=600)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ours", help="address of a running server of ours")
    parser.add_argument("--libretranslate", help="address of a running LibreTranslate")
    parser.add_argument(
        "--argos-package", type=Path, help="write the model as an Argos package here, and end"
    )
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if chosen.argos_package:
        argos_package(chosen.argos_package)
        return 0
    from benchmarks.engine import sentences

    texts = sentences(chosen.data, chosen.sentences)
    servers = {"ours": chosen.ours, "LibreTranslate": chosen.libretranslate}
    if any(servers.values()):
        found: dict[str, Any] = {}
        for name, address in servers.items():
            if address:
                asyncio.run(load(address, texts[: chosen.clients], chosen.clients))
                found[name] = asyncio.run(load(address, texts, chosen.clients))
    else:
        found = in_process(texts, chosen.clients, chosen.runs)
    print(json.dumps(found, indent=1))
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
