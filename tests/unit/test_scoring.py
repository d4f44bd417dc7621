"""Measures of pairs, on cases counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.languages import identify, margin
from data.scoring import clinical, form, measures_of, terms
from data.scoring_models import ModelMeasurer, cosine, dual_cross_entropy

CASES = [
    ("copied", "The patient takes five tablets.", "The patient takes five tablets.", 1.0),
    ("copied", "The patient takes five tablets.", "O doente toma cinco comprimidos.", 0.0),
    ("copied", "Aspirin", "Aspirin", 0.0),  # a name is right as it is
    ("length_ratio", "x" * 15, "x" * 45, 2.0),
    ("target_share", "x" * 45, "x" * 15, 0.5),
    ("shorter", "Rest.", "  ", 0),
    ("longer", "Rest.", "  ", 5),
    ("repetition", "One two three four five six seven eight.", "a b a b a b a b a b", 0.75),
    ("repetition", "a b a b a b a b a b", "a b a b a b a b a b", 0.0),
    ("odd_words", "Rest now.", "xkcvd fghjkl qwrtp", 1.0),
    ("odd_words", "Rest now.", "repouse durante algumas semanas", 0.0),
    ("broken_characters", "Pressure", "PressÃ£o arterial", 1),
    ("broken_characters", "Pressure", "NÃO HÁ PRESSÃO\ufffd", 1),
    ("broken_characters", "The child’s “pain”", "A “dor” da criança", 0),
    ("broken_characters", "Tomorrow", "«AMANHû, “AMANHÔ", 0),
    ("other_script", "Rest now", "Отдых now", 0.625),
    ("other_script", "β-blocker", "β-bloqueador", 0.0),
    ("markup", "Dear {name}", "Cara {nome}", 2),
    ("end", "He sleeps.", "Ele dorme", 1),
    ("end", "He sleeps.", "Ele dorme.”", 0),
    ("letters_difference", "ab", "a1", 0.5),
]


@pytest.mark.parametrize(("measure", "source", "target", "value"), CASES)
def test_form(measure: str, source: str, target: str, value: float) -> None:
    assert form(source, target, "en", "pt")[measure] == value


def test_languages() -> None:
    portuguese, spanish = (
        "O doente tomou os comprimidos ontem à noite.",
        "El paciente tomó las pastillas anoche.",
    )
    assert next(iter(identify(portuguese))) == "pt"
    assert identify("12/80") == {}
    assert next(iter(identify(portuguese + " \ud800\nfim"))) == "pt"
    measures = form("The patient took the tablets last night.", spanish, "en", "pt-BR")
    assert measures["source_language"] > 0.5
    assert measures["target_language"] < -0.5
    assert margin("febre", "pt") is None
    assert "target_language" not in form("fever", "febre", "en", "pt")


def test_clinical_counts_by_severity_and_kind() -> None:
    found = clinical("Take 5 mg twice daily.", "Tome 50 mg duas vezes ao dia.", "en", "pt")
    assert found == {"clinical_critical": 1, "clinical_major": 0, "clinical_number": 1, "critical_number": 1}
    right = clinical("Take 5 mg twice daily.", "Tome 5 mg duas vezes ao dia.", "en", "pt")
    assert right == {"clinical_critical": 0, "clinical_major": 0}


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ([{"source": "fever", "target": "febre"}], 1.0),
        ([["fever", "febre"], ["cough", "tosse"]], 0.5),
        (["Fever", "cough", "pain", "rash"], 0.25),
        ([{"source": "fever", "target": "pirexia"}], 0.5),
    ],
)
def test_terms_asked_for(asked: list[object], value: float) -> None:
    assert terms("She has a fever.", "Ela tem febre.", asked) == {"terms_found": value}


def test_no_terms_no_measure() -> None:
    assert measures_of({"src": "a", "tgt": "b"}, ["terms"]) == {}


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_has_measures(source: str, target: str) -> None:
    measures = form(source, target, "en", "pt")
    json.dumps(measures, allow_nan=False)
    for name in ("copied", "repetition", "odd_words", "other_script", "letters_difference"):
        assert 0 <= measures[name] <= 1
    assert measures["length_ratio"] >= 1


def test_models_measure_what_they_can() -> None:
    def forward(sources: object, targets: object) -> list[float]:
        return [-1.0, -4.0]

    def backward(sources: object, targets: object) -> list[float]:
        return [-2.0, -4.0]

    records = [{"src": "Take 5 mg.", "tgt": "Tome 5 mg."}, {"src": "Rest now.", "tgt": "Coma."}]
    found = ModelMeasurer(
        forward, backward, back=lambda targets: ["take 5 mg.", "Eat."], more={"critic": forward}
    ).measures(records)
    assert [m["cross_entropy"] for m in found] == [1.5, 4.0]
    assert [m["dual_cross_entropy"] for m in found] == [2.5, 4.0]
    assert found[0]["round_trip"] == 100
    assert found[1]["round_trip"] < 30
    assert found[1]["critic"] == -4
    assert list(ModelMeasurer(embed=lambda texts: [[1, 0], [0, 1]]).measures(records)[0]) == ["similarity"]
    with pytest.raises(InputError, match="the measure critic gave 2 numbers for 1 pairs"):
        ModelMeasurer(more={"critic": forward}).measures(records[:1])


def test_numbers_of_models() -> None:
    assert dual_cross_entropy(-1, -3) == 4
    assert cosine([1, 0], [1, 1]) == pytest.approx(0.7071, abs=1e-4)
    assert cosine([0, 0], [1, 1]) == 0


def test_starters_measure_a_pair_and_its_neighbour() -> None:
    from mt.measuring import starters

    texts = [("She has a fever.", "Ela tem febre."), ("She has a fever.", "O exame foi normal.")]
    right, wrong = starters("en", "pt").measures([{"src": s, "tgt": t} for s, t in texts])
    assert right["cross_entropy"] + 1 < wrong["cross_entropy"]
    assert right["round_trip"] > 60 > wrong["round_trip"]


def test_limits_file_names_only_measures_there_are() -> None:
    """A limit on a misspelt measure would never drop anything."""
    import yaml

    from data.clinical import KINDS
    from data.filtering import DEFAULT_LIMITS, load_limits

    made = set(form("The patient took the tablets.", "O doente tomou os comprimidos.", "en", "pt"))
    made |= {
        "cross_entropy",
        "dual_cross_entropy",
        "round_trip",
        "similarity",
        "terms_found",
        "clinical_critical",
    }
    made |= {f"{start}_{kind}" for start in ("clinical", "critical") for kind in KINDS}
    assert {bound.measure for limit in load_limits() for bound in limit.bounds} <= made
    assert yaml.safe_load(Path(DEFAULT_LIMITS).read_text())
