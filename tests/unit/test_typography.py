"""Capitals and curly quotes: what the model gets to read, and what comes back."""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt.models import find_model
from mt.tokenization import Tokenizer
from mt.typography import Typography, restored, shouted

PLAIN = {
    "en": [
        ("DISCHARGE SUMMARY", "Discharge summary"),
        ("DO NOT STOP TAKING THIS MEDICINE.", "Do not stop taking this medicine."),
        ("MRI OF THE BRAIN", "MRI of the brain"),
        ("1. PAIN IN THE LEFT ARM:", "1. Pain in the left arm:"),
        ("TAKE 5 MG PO BID", "Take 5 mg PO BID"),
        ("IV CT HIV CBC", "IV CT HIV CBC"),
        ("COPD", "COPD"),
        ("Take 5 MG IV.", "Take 5 MG IV."),
        ("The patient’s “white coat” effect", 'The patient\'s "white coat" effect'),
        ("", ""),
        ("12/10", "12/10"),
    ],
    "pt": [
        ("SUMÁRIO DE ALTA", "Sumário de alta"),
        ("DOR NO BRAÇO, UTI", "Dor no braço, UTI"),
    ],
}


@pytest.mark.parametrize(("language", "written", "plain"), [(k, *row) for k, v in PLAIN.items() for row in v])
def test_the_model_reads_plain_text(language: str, written: str, plain: str) -> None:
    other = "pt" if language == "en" else "en"
    tokenizer = Tokenizer.load(find_model(language, other).runnable)
    assert Typography(tokenizer, language, other).plain(written) == plain


@pytest.mark.parametrize(
    ("translation", "sentence", "result"),
    [
        ("Resumo de alta", "DISCHARGE SUMMARY", "RESUMO DE ALTA"),
        ("Resumo de alta", "Discharge summary", "Resumo de alta"),
        ('O "jaleco branco" e a "dor"', "The “white coat” and “pain”", "O “jaleco branco” e a “dor”"),
        ('O "jaleco branco', "The “white coat”", 'O "jaleco branco'),
        ("d'água", "the patient’s water", "d’água"),
        ("d'água", "the patient's water", "d'água"),
    ],
)
def test_the_typography_comes_back(translation: str, sentence: str, result: str) -> None:
    assert restored(translation, sentence) == result


@lru_cache
def _tokenizer() -> Tokenizer:
    return Tokenizer.load(find_model("en", "pt").runnable)


@given(st.text(max_size=60))
def test_any_text_is_read_and_put_back(text: str) -> None:
    plain = Typography(_tokenizer(), "en", "pt").plain(text)
    assert bool(plain) == bool(text)
    if not shouted(text):
        assert restored("same", text) == "same"


@given(st.text(alphabet="ABDEGIMNOPRSTVÉÃÇ 0159.,:/-", max_size=60))
def test_shouting_changes_nothing_but_case(text: str) -> None:
    assert Typography(_tokenizer(), "en", "pt").plain(text).upper() == text
