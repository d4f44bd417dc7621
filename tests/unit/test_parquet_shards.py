"""Parquet beside shards: the same rows, only what has grown is written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.corpora import read_records
from data.errors import OutputError
from data.parquet_shards import FOLDER, write_parquet
from data.records import Shards


def _row(number: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": f"r{number}", "src": f"Take {number} mg.", "tgt": f"Tome {number} mg – já.", "phenomena": [],
        "terms": [{"source": "mg", "target": "mg", "in_source": True}], "scores": {"flaws": number},
    }  # fmt: skip
    return row | ({"phi": ["phone"]} if number == 3 else {})


def _make(folder: Path, upto: int) -> None:
    with Shards.opened(folder, {"seed": 1}, rows_per_shard=2) as shards:
        for number in range(shards.next, upto):
            shards.add([_row(number)], [], {"pairs": 1})


def test_the_same_rows_come_back(tmp_path: Path) -> None:
    _make(tmp_path, 5)
    assert [path.name for path in write_parquet(tmp_path)] == [f"pairs-0000{n}.parquet" for n in range(3)]
    rows = list(read_records([tmp_path / FOLDER]))
    assert [row["id"] for row in rows] == ["r0", "r1", "r2", "r3", "r4"]
    assert rows[3] == _row(3)
    assert {key: value for key, value in rows[2].items() if value is not None} == _row(2)


def test_a_run_that_goes_on_writes_only_what_grew(tmp_path: Path) -> None:
    _make(tmp_path, 3)
    write_parquet(tmp_path)
    assert write_parquet(tmp_path) == []
    _make(tmp_path, 6)
    assert [path.name for path in write_parquet(tmp_path)] == ["pairs-00001.parquet", "pairs-00002.parquet"]
    assert [row["id"] for row in read_records([tmp_path / FOLDER])] == [f"r{n}" for n in range(6)]


def test_a_torn_or_left_over_file_is_made_good(tmp_path: Path) -> None:
    _make(tmp_path, 3)
    first, _ = write_parquet(tmp_path)
    first.write_bytes(first.read_bytes()[:-40])
    (tmp_path / FOLDER / "pairs-00009.parquet").write_bytes(b"old")
    assert write_parquet(tmp_path) == [first]
    assert [row["id"] for row in read_records([tmp_path / FOLDER])] == ["r0", "r1", "r2"]


def test_what_has_no_one_kind_is_named(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "src": "x", "tgt": "y", "scores": 1},
        {"id": "b", "src": "x", "tgt": "y", "scores": "z"},
    ]
    (tmp_path / "pairs-00000.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(OutputError, match=r"cannot write .*pairs-00000.parquet"):
        write_parquet(tmp_path)
