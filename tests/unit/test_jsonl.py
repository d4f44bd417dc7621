"""JSON Lines in and out: values survive, errors name the line, and never the text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError, OutputError, RecordError
from data.jsonl import json_line, read_jsonl, read_pairs, write_jsonl, write_pairs
from data.segments import Pair, Segment

LINE = (
    '{"id": "t1", "src": "Take 5 mg.", "tgt": "Tome 5 mg.", "src_lang": "en", "tgt_lang": "pt",'
    ' "origin": "TICO-19", "licence": "CC0-1.0"}\n'
)
PAIR = Pair(Segment("t1", "Take 5 mg."), "Tome 5 mg.", "en", "pt", "TICO-19", "CC0-1.0")


def stored(folder: Path, content: bytes) -> Path:
    path = folder / "pairs.jsonl"
    path.write_bytes(content)
    return path


def test_a_pair_file_reads_and_writes_the_same(tmp_path: Path) -> None:
    path = stored(tmp_path, LINE.encode())
    assert list(read_pairs(path)) == [PAIR]
    assert write_pairs(tmp_path / "again.jsonl", read_pairs(path)) == 1
    assert (tmp_path / "again.jsonl").read_text() == LINE


def test_a_pair_without_id_is_called_after_its_place(tmp_path: Path) -> None:
    path = stored(tmp_path, b'\n{"src": "a", "tgt": "b"}\n')
    assert list(read_pairs(path)) == [Pair(Segment("pairs:2", "a"), "b")]


def test_numbers_count_blank_lines_and_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = stored(tmp_path, b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": 2}')
    assert list(read_jsonl(path)) == [(1, {"a": 1}), (4, {"a": 2})]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b'{"a": 1}\n{"a": }\n', 2, "not JSON: Expecting value at column 7"),
        (b'{"a": 1}\n[1]\n', 2, "not a JSON object ({...})"),
        (b'{"a": 1}\n{"b": "\xff"}\n', 2, "not UTF-8: byte 0xff at byte offset 16"),
        (b'\xef\xbb\xbf"\xc3"\n', 1, "not UTF-8: byte 0xc3 at byte offset 4"),
        (b"[" * 100_000, 1, "not JSON that can be read: a number or nesting too large"),
        (b"9" * 5_000, 1, "not JSON that can be read: a number or nesting too large"),
        (b'"patient\n', 1, "not JSON: Invalid control character at at column 9"),
    ],
)
def test_a_bad_record_is_named_by_file_and_line(
    tmp_path: Path, content: bytes, line: int, problem: str
) -> None:
    path = stored(tmp_path, content)
    with pytest.raises(RecordError) as caught:
        list(read_jsonl(path))
    assert str(caught.value) == f"{path}:{line}: {problem}"


def test_records_before_a_bad_one_are_delivered(tmp_path: Path) -> None:
    records = read_jsonl(stored(tmp_path, b'{"a": 1}\nbad\n'))
    assert next(records) == (1, {"a": 1})


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"src": "a"}, "field 'tgt' is missing"),
        ({"src": "a", "tgt": 5}, "field 'tgt' is not text"),
        ({"src": "a", "tgt": "b", "id": 7}, "field 'id' is not text"),
        ({"src": "a", "tgt": "b", "origin": None}, "field 'origin' is not text"),
    ],
)
def test_a_record_that_is_no_pair(tmp_path: Path, record: dict[str, object], problem: str) -> None:
    path = stored(tmp_path, json.dumps(record).encode())
    with pytest.raises(RecordError) as caught:
        list(read_pairs(path))
    assert str(caught.value) == f"{path}:1: {problem}; a pair has src and tgt, and may have id"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*nowhere\.jsonl: No such file or directory"):
        list(read_jsonl(tmp_path / "nowhere.jsonl"))


def test_a_failing_source_leaves_no_file(tmp_path: Path) -> None:
    path = stored(tmp_path, b'{"a": 1}\nbad\n')
    with pytest.raises(RecordError):
        write_jsonl(tmp_path / "out.jsonl", (record for _, record in read_jsonl(path)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["pairs.jsonl"]


def test_an_unwritable_place(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*nowhere/out\.jsonl: No such file or directory"):
        write_jsonl(tmp_path / "nowhere" / "out.jsonl", [])


def test_letters_stay_readable() -> None:
    assert json_line({"tgt": "infecção 💊"}) == '{"tgt": "infecção 💊"}\n'


_ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(st.dictionaries(st.text(max_size=5), _ANY_TEXT | st.integers() | st.none(), max_size=4))
def test_any_text_survives_in_one_line(record: dict[str, object]) -> None:
    line = json_line(record).encode()
    assert json.loads(line) == record
    assert line.count(b"\n") == 1
