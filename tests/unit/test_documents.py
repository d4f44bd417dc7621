"""Documents: what each format translates and keeps, errors that name the place, flat memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError, RecordError
from mt.documents import FORMATS, Chunk, ReadOptions, read_chunks, read_stream

ENGLISH = ReadOptions(language="en")


def upper(chunks: Iterator[Chunk]) -> str:
    return "".join(chunk.render([sentence.upper() for sentence in chunk.sentences]) for chunk in chunks)


def translated(raw: bytes, suffix: str, options: ReadOptions = ENGLISH) -> str:
    return upper(read_stream(io.BytesIO(raw), f"file{suffix}", suffix, options))


@pytest.mark.parametrize(
    "raw", ["", "\n", "a. b.\r\n\r\n- c\r", "\ufeffone\n\ntwo", "x" * 300_000, "été " * 50_000]
)
def test_plain_text_keeps_everything_else(raw: str) -> None:
    assert translated(raw.encode(), ".txt") == raw.upper()


@pytest.mark.parametrize(
    ("raw", "offset"),
    [(b"\xff", 0), (b"ab\xe9 c", 2), (b"x" * 65_535 + b"\xc3\x28", 65_535), (b"ok \xe2\x82", 3)],
)
def test_invalid_utf8_names_file_and_byte(raw: bytes, offset: int) -> None:
    with pytest.raises(InputError, match=rf"^file\.txt: not UTF-8: .* at byte offset {offset}$"):
        translated(raw, ".txt")


def test_unknown_suffix_lists_the_valid_ones() -> None:
    with pytest.raises(InputError, match=r"no document format for '.docx'; valid: .*\.jsonl.*\.txt"):
        translated(b"", ".docx")


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.txt: cannot be read: No such file"):
        list(read_chunks(tmp_path / "none.txt", ENGLISH))


def test_a_new_format_is_one_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(FORMATS, ".note", FORMATS[".txt"])
    path = tmp_path / "a.NOTE"
    path.write_text("hello", encoding="utf-8")
    assert upper(read_chunks(path, ENGLISH)) == "HELLO"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"src": "a b.", "n": 1.50}\n', '{"src": "a b.", "n": 1.50, "tgt": "A B."}\n'),
        ('{"id":1,"text":"a\\nb" }\r\n', '{"id":1,"text":"a\\nb", "translation": "A\\nB"}\r\n'),
        ('{"src": "a", "tgt": "old", "id": 2}\n', '{"src": "a", "tgt": "A", "id": 2}\n'),
        ('\ufeff{"src": "é"}', '\ufeff{"src": "é", "tgt": "É"}'),
        ('\n{"src": "\\ud800a\\"b"}\n', '\n{"src": "\\ud800a\\"b", "tgt": "\\ud800A\\"B"}\n'),
    ],
)
def test_jsonl(line: str, expected: str) -> None:
    assert translated(line.encode(), ".jsonl") == expected


def test_jsonl_fields_can_be_chosen() -> None:
    options = ReadOptions(language="en", field="en", target_field="pt")
    assert translated(b'{"en": "yes"}', ".jsonl", options) == '{"en": "yes", "pt": "YES"}'


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ('{"src": "a"}\n{"src": \n', "file.jsonl:2: not JSON: Expecting value at column 8"),
        ("[1]\n", "file.jsonl:1: not a JSON object but list"),
        ('\n{"id": 1}\n', "file.jsonl:2: no field 'src' or 'text'; fields: 'id'"),
        ('{"src": 5}', "file.jsonl:1: no text in field 'src'; fields: 'src'"),
    ],
)
def test_jsonl_errors_name_file_and_line(raw: str, message: str) -> None:
    with pytest.raises(RecordError) as caught:
        translated(raw.encode(), ".jsonl")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("raw", "column", "expected"),
    [
        ("a b.\nc\n", 1, "a b.\tA B.\nc\tC\n"),
        ('1\t"a" x\r\n\r\n2\tb', 2, '1\t"a" x\t"A" X\r\n\r\n2\tb\tB'),
        ("\ufeffa\tb\n", 1, "\ufeffa\tb\tA\n"),
    ],
)
def test_tsv(raw: str, column: int, expected: str) -> None:
    assert translated(raw.encode(), ".tsv", ReadOptions(language="en", column=column)) == expected


@pytest.mark.parametrize(
    ("raw", "column", "message"),
    [
        ("a\tb\nc\n", 1, "file.tsv:2: 1 columns where the first row has 2"),
        ("a\tb\n", 3, "file.tsv:1: no column 3; columns: 1 to 2"),
    ],
)
def test_tsv_errors_name_file_and_line(raw: str, column: int, message: str) -> None:
    with pytest.raises(RecordError) as caught:
        translated(raw.encode(), ".tsv", ReadOptions(language="en", column=column))
    assert str(caught.value) == message


@settings(deadline=None)
@given(st.text(), st.sampled_from([".txt", ".md"]))
def test_identity_gives_the_file_back(text: str, suffix: str) -> None:
    chunks = read_stream(io.BytesIO(text.encode()), "file", suffix, ENGLISH)
    assert "".join(chunk.render(chunk.sentences) for chunk in chunks) == text


@settings(deadline=None)
@given(st.text(), st.text())
def test_jsonl_lines_stay_valid(text: str, translation: str) -> None:
    raw = json.dumps({"src": text}).encode()
    chunks = read_stream(io.BytesIO(raw), "file", ".jsonl", ENGLISH)
    lines = "".join(chunk.render([translation] * len(chunk.sentences)) for chunk in chunks)
    assert json.loads(lines)["src"] == text
    assert "\n" not in lines


@pytest.mark.parametrize("suffix", [".txt", ".md", ".tsv", ".jsonl"])
def test_a_long_file_comes_in_small_chunks(suffix: str) -> None:
    line = (
        b'{"src": "Take 5 mg daily", "id": "%s"}\n' % (b"x" * 500)
        if suffix == ".jsonl"
        else b"Take 5 mg daily %s\n\n" % (b"x" * 500)
    )
    stream = io.BytesIO(line * (400_000 // len(line)))
    rendered = 0
    for chunk in read_stream(stream, "file", suffix, ENGLISH):
        size = len(chunk.render(chunk.sentences))
        rendered += size
        assert size < 150_000
        assert stream.tell() < 2 * rendered + 150_000  # does not read ahead of what it gives out
    assert rendered >= 399_000
