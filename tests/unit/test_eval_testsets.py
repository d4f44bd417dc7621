"""Test sets and outputs from every kind of file, and what is said when they do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.errors import ConfigError, InputError, RecordError
from eval.systems import System, parse_system, parse_systems, translate_with
from eval.testsets import load_testset, read_outputs

TMX = """<?xml version="1.0"?><tmx version="1.4"><header/><body>
<tu tuid="a"><tuv xml:lang="en-GB"><seg>Take <bpt i="1"/>5 mg.</seg></tuv>
<tuv xml:lang="pt-BR"><seg>Tome 5 mg.</seg></tuv></tu>
<tu tuid="b"><tuv xml:lang="en"><seg>Rest.</seg></tuv><tuv xml:lang="fr"><seg>Repos.</seg></tuv></tu>
</body></tmx>"""
BOMB = '<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><tmx><body><tu>&b;</tu></body></tmx>'


def texts(path: Path, source: str = "en", target: str = "pt") -> list[tuple[str, str]]:
    return [(pair.source.text, pair.target) for pair in load_testset(str(path), source, target).pairs]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", '{"src": "Rest.", "tgt": "Descanse."}\n\n', [("Rest.", "Descanse.")]),
        ("a.jsonl", '{"translation": {"en": "Rest.", "pt": "Descanse."}}\n', [("Rest.", "Descanse.")]),
        ("a.jsonl", '{"sourceString": "Rest.", "targetString": "Descanse."}\n', [("Rest.", "Descanse.")]),
        ("a.jsonl", '{"en": "Rest."}\n', [("Rest.", "")]),
        ("a.tsv", "Rest.\tDescanse.\r\nSit.\n", [("Rest.", "Descanse."), ("Sit.", "")]),
        ("a.tsv", "\ufeffpt\ten\nDescanse.\tRest.\n", [("Rest.", "Descanse.")]),
        ("a.tmx", TMX, [("Take 5 mg.", "Tome 5 mg."), ("Rest.", "")]),
    ],
)
def test_every_kind_of_file(tmp_path: Path, name: str, content: str, expected: list[tuple[str, str]]) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert texts(path) == expected


def test_parquet(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"id": [7, 8], "source": ["Rest.", "Sit."], "target": ["Descanse.", "Sente-se."]})
    parquet.write_table(table, tmp_path / "a.parquet")
    found = load_testset(str(tmp_path / "a.parquet"), "en", "pt")
    assert [(pair.id, pair.target) for pair in found.pairs] == [("7", "Descanse."), ("8", "Sente-se.")]


def test_the_bundled_set_says_where_each_row_is_from() -> None:
    found = load_testset("bundled")
    assert (len(found.pairs), found.source_language, found.target_language) == (200, "en", "pt")
    assert found.has_references
    assert all(
        "TICO-19" in pair.origin and pair.licence.startswith("translation CC0") for pair in found.pairs
    )
    assert set(found.documents) == {"CMU_1", "PubMed_9", "PubMed_10"}
    assert len(load_testset("bundled", limit=7).pairs) == 7


def test_the_same_id_twice_stays_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1", "src": "a"}\n{"id": "1", "src": "b"}\n')
    assert [pair.id for pair in load_testset(str(path), "en", "pt").pairs] == ["1", "1#2"]


def test_a_name_that_cannot_be_fetched_says_what_to_give_instead() -> None:
    with pytest.raises(InputError, match=r"'gmnlp/tico19:en-pt' cannot be fetched .* give a file instead"):
        load_testset("gmnlp/tico19:en-pt", "en", "pt")


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("a.jsonl", "", InputError, "has no segments"),
        ("a.jsonl", '{"text": "x"}\n', RecordError, r"a.jsonl:1: no source text; it is looked for in: src"),
        ("a.docx", "x", InputError, r"not a test set by its name; valid endings: .jsonl, .tsv"),
        ("a.tmx", "<tmx><body><tu>", InputError, "not TMX that can be read"),
        ("a.tmx", BOMB, InputError, "not TMX that can be read"),
        ("a.parquet", "x", InputError, "not a parquet file"),
    ],
)
def test_what_is_not_a_test_set(
    tmp_path: Path, name: str, content: str, error: type[Exception], message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(error, match=message):
        load_testset(str(path), "en", "pt")


def test_languages_must_be_known(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"src": "a"}\n')
    with pytest.raises(ConfigError, match="does not say its source language; give it with --from"):
        load_testset(str(path))


def test_outputs_go_by_id_or_by_line(tmp_path: Path) -> None:
    testset = load_testset("bundled", limit=2)
    first, second = (pair.id for pair in testset.pairs)
    by_id, by_line = tmp_path / "a.jsonl", tmp_path / "b.txt"
    by_id.write_text(f'{{"id": "{second}", "tgt": "dois"}}\n{{"id": "{first}", "tgt": "um"}}\n')
    by_line.write_text("um\u2028\ndois\n", encoding="utf-8")  # a line separator inside is no new line
    assert read_outputs(by_id, testset) == ("um", "dois")
    assert read_outputs(by_line, testset) == ("um\u2028", "dois")


def test_line_counts_that_differ_name_both_numbers_and_both_files(tmp_path: Path) -> None:
    testset = load_testset("bundled", limit=3)
    path = tmp_path / "b.txt"
    path.write_text("um\ndois\n")
    with pytest.raises(InputError, match=r"b\.txt has 2 lines, and .*testset\.en-pt\.jsonl has 3 segments"):
        read_outputs(path, testset)
    path.write_text("")
    with pytest.raises(InputError, match=r"b\.txt: is empty; .* has 3 segments"):
        read_outputs(path, testset)


def test_systems_are_files_models_or_chat_models(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("x\n")
    assert parse_system(f"a@random={path}") == System("a@random", "file", str(path), "random")
    assert parse_system("b=en-pt").kind == "model"
    assert parse_system("c=openai:local/m").target == "local/m"
    for wrong in ("a", "=x", "a=", "a@maybe=x"):
        with pytest.raises(ConfigError, match="--systems"):
            parse_system(wrong)
    with pytest.raises(InputError, match="no such file"):
        parse_system("a=missing.txt")
    with pytest.raises(ConfigError, match="given twice: a"):
        parse_systems([f"a={path}", f"a={path}"])


def test_a_file_is_not_timed(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("um\ndois\n")
    outputs = translate_with(parse_system(f"a={path}"), load_testset("bundled", limit=2))
    assert (outputs.texts, outputs.words_per_second) == (("um", "dois"), None)


def test_a_file_serves_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    rows = [{"id": "1", "src": "No fever.", "tgt": "Sem febre.", "src_lang": "en", "tgt_lang": "pt-BR"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for source, target, text in (
        ("en", "pt", "No fever."),
        ("pt", "en", "Sem febre."),
        ("pt_BR", "", "Sem febre."),
    ):
        [pair] = load_testset(str(path), source, target or "en").pairs
        assert pair.source.text == text
        assert {pair.source.text, pair.target} == {"No fever.", "Sem febre."}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"src": "No fever.", "tgt": "Kein Fieber.", "src_lang": "en", "tgt_lang": "de"},
            "is en-de; asked for is pt-en",
        ),
        (
            {"src": "No fever.", "tgt": "", "src_lang": "en", "tgt_lang": "pt"},
            "has no pt text to translate from",
        ),
    ],
)
def test_a_file_of_another_direction(row: dict[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(RecordError, match=message):
        load_testset(str(path), "pt", "en")


def test_the_bundled_sets() -> None:
    for source, target in (("en", "pt"), ("pt", "en")):
        pairs = load_testset("bundled", source, target).pairs
        assert len(pairs) == 200
        words = " ".join(pair.source.text for pair in pairs).split()
        assert (words.count("the") > words.count("de")) == (source == "en")
    with pytest.raises(ConfigError, match="no bundled test set for en-de; there are en-pt, pt-en"):
        load_testset("bundled", "en", "de")
