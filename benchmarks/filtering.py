"""What the filter finds and what it costs: noise out, clean pairs kept, pairs a second, memory.

In: a folder with the public pairs (`--data`). Out: tables on stdout.

    python benchmarks/filtering.py noise --part decide     # read these while choosing data/tables/limits.yaml
    python benchmarks/filtering.py noise --part report     # the figures to report, once
    python benchmarks/filtering.py speed --pairs 1000000
    python benchmarks/filtering.py duplicates --pairs 1000000
    python benchmarks/filtering.py similarity --pairs 200      # embeddings: right pairs, and wrong ones

The pairs are parted by document, so nothing of the one part is in the other. 30 % of a part's pairs are made
bad (`filtering_noise.py`). On a machine that others use, `--processes 1` tells what the work takes of one
core; the time on the clock says little there. `--measured` keeps the measures in a file for another time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from filtering_noise import KINDS, Record, noisy  # type: ignore[import-not-found]

from data.duplicates import DedupeConfig, dedupe
from data.filtering import Limit, broken, load_limits
from data.jsonl import read_jsonl, write_jsonl
from data.measuring import MeasureConfig, filter_pairs, measure
from mt.measuring import starters

FILES = ("rebec-train.en-pt", "scielo-med.en-pt", "tico19-dev.en-pt")
NOISE = 0.3


def main() -> None:
    options = parsed()
    reports = {
        "noise": report_noise, "speed": report_speed, "duplicates": report_duplicates,
        "similarity": report_similarity,
    }  # fmt: skip
    reports[options.what](options)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "what", choices=["noise", "speed", "duplicates", "similarity"], nargs="?", default="noise"
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--part", choices=["decide", "report"], default="report")
    parser.add_argument("--limits", type=Path, help="instead of the default limits")
    parser.add_argument("--measured", type=Path, help="measures are kept here, and taken from here if there")
    parser.add_argument("--pairs", type=int, default=1500, help="how many")
    parser.add_argument("--processes", type=int, default=0, help="0 is one a core")
    return parser.parse_args()


def report_noise(options: argparse.Namespace) -> None:
    limits = load_limits(options.limits)
    with tempfile.TemporaryDirectory() as folder:
        path = options.measured or Path(folder) / "measured.jsonl"
        if not path.exists():
            raw = Path(folder) / "pairs.jsonl"
            write_jsonl(raw, mixed(options.data, options.part, options.pairs))
            config = MeasureConfig(only_if=tuple(limits), processes=options.processes)
            took = measure([raw], path, config, starters("en", "pt")).seconds
            print(f"measured in {took:.0f} s\n")
        records = [record for _, record in read_jsonl(path)]
    table(records, limits)


def table(records: Sequence[Record], limits: Sequence[Limit]) -> None:
    against = [broken(record["measures"], limits) for record in records]
    print("| pairs | how many | dropped | % | by |")
    print("|---|---|---|---|---|")
    for kind in ("clean", "noise", *KINDS):
        own = [a for r, a in zip(records, against, strict=True) if _is(r, kind)]
        dropped = [a for a in own if a]
        by = ", ".join(f"{name} {count}" for name, count in Counter(a[0] for a in dropped).most_common(5))
        print(
            f"| {kind} | {len(own)} | {len(dropped)} | {100 * len(dropped) / max(1, len(own)):.1f} | {by} |"
        )
    print()
    for corpus in FILES:
        own = [a for r, a in zip(records, against, strict=True) if _is(r, "clean") and r["corpus"] == corpus]
        print(f"clean kept of {corpus}: {100 * sum(not a for a in own) / max(1, len(own)):.1f} %")


def _is(record: Record, kind: str) -> bool:
    noise = record.get("noise", "")
    return not noise if kind == "clean" else bool(noise) and kind in ("noise", noise)


def load(folder: Path, part: str = "") -> Iterator[Record]:
    for name in FILES:
        path = folder / f"{name}.jsonl"
        if not path.exists():
            raise SystemExit(f"{path} is not there: give the folder of the public pairs with --data")
        for _, record in read_jsonl(path):
            digest = hashlib.sha256(str(record["id"]).split(":")[1].encode()).digest()
            if not part or (digest[0] % 2 == 0) == (part == "decide"):
                yield record | {"corpus": name}


def mixed(folder: Path, part: str, pairs: int) -> list[Record]:
    """Clean and bad ones, the kinds in equal numbers, no two from the same clean pair."""
    dice = random.Random(part)
    corpora: dict[str, list[Record]] = defaultdict(list)
    for record in load(folder, part):
        corpora[str(record["corpus"])].append(record)
    places = [(name, place) for name, own in corpora.items() for place in range(len(own))]
    dice.shuffle(places)
    rest = iter(places)
    found: list[Record] = []
    for kind in KINDS:
        left = round(pairs * NOISE / len(KINDS))
        for name, place in rest:
            made = noisy(kind, corpora[name], place, dice)
            if made:
                found.append(made)
                left -= 1
            if not left:
                break
    found += [corpora[name][place] for name, place in list(rest)[: pairs - len(found)]]
    dice.shuffle(found)
    return found


def many(folder: Path, pairs: int, path: Path) -> None:
    """A file of so many pairs: the public ones, again and again, each copy with a number to tell it apart."""
    records = list(load(folder))
    with path.open("w", encoding="utf-8") as stream:
        for number in range(pairs):
            turn, place = divmod(number, len(records))
            record = dict(records[place])
            if turn:
                record |= {"id": f"{record['id']}:{turn}"} | {
                    side: _varied(str(record[side]), turn) for side in ("src", "tgt")
                }
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def _varied(text: str, turn: int) -> str:
    """Another text of the same length: every word ends otherwise, so that copies are no near-duplicates."""
    return text.replace(" ", f"{turn} ") + str(turn)


def report_speed(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many(options.data, options.pairs, folder / "pairs.jsonl")
        config = MeasureConfig(groups=("form",), processes=options.processes)
        worked = time.process_time()
        measured = measure([folder / "pairs.jsonl"], folder / "measured.jsonl", config)
        start = time.perf_counter()
        filtered = filter_pairs(
            [folder / "measured.jsonl"], folder / "kept", folder / "dropped", load_limits(options.limits)
        )
        took = time.perf_counter() - start
        print(f"{measured.pairs} pairs; measured {measured.pairs / measured.seconds:,.0f} pairs/s")
        print(f"judged and written {filtered.pairs / took:,.0f} pairs/s")
        core = time.process_time() - worked
        print(f"this process had a core for {core:.1f} s: {measured.pairs / core:,.0f} pairs a core's second")
        print(f"both: {measured.pairs / (measured.seconds + took):,.0f} pairs/s")
        _memory()


def report_duplicates(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many(options.data, options.pairs, folder / "pairs.jsonl")
        start, worked = time.perf_counter(), time.process_time()
        config = DedupeConfig(processes=options.processes)
        found = dedupe([folder / "pairs.jsonl"], folder / "kept", folder / "dropped", config)
        print(f"{found} in {time.perf_counter() - start:.0f} s")
        print(f"of which this process had a core for {time.process_time() - worked:.0f} s")
        _memory()


def report_similarity(options: argparse.Namespace) -> None:
    """Right pairs of TICO-19, and each source with the target of the pair after it."""
    import numpy as np

    from data.embedding import multilingual_e5

    records = [record for _, record in read_jsonl(options.data / f"{FILES[2]}.jsonl")][: options.pairs]
    targets = [record["tgt"] for record in records]
    wrong = [
        record | {"tgt": other} for record, other in zip(records, targets[1:] + targets[:1], strict=True)
    ]
    start = time.process_time()
    for name, chosen in (("right", records), ("wrong", wrong)):
        found = [one["similarity"] for one in multilingual_e5("en", "pt").measures(chosen)]
        shown = np.percentile(found, [1, 5, 50, 95, 99]).round(3).tolist()
        print(f"{name} pairs: percentiles 1, 5, 50, 95, 99: {shown}")
    print(f"{(time.process_time() - start) / len(records) / 2 * 1000:.0f} ms of a core for each pair")


def _memory() -> None:
    for who, name in ((resource.RUSAGE_SELF, "this process"), (resource.RUSAGE_CHILDREN, "largest worker")):
        print(f"peak memory of {name}: {resource.getrusage(who).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
