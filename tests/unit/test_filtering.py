"""Limits, verdicts, and files through both steps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from data.corpora import Reading, read_records
from data.errors import ConfigError, RecordError
from data.filtering import Bound, Limit, broken, judge, load_limits
from data.lines import Problems
from data.measuring import MeasureConfig, filter_pairs, measure
from data.scoring_models import ModelMeasurer
from data.segments import Verdict

ROWS = [
    ("right", "The patient takes five mg of it a day.", "O doente toma cinco mg disso por dia.", ""),
    ("copy", "The patient takes warfarin every day.", "The patient takes warfarin every day.", "copied"),
    ("swapped", "O doente toma varfarina todos os dias.", "The patient takes warfarin without fail.",
     "wrong_source_language"),
    ("number", "Take 5 mg of the medicine.", "O doente deve tomar 50 mg.", "changed_number"),
    ("empty", "Take 5 mg of warfarin every day.", " ", "empty"),
    ("broken", "Blood pressure is high today.", "A pressÃ£o arterial está alta.", "broken_characters"),
    ("cut", "The patient takes warfarin every day and has no allergies to medicines.",
     "O doente toma varfarina todos os dias", "truncated"),
    ("long", "Rest.", "Repouse na cama durante pelo menos três dias e beba água.", "length_ratio"),
]  # fmt: skip


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    lines = [json.dumps({"id": name, "src": s, "tgt": t, "seed": 3}) for name, s, t, _ in ROWS]
    path.write_text("\n".join(lines))
    return path


def test_measured_then_judged_with_every_drop_readable(tmp_path: Path, pairs: Path) -> None:
    found = measure([pairs], tmp_path / "m.jsonl", reading=Reading("en", "pt"))
    assert found.pairs == len(ROWS)
    filtered = filter_pairs([tmp_path / "m.jsonl"], tmp_path / "kept", tmp_path / "dropped", load_limits())
    (tmp_path / "kept").rename(tmp_path / "kept.jsonl")
    (tmp_path / "dropped").rename(tmp_path / "dropped.jsonl")
    [kept] = read_records([tmp_path / "kept.jsonl"])
    assert (kept["id"], kept["seed"], kept["src_lang"]) == ("right", 3, "en")
    dropped = {record["id"]: record["reason"] for record in read_records([tmp_path / "dropped.jsonl"])}
    assert dropped == {name: reason for name, _, _, reason in ROWS if reason}
    assert (filtered.pairs, filtered.kept, filtered.dropped) == (8, 1, 7)
    assert sum(filtered.reasons.values()) == 7
    assert set(filtered.not_applied) == {"unlikely"}


def test_groups_measured_one_after_another_add_up(tmp_path: Path, pairs: Path) -> None:
    measure([pairs], tmp_path / "a.jsonl", MeasureConfig(("form",)), reading=Reading("en", "pt"))
    asked: list[int] = []

    def forward(sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        asked.append(len(targets))
        return [-1.0] * len(targets)

    config = MeasureConfig(("clinical",), only_if=load_limits())
    measure([tmp_path / "a.jsonl"], tmp_path / "b.jsonl", config, ModelMeasurer(forward))
    first = next(read_records([tmp_path / "b.jsonl"]))
    assert {"length_ratio", "clinical_critical", "forward_log_probability"} <= set(first["measures"])
    assert asked == [1]  # the models are spared what the limits drop anyway


def test_several_processes_keep_the_order(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"src": f"x{i}", "tgt": f"y{i}"}) + "\n" for i in range(1300)))
    for processes in (1, 2):
        config = MeasureConfig(("clinical",), processes=processes)
        measure([path], tmp_path / f"{processes}.jsonl", config)
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert [record["src"] for record in read_records([tmp_path / "2.jsonl"])] == [
        f"x{i}" for i in range(1300)
    ]


def test_pairs_without_measures_are_refused(tmp_path: Path, pairs: Path) -> None:
    with pytest.raises(RecordError, match="has no measures; `medloop data measure`"):
        filter_pairs([pairs], tmp_path / "k", tmp_path / "d", load_limits())
    assert not (tmp_path / "k").exists()


def test_bad_lines_are_counted_on_the_way(tmp_path: Path, pairs: Path) -> None:
    pairs.write_text(pairs.read_text() + "\nnot json\n")
    found = measure([pairs], tmp_path / "m", MeasureConfig(("clinical",)), problems=Problems(skip=True))
    assert found.unreadable == {"not JSON": 1}


LIMITS = (
    Limit("short", (Bound("a", least=2),)),
    Limit("long", (Bound("a", most=9),)),
    Limit("both", (Bound("a", least=5), Bound("b", most=1))),
)


@pytest.mark.parametrize(
    ("measures", "reasons"),
    [
        ({"a": 5, "b": 5}, []),
        ({"a": 1}, ["short"]),
        ({"a": 4, "b": 2}, ["both"]),
        ({"a": 4, "b": 1}, []),
        ({"a": 1, "b": 2}, ["short", "both"]),
        ({"a": 9.5}, ["long"]),
        ({}, []),
    ],
)
def test_judge(measures: dict[str, float], reasons: list[str]) -> None:
    assert broken(measures, LIMITS) == reasons
    assert judge(measures, LIMITS) == (Verdict(False, reasons[0]) if reasons else Verdict(True))


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("length_ratio: {mx: 3}", "length_ratio: unknown key mx; valid: min, max, reason, all"),
        ("length_ratio: {max: many}", "max must be a number, not 'many'"),
        ("length_ratio: {max: true}", "max must be a number"),
        ("length_ratio: {reason: x}", "needs min, max or both"),
        ("length_ratio: {min: 3, max: 2}", "min 3 is more than max 2"),
        ("x: {all: {a: {}}}", "x.a: needs min, max or both"),
        ("x: {max: 3, all: {a: {max: 1}}}", "stands beside neither"),
        ("length_ratio: 3", "not a limit"),
        ("", "no limits"),
        ("a: [", "not YAML at line"),
    ],
)
def test_bad_limits_name_the_place(tmp_path: Path, yaml: str, problem: str) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(yaml)
    with pytest.raises(ConfigError) as caught:
        load_limits(path)
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)


def test_unknown_group() -> None:
    with pytest.raises(ConfigError, match="valid: form, clinical, terms"):
        MeasureConfig(("forms",))
