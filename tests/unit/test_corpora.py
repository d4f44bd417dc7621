"""Corpora of five kinds, and what they have wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from data.corpora import Reading, pair_of, read_pairs, read_records
from data.errors import ConfigError, InputError, RecordError
from data.lines import LONGEST_LINE, Problems, read_lines
from data.segments import Pair, Segment

EN_PT = Reading("en", "pt")
ONE = Pair(Segment("a", "Take 5 mg."), "Tome 5 mg.", "en", "pt")
TMX = """<?xml version="1.0"?><tmx version="1.4"><header/><body>
<tu tuid="a"><tuv xml:lang="EN-us"><seg>Take <bpt i="1"/>5 mg.</seg></tuv>
<tuv xml:lang="pt-BR"><seg>Tome 5 mg.</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>No Portuguese.</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>Rest.</seg></tuv><tuv xml:lang="pt"><seg>Repouse.</seg></tuv></tu>
</body></tmx>"""


def test_jsonl_under_other_names_keeps_further_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "a", "source": "Take 5 mg.", "target": "Tome 5 mg.", "seed": 7}\n\n')
    [record] = read_records([path], EN_PT)
    assert record == {
        "id": "a", "src": "Take 5 mg.", "tgt": "Tome 5 mg.", "seed": 7, "src_lang": "en", "tgt_lang": "pt"
    }  # fmt: skip
    assert pair_of(record) == ONE


def test_nested_translations_as_data_sets_have_them(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "a", "translation": {"en": "Take 5 mg.", "pt": "Tome 5 mg."}}))
    assert list(read_pairs([path], EN_PT)) == [ONE]


@pytest.mark.parametrize(
    "text",
    [
        "Take 5 mg.\tTome 5 mg.\n",
        "source\ttarget\nTake 5 mg.\tTome 5 mg.\n",
        "pt\ten\nTome 5 mg.\tTake 5 mg.",
    ],
)
def test_tsv_with_and_without_header(tmp_path: Path, text: str) -> None:
    (tmp_path / "set.tsv").write_text(text)
    [pair] = read_pairs([tmp_path / "set.tsv"], EN_PT)
    assert (pair.source.text, pair.target) == ("Take 5 mg.", "Tome 5 mg.")
    assert pair.id in ("set:1", "set:2")


def test_gzip_folder_and_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    with gzip.open(tmp_path / "1.tsv.gz", "wt") as stream:
        stream.write("Rest.\tRepouse.\n")
    parquet.write_table(pyarrow.table({"src": ["Take 5 mg."], "tgt": ["Tome 5 mg."]}), tmp_path / "2.parquet")
    (tmp_path / "notes.txt").write_text("not a corpus")
    assert [pair.source.text for pair in read_pairs([tmp_path])] == ["Rest.", "Take 5 mg."]


def test_tmx_names_units_without_a_language(tmp_path: Path) -> None:
    (tmp_path / "a.tmx").write_text(TMX)
    problems = Problems(skip=True)
    pairs = list(read_pairs([tmp_path / "a.tmx"], EN_PT, problems))
    assert [(p.id, p.source.text, p.target) for p in pairs] == [
        ("a", "Take 5 mg.", "Tome 5 mg."), ("a:3", "Rest.", "Repouse.")
    ]  # fmt: skip
    assert problems.counts == {"unit without a language": 1}
    with pytest.raises(ConfigError, match="--from and --to"):
        list(read_pairs([tmp_path / "a.tmx"]))


def test_a_tmx_that_attacks_or_breaks_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.tmx"
    path.write_text('<!DOCTYPE x [<!ENTITY a "aaaa">]><tmx><body><tu>&a;</tu></body></tmx>')
    with pytest.raises(InputError, match="not TMX"):
        list(read_pairs([path], EN_PT))
    path.write_text(TMX[:-60])
    with pytest.raises(InputError, match=r"after unit 2"):
        list(read_pairs([path], EN_PT, Problems(skip=True)))


BAD_LINES = [
    (b"Take.\tTome.\nPress\xe3o\tx\n", "2: not UTF-8: byte 0xe3 at column 6"),
    (b"Take.\tTome.\nonly one\n", "2: wrong columns: 1 where 2 should be"),
    (b"Take.\tTome.\na\tb\tc\n", "2: wrong columns: 3 where 2 should be"),
    (b"Take.\tTome.\n" + b"x" * (LONGEST_LINE + 5) + b"\tx\n", "2: line too long"),
]


@pytest.mark.parametrize(("content", "problem"), BAD_LINES)
def test_bad_lines_are_named_or_passed_over(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "bad.tsv"
    path.write_bytes(content + b"Rest.\tRepouse.\n")
    with pytest.raises(RecordError) as caught:
        list(read_pairs([path]))
    assert str(caught.value).startswith(f"{path}:{problem}")
    problems = Problems(skip=True)
    assert [pair.source.text for pair in read_pairs([path], problems=problems)] == ["Take.", "Rest."]
    assert problems.counts.total() == 1
    assert problems.named[0].startswith(f"{path}:{problem}")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"src": "a"', "not JSON: column 12"),
        ("[1]", "not a JSON object"),
        ('{"src": "a"}', "no target text"),
        ('{"src": 5, "tgt": "b"}', "no source text"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_bad_records_are_named(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"src": "a", "tgt": "b"}\n' + line + "\n")
    with pytest.raises(RecordError, match=problem) as caught:
        list(read_pairs([path]))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert len(list(read_pairs([path], problems=Problems(skip=True)))) == 1


def test_a_line_that_is_too_long_is_never_held(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    with path.open("wb") as stream:
        for _ in range(40):
            stream.write(b"x" * LONGEST_LINE)
        stream.write(b"\nTake.\tTome.\n")
    import tracemalloc

    tracemalloc.start()
    problems = Problems(skip=True)
    lines = list(read_lines(path, problems))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines == [(2, "Take.\tTome.")]
    assert peak < 6 * LONGEST_LINE


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes("Pressure\tPressão\n".encode("cp1252"))
    assert next(iter(read_pairs([path], Reading(encoding="cp1252")))).target == "Pressão"
    path.write_bytes("Pressure\tPressão\n".encode("utf-16"))
    assert next(iter(read_pairs([path], Reading(encoding="utf-16")))).target == "Pressão"
    with pytest.raises(InputError, match="is UTF-16"):
        list(read_pairs([path]))
    with pytest.raises(ConfigError, match="no encoding 'utf-9'"):
        list(read_pairs([path], Reading(encoding="utf-9")))


def test_what_is_no_corpus_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_text("")
    with pytest.raises(InputError, match=r"there are \.jsonl, \.tsv, \.tmx, \.parquet"):
        list(read_pairs([tmp_path / "a.docx"]))
    with pytest.raises(InputError, match="cannot read"):
        list(read_pairs([tmp_path / "none.jsonl"]))
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(InputError, match="not parquet"):
        list(read_pairs([tmp_path / "a.parquet"]))
    (tmp_path / "cut.tsv.gz").write_bytes(gzip.compress(b"Take.\tTome.\n" * 1000)[:-20])
    with pytest.raises(InputError, match="cannot read"):
        list(read_pairs([tmp_path / "cut.tsv.gz"]))
