"""Bulk work: the same bytes here and on a cluster, also when a node dies, and goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.errors import ConfigError, InputError, RecordError
from flows.blocks import blocks_of, open_anywhere, read_block
from flows.bulk import FilterBlocks, Job, LineReader, TranslateBlocks, cut, run_blocks
from flows.cluster import connect

SENTENCES = ["Take 5 mg once daily.", "The patient denies fever.", "Rest.", "Hold metoprolol.", ""]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for number in range(60):
            text = SENTENCES[number % len(SENTENCES)]
            record = {"id": f"é{number}", "src": f"{text} {number}", "tgt": f"Tome {number}."}
            stream.write((json.dumps(record, ensure_ascii=False) if text else "") + "\n")
    return path


@pytest.mark.parametrize("lines", [1, 7, 60, 100])
def test_blocks_hold_every_line_once(corpus: Path, lines: int) -> None:
    found = [line for block in blocks_of(str(corpus), lines) for line in read_block(block)]
    assert found == corpus.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert [block.first for block in blocks_of(str(corpus), 7)] == list(range(1, 61, 7))


def test_a_file_anywhere_fsspec_reaches(corpus: Path) -> None:
    with open_anywhere("memory://corpora/c.jsonl", "wb") as stream:
        stream.write(corpus.read_bytes())
    here, there = (list(blocks_of(path, 16)) for path in (str(corpus), "memory://corpora/c.jsonl"))
    assert [read_block(block) for block in here] == [read_block(block) for block in there]


@pytest.fixture
def table(corpus: Path, tmp_path: Path) -> Path:
    """The corpus without its blank lines, in groups of 20 rows; `note` is in a few rows only."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines() if line]
    for row in rows[::10]:
        row["note"] = "read twice"
    path = tmp_path / "corpus.parquet"
    names = ("id", "src", "tgt", "note")
    columns = {name: [row.get(name) for row in rows] for name in names}
    parquet.write_table(pyarrow.table(columns), path, row_group_size=20)
    return path


@pytest.mark.parametrize("lines", [1, 7, 20, 33, 48, 100])
def test_blocks_of_parquet_hold_every_row_once(table: Path, lines: int) -> None:
    read = LineReader()
    blocks = list(cut(str(table), lines))
    found = [json.loads(line) for block in blocks for line in read(block)]
    assert [row["id"] for row in found] == [f"é{number}" for number in range(60) if number % 5 != 4]
    assert [row["id"] for row in found if "note" in row] == ["é0", "é12", "é25", "é37", "é50"]
    assert [block.first for block in blocks] == list(range(1, 49, lines))
    assert list(cut(str(table), lines, skip=2)) == blocks[2:]


@pytest.mark.parametrize("job", [TranslateBlocks("en", "pt"), FilterBlocks()])
def test_parquet_is_worked_on_as_the_same_lines_are(job: Job, table: Path, tmp_path: Path) -> None:
    read, lines, there = LineReader(), tmp_path / "lines.jsonl", "memory://corpora/c.parquet"
    with open_anywhere(there, "wb") as stream:
        stream.write(table.read_bytes())
    with lines.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for block in cut(str(table)) for line in read(block))
    outs = []
    for source in (str(lines), str(table), there)[: 2 if isinstance(job, FilterBlocks) else 3]:
        out = tmp_path / "out.jsonl"  # the filter's processes have no memory of ours
        assert run_blocks(job, source, out, lines=16) == 48
        outs.append(out.read_bytes())
    assert set(outs) == {outs[0]}


def test_what_is_no_parquet_and_a_row_without_text_are_named(table: Path, tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    wrong = tmp_path / "wrong.parquet"
    wrong.write_text("no", encoding="utf-8")
    with pytest.raises(InputError, match=r"wrong\.parquet: not parquet that can be read"):
        run_blocks(FilterBlocks(), str(wrong), tmp_path / "out.jsonl")
    parquet.write_table(pyarrow.table({"src": ["Rest."] * 4 + [None]}), wrong, row_group_size=2)
    with pytest.raises(RecordError, match=r"wrong\.parquet:5: not an object with a text in src"):
        run_blocks(TranslateBlocks("en", "pt"), str(wrong), tmp_path / "out.jsonl", lines=2)


def test_translations_line_by_line(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert run_blocks(TranslateBlocks("en", "pt"), str(corpus), out, lines=16) == 60
    lines = out.read_text(encoding="utf-8").split("\n")
    assert len(lines) == 61
    assert lines[4] == ""
    first = json.loads(lines[0])
    assert (first["id"], first["tgt_lang"], "5 mg" in first["tgt"]) == ("é0", "pt", True)
    assert not out.with_name("out.jsonl.part").exists()


def test_a_stopped_job_goes_on_after_its_last_whole_block(corpus: Path, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    job = FilterBlocks()
    run_blocks(job, str(corpus), whole, lines=16)
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    marked = lines[0].replace('"é0"', '"from the earlier run"')
    part = stopped.with_name("stopped.jsonl.part")
    part.write_text("".join([marked, *lines[1:20]]) + '{"id": "half', encoding="utf-8")
    assert run_blocks(job, str(corpus), stopped, lines=16) == 60
    assert stopped.read_text(encoding="utf-8").splitlines(keepends=True) == [marked, *lines[1:]]


def test_a_bad_line_is_named(corpus: Path, tmp_path: Path) -> None:
    with corpus.open("a", encoding="utf-8") as stream:
        stream.write('{"src": 7}\n')
    with pytest.raises(RecordError, match=r"corpus\.jsonl:61: not an object with a text in src"):
        run_blocks(FilterBlocks(), str(corpus), tmp_path / "out.jsonl", lines=16)


def test_a_cluster_by_another_name() -> None:
    with pytest.raises(ConfigError, match=r"--cluster 'spark': not a cluster; valid: local, auto, ray://"):
        connect("spark")


# Ray's own settings: what a busy machine needs to start in time, and a dead node noticed in seconds.
RAY = {
    "RAY_raylet_start_wait_time_s": "60",
    "RAY_worker_niceness": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@contextlib.contextmanager
def two_nodes() -> Iterator[tuple[Any, Any]]:
    """A cluster and its second node, of Ray's own making; each node has processes of its own."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
    cluster: Any = None
    try:
        cluster = Cluster(initialize_head=True, head_node_args=small)
        small.pop("include_dashboard")
        second = cluster.add_node(**small)
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # too little shared memory, no free port, a node that nobody waited for
        _end(ray, cluster)
        pytest.skip(f"Ray cannot start two nodes here: {type(error).__name__}: {str(error)[:200]}")
    try:
        yield cluster, second
    finally:
        _end(ray, cluster)


def _end(ray: Any, cluster: Any) -> None:
    ray.shutdown()
    if cluster is not None:
        cluster.shutdown()


def test_a_cluster_of_two_nodes_writes_the_same_bytes_though_one_dies(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in RAY.items():
        monkeypatch.setenv(name, value)
    job = TranslateBlocks("en", "pt")
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    run_blocks(job, str(corpus), here, lines=4)
    with two_nodes() as (cluster, second), there.open("w", encoding="utf-8") as stream:
        from flows.cluster import on_cluster

        seen = 0
        for lines in on_cluster(job, blocks_of(str(corpus), 4), "auto"):
            stream.write("".join(f"{line}\n" for line in lines))
            seen += 1
            if seen == 3:
                cluster.remove_node(second, allow_graceful=False)
        assert seen == 15
    assert there.read_bytes() == here.read_bytes()
