from __future__ import annotations

import pytest

from data.segments import Verdict
from terminology.checking import State, TermCheck, check, inconsistencies
from terminology.guards import GuardLimits, Version, judge_edit
from terminology.matching import TermMatcher
from terminology.termbase import Status, Term, Termbase, Variant

BASE = Termbase(
    "b",
    "en",
    "pt",
    (
        Term("1", "flu", (Variant("gripe"), Variant("influenza", Status.ADMITTED))),
        Term("2", "hold", (Variant("suspender"), Variant("segurar", Status.FORBIDDEN))),
        Term("3", "infection", (Variant("infecção viral"), Variant("infecção", Status.FORBIDDEN))),
        Term("4", "AIDS", (Variant("SIDA"),)),
        Term("5", "MedLoop", keep=True),
        Term("6", "masks", (Variant("máscaras faciais"),)),
        Term("7", "never", (Variant("jamais", Status.FORBIDDEN),)),
        Term("8", "fever", (Variant("febre"), Variant("pirexia"))),
    ),
)
MATCHER = TermMatcher([BASE])


@pytest.mark.parametrize(
    ("source", "target", "states", "forbidden"),
    [
        ("Flu season", "Época de gripe", ["exact"], []),
        ("Flu season", "Época de gripes", ["inflected"], []),
        ("Flu season", "Época de influenza", ["exact"], []),
        ("Flu season", "Época de resfriado", ["missing"], []),
        ("Hold it", "Suspenda", ["inflected"], []),
        ("Hold it", "Segure isso", ["missing"], []),  # the dictionary does not know `segure`
        ("Hold it", "Suspenda sem segurar", ["inflected"], ["segurar"]),
        ("An infection", "Uma infecção viral", ["exact"], []),  # a forbidden word inside an allowed term
        ("An infection", "Uma infecção viral, infecção", ["exact"], ["infecção"]),
        ("AIDS", "a sida", ["missing"], []),
        ("AIDS", "a SIDA", ["exact"], []),
        ("Use MedLoop", "Use MedLoop", ["exact"], []),
        ("Use MedLoop", "Use medloop", ["missing"], []),
        ("A mask", "Uma máscara facial", ["inflected"], []),
        ("never", "jamais", [], ["jamais"]),
        ("flu and flu", "gripe e gripe", ["exact", "exact"], []),
        ("nothing", "nada", [], []),
    ],
)
def test_check(source: str, target: str, states: list[str], forbidden: list[str]) -> None:
    checked = check(MATCHER, source, target)
    assert [status.state.value for status in checked.statuses] == states
    assert [use.variant for use in checked.forbidden] == forbidden
    assert checked.ok == ("missing" not in states and not forbidden)


def test_places_in_the_target() -> None:
    [status] = check(MATCHER, "flu", "A gripe.").statuses
    assert status.span is not None
    assert (status.span.start, status.span.end, status.state, status.shared) == (2, 7, State.EXACT, False)


def test_a_term_that_stands_twice_wants_two_places() -> None:
    checked = check(MATCHER, "flu and flu", "gripe")
    assert [status.shared for status in checked.statuses] == [False, True]
    assert (checked.ok, checked.wanting) == (True, 1)


def test_consistency_over_a_document() -> None:
    pairs = [
        ("a", "fever", "febre"),
        ("b", "fever", "pirexia"),
        ("c", "flu", "gripe"),
        ("d", "flu", "influenza"),
    ]
    [found] = inconsistencies((name, check(MATCHER, source, target)) for name, source, target in pairs)
    assert (found.source, found.uses) == ("fever", (("febre", ("a",)), ("pirexia", ("b",))))


def version(source: str, text: str, score: float = -0.2) -> Version:
    return Version(text, check(MATCHER, source, text), score)


@pytest.mark.parametrize(
    ("source", "before", "after", "score", "reason"),
    [
        ("the flu season starts", "a época do vírus começa", "a época da gripe começa", -0.2, ""),
        (
            "the flu season starts",
            "a época do vírus começa",
            "a época do resfriado começa",
            -0.2,
            "terms_missing",
        ),
        ("hold for flu", "pare na gripe", "suspender na época", -0.2, "terms_missing"),  # won one, lost one
        ("hold it", "pare isso agora", "suspender e segurar agora", -0.2, "forbidden"),
        ("the flu season starts", "a época do vírus começa", "a época da gripe começa", -1.0, "score"),
        ("the flu season starts", "a época do vírus começa", "gripe", -0.2, "length"),
        ("flu", "o vírus", "a gripe a de e o de um da do na no", -0.2, "length"),
        (
            "the flu season starts",
            "a época do vírus começa",
            "a época da gripe gripe começa",
            -0.2,
            "repeated",
        ),
        (
            "flu and more words of text than that",
            "vírus um dois três quatro cinco seis sete oito nove dez",
            "gripe onze doze treze catorze quinze dezesseis dezessete dezoito dezenove vinte",
            -0.2,
            "rewritten",
        ),
        ("the flu dose is 5 mg", "a dose do vírus é 5 mg", "a dose da gripe é 50 mg", -0.2, "safety"),
    ],
)
def test_judge_edit(source: str, before: str, after: str, score: float, reason: str) -> None:
    def safety(_source: str, target: str) -> list[str]:
        return ["number"] if "50" in target else []

    verdict = judge_edit(
        source, version(source, before), version(source, after, score), GuardLimits(), safety
    )
    assert verdict == Verdict(keep=not reason, reason=reason)


def test_nothing_matched() -> None:
    assert check(TermMatcher([]), "a", "b") == TermCheck(())
