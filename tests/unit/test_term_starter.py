"""Enforcement with the shipped starters: client's words for what patients say, in sentences of every day."""

from __future__ import annotations

from functools import cache

import pytest

from data.segments import Segment
from mt.decoder import EngineDecoder
from mt.engine import Engine
from mt.models import find_model
from terminology.agreement import agrees_behind, determiner_gender, gender
from terminology.enforcement import Enforcer, TermedTranslation, enforcer_for
from terminology.termbase import Term, Termbase, Variant
from terminology.word_classes import is_noun_for_predicate

TERMS = {
    "en": {
        "shortness of breath": "dispneia",
        "chest pain": "precordialgia",
        "runny nose": "coriza",
        "rash": "exantema",
        "swelling": "edema",
        "emergency room": "pronto-socorro",
        "high blood sugar": "hiperglicemia",
        "hold": "suspender",
    },
    "pt": {"falta de ar": "dyspnea", "inchaço": "edema", "alta": "discharge"},
}


@cache
def enforcer(source: str) -> Enforcer:
    target = "pt" if source == "en" else "en"
    terms = tuple(Term(str(n), one, (Variant(TERMS[source][one]),)) for n, one in enumerate(TERMS[source]))
    decoder = EngineDecoder(Engine(find_model(source, target)))
    return enforcer_for(decoder, [Termbase("client", source, target, terms)])


def translated(source: str, text: str) -> TermedTranslation:
    [result] = enforcer(source).translate([Segment("1", text)])
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # One word for three: nothing of `falta de ar` is left behind.
        ("The patient reports shortness of breath.", "O paciente relata dispneia."),
        (
            "She denies shortness of breath, with no other symptoms.",
            "Ela nega dispneia, sem outros sintomas.",
        ),
        ("No chest pain or shortness of breath at rest.", "Nenhuma precordialgia ou dispneia em repouso."),
        # The determiner has the term's gender, and so has what follows.
        ("No rash.", "Nenhum exantema."),
        (
            "High blood sugar was found in the blood test.",
            "A hiperglicemia foi encontrada no exame de sangue.",
        ),
        # The sentence loses nothing else.
        (
            "Return to the emergency room if the swelling gets worse.",
            "Retorne para o pronto-socorro se o edema piorar.",
        ),
        ("Hold metoprolol.", "Suspenda metoprolol."),
    ],
)
def test_into_portuguese(text: str, expected: str) -> None:
    result = translated("en", text)
    assert result.translation.target == expected
    assert result.check.ok


def test_a_verb_that_looked_ahead_stays() -> None:
    assert (
        translated("pt", "Nega falta de ar e dor de cabeça.").translation.target
        == "It denies dyspnea and headache."
    )


@pytest.mark.parametrize("text", ["Paciente refere falta de ar há três dias.", "Recebeu alta em bom estado."])
def test_a_noun_is_not_put_where_an_adjective_stood(text: str) -> None:
    """ "Has been dyspnea", "was discharge": the client is told instead."""
    result = translated("pt", text)
    assert list(result.why_missing.values()) == ["part_of_speech"]


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        ("exantema", "pt", "masculine"),
        ("hematoma", "pt", "masculine"),
        ("hiperglicemia", "pt", "feminine"),
        ("Lesões", "pt", "feminine"),
        ("pulmão", "pt", "masculine"),
        ("dor", "pt", "feminine"),
        ("tumor", "pt", "masculine"),
        ("síndrome", "pt", "feminine"),
        ("vírus", "pt", "masculine"),
        ("abdome", "pt", ""),
        ("infección", "es", "feminine"),
        ("síntoma", "es", "masculine"),
        ("Fieber", "de", ""),
        ("fever", "en", ""),
    ],
)
def test_gender(word: str, language: str, expected: str) -> None:
    assert gender(word, language) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("o", "masculine"), ("da", "feminine"), ("Nenhuma", "feminine"), ("aos", "masculine"), ("de", "")],
)
def test_gender_of_a_determiner(word: str, expected: str) -> None:
    assert determiner_gender(word, "pt") == expected


@pytest.mark.parametrize(
    ("after", "asked", "expected"),
    [
        (" foi encontrado no exame", "feminine", False),
        (" foi encontrada no exame", "feminine", True),
        (", internado ontem", "feminine", True),
        (" crônicos", "masculine", True),
        (" crônicas", "masculine", False),
        ("", "masculine", True),
    ],
)
def test_what_follows_agrees(after: str, asked: str, expected: bool) -> None:
    assert agrees_behind(after, asked, "pt") is expected


@pytest.mark.parametrize(
    ("form", "old", "before", "expected"),
    [
        ("dyspnea", "short of breath", "Patient has been ", True),
        ("discharge", "discharged", "he was ", True),
        ("dyspnea", "shortness of breath", "The complaint is ", False),
        ("dyspnea", "short of breath", "He has ", False),
        ("hypertensive", "high", "She is ", False),
        ("discharge", "", "was ", False),
    ],
)
def test_a_noun_in_place_of_a_predicate(form: str, old: str, before: str, expected: bool) -> None:
    assert is_noun_for_predicate(form, old, before, "en") is expected
    assert not is_noun_for_predicate(form, old, before, "pt")
