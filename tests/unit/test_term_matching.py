from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from terminology.matching import TermMatcher
from terminology.termbase import CaseRule, Term, Termbase, Variant
from terminology.wording import Likeness


def base(*sources: str, source: str = "en", target: str = "pt", **fields: object) -> Termbase:
    terms = tuple(Term(str(n), text, (Variant(f"x{n}"),), **fields) for n, text in enumerate(sources))  # type: ignore[arg-type]
    return Termbase("base", source, target, terms)


def found(matcher: TermMatcher, text: str) -> list[str]:
    return [text[match.span.start : match.span.end] for match in matcher.find(text)]


@pytest.mark.parametrize(
    ("terms", "text", "expected"),
    [
        (["blood pressure"], "High blood-pressures, blood pressure", ["blood-pressures", "blood pressure"]),
        (["acute pain", "pain"], "Acute pain, then pain.", ["Acute pain", "pain"]),  # longest first
        (["chest pain", "pain relief"], "chest pain relief", ["chest pain"]),  # then the one further left
        (["flu"], "influenza fluid flu", ["flu"]),
        (["5 mg"], "2.5 mg or 5 mg", ["5 mg"]),
        (["US"], "Tell us about the US.", ["US"]),
        (["ice"], "Use ice, not ICE protocols.", ["ice"]),
        (["AIDS"], "Hearing aids and AIDS", ["AIDS"]),
        (["UNICEF"], "Unicef and unicef", ["Unicef", "unicef"]),
        (["hold"], "HOLD metformin", ["HOLD"]),
        (["us"], "GIVE US THE DATA", ["US"]),
        (["Alzheimer disease"], "Alzheimer's disease", ["Alzheimer's disease"]),
        (["Alzheimer's"], "Alzheimer's or Alzheimer", ["Alzheimer's", "Alzheimer"]),
        (["HIV", "AIDS"], "HIV/AIDS", ["HIV", "AIDS"]),
        (["x-ray (PA)"], "An X-ray (PA).", ["X-ray (PA)"]),
        (["C++ .*"], "C++ .* and Cxx", ["C++ .*"]),  # regex characters are text
        (["café"], "cafe\u0301 CAFÉ", ["cafe\u0301", "CAFÉ"]),
        (["diagnosis"], "Two diagnoses", ["diagnoses"]),
        (["thin"], "A blood thinner", []),
        (["mask"], "masking", []),
    ],
)
def test_find(terms: list[str], text: str, expected: list[str]) -> None:
    assert found(TermMatcher([base(*terms)]), text) == expected


def test_verbs_are_found_in_all_forms_by_their_target() -> None:
    term = Term("1", "hold", (Variant("suspender"),))
    assert found(TermMatcher([Termbase("b", "en", "pt", (term,))]), "It was held.") == ["held"]
    noun = Term("1", "hold", (Variant("retenção"),))
    assert found(TermMatcher([Termbase("b", "en", "pt", (noun,))]), "It was held. Holds.") == ["Holds"]


@pytest.mark.parametrize(
    ("language", "term", "text", "expected"),
    [
        ("pt", "doença crônica", "Doenças crônicas", ["Doenças crônicas"]),
        ("fr", "hôpital", "À l'hôpital, aux hôpitaux", ["hôpital", "hôpitaux"]),
        ("de", "Lungenentzündung", "Lungenentzündungen", ["Lungenentzündungen"]),
        ("es", "infección viral", "infecciones virales", ["infecciones virales"]),
        ("zh", "高血压", "治疗高血压的药物", ["高血压"]),
        ("ar", "مرض السكري", "علاج مرض السكري الآن", ["مرض السكري"]),
        ("tr", "İlaç", "iyi i̇laç İLAÇ", ["i̇laç", "İLAÇ"]),
        ("nl", "Fuß", "FUSS Fuß", ["FUSS", "Fuß"]),
        ("ru", "боль", "боли боль", ["боль"]),  # exact where no lemmatiser is tested
    ],
)
def test_languages(language: str, term: str, text: str, expected: list[str]) -> None:
    assert found(TermMatcher([base(term, source=language, target="en")]), text) == expected


def test_exact_case_rule() -> None:
    matcher = TermMatcher([base("Stent", case=CaseRule.EXACT)])
    assert found(matcher, "stent Stent stents") == ["Stent"]


def test_of_several_bases_the_first_has_the_say_and_priority_goes_before() -> None:
    first = Termbase("first", "en", "pt", (Term("1", "flu", (Variant("gripe"),)),))
    second = Termbase("second", "en", "pt", (Term("1", "flu", (Variant("influenza"),)),))
    assert TermMatcher([first, second]).find("flu")[0].allowed == ("gripe",)
    urgent = Termbase("urgent", "en", "pt", second.terms, priority=1)
    assert TermMatcher([first, urgent]).find("flu")[0].base == "urgent"


def test_closer_form_wins_and_homonyms_share_a_match() -> None:
    terms = (
        Term("1", "sneeze", (Variant("espirrar"),)),
        Term("2", "sneezes", (Variant("espirros"),)),
        Term("3", "cold", (Variant("resfriado"),), domain="disease"),
        Term("4", "cold", (Variant("frio"),), domain="weather"),
    )
    matcher = TermMatcher([Termbase("b", "en", "pt", terms)])
    [match] = matcher.find("he sneezes")
    assert (match.term.id, match.likeness) == ("2", Likeness.SAME)
    assert matcher.find("cold")[0].allowed == ("resfriado", "frio")


def test_bases_of_other_languages_are_refused() -> None:
    with pytest.raises(ConfigError, match="agree on the target language"):
        TermMatcher([base("a1"), base("b1", target="es")])


def test_nothing_to_find() -> None:
    assert TermMatcher([]).find("text") == ()
    assert TermMatcher([base("flu")]).find("") == ()


@settings(deadline=None)  # dictionaries load on the first word
@given(
    st.lists(st.sampled_from(["flu", "dor aguda", "CO₂", "infecção", "5 mg", "X"]), min_size=1),
    st.text(max_size=20),
    st.sampled_from(["NFC", "NFD"]),
)
def test_positions_refer_to_the_text_as_given(terms: list[str], noise: str, form: str) -> None:
    text = unicodedata.normalize(form, f" {noise} . ".join(terms))  # type: ignore[arg-type]
    matches = TermMatcher([base(*dict.fromkeys(terms))]).find(text)
    end = 0
    for match in matches:
        assert match.span.start >= end
        wording = unicodedata.normalize("NFC", text[match.span.start : match.span.end])
        assert wording.split()
        assert match.span.end <= len(text)
        end = match.span.end
