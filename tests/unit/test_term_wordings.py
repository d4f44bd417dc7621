"""One source term, one target term over a document."""

from __future__ import annotations

import pytest

from terminology.checking import check
from terminology.matching import TermMatcher
from terminology.termbase import Status, Term, Termbase, Variant
from terminology.wordings import decide, differs, follow, settles


def matcher(*terms: Term) -> TermMatcher:
    return TermMatcher([Termbase("b", "en", "pt", terms)])


FLU = Term("1", "flu", (Variant("gripe"), Variant("influenza")))


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (FLU, True),
        (Term("1", "flu", (Variant("gripe"),)), False),
        (Term("1", "flu", (Variant("gripe"), Variant("influenza", Status.ADMITTED))), False),
        (Term("1", "flu", (Variant("gripe"), Variant("influenza", Status.FORBIDDEN))), False),
        (Term("1", "flu", (Variant("gripe"), Variant("gripes"))), False),  # forms of one word
        (Term("1", "flu", keep=True), False),
    ],
)
def test_settles(term: Term, expected: bool) -> None:
    [match] = matcher(term).find("The flu.")
    assert settles(match, "pt") is expected


def test_homographs_may_differ() -> None:
    terms = (
        Term("1", "flu", (Variant("gripe"),), domain="a"),
        Term("2", "flu", (Variant("tosse"),), domain="b"),
    )
    [match] = matcher(*terms).find("The flu.")
    assert not settles(match, "pt")


@pytest.mark.parametrize(
    ("targets", "known", "expected"),
    [
        (["A gripe.", "A influenza.", "A influenza."], {}, "influenza"),  # what most say
        (["A influenza.", "A gripe."], {}, "gripe"),  # then the order of the base
        (["A influenza.", "A influenza."], {"flu": "gripe"}, "gripe"),  # settled before
        (["A febre."], {}, None),
    ],
)
def test_decide(targets: list[str], known: dict[str, str], expected: str | None) -> None:
    found = matcher(FLU)
    wordings = dict(known)
    decide([check(found, "The flu.", target) for target in targets], wordings, "pt")
    assert wordings.get("flu") == expected


def test_follow_requires_the_documents_wording() -> None:
    [match] = follow(matcher(FLU).find("The flu."), {"flu": "influenza"})
    assert match.allowed == ("influenza",)
    [match] = follow(matcher(FLU).find("The flu."), {"cold": "frio"})
    assert match.allowed == ("gripe", "influenza")


def test_differs() -> None:
    [status] = check(matcher(FLU), "The flu.", "A gripe.").statuses
    assert differs(status, {"flu": "influenza"}, "pt")
    assert not differs(status, {"flu": "gripe"}, "pt")
