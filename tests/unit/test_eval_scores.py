"""The vectorised formulas give sacrebleu's own numbers; other metrics' values are checked by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.scores import Material, NotMeasured, Score, Unmeasured, mean_score, measure, ratio_score, sign
from eval.surface import Bleu, Chrf, Meteor, RougeL, Ter, surface_metrics

OUTPUTS = (
    "Tome 5 mg de morfina uma vez por dia.",
    "O paciente nega alergias.",
    "",
    "Suspender o metoprolol amanhã de manhã, antes da cirurgia.",
)
REFERENCES = (
    "Tome 5 mg de morfina uma vez ao dia.",
    "O doente nega ter alergias conhecidas.",
    "Sem febre.",
    "Suspender metoprolol amanhã antes da cirurgia.",
)


def material(outputs: tuple[str, ...], references: tuple[str, ...], language: str = "pt") -> Material:
    ids = tuple(f"s{number}" for number in range(len(outputs)))
    return Material(tuple("source" for _ in outputs), outputs, references, ids, "en", language)


THEIRS = [
    (Bleu(), sacrebleu.BLEU(), sacrebleu.BLEU(effective_order=True)),
    (Chrf(), sacrebleu.CHRF(word_order=2), sacrebleu.CHRF(word_order=2)),
    (Ter(), sacrebleu.TER(), sacrebleu.TER()),
]


@pytest.mark.parametrize(("ours", "corpus", "sentence"), THEIRS, ids=["BLEU", "chrF2++", "TER"])
def test_values_are_those_of_sacrebleu(ours: Bleu, corpus: sacrebleu.BLEU, sentence: sacrebleu.BLEU) -> None:
    score = ours.score(material(OUTPUTS, REFERENCES))
    assert score.value == pytest.approx(corpus.corpus_score(OUTPUTS, [REFERENCES]).score, abs=1e-9)
    one_by_one = [
        sentence.sentence_score(output, [reference]).score
        for output, reference in zip(OUTPUTS, REFERENCES, strict=True)
    ]
    assert score.per_segment == pytest.approx(one_by_one, abs=1e-9)


_words = st.lists(st.sampled_from(["a", "dose", "5 mg", "não", "é", ",", ""]), max_size=9).map(" ".join)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(_words, _words.filter(str.strip)), min_size=1, max_size=5))
def test_any_text_scores_as_sacrebleu_scores_it(pairs: list[tuple[str, str]]) -> None:
    outputs, references = (tuple(side) for side in zip(*pairs, strict=True))
    for ours, corpus, _ in THEIRS:
        peer: Any = corpus
        expected = peer.corpus_score(outputs, [references]).score
        own: Any = ours
        assert own.score(material(outputs, references)).value == pytest.approx(expected, abs=1e-9)


def test_signatures_say_how_a_score_was_made() -> None:
    signatures = {m.name: m.score(material(OUTPUTS, REFERENCES)).signature for m in surface_metrics()}
    version = sacrebleu.__version__
    assert (
        signatures["BLEU"]
        == f"BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{version}|segments:4"
    )
    assert signatures["chrF2++"].startswith("chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|")
    assert "match:exact+snowball-portuguese" in signatures["METEOR"]
    assert all("segments:4" in signature for signature in signatures.values())


@pytest.mark.parametrize(
    ("output", "reference", "value"),
    [
        ("a b c", "a b c", 100.0),
        ("a x b", "a b", 80.0),  # precision 2/3, recall 1
        ("não", "no", 0.0),  # rouge-score's own words would be `n`, `o` and `no`
        ("", "a", 0.0),
    ],
)
def test_rouge_l(output: str, reference: str, value: float) -> None:
    assert RougeL().score(material((output,), (reference,))).value == pytest.approx(value)


def test_meteor_takes_stems_and_order() -> None:
    def value(output: str, reference: str) -> float:
        return Meteor().score(material((output,), (reference,))).value

    # Both words match by their stems, in one chunk: 1 - 0.5 * (1/2)^3
    assert value("pacientes graves", "paciente grave") == pytest.approx(93.75)
    assert value("graves pacientes", "paciente grave") < 93.75


def test_text_without_spaces_is_not_one_word() -> None:
    score = Bleu().score(material(("每天服用五毫克吗啡",), ("每天服用五毫克的吗啡",), "zh"))
    assert "tok:zh" in score.signature
    assert score.value > 20


def test_missing_references_are_named_not_scored() -> None:
    scores, missing = measure(surface_metrics(), material(("a", "b"), ("a", " ")))
    assert scores == []
    assert missing[0] == NotMeasured(
        "BLEU", "1 of 2 segments have no reference", "give a test set with references, or --reference-free"
    )
    assert len(missing) == 5


def test_nan_from_a_metric_is_not_measured() -> None:
    class Broken:
        name = "broken"

        def score(self, material: Material) -> Score:
            return mean_score(self.name, [1.0, math.nan, 3.0], "broken", ["x", "y", "z"])

    scores, missing = measure([Broken()], material(("a",) * 3, ("a",) * 3))
    assert scores == []
    assert missing == [NotMeasured("broken", "it gave no number for 1 of 3 segments (first: y)")]


def test_a_ratio_leaves_out_segments_with_nothing_to_count() -> None:
    score = ratio_score("terms", [(1, 2), (0, 0), (2, 2)], "s", 100)
    assert score.value == 75.0
    assert np.isnan(score.per_segment[1])
    with pytest.raises(Unmeasured, match="nothing to count"):
        ratio_score("terms", [(0, 0)], "s")


def test_sign_keeps_its_own_separator() -> None:
    assert sign("X", [("model", "a|b"), ("segments", 3)]) == "X|model:a/b|segments:3"
