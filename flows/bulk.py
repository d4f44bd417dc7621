"""Corpus-sized work, block after block, here or on a cluster; the same bytes come out either way.

In: a JSONL or parquet file, what to do with a block of its lines. Out: a file with a line for each line.

    job = TranslateBlocks("en", "pt")                       # or FilterBlocks()
    run_blocks(job, "corpus.jsonl", Path("out.jsonl"))                      # all cores of this machine
    run_blocks(job, "s3://corpora/c.jsonl", Path("out.jsonl"), "auto")      # a Ray cluster

A stopped job goes on after the last whole block: what is done lies in `out.jsonl.part`.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from data.errors import OutputError, RecordError
from data.jsonl import json_line
from flows.blocks import LINES, Block, blocks_of, read_block
from flows.parquet_blocks import ParquetRows, parquet_blocks
from flows.step_folders import disk_errors_named

_AHEAD = 4  # blocks for each worker


class Job(Protocol):
    """Pickled to workers; `worker` is called there once and loads what is heavy."""

    def worker(self, threads: int) -> Worker: ...


class Worker(Protocol):
    def __call__(self, block: Block) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class TranslateBlocks:
    """`src` of each record becomes `tgt`; a blank line stays one. `model` as `translate --model`."""

    source: str
    target: str
    model: str = ""
    beam: int = 1

    def worker(self, threads: int) -> Worker:
        return _Translator(self, threads)


class _Translator:
    def __init__(self, job: TranslateBlocks, threads: int) -> None:
        from mt.config import DecodeConfig, DeviceConfig
        from mt.engine import Engine
        from mt.models import find_model

        self._job, self._decode = job, DecodeConfig(beam_size=job.beam)
        model = find_model(job.source, job.target, job.model)
        self._engine = Engine(model, DeviceConfig(threads=threads), job.target)
        self._read = LineReader()

    def __call__(self, block: Block) -> list[str]:
        lines = self._read(block)
        places = [place for place, line in enumerate(lines) if line.strip()]
        records = [_record(block, place, lines[place]) for place in places]
        texts = self._engine.translate([record["src"] for record in records], self._decode)
        for place, record, text in zip(places, records, texts, strict=True):
            languages = {"src_lang": self._job.source, "tgt_lang": self._job.target}
            lines[place] = json_line({**record, "tgt": text, **languages})[:-1]
        return lines


@dataclass(frozen=True, slots=True)
class FilterBlocks:
    """Each record gets its `measures`, and the `reasons` against it; empty reasons mean that it is kept."""

    limits: str = ""
    groups: tuple[str, ...] = ("form", "clinical", "terms")

    def worker(self, threads: int) -> Worker:
        return _Filter(self)


class _Filter:
    def __init__(self, job: FilterBlocks) -> None:
        from data.filtering import load_limits

        self._groups = job.groups
        self._limits = load_limits(Path(job.limits) if job.limits else None)
        self._read = LineReader()

    def __call__(self, block: Block) -> list[str]:
        from data.filtering import broken
        from data.measuring import measure_block

        lines = self._read(block)
        places = [place for place, line in enumerate(lines) if line.strip()]
        records = [_record(block, place, lines[place]) for place in places]
        for place, record, measures in zip(
            places, records, measure_block(self._groups, records), strict=True
        ):
            reasons = broken(measures, self._limits)
            lines[place] = json_line({**record, "measures": measures, "reasons": reasons})[:-1]
        return lines


class LineReader:
    """A block's lines, whatever the kind of its file; each worker has one."""

    def __init__(self) -> None:
        self._rows = ParquetRows()

    def __call__(self, block: Block) -> list[str]:
        return self._rows(block) if _is_parquet(block.path) else read_block(block)


def cut(path: str, lines: int = LINES, skip: int = 0) -> Iterator[Block]:
    """`skip` leaves out so many blocks at the beginning, done by an earlier run."""
    return (parquet_blocks if _is_parquet(path) else blocks_of)(path, lines, skip)


def _is_parquet(path: str) -> bool:
    return path.lower().endswith(".parquet")


def _record(block: Block, place: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "cannot be read"
        raise RecordError(block.path, block.first + place, f"not JSON: {what}") from None
    if not isinstance(record, dict) or not isinstance(record.get("src"), str):
        raise RecordError(block.path, block.first + place, "not an object with a text in src")
    return record


def run_blocks(
    job: Job,
    source: str,
    out: Path,
    cluster: str = "",
    lines: int = LINES,
    tell: Callable[[int], object] = lambda _: None,
) -> int:
    """Returns the number of lines, and tells it as it grows; `cluster` empty: this machine alone."""
    part = out.with_name(f"{out.name}.part")
    with disk_errors_named("bulk work", out.parent):
        done = _whole_lines(part, lines)
        waiting = cut(source, lines, skip=done // lines)
        if cluster:
            from flows.cluster import on_cluster

            results = on_cluster(job, waiting, cluster)
        else:
            results = on_this_machine(job, waiting)
        try:
            stream = part.open("a", encoding="utf-8", newline="")
        except OSError as error:
            raise OutputError(f"cannot write {part}: {error.strerror or error}") from None
        with stream:
            for found in results:
                stream.write("".join(f"{line}\n" for line in found))
                stream.flush()
                done += len(found)
                tell(done)
            os.fsync(stream.fileno())
        part.replace(out)
    return done


def _whole_lines(part: Path, lines: int) -> int:
    """How many lines of whole blocks an earlier run left; what follows them is cut off."""
    if not part.exists():
        return 0
    whole = count = position = 0
    with part.open("rb+") as stream:
        for raw in stream:
            if not raw.endswith(b"\n"):
                break
            count, position = count + 1, position + len(raw)
            if count % lines == 0:
                whole, kept = count, position
        stream.truncate(kept if whole else 0)
    return whole


def on_this_machine(job: Job, blocks: Iterable[Block]) -> Iterator[list[str]]:
    """Translation shares one model among threads; pure Python work takes a process for each core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(job, FilterBlocks):
        yield from _in_processes(job, blocks, cores)
        return
    from concurrent.futures import ThreadPoolExecutor

    worker = job.worker(cores)
    source = iter(blocks)
    with ThreadPoolExecutor(cores) as pool:  # the engine works without Python's lock
        waiting = deque(pool.submit(worker, block) for block in islice(source, _AHEAD * cores))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(worker, block) for block in islice(source, 1))


def _in_processes(job: Job, blocks: Iterable[Block], cores: int) -> Iterator[list[str]]:
    from functools import partial

    from data.blocks import ordered_map

    for _, found in ordered_map(partial(_call, job), ([block] for block in blocks), cores):
        yield found


_workers: dict[Job, Worker] = {}


def _call(job: Job, blocks: list[Block]) -> list[str]:
    if job not in _workers:
        _workers[job] = job.worker(1)
    return _workers[job](blocks[0])
