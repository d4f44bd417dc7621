from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.tokens import TOKEN, ends_possessive, normalised, possessive_end


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Non-steroidals 2.5 mg/kg", ["Non", "steroidals", "2.5", "mg", "/", "kg"]),
        ("Alzheimer's disease", ["Alzheimer", "disease"]),
        ("l’hôpital", ["l", "’", "hôpital"]),
        ("the patients' files", ["the", "patients", "'", "files"]),
        ("a - b", ["a", "-", "b"]),
        ("1,000.5 and 10.", ["1,000.5", "and", "10", "."]),
        ("治疗高血压", ["治", "疗", "高", "血", "压"]),
        ("환자는", ["환", "자", "는"]),
        ("COVID-19疫苗", ["COVID", "19", "疫", "苗"]),
        ("\u200fمرض السكري\u200f", ["مرض", "السكري"]),
        ("co\u00adro\u00adna", ["co\u00adro\u00adna"]),
        ("β2-agonist", ["β2", "agonist"]),
        ("", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert TOKEN.findall(text) == tokens


@pytest.mark.parametrize(
    ("token", "form"),
    [
        ("cafe\u0301", "café"),
        ("CO₂", "CO2"),
        ("10²", "10²"),  # must not become 102
        ("’", "'"),
        ("co\u00adrona", "corona"),
        ("Ｃ", "C"),
    ],
)
def test_normalised(token: str, form: str) -> None:
    assert normalised(token) == form


def test_decomposed_text_has_the_same_tokens() -> None:
    text = "Infecção não confirmada, 환자는, ção"
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert [normalised(token) for token in TOKEN.findall(decomposed)] == TOKEN.findall(composed)


def test_possessive() -> None:
    assert possessive_end("Crohn's disease", 5) == 7
    assert possessive_end("Crohn disease", 5) == 5
    assert ends_possessive("Parkinson’s")
    assert not ends_possessive("lungs")


@given(st.text())
def test_tokens_lie_in_the_text_and_never_overlap(text: str) -> None:
    end = 0
    for token in TOKEN.finditer(text):
        assert token.start() >= end
        assert token.group()
        end = token.end()
