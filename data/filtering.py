"""Limits on measures, and the verdict on a pair. Nothing is measured here, so limits are retuned for free.

In: measures by name, and limits from a YAML file. Out: a `Verdict` and every limit that was broken.

    length_ratio: {max: 3.0}
    target_language: {min: -0.5, reason: wrong_language}
    critical_number: {max: 0}

The order in the file is the order of the reasons: the first broken limit is the one that counts. A pair
without a measure (the language of one word cannot be told) is not judged by it; a limit whose measure no pair
had is named in the summary, so that nobody thinks it was applied. Limits may be joined:

    misaligned: {all: {round_trip: {min: 30}, dual_cross_entropy: {max: 5}}}    # dropped if both are broken
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ConfigError, MissingExtraError
from data.segments import Verdict

DEFAULT_LIMITS = Path(__file__).parent / "tables" / "limits.yaml"
_KEYS = ("min", "max", "reason", "all")


@dataclass(frozen=True, slots=True)
class Bound:
    """What one measure may be."""

    measure: str
    least: float = -math.inf
    most: float = math.inf

    def broken(self, measures: Mapping[str, float]) -> bool:
        value = measures.get(self.measure)
        return value is not None and not self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Limit:
    """Broken where all its bounds are; one bound nearly always."""

    reason: str
    bounds: tuple[Bound, ...]

    def broken(self, measures: Mapping[str, float]) -> bool:
        for bound in self.bounds:  # noqa: SIM110 - all() takes three times as long, for every pair
            if not bound.broken(measures):
                return False
        return True


Limits = tuple[Limit, ...]


def judge(measures: Mapping[str, float], limits: Sequence[Limit]) -> Verdict:
    for limit in limits:
        if limit.broken(measures):
            return Verdict(keep=False, reason=limit.reason)
    return Verdict(keep=True)


def broken(measures: Mapping[str, float], limits: Sequence[Limit]) -> list[str]:
    """All reasons against a pair, in the order of the limits; each once."""
    found = [limit.reason for limit in limits if limit.broken(measures)]
    return list(dict.fromkeys(found)) if len(found) > 1 else found


def load_limits(path: Path | None = None) -> Limits:
    """The limits of a YAML file; without one, the defaults."""
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("reading limits", "data") from None
    path = path or DEFAULT_LIMITS
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigError(f"{path}: not YAML{f' at line {mark.line + 1}' if mark else ''}") from None
    if not isinstance(content, dict) or not content:
        raise ConfigError(f"{path}: no limits; one looks like `length_ratio: {{max: 3.0}}`")
    return tuple(_limit(f"{path}: {name}", str(name), fields) for name, fields in content.items())


def _limit(place: str, name: str, fields: Any) -> Limit:
    if not isinstance(fields, dict) or not fields:
        raise ConfigError(f"{place}: not a limit; valid keys: {', '.join(_KEYS)}")
    unknown = [str(key) for key in fields if key not in _KEYS]
    if unknown:
        raise ConfigError(f"{place}: unknown key {', '.join(unknown)}; valid: {', '.join(_KEYS)}")
    reason = str(fields.get("reason", name))
    if "all" not in fields:
        return Limit(reason, (_bound(place, name, fields),))
    if "min" in fields or "max" in fields or not isinstance(fields["all"], dict) or not fields["all"]:
        raise ConfigError(f"{place}: `all` takes measures with their min and max, and stands beside neither")
    bounds = (_bound(f"{place}.{measure}", str(measure), own) for measure, own in fields["all"].items())
    return Limit(reason, tuple(bounds))


def _bound(place: str, measure: str, fields: Any) -> Bound:
    numbers = {key: fields[key] for key in ("min", "max") if isinstance(fields, dict) and key in fields}
    if not numbers:
        raise ConfigError(f"{place}: needs min, max or both")
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise ConfigError(f"{place}: {key} must be a number, not {value!r}")
    bound = Bound(measure, numbers.get("min", -math.inf), numbers.get("max", math.inf))
    if bound.least > bound.most:
        raise ConfigError(f"{place}: min {bound.least} is more than max {bound.most}")
    return bound
