"""`medloop check`: its lines, its JSON, its exit codes, and what it says of files it cannot use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from data.errors import InputError, RecordError
from eval.check_cli import app
from eval.check_input import Languages, Row, read_rows
from flows.cli import COMMANDS

SOURCE = "Take 5 mg twice daily.\nNo fever.\n"
WRONG = "Tome 50 mg duas vezes ao dia.\nSem febre.\n"
RIGHT = "Tome 5 mg duas vezes ao dia.\r\nSem febre."


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return (result.return_value or 0), result.stdout


def test_it_is_mounted() -> None:
    assert COMMANDS["check"].target == "eval.check_cli:app"
    assert isinstance(app, typer.Typer)


def test_a_critical_finding_ends_with_3(tmp_path: Path) -> None:
    code, output = run(write(tmp_path, "a", SOURCE), write(tmp_path, "b", WRONG))
    assert code == 3
    assert output == (
        '1: critical number: The source says "5 mg", the translation says "50 mg", 10 times more.\n'
    )


def test_nothing_critical_ends_with_0(tmp_path: Path) -> None:
    assert run(write(tmp_path, "a", SOURCE), write(tmp_path, "b", RIGHT)) == (0, "")


def test_json_is_one_object_a_pair_with_spans(tmp_path: Path) -> None:
    code, output = run(write(tmp_path, "a", SOURCE), write(tmp_path, "b", WRONG), "--json")
    first, second = map(json.loads, output.splitlines())
    assert code == 3
    assert second == {"line": 2, "findings": []}
    (finding,) = first["findings"]
    assert list(finding) == ["kind", "severity", "source_span", "target_span", "message"]
    assert (first["line"], finding["source_span"], finding["target_span"]) == (1, [5, 9], [5, 10])


def test_a_span_that_is_not_there_is_null(tmp_path: Path) -> None:
    _, output = run(write(tmp_path, "a", "No fever.\n"), write(tmp_path, "b", "Febre.\n"), "--json")
    assert json.loads(output)["findings"][0]["target_span"] is None


@pytest.mark.parametrize(
    ("name", "content", "languages", "rows"),
    [
        ("p.jsonl", '{"src": "a", "tgt": "b", "src_lang": "de", "tgt_lang": "en"}\n', Languages(),
         [Row(1, "a", "b", "de", "en")]),
        ("p.jsonl", '\n{"source": "a", "target": "b"}\n', Languages(), [Row(2, "a", "b", "en", "pt")]),
        ("p.jsonl", '{"src": "a", "tgt": "b", "tgt_lang": "es"}\n', Languages(target="fr"),
         [Row(1, "a", "b", "en", "fr")]),
        ("p.tsv", "a\tb\nc\td\n", Languages("pt", "en"),
         [Row(1, "a", "b", "pt", "en"), Row(2, "c", "d", "pt", "en")]),
        ("p.tsv", "id\ttarget\tsource\tto\n7\tb\ta\tes\n", Languages(), [Row(2, "a", "b", "en", "es")]),
    ],
)  # fmt: skip
def test_one_file_of_pairs(
    tmp_path: Path, name: str, content: str, languages: Languages, rows: list[Row]
) -> None:
    assert list(read_rows(write(tmp_path, name, content), None, languages)) == rows


def test_line_counts_that_differ_name_both_numbers_and_files(tmp_path: Path) -> None:
    first, second = write(tmp_path, "a", SOURCE), write(tmp_path, "b", "x\n")
    with pytest.raises(InputError) as error:
        run(first, second)
    assert str(error.value) == f"{first} has 2 lines, {second} has 1: they must match line by line"


@pytest.mark.parametrize("name", ["b", "b.jsonl", "b.tsv"])
def test_an_empty_file_is_named(tmp_path: Path, name: str) -> None:
    empty = write(tmp_path, name, "")
    arguments = (write(tmp_path, "a", SOURCE), empty) if name == "b" else (empty,)
    with pytest.raises(InputError, match=f"{name} is empty"):
        run(*arguments)


def test_bytes_that_are_no_utf8_are_named_by_their_offset(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="a:2: not UTF-8: byte 0xff at byte offset 5"):
        run(write(tmp_path, "a", b"ab\nc\n\xff\n"[:3] + b"cd\xff\n"), write(tmp_path, "b", "x\ny\n"))


def test_one_file_that_holds_no_pairs_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be \.jsonl or \.tsv"):
        run(write(tmp_path, "a.txt", SOURCE))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("p.jsonl", '{"src": "a"}\n', "no field tgt or target; there are: src"),
        ("p.jsonl", '{"src": 1, "tgt": "b"}\n', "field 'src' is not text"),
        ("p.tsv", "a\n", "1 of the 2 tab-separated columns needed"),
    ],
)
def test_a_row_without_its_pair_is_named(tmp_path: Path, name: str, content: str, problem: str) -> None:
    with pytest.raises(RecordError) as error:
        run(write(tmp_path, name, content))
    assert str(error.value).endswith(f"{name}:1: {problem}")


def test_what_was_not_checked_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = write(tmp_path, "a", "Fever.\n"), write(tmp_path, "b", "Homa.\n")
    result = CliRunner().invoke(app, [str(first), str(second), "--to", "sw"], standalone_mode=False)
    assert "en-sw: not checked: frequency, comparison, negation" in result.stderr
    assert "no clinical table for sw" in result.stderr
