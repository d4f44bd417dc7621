"""Signs that a model does not know: how they are said to it, and how they come back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt.symbols import Symbols

# What the starters lack; a model that knows everything is given its text as it is.
UNKNOWN = set("<≤≥±µμ×→↑↓≈~½β–—•®²α")


def symbols(source: str = "en", target: str = "pt") -> Symbols:
    return Symbols(lambda character: character not in UNKNOWN, source, target)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Hold if creatinine <1.5 mg/dL.", "Hold if creatinine less than 1.5 mg/dL."),
        ("age<18", "age less than 18"),
        ("(< 20 mmHg)", "(less than 20 mmHg)"),
        ("HbA1c ≤ 7%", "HbA1c less than or equal to 7%"),
        ("HbA1c <= 7%", "HbA1c less than or equal to 7%"),
        ("≥18 years", ">= 18 years"),
        ("p>0.05, n=20", "p > 0.05, n = 20"),
        ("p<.05", "p less than .05"),
        ("54.3±12.1", "54.3 +/- 12.1"),
        ("50 µg, 5 μmol/L", "50 mcg, 5 mcmol/L"),
        ("1½ tablets, ½ tablet", "1 1/2 tablets, 1/2 tablet"),
        ("β-blocker, IFNβ2", "beta-blocker, IFN-beta-2"),
        ("2019–2020 — 3 × 4 cm", "2019 to 2020 - 3 x 4 cm"),
        ("February 12–March 28, Epstein–Barr", "February 12 to March 28, Epstein-Barr"),
        ("version 3 – CTv3", "version 3 - CTv3"),
        ("ALT ↑, K ↓", "ALT increased, K decreased"),
        ("~5 mL", "about 5 mL"),
        ("Xarelto® 20 mg", "Xarelto 20 mg"),
        ("BMI 30 kg/m²", "BMI 30 kg/m²"),
        ("see <b>bold</b> and a -> b", "see <b>bold</b> and a -> b"),
        ("Take 5 mg.", "Take 5 mg."),
        ("", ""),
    ],
)
def test_what_the_model_reads(written: str, plain: str) -> None:
    assert symbols().plain(written) == plain


@pytest.mark.parametrize(
    ("sentence", "translation", "restored"),
    [
        ("creatinine <1.5", "creatinina menor que 1,5", "creatinina <1,5"),
        ("creatinine < 1.5", "creatinina inferior a 1,5", "creatinina < 1,5"),
        ("age<18", "idade menor que 18 anos", "idade<18 anos"),
        ("(<20 mmHg)", "(menos de 20 mmHg)", "(<20 mmHg)"),
        ("≤ 7%", "menor ou igual a 7%", "≤ 7%"),
        ("aged ≥18 years", "com idade >= 18 anos", "com idade ≥18 anos"),
        ("p>0.05, p<0.001", "p menor que 0,001, p > 0,05", "p<0,001, p>0,05"),  # told by the number
        ("<5 and <3", "menos de 5 e menos de 3", "<5 e <3"),
        ("less than 5 and <3", "menos de 5 e menos de 3", "menos de 5 e <3"),
        ("under <5", "sob nada", "sob nada"),  # lost: the checks tell, nothing is made up
        ("54.3±12.1", "54,3 +/- 12,1", "54,3±12,1"),
        ("54.3 ± 12.1", "54,3 + / - 12,1", "54,3 ± 12,1"),
        ("50 µg", "50 mcg", "50 µg"),
        ("50 µg or 50 mcg", "50 mcg ou 50 mcg", "50 mcg ou 50 mcg"),
        ("2019–2020", "2019 a 2020", "2019 a 2020"),
        (
            "one – a non-case – and Epstein–Barr",
            "um - não caso - e Epstein-Barr",
            "um – não caso – e Epstein-Barr",
        ),
        ("a – b", "a, b", "a, b"),
        ("Xarelto® 20 mg", "Xarelto 20 mg", "Xarelto® 20 mg"),
        ("30 kg/m²", "30 kg/m2", "30 kg/m²"),
        ("Take 5 mg.", "Tome menos de 5 mg.", "Tome menos de 5 mg."),
    ],
)
def test_what_the_reader_gets(sentence: str, translation: str, restored: str) -> None:
    assert symbols().restored(translation, sentence) == restored


def test_other_languages_are_asked_only_what_they_can_say() -> None:
    assert symbols("fi", "pt").plain("alle <5 mg, ±2") == "alle <5 mg, +/- 2"
    assert symbols("pt", "en").plain("creatinina < 1,5") == "creatinina menor que 1,5"


@given(st.text(max_size=80))
def test_a_model_that_knows_all_gets_the_text(text: str) -> None:
    """Only what is stuck to a number is set apart."""
    known = Symbols(lambda _: True, "en", "pt")
    assert "".join(known.plain(text).split()) == "".join(text.split())


@given(
    st.text(alphabet="<>=≤≥±µgmL½β–®² 0123456789.,()ab/-", max_size=60),
    st.text(alphabet="<>=≥±/+- menor que 0123,5()", max_size=60),
)
def test_nothing_raises_and_no_sign_is_made_up(sentence: str, translation: str) -> None:
    one = symbols()
    one.plain(sentence)
    found = one.restored(translation, sentence)
    for sign in "<≤≥±":
        written = sentence.replace("<=", "≤")
        assert found.count(sign) <= translation.count(sign) + max(written.count(sign), sentence.count(sign))
