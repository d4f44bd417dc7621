"""Term metrics, hand-counted on a few sentences; the random control; safety scores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.errors import ConfigError
from data.segments import Pair, Segment
from eval import safety
from eval.scores import Unmeasured
from eval.systems import System, translate_with
from eval.term_accuracy import TermMetrics, missing_terms, random_terms
from eval.testsets import TestSet, load_testset
from mt.models import STARTERS
from terminology.termbase import Term, Termbase, Variant

BASE = Termbase(
    "g", "en", "pt", (Term("1", "fever", (Variant("febre"),)), Term("2", "infection", (Variant("infecção"),)))
)
ROWS = [  # source, reference, output
    (
        "Fever and infection.",
        "Febre e infecção.",
        "Febre e infecções.",
    ),  # both required; one exact, one inflected
    ("A fever.", "Uma febre.", "Uma temperatura."),  # required, missing
    ("The infection.", "A sepse.", "A sepse."),  # matched, but the reference says it otherwise
    ("Nothing.", "Nada.", "Nada."),
]


def a_testset(references: bool) -> TestSet:
    pairs = tuple(
        Pair(Segment(f"d:{n}", source), reference if references else "", "en", "pt")
        for n, (source, reference, _) in enumerate(ROWS)
    )
    return TestSet("t", pairs, "en", "pt")


def values(references: bool = True) -> dict[str, float]:
    test = a_testset(references)
    material = test.material(output for _, _, output in ROWS)
    metrics = TermMetrics([BASE], test.documents).metrics()
    return {metric.name: round(metric.score(material).value, 2) for metric in metrics}


def test_success_counts_what_the_reference_has_too() -> None:
    assert values() == {
        "term success": 66.67,  # 2 of 3
        "term success (exact)": 33.33,
        "term success (all)": 50.0,  # 2 of 4
        "term consistency": 50.0,  # fever: febre, other; infection: infecção, other
    }


def test_without_references_every_match_is_required() -> None:
    assert values(references=False)["term success"] == 50.0


def test_signatures_and_gaps() -> None:
    test = a_testset(True)
    material = test.material(output for _, _, output in ROWS)
    metrics = TermMetrics([BASE], test.documents)
    score = metrics.metrics()[0].score(material)
    assert score.signature == "term success|scope:in-reference|glossary:g|terms:2|required:3"
    assert missing_terms(metrics.checks(material)) == [
        [], [("fever", "febre")], [("infection", "infecção")], []
    ]  # fmt: skip
    other = Termbase("h", "en", "pt", (Term("1", "stroke", (Variant("AVC"),)),))
    with pytest.raises(Unmeasured, match="no term of the glossary"):
        TermMetrics([other], test.documents).metrics()[0].score(material)


def test_random_terms_are_words_that_go_together_and_repeatable() -> None:
    test = load_testset("bundled")
    base = random_terms(test, 20, seed=1)
    assert len(base.terms) == 20
    assert base == random_terms(test, 20, seed=1)
    assert base != random_terms(test, 20, seed=2)
    for term in base.terms:
        sources = {pair.id for pair in test.pairs if term.source in pair.source.text.lower()}
        targets = {pair.id for pair in test.pairs if term.allowed[0] in pair.target.lower()}
        assert len(sources & targets) >= 2


@pytest.mark.skipif(not (STARTERS / "en-pt").is_dir(), reason="the starter model is not in this checkout")
def test_the_three_conditions_of_the_task() -> None:
    test = load_testset("bundled", limit=40)
    glossary = Termbase("g", "en", "pt", (Term("1", "symptoms", (Variant("sintomatologia"),)),))
    pairs = tuple(replace(p, target=p.target.replace("sintomas", "sintomatologia")) for p in test.pairs)
    test = replace(test, pairs=pairs)
    texts = {}
    for condition in ("none", "proper"):
        system = System(f"a@{condition}", "model", "default", condition)
        texts[condition] = translate_with(system, test, terms={"proper": [glossary]}).texts
    wanted = [
        n
        for n, pair in enumerate(pairs)
        if "sintomatologia" in pair.target and "symptoms" in pair.source.text
    ]
    changed = [n for n, (a, b) in enumerate(zip(*texts.values(), strict=True)) if a != b]
    assert wanted
    assert set(changed) <= set(wanted)  # nothing else is touched
    assert sum("sintomatologia" in texts["proper"][n] for n in wanted) > 0.8 * len(wanted)
    assert not any("sintomatologia" in text for text in texts["none"])
    with pytest.raises(ConfigError, match=r"a@random: the condition 'random' needs terms"):
        translate_with(System("a@random", "model", "default", "random"), test)


def test_findings_become_scores_and_counts() -> None:
    test = TestSet(
        "t",
        tuple(Pair(Segment(str(n), "Take 5 mg twice daily."), "", "en", "pt") for n in range(2)),
        "en",
        "pt",
    )
    material = test.material(["Tome 50 mg duas vezes ao dia.", "Tome 5 mg duas vezes ao dia."])
    findings = safety.find_all(material)
    score = safety.critical_score(findings, material)
    assert (score.value, score.per_segment, score.higher_is_better) == (50.0, (100.0, 0.0), False)
    assert safety.count_kinds(findings) == {"number": {"critical": 1}}


def test_a_low_round_trip_is_flagged() -> None:
    test = a_testset(references=False)
    material = test.material(output for _, _, output in ROWS)
    back = ["Fever and infection.", "A temperature.", "Sepsis.", "Nothing."]
    trip = safety.round_trip(material, back, "pt-en")
    assert trip.low == (False, True, True, False)
    assert trip.score.signature.startswith("round trip chrF2++|back:pt-en|nrefs:1")


def test_checks_without_a_table_are_named() -> None:
    [skipped] = safety.skipped_checks("en", "ja")
    assert "negation" in skipped.name
    assert "no clinical table for ja" in skipped.reason
    assert safety.skipped_checks("en", "pt") == []
