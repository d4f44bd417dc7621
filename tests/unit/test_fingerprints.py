"""Hashes of training text: what is found again, what is not, and what the file holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.fingerprints import FINGERPRINTS, Fingerprints, fingerprints_of, read_fingerprints
from data.segments import Pair, Segment
from eval.run import Plan, evaluate
from eval.significance import Resampling
from eval.systems import Outputs, System, fingerprints_of_models
from eval.testsets import TestSet
from mt.manifest import write_fingerprints

LONG = (
    "The patient was admitted to the intensive care unit with severe pneumonia and received broad "
    "spectrum antibiotics for ten days before discharge."
)
TRAINING = [LONG, "Take one tablet.", "Wash your hands with soap and water for at least twenty seconds."]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (LONG, "exact"),
        (LONG.upper().replace(".", "!"), "exact"),
        ("take ONE tablet", "exact"),
        (LONG.replace("severe", "mild"), "near"),
        (LONG + " He was well at home.", "near"),
        ("Take one capsule.", ""),  # too short to be near
        ("Wash your hands with alcohol or water for about ten minutes each hour.", ""),
        ("The patient was admitted to the emergency room with chest pain and shortness of breath.", ""),
        ("", ""),
        ("...", ""),
    ],
)
def test_seen(text: str, seen: str) -> None:
    assert fingerprints_of(TRAINING).seen(text) == seen


def test_overlap_is_what_the_search_in_plain_text_gives() -> None:
    test = [
        Segment("1", LONG),
        Segment("2", LONG.replace(" ten ", " nine ")),
        Segment("3", "A new sentence."),
    ]
    found = fingerprints_of(TRAINING).overlap(test)
    assert [match.id for match in found.exact] == ["1"]
    assert [match.id for match in found.near] == ["2"]


def test_the_file_comes_back_and_holds_no_text(tmp_path: Path) -> None:
    made = fingerprints_of(TRAINING)
    made.write(tmp_path / FINGERPRINTS)
    again = read_fingerprints(tmp_path / FINGERPRINTS)
    assert again.sentences.tolist() == made.sentences.tolist()
    assert again.runs.tolist() == made.runs.tolist()
    raw = (tmp_path / FINGERPRINTS).read_bytes()
    assert not any(word in raw for word in (b"patient", b"soap", b"tablet"))


def test_a_model_trained_from_another_has_seen_what_that_had() -> None:
    both = fingerprints_of(TRAINING[:1]).united(fingerprints_of(TRAINING[1:]))
    assert [both.seen(text) for text in TRAINING] == ["exact"] * 3
    assert len(both) == 3


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"medloop-fingerprints 1\n", b'medloop-fingerprints 1\n{"bytes": [3]}\nabc']
)
def test_a_damaged_file_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FINGERPRINTS
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_fingerprints(path)


@given(st.lists(st.text(max_size=60), max_size=8))
def test_what_was_added_is_found_exactly(texts: list[str]) -> None:
    made: Fingerprints = fingerprints_of(texts)
    for text in texts:
        assert made.seen(text) == ("exact" if any(letter.isalnum() for letter in text) else made.seen(text))


def test_nothing_at_all_can_be_written(tmp_path: Path) -> None:
    fingerprints_of([]).write(tmp_path / FINGERPRINTS)
    assert read_fingerprints(tmp_path / FINGERPRINTS).seen(LONG) == ""


def test_they_go_along_from_model_to_model(tmp_path: Path) -> None:
    for name in ("base", "trained", "converted", "foreign"):
        (tmp_path / name).mkdir()
    write_fingerprints([fingerprints_of(TRAINING[:1])], tmp_path / "foreign", tmp_path / "base")
    write_fingerprints([fingerprints_of(TRAINING[1:])], tmp_path / "base", tmp_path / "trained")
    write_fingerprints([], tmp_path / "trained", tmp_path / "converted")
    assert [read_fingerprints(tmp_path / "converted" / FINGERPRINTS).seen(text) for text in TRAINING] == [
        "exact"
    ] * 3
    write_fingerprints([], tmp_path / "foreign", tmp_path / "foreign")
    assert not (tmp_path / "foreign" / FINGERPRINTS).exists()


def test_an_evaluation_tells_each_system_what_it_has_seen() -> None:
    pairs = [Pair(Segment("1", LONG), "um"), Pair(Segment("2", "A new sentence."), "dois")]
    outputs = [Outputs(System(name, "file", name), ("um", "dois")) for name in ("old", "new", "foreign")]
    prints = {"old": fingerprints_of(["Another sentence."]), "new": fingerprints_of(TRAINING)}
    plan = Plan(fingerprints=prints, resampling=Resampling(100))
    found = evaluate(TestSet("t", tuple(pairs), "en", "pt"), outputs, plan)
    new, old = found.system("new").contamination, found.system("old").contamination
    assert new is not None
    assert old is not None
    assert (new.exact, new.ids, new.training_segments) == (1, ("1",), 3)
    assert (old.exact, old.near) == (0, 0)
    assert found.system("foreign").contamination is None
    assert found.clean_segments == 1
    assert [one.system for one in found.not_measured if one.name == "contamination"] == ["foreign"]


def test_models_without_fingerprints_and_files_have_none() -> None:
    systems = [System("starter", "model", "default"), System("file", "file", "x.txt")]
    assert fingerprints_of_models(systems, "en", "pt") == {}
