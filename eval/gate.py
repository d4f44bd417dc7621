"""May the candidate replace the baseline? A pure function from two evaluations and a policy to a decision.

In: an `Evaluation` on general text, one on text of the domain (either may be None), the two systems' names,
a policy. Out: a `Decision` with every reason, those that passed too.

    decide(general, domain, baseline="production", candidate="candidate", policy=Policy()).promote

Nothing is promoted on missing evidence: a rule that cannot be judged is a reason to reject, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from data.errors import ConfigError, InputError
from eval.results import Evaluation, SystemResult
from eval.significance import Comparison, Outcome

WORD = {True: "promote", False: "reject"}


@dataclass(frozen=True, slots=True)
class Policy:
    """YAML fills the same fields; `metrics` are tried in order, the first that was measured counts."""

    metrics: tuple[str, ...] = ("COMET", "chrF2++", "BLEU")
    require_better_in_domain: bool = True
    allow_worse_in_general: bool = False
    most_additional_critical: int = 0
    most_lost_term_success: float = 0.0
    most_contaminated: int = 0
    slowest_factor: float = 1.5
    require_general: bool = True

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ConfigError("gate policy: metrics: name at least one")
        if self.slowest_factor <= 0:
            raise ConfigError(f"gate policy: slowest_factor: must be above 0, not {self.slowest_factor}")


@dataclass(frozen=True, slots=True)
class Reason:
    """`rule` is a stable key."""

    rule: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Decision:
    promote: bool
    baseline: str
    candidate: str
    reasons: tuple[Reason, ...]

    @property
    def verdict(self) -> str:
        return WORD[self.promote]


def decide(
    general: Evaluation | None, domain: Evaluation | None, baseline: str, candidate: str, policy: Policy
) -> Decision:
    reasons: list[Reason] = []
    if general is not None:
        reasons.append(_not_worse(general, baseline, candidate, policy))
    elif policy.require_general:
        reasons.append(Reason("general-quality", False, "no evaluation on general text was given"))
    if domain is not None:
        reasons.append(_better(domain, baseline, candidate, policy))
    elif policy.require_better_in_domain:
        reasons.append(Reason("domain-quality", False, "no evaluation on text of the domain was given"))
    for name, evaluation in (("general", general), ("domain", domain)):
        if evaluation is not None:
            old, new = evaluation.system(baseline), evaluation.system(candidate)
            reasons += [
                _safety(name, old, new, policy),
                _terms(name, old, new, policy),
                _contamination(name, new, policy),
                _speed(name, old, new, policy),
            ]
    return Decision(all(reason.passed for reason in reasons), baseline, candidate, tuple(reasons))


def load_policy(path: Path | None) -> Policy:
    """Unknown keys are errors: a mistyped rule must not be a rule that is not there."""
    if path is None:
        return Policy()
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a policy is a mapping of rules to limits")
    known = {field.name: type(field.default) for field in fields(Policy)}
    for key, value in content.items():
        if key not in known:
            raise ConfigError(f"{path}: {key}: no such rule; valid: {', '.join(known)}")
        content[key] = _typed(path, key, value, known[key])
    return Policy(**content)


def _typed(path: Path, key: str, value: object, kind: type) -> object:
    if kind is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind in (bool, int) and type(value) is kind:
        return value
    wanted = {tuple: "a list of names", float: "a number", int: "a whole number", bool: "true or false"}[kind]
    raise ConfigError(f"{path}: {key}: must be {wanted}")


def _not_worse(evaluation: Evaluation, baseline: str, candidate: str, policy: Policy) -> Reason:
    found = _comparison(evaluation, baseline, candidate, policy)
    if isinstance(found, str):
        return Reason("general-quality", False, found)
    worse = found.outcome is Outcome.WORSE
    return Reason("general-quality", policy.allow_worse_in_general or not worse, _said(found, evaluation))


def _better(evaluation: Evaluation, baseline: str, candidate: str, policy: Policy) -> Reason:
    found = _comparison(evaluation, baseline, candidate, policy)
    if isinstance(found, str):
        return Reason("domain-quality", False, found)
    good = found.outcome is Outcome.BETTER
    if not policy.require_better_in_domain:
        good = found.outcome is not Outcome.WORSE
    return Reason("domain-quality", good, _said(found, evaluation))


def _comparison(evaluation: Evaluation, baseline: str, candidate: str, policy: Policy) -> Comparison | str:
    for metric in policy.metrics:
        found = evaluation.comparison(metric, baseline, candidate)
        if found is not None:
            return found
    return f"on {evaluation.testset}: none of {', '.join(policy.metrics)} was measured for both systems"


def _said(found: Comparison, evaluation: Evaluation) -> str:
    return (
        f"{found.metric} on {evaluation.testset}: {found.delta:+.2f} "
        f"[{found.interval.low:+.2f}, {found.interval.high:+.2f}], p = {found.p_corrected:.3f}: "
        f"{found.outcome.value}"
    )


def _safety(name: str, old: SystemResult, new: SystemResult, policy: Policy) -> Reason:
    detail = f"critical findings on {name}: {old.critical} before, {new.critical} now"
    return Reason(f"{name}-safety", new.critical <= old.critical + policy.most_additional_critical, detail)


def _terms(name: str, old: SystemResult, new: SystemResult, policy: Policy) -> Reason:
    before, now = old.value("term success"), new.value("term success")
    if before is None and now is None:
        return Reason(f"{name}-terms", True, f"no glossary was given for {name}, so no terms were required")
    if before is None or now is None:
        return Reason(f"{name}-terms", False, f"term success on {name} was measured for one system only")
    passed = now >= before - policy.most_lost_term_success
    return Reason(f"{name}-terms", passed, f"term success on {name}: {before:.1f} % before, {now:.1f} % now")


def _contamination(name: str, new: SystemResult, policy: Policy) -> Reason:
    found = new.contamination
    if found is None:
        return Reason(f"{name}-contamination", False, f"the training text was not compared with {name}")
    count = found.exact + found.near
    detail = (
        f"{count} segments of {name} stand in the training text ({found.exact} exactly, {found.near} nearly)"
    )
    return Reason(f"{name}-contamination", count <= policy.most_contaminated, detail)


def _speed(name: str, old: SystemResult, new: SystemResult, policy: Policy) -> Reason:
    before, now = old.words_per_second, new.words_per_second
    if not before or not now:
        return Reason(f"{name}-speed", False, f"speed on {name} was not measured for both systems")
    limit = f"at most {policy.slowest_factor:g} times slower"
    detail = f"words/s on {name}: {before:,.0f} before, {now:,.0f} now ({limit})"
    return Reason(f"{name}-speed", now * policy.slowest_factor >= before, detail)
