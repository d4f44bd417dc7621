"""Near-duplicates in files, and test sets in training text."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import pytest

from data.contamination import TestTexts, decontaminate
from data.corpora import read_records
from data.dedup import jaccard, shingles
from data.duplicates import SIDES, DedupeConfig, dedupe
from data.errors import ConfigError
from data.segments import Segment

LONG = "The patient was admitted with community acquired pneumonia and treated with intravenous antibiotics"
LONG_PT = (
    "O doente foi internado com pneumonia adquirida na comunidade e tratado com antibióticos por via venosa"
)


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def ids(path: Path) -> list[str]:
    return [record["id"] for record in read_records([path])]


def test_the_first_of_each_family_stays(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", [
        {"id": "a", "src": LONG, "tgt": LONG_PT, "seed": 1},
        {"id": "b", "src": "Rest.", "tgt": "Repouse."},
        {"id": "c", "src": LONG + "!", "tgt": LONG_PT.upper()},
    ])  # fmt: skip
    second = write(tmp_path / "b.jsonl", [
        {"id": "d", "src": LONG + " for days", "tgt": LONG_PT},
        {"id": "e", "src": LONG, "tgt": "Outra coisa, que nada tem que ver com a origem, e que fica."},
        {"id": "f", "src": "...", "tgt": "..."},
        {"id": "g", "src": "!!!", "tgt": "!!!"},
        {"id": "h", "src": "REST", "tgt": "repouse"},
    ])  # fmt: skip
    found = dedupe([first, second], tmp_path / "out.jsonl", tmp_path / "dropped.jsonl")
    assert ids(tmp_path / "out.jsonl") == ["a", "b", "e", "f", "g"]
    assert (found.pairs, found.kept, found.exact, found.near) == (8, 5, 2, 1)
    dropped = {r["id"]: (r["reason"], r["like"]) for r in read_records([tmp_path / "dropped.jsonl"])}
    assert dropped == {"c": ("duplicate", "a"), "d": ("near_duplicate", "a"), "h": ("duplicate", "b")}
    assert next(read_records([tmp_path / "out.jsonl"]))["seed"] == 1


def test_by_the_source_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [
        {"id": "a", "src": LONG, "tgt": LONG_PT}, {"id": "b", "src": LONG, "tgt": "Outra coisa."}
    ])  # fmt: skip
    assert dedupe([path], tmp_path / "o", tmp_path / "d", DedupeConfig(by="source")).exact == 1


def test_no_two_near_ones_stay_and_none_goes_without_its_like(tmp_path: Path) -> None:
    dice = random.Random(1)
    words = [
        "dose",
        "fever",
        "cough",
        "renal",
        "acute",
        "daily",
        "oral",
        "blood",
        "left",
        "right",
        "lung",
        "heart",
    ]
    rows: list[dict[str, object]] = []
    for number in range(300):
        text = " ".join(dice.choices(words, k=40))
        if number % 3 == 2:
            near = str(rows[dice.randrange(len(rows))]["src"]).split()
            near[dice.randrange(len(near))] = dice.choice(words)
            text = " ".join(near)
        rows.append({"id": str(number), "src": text, "tgt": text.upper()})
    dedupe([write(tmp_path / "a.jsonl", rows)], tmp_path / "o.jsonl", tmp_path / "d.jsonl")
    grams = {str(row["id"]): shingles(SIDES["both"](row)) for row in rows}
    kept = ids(tmp_path / "o.jsonl")
    assert 200 < len(kept) < 290
    assert not [(a, b) for a, b in combinations(kept, 2) if jaccard(grams[a], grams[b]) >= 0.9]
    for record in read_records([tmp_path / "d.jsonl"]):
        assert record["like"] in kept
        assert jaccard(grams[record["id"]], grams[record["like"]]) >= 0.9


def test_empty_file_and_bad_settings(tmp_path: Path) -> None:
    assert dedupe([write(tmp_path / "a.jsonl", [])], tmp_path / "o", tmp_path / "d").pairs == 0
    with pytest.raises(ConfigError, match=r"from 0\.5 to 1, not 0\.1"):
        DedupeConfig(threshold=0.1)
    with pytest.raises(ConfigError, match="valid: both, source, target"):
        DedupeConfig(by="id")


def test_test_sets_are_kept_out_on_both_sides(tmp_path: Path) -> None:
    testset = write(tmp_path / "test.jsonl", [
        {"id": "t1", "src": LONG, "tgt": LONG_PT},
        {"id": "t2", "src": "Chest X-ray", "tgt": "Radiografia do tórax"},
    ])  # fmt: skip
    training = write(tmp_path / "train.jsonl", [
        {"id": "copy", "src": LONG.lower(), "tgt": "Outra tradução."},
        {"id": "target", "src": "Another source.", "tgt": LONG_PT + "."},
        {"id": "reverse", "src": LONG_PT, "tgt": LONG},
        {"id": "near", "src": LONG + " twice", "tgt": "Outra."},
        {"id": "inside", "src": f"{'Long notes came before. ' * 8}{LONG}, and so on.", "tgt": "Texto."},
        {"id": "term", "src": "chest x-ray", "tgt": "RX"},
        {"id": "free", "src": "The patient was sent home.", "tgt": "O doente foi para casa."},
    ])  # fmt: skip
    found = decontaminate([training], [testset], tmp_path / "clean.jsonl", tmp_path / "seen.jsonl")
    assert ids(tmp_path / "clean.jsonl") == ["free"]
    seen = {r["id"]: (r["reason"], r["like"]) for r in read_records([tmp_path / "seen.jsonl"])}
    assert seen == {
        "copy": ("test_exact", "t1"), "target": ("test_exact", "t1"), "reverse": ("test_exact", "t1"),
        "near": ("test_near", "t1"), "inside": ("test_inside", "t1"), "term": ("test_exact", "t2"),
    }  # fmt: skip
    assert found.reasons == {"test_exact": 4, "test_near": 1, "test_inside": 1}


def test_a_common_beginning_is_no_contamination() -> None:
    index = TestTexts([Segment("t", LONG)], 0.8)
    assert (
        index.find("The patient was admitted with community acquired infections of the skin after a fall")
        is None
    )


def test_no_test_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name at least one"):
        decontaminate([], [], tmp_path / "o", tmp_path / "d")
