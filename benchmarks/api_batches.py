"""What a batch of few sentences costs, and what the server could reach at most: CTranslate2 alone, no server.

    python benchmarks/api_batches.py --sentences 960

- `step`: milliseconds of a core for one step of the decoder with so many sentences.
- `shares`: two threads that each translate one batch after another, ready tokens, beside the same in bulk, by
  the clock and by the seconds that the cores worked: sentences as they come; twice as many sorted by length,
  then halved, which is about what clients with a sentence each allow; all sorted.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
SIZES = (1, 2, 4, 8, 16, 32, 64)
ORDERS = ("as they come", "sorted and halved", "all sorted")
_STEPS, _TRIES = 62, 6

Row = list[str]


def parts(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def batches(rows: Sequence[Row], size: int, order: str) -> list[Sequence[Row]]:
    if order == "as they come":
        return list(parts(rows, size))
    if order == "all sorted":
        return list(parts(sorted(rows, key=len), size))
    return [half for both in parts(rows, 2 * size) for half in parts(sorted(both, key=len), size)]


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """By the clock, and of the cores."""
    start, cores = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cores


def dealt(translate: Callable[[Sequence[Row]], object], given: Sequence[Sequence[Row]]) -> None:
    waiting, guard = iter(given), threading.Lock()

    def work() -> None:
        while True:
            with guard:
                batch = next(waiting, None)
            if batch is None:
                return
            translate(batch)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def shares(translator: Any, rows: Sequence[Row]) -> dict[str, Any]:
    from mt.engine import BATCH_TOKENS

    limits = {"max_batch_size": BATCH_TOKENS, "batch_type": "tokens", "beam_size": 1}

    def translate(given: Sequence[Row]) -> object:
        return translator.translate_batch(list(given), **limits)

    bulk = seconds(partial(translate, rows))
    found: dict[str, Any] = {}
    for size in SIZES[3:]:
        for order in ORDERS:
            given = batches(rows, size, order)
            took = seconds(partial(dealt, translate, given))
            both = zip(bulk, took, strict=True)
            found[f"{size}, {order}"] = [round(whole / own, 2) for whole, own in both]
    return found


def step(translator: Any, row: Row) -> dict[int, float]:
    """The difference between a short and a long translation of the same sentence, best of several."""
    found = {}
    for size in SIZES:
        best = []
        for steps in (2, 2 + _STEPS):
            forced = {"min_decoding_length": steps, "max_decoding_length": steps, "beam_size": 1}
            work = partial(translator.translate_batch, [row] * size, **forced)
            best.append(min(seconds(work)[1] for _ in range(_TRIES)))
        found[size] = round((best[1] - best[0]) / _STEPS * 1000, 2)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sentences", type=int, default=960)
    parser.add_argument("--runs", type=int, default=2)
    chosen = parser.parse_args()
    import ctranslate2

    from benchmarks.engine import sentences
    from mt.models import find_model
    from mt.tokenization import Tokenizer

    model = find_model("en", "pt")
    tokenizer = Tokenizer.load(model.runnable, model.language_token(""))
    rows = tokenizer.encode(sentences(chosen.data, chosen.sentences))
    both, one = (
        ctranslate2.Translator(str(model.runnable), inter_threads=n, intra_threads=1) for n in (2, 1)
    )
    both.translate_batch(rows[:64])
    middle = sorted(rows, key=len)[len(rows) // 2]
    print(json.dumps({"step, ms": step(one, middle)}, indent=1), flush=True)
    for _ in range(chosen.runs):
        print(json.dumps({"shares by the clock, by the cores": shares(both, rows)}, indent=1), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
