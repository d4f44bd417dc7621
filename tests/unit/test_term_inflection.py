from __future__ import annotations

import pytest

from terminology.inflection import WordKeys, base_language, is_infinitive, same_word


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", "symptom symptoms"),
        ("en", "hold held holding holds"),
        ("en", "diagnosis diagnoses"),
        ("en", "vertebra vertebrae"),
        ("en", "ECG ECGs"),
        ("pt", "crônica crônico crônicas crônicos"),
        ("pt", "infecção infecções"),
        ("pt", "suspender suspenda suspensos"),
        ("pt", "intubar intubado intubadas"),
        ("pt", "ao aos"),
        ("pt-BR", "comorbidade comorbidades"),
        ("es", "crónica crónico crónicas"),
        ("es", "pulmón pulmones"),
        ("fr", "hôpital hôpitaux"),
        ("fr", "aigu aiguë aigus"),
        ("de", "Krankenhaus Krankenhäuser KRANKENHAUS"),
        ("de", "chronisch chronischen chronische"),
        ("ja", "Virus virus"),
    ],
)
def test_forms_of_a_word_share_a_key(language: str, forms: str) -> None:
    keys = WordKeys(language)
    assert len({keys[form] for form in forms.split()}) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "thinner thin"),
        ("en", "lower low"),
        ("pt", "caso casa"),
        ("en", "base basis"),
        ("nl", "arts artsen"),
    ],
)
def test_other_words_do_not(language: str, words: str) -> None:
    keys = WordKeys(language)
    assert len({keys[word] for word in words.split()}) == 2


@pytest.mark.parametrize(
    ("first", "second", "language", "verb", "same"),
    [
        ("lung", "lungs", "en", False, True),
        ("hold", "held", "en", False, False),
        ("hold", "held", "en", True, True),
        ("wound", "wind", "en", False, False),
        ("tosse", "tossir", "pt", False, False),
        ("infeção", "infeções", "pt", False, True),
        (
            "infeção",
            "infecção",
            "pt",
            False,
            False,
        ),  # the other continent's spelling is not the client's word
        ("crónica", "crônicas", "pt", False, False),
    ],
)
def test_same_word(first: str, second: str, language: str, verb: bool, same: bool) -> None:
    assert same_word(first, second, language, verb) is same


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [
        ("suspender", "pt", True),
        ("intubar", "pt", True),
        ("proteger-se", "pt", True),
        ("pulmonar", "pt", False),
        ("mulher", "pt", False),
        ("doctor", "es", False),
        ("ventiler", "fr", True),
        ("cancer", "fr", False),
        ("absetzen", "de", True),
        ("hold", "en", False),
    ],
)
def test_is_infinitive(word: str, language: str, expected: bool) -> None:
    assert is_infinitive(word, language) is expected


def test_base_language() -> None:
    assert [base_language(code) for code in ("pt-BR", "PT_pt", "en")] == ["pt", "pt", "en"]
