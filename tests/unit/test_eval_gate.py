"""Every rule of the gate, one at a time: what passes, what fails, and that missing evidence fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import ConfigError, InputError
from eval.gate import Decision, Policy, decide, load_policy
from eval.results import (
    ContaminationResult,
    Evaluation,
    ScoreResult,
    SystemResult,
    load_evaluation,
    save_evaluation,
)
from eval.significance import Comparison, Interval, Outcome

CLEAN = ContaminationResult(0, 0, 0.8, 1000)


def system(name: str, critical: int = 2, terms: float = 90.0, speed: float | None = 1000.0) -> SystemResult:
    scores = (
        ScoreResult("chrF2++", 60.0, 58.0, 62.0, "s"),
        ScoreResult("term success", terms, 80.0, 95.0, "s"),
    )
    return SystemResult(name, "model", name, "", scores, (), critical, {}, speed, CLEAN)


def evaluation(outcome: Outcome, new: SystemResult | None = None, metric: str = "chrF2++") -> Evaluation:
    delta = {Outcome.BETTER: 2.0, Outcome.WORSE: -2.0}.get(outcome, 0.1)
    compared = Comparison(
        metric, "old", "new", delta, Interval(delta - 1, delta + 1), 0.01, 0.01, 0.01, outcome
    )
    systems = (system("old"), new or system("new"))
    return Evaluation(
        testset="set", testset_digest="d", source_language="en", target_language="pt", created="",
        seconds=1.0, signature="s", main_metric="chrF2++", systems=systems, comparisons=(compared,),
        clean_comparisons=(), clean_segments=None, not_measured=(), warnings=(), segments=(),
    )  # fmt: skip


def failed(general: Evaluation | None, domain: Evaluation | None, policy: Policy | None = None) -> list[str]:
    decision = decide(general, domain, "old", "new", policy or Policy())
    rules = [reason.rule for reason in decision.reasons if not reason.passed]
    assert decision.promote == (not rules)
    return rules


EVEN, GOOD, BAD = (evaluation(outcome) for outcome in (Outcome.UNDECIDED, Outcome.BETTER, Outcome.WORSE))


@pytest.mark.parametrize(
    ("general", "domain", "policy", "rules"),
    [
        (EVEN, GOOD, Policy(), []),
        (GOOD, GOOD, Policy(), []),
        (BAD, GOOD, Policy(), ["general-quality"]),
        (EVEN, EVEN, Policy(), ["domain-quality"]),
        (EVEN, BAD, Policy(), ["domain-quality"]),
        (BAD, GOOD, Policy(allow_worse_in_general=True), []),
        (EVEN, EVEN, Policy(require_better_in_domain=False), []),
        (EVEN, BAD, Policy(require_better_in_domain=False), ["domain-quality"]),
        (None, GOOD, Policy(), ["general-quality"]),
        (EVEN, None, Policy(), ["domain-quality"]),
        (None, GOOD, Policy(require_general=False), []),
        (evaluation(Outcome.BETTER, metric="METEOR"), GOOD, Policy(), ["general-quality"]),
    ],
)
def test_quality(general: Evaluation, domain: Evaluation, policy: Policy, rules: list[str]) -> None:
    assert failed(general, domain, policy) == rules


@pytest.mark.parametrize(
    ("new", "policy", "rules"),
    [
        (system("new", critical=3), Policy(), ["domain-safety"]),
        (system("new", critical=3), Policy(most_additional_critical=1), []),
        (system("new", terms=89.9), Policy(), ["domain-terms"]),
        (system("new", terms=89.9), Policy(most_lost_term_success=0.5), []),
        (system("new", speed=700.0), Policy(), []),
        (system("new", speed=600.0), Policy(), ["domain-speed"]),
        (system("new", speed=None), Policy(), ["domain-speed"]),
        (replace(system("new"), scores=()), Policy(), ["domain-terms"]),
        (replace(system("new"), contamination=None), Policy(), ["domain-contamination"]),
        (replace(system("new"), contamination=replace(CLEAN, near=1)), Policy(), ["domain-contamination"]),
        (replace(system("new"), contamination=replace(CLEAN, near=1)), Policy(most_contaminated=1), []),
    ],
)
def test_safety_terms_contamination_and_speed(new: SystemResult, policy: Policy, rules: list[str]) -> None:
    assert failed(EVEN, evaluation(Outcome.BETTER, new), policy) == rules


def test_metrics_are_tried_in_order_and_either_way_round() -> None:
    turned = replace(GOOD, comparisons=(GOOD.comparisons[0].reversed(),))
    assert failed(EVEN, turned) == []
    assert failed(EVEN, turned, Policy(metrics=("COMET",))) == ["general-quality", "domain-quality"]


def test_every_reason_is_given() -> None:
    decision = decide(EVEN, GOOD, "old", "new", Policy())
    assert (decision.verdict, len(decision.reasons)) == ("promote", 10)
    quality = decision.reasons[1]
    assert quality.detail == "chrF2++ on set: +2.00 [+1.00, +3.00], p = 0.010: better"
    assert Decision(False, "old", "new", ()).verdict == "reject"


def test_an_unknown_system_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no system 'newer' .* there are: old, new"):
        decide(EVEN, GOOD, "old", "newer", Policy())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("speed: 2\n", r"speed: no such rule; valid: metrics, "),
        ("slowest_factor: fast\n", "slowest_factor: must be a number"),
        ("most_contaminated: 1.5\n", "most_contaminated: must be a whole number"),
        ("require_general: 1\n", "require_general: must be true or false"),
        ("metrics: BLEU\n", "metrics: must be a list of names"),
        ("metrics: []\n", "metrics: name at least one"),
        ("slowest_factor: 0\n", "slowest_factor: must be above 0"),
        ("- a\n", "a policy is a mapping"),
        ("a: [\n", "not YAML"),
    ],
)
def test_a_wrong_policy(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        load_policy(path)


def test_policies_and_results_come_back_from_disk(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("metrics: [BLEU]\nslowest_factor: 2\nmost_additional_critical: 1\n")
    assert load_policy(tmp_path / "policy.yaml") == Policy(
        ("BLEU",), slowest_factor=2.0, most_additional_critical=1
    )
    assert load_policy(None) == Policy()
    save_evaluation(tmp_path / "results.json", GOOD)
    assert load_evaluation(tmp_path) == GOOD
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(InputError, match="not the results of an evaluation"):
        load_evaluation(tmp_path)
