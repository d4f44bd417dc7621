"""Languages of texts that came without one."""

from __future__ import annotations

import pytest

from mt.detection import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Take one tablet twice daily with food.", "en"),
        ("Tome um comprimido duas vezes ao dia.", "pt"),
        ("El paciente refiere dolor torácico desde ayer.", "es"),
        ("Der Patient klagt über starke Kopfschmerzen.", "de"),
    ],
)
def test_a_sentence_is_enough(text: str, language: str) -> None:
    (found, confidence), *_ = detect(text)
    assert found == language
    assert 0.5 < confidence <= 1


def test_only_languages_that_there_are_models_for() -> None:
    assert detect("Tome um comprimido duas vezes ao dia.", ["en", "pt-BR"])[0][0] == "pt"
    assert {language for language, _ in detect("Tome um comprimido.", ["en", "pt"])} <= {"en", "pt"}
    unlikely = detect("Der Patient klagt über starke Kopfschmerzen.", ["en", "pt"])
    assert all(confidence < 0.3 for _, confidence in unlikely)


@pytest.mark.parametrize("text", ["", "123 / 80", "\n\n", "😀", "\ud800"])
def test_nothing_to_go_by(text: str) -> None:
    assert detect(text) == []


def test_a_heading_in_another_language_does_not_decide() -> None:
    text = (
        "Discharge summary of the patient\n"
        + "O paciente não tem febre nem dor no peito e está bem desde ontem. " * 20
    )
    assert detect(text)[0][0] == "pt"
