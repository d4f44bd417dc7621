"""Splits that stay as they are, samples that are balanced, and what a set is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from data.corpora import read_records
from data.errors import ConfigError
from data.sampling import SampleConfig, quotas, sample
from data.splits import SplitConfig, part_of, split
from data.statistics import Reservoir, stats


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def documents(count: int, start: int = 0) -> list[dict[str, object]]:
    return [
        {
            "id": f"d{n}:{line}",
            "src": f"text {n} line {line}",
            "tgt": f"texto {n} linha {line}",
            "document": f"d{n}",
        }
        for n in range(start, start + count)
        for line in range(4)
    ]


def parts(folder: Path) -> dict[str, set[str]]:
    names = ("train", "dev", "test", "leaks")
    return {name: {r["id"] for r in read_records([folder / f"{name}.jsonl"])} for name in names}


CONFIG = SplitConfig(dev=0.1, test=0.2)


def test_documents_stay_whole_and_where_they_are_when_data_grows(tmp_path: Path) -> None:
    split([write(tmp_path / "a.jsonl", documents(300))], tmp_path / "one", CONFIG)
    more = write(tmp_path / "b.jsonl", [*documents(200, start=300), *documents(300)])
    found = split([more], tmp_path / "two", CONFIG)
    before, after = parts(tmp_path / "one"), parts(tmp_path / "two")
    for name in ("train", "dev", "test"):
        assert before[name] <= after[name]
        assert len({i.split(":")[0] for i in after[name]}) * 4 == len(after[name])
    assert sum(found.counts.values()) == 2000
    assert 0.07 < found.counts["dev"] / 2000 < 0.13
    assert 0.16 < found.counts["test"] / 2000 < 0.24


def test_what_test_holds_leaks_into_train_no_more(tmp_path: Path) -> None:
    test = next(r for r in documents(100) if part_of(r, CONFIG) == "test")
    train = next(r for r in documents(100) if part_of(r, CONFIG) == "train")
    copy = train | {"id": "copy", "tgt": str(test["tgt"]).upper()}
    found = split([write(tmp_path / "a.jsonl", [copy, train, test])], tmp_path / "s", CONFIG)
    assert parts(tmp_path / "s") == {
        "train": {train["id"]}, "dev": set(), "test": {test["id"]}, "leaks": {"copy"}
    }  # fmt: skip
    assert found.counts == {"train": 1, "dev": 0, "test": 1, "leaks": 1}


def test_pairs_made_for_testing_and_copies_without_a_document() -> None:
    config = SplitConfig(dev=0.0, test=0.0)
    assert part_of({"id": "a", "src": "Rest.", "use": "test"}, config) == "test"
    assert part_of({"id": "a", "src": "Rest."}, config) == "train"
    for number in range(50):
        one, other = (
            {"id": name, "src": text} for name, text in (("a", f"Rest {number}."), ("b", f"REST {number}"))
        )
        assert part_of(one, CONFIG) == part_of(other, CONFIG)


def test_changing_one_share_moves_only_that_part() -> None:
    rows = documents(400)
    for row in rows:
        before, after = part_of(row, CONFIG), part_of(row, SplitConfig(dev=0.2, test=0.2))
        assert before == after or (before, after) == ("train", "dev")


@pytest.mark.parametrize("wrong", [{"dev": 0.6, "test": 0.4}, {"dev": -0.1}, {"by": "file"}])
def test_wrong_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        SplitConfig(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "size", "flatness", "shares"),
    [
        ({"a": 900, "b": 100}, 100, 1.0, {"a": 90, "b": 10}),
        ({"a": 900, "b": 100}, 100, 0.0, {"a": 50, "b": 50}),
        ({"a": 900, "b": 100}, 100, 0.5, {"a": 75, "b": 25}),
        ({"a": 900, "b": 10}, 100, 0.0, {"a": 90, "b": 10}),  # what b cannot fill, a gets
        ({"a": 3, "b": 2}, 100, 0.0, {"a": 3, "b": 2}),
        ({"a": 50, "b": 50, "c": 50}, 10, 0.0, {"a": 4, "b": 3, "c": 3}),
    ],
)
def test_quotas(counts: dict[str, int], size: int, flatness: float, shares: dict[str, int]) -> None:
    assert quotas(counts, SampleConfig(size, flatness=flatness)) == shares


def test_samples_are_balanced_and_the_same_again(tmp_path: Path) -> None:
    rows = [
        {"id": str(n), "src": f"s{n}", "tgt": f"t{n}", "type": "letter" if n % 10 else "consent"}
        for n in range(500)
    ]
    path = write(tmp_path / "a.jsonl", rows)
    config = SampleConfig(60, by=("type",), flatness=0.0)
    found = sample([path], tmp_path / "one.jsonl", config)
    assert found.kinds == {"letter": (450, 30), "consent": (50, 30)}
    sample([write(tmp_path / "b.jsonl", rows[::-1])], tmp_path / "two.jsonl", config)
    first, second = ({r["id"] for r in read_records([tmp_path / f"{n}.jsonl"])} for n in ("one", "two"))
    assert first == second


def test_no_term_has_more_than_its_pairs(tmp_path: Path) -> None:
    rows = [{"id": str(n), "src": "s", "tgt": "t", "terms": ["fever"]} for n in range(9)]
    rows += [
        {"id": "x", "src": "s", "tgt": "t", "terms": ["fever", "rash"]},
        {"id": "y", "src": "s", "tgt": "t"},
    ]
    found = sample([write(tmp_path / "a.jsonl", rows)], tmp_path / "o.jsonl", SampleConfig(100, per_term=3))
    kept = [r["id"] for r in read_records([tmp_path / "o.jsonl"])]
    assert kept == ["0", "1", "2", "x", "y"]
    assert found.kept == 5


def test_stats(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "src": "Take two tablets.", "tgt": "Tome dois.", "document": "d", "type": "letter",
         "tokens": 5,
         "terms": [{"source": "tablet", "target": "comprimido"}], "measures": {"length_ratio": 2.0}},
        {"id": "b", "src": "Rest.", "tgt": "Repouse.", "document": "d", "type": "letter", "tokens": 7},
    ]  # fmt: skip
    found = stats([write(tmp_path / "a.jsonl", rows)])
    assert (found.pairs, found.source_words, found.target_words, found.documents) == (2, 4, 3, 1)
    assert found.fields == {"type": {"letter": 2}}
    assert found.terms == {"tablet": 1}
    assert found.costs == {"tokens": 12}
    assert found.numbers["length_ratio"] == [2.0] * 9


def test_a_reservoir_is_fair_and_bounded() -> None:
    reservoir = Reservoir(100)
    for number in range(10_000):
        reservoir.add(number)
    assert len(reservoir.values) == 100
    assert 4000 < sum(reservoir.values) / 100 < 6000
