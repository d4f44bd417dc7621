"""Significance: agrees with sacrebleu's own tests, calls noise noise, and a real difference by its name."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import sacrebleu
from sacrebleu.significance import PairedTest

from data.errors import ConfigError, InputError
from eval.scores import Material, Score, mean_score
from eval.significance import Comparison, Outcome, Resampling, analyse, bootstrap, holm
from eval.surface import Bleu, Chrf, Ter


def means(values: list[float], higher_is_better: bool = True) -> Score:
    return mean_score("m", values, "m", [str(place) for place in range(len(values))], higher_is_better)


def compare(old: list[float], new: list[float], options: Resampling) -> Comparison:
    return analyse({"a": {"m": means(old)}, "b": {"m": means(new)}}, options).comparisons[0]


def noisy(seed: int, mean: float, count: int = 200) -> list[float]:
    return list(np.random.default_rng(seed).normal(mean, 10, count))


def corpus(seed: int, error_rate: float, count: int = 120) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rng = np.random.default_rng(seed)
    references = [[f"w{word}" for word in rng.integers(0, 40, 12)] for _ in range(count)]
    noise = np.random.default_rng(seed + 99)
    outputs = [[word if noise.random() > error_rate else "x" for word in line] for line in references]
    return tuple(map(" ".join, outputs)), tuple(map(" ".join, references))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]), ([0.5], [0.5]), ([], []), ([0.9, 0.8], [1.0, 1.0])],
)
def test_holm(values: list[float], expected: list[float]) -> None:
    assert holm(values) == pytest.approx(expected)


def test_a_real_difference_is_called_by_its_direction() -> None:
    old, new = noisy(1, 50), noisy(2, 58)
    [found] = analyse({"old": {"m": means(old)}, "new": {"m": means(new)}}).comparisons
    assert (found.baseline, found.second, found.outcome) == ("old", "new", Outcome.BETTER)
    assert found.delta == pytest.approx(np.mean(new) - np.mean(old))
    assert found.interval.low < found.delta < found.interval.high
    [lower] = analyse({"old": {"m": means(old, False)}, "new": {"m": means(new, False)}}).comparisons
    assert lower.outcome is Outcome.WORSE
    assert found.reversed().outcome is Outcome.WORSE
    assert found.reversed().delta == -found.delta


def test_noise_is_called_better_about_as_rarely_as_promised() -> None:
    options = Resampling(resamples=200)
    outcomes = [
        compare(noisy(seed, 50, 60), noisy(seed + 1000, 50, 60), options).outcome for seed in range(60)
    ]
    assert outcomes.count(Outcome.UNDECIDED) >= 52


def test_the_same_outputs_never_differ() -> None:
    values = noisy(3, 50)
    [found] = analyse({"a": {"m": means(values)}, "b": {"m": means(values)}}).comparisons
    assert (found.delta, found.p_randomisation, found.outcome) == (0.0, 1.0, Outcome.UNDECIDED)


def test_intervals_cover_the_truth_as_often_as_promised() -> None:
    hits = 0
    for seed in range(80):
        table = {"a": {"m": means(noisy(seed, 50, 80))}}
        found = analyse(table, Resampling(resamples=300)).intervals["a", "m"]
        hits += found.low <= 50 <= found.high
    assert hits >= 69  # of 80 at 95 %: 76 expected


@pytest.mark.parametrize("metric", [Bleu(), Chrf(), Ter()], ids=["BLEU", "chrF2++", "TER"])
def test_agrees_with_sacrebleu_s_own_paired_tests(metric: Bleu) -> None:
    (first, references), (second, _) = corpus(5, 0.25), corpus(5, 0.30)
    second = tuple(line.replace("w1 ", "y ", 1) for line in second)
    theirs = {"BLEU": sacrebleu.BLEU(references=[references]),
              "chrF2++": sacrebleu.CHRF(word_order=2, references=[references]),
              "TER": sacrebleu.TER(references=[references])}[metric.name]  # fmt: skip
    ids = tuple(map(str, range(len(first))))

    def score(outputs: tuple[str, ...]) -> Score:
        return metric.score(Material(references, outputs, references, ids, "en", "pt"))

    found = analyse({"a": {"m": score(first)}, "b": {"m": score(second)}}, Resampling(resamples=2000))
    names = [("a", list(first)), ("b", list(second))]
    kinds: dict[str, Any] = {}
    for kind in ("bs", "ar"):
        _, table = PairedTest(names, {"m": theirs}, None, kind, 1000)()  # type: ignore[arg-type]
        kinds[kind] = table["m"] if "m" in table else list(table.values())[1]
    [comparison] = found.comparisons
    assert found.intervals["a", "m"].high - found.intervals["a", "m"].low == pytest.approx(
        2 * kinds["bs"][0].ci, rel=0.2
    )
    assert comparison.p_bootstrap == pytest.approx(kinds["bs"][1].p_value, abs=0.05)
    assert comparison.p_randomisation == pytest.approx(kinds["ar"][1].p_value, abs=0.05)


def test_three_systems_share_one_correction() -> None:
    table = {name: {"m": means(noisy(seed, 50))} for seed, name in enumerate("abc")}
    found = analyse(table)
    assert [(one.baseline, one.second) for one in found.comparisons] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert all(one.p_corrected >= one.p_randomisation for one in found.comparisons)
    assert "seed:12345" in found.signature


def test_the_same_seed_gives_the_same_result_and_another_does_not() -> None:
    score = means(noisy(1, 50))
    one, same, other = (
        bootstrap([score.statistics], Resampling(seed=seed))[0].tolist() for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_bad_options_and_unequal_segments() -> None:
    with pytest.raises(ConfigError, match="100 or more"):
        Resampling(resamples=5)
    with pytest.raises(InputError, match="same segments"):
        analyse({"a": {"m": means([1.0, 2.0])}, "b": {"m": means([1.0])}})


def test_ten_thousand_segments_take_seconds() -> None:
    table = {name: {"m": means(noisy(seed, 50, 10_000))} for seed, name in enumerate("abc")}
    start = time.process_time()
    analyse(table)
    assert time.process_time() - start < 10
