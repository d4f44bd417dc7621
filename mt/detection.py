"""The language of a text that came without one: what `source=auto` and `/detect` answer.

In: a text, and the languages there is a model for (any, when left out). Out: languages with a confidence
from 0 to 1, likeliest first; nothing for a text without letters.

    detect("Tome um comprimido duas vezes ao dia.")                  # [("pt", 0.96), ("gl", 0.02), ...]
    detect("Tome um comprimido.", ["en", "pt"])                      # [("pt", 1.0)]

`data.languages` holds the model (fastText's small one, which its library ships). A long text is read at
three places, so that a heading in another language does not decide.
"""

from __future__ import annotations

from collections.abc import Sequence

_SAMPLE = 160
_LEAST = 0.005
# Near relations that the model takes short texts for.
_NEAR = {"gl": "pt", "ast": "es", "an": "es", "ca": "es", "oc": "fr", "nn": "no", "nb": "no", "sh": "hr"}


def detect(text: str, languages: Sequence[str] | None = None) -> list[tuple[str, float]]:
    from data.languages import identify

    found: dict[str, float] = {}
    samples = _samples(text)
    for sample in samples:
        for language, likelihood in identify(sample).items():
            found[language] = found.get(language, 0.0) + likelihood / len(samples)
    if languages is not None:
        found = _among(found, {language.replace("_", "-").split("-")[0].lower() for language in languages})
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [(language, round(min(1.0, score), 3)) for language, score in ranked if score >= _LEAST]


def _samples(text: str) -> list[str]:
    if len(text) <= 2 * _SAMPLE:
        return [text]
    starts = (0, len(text) // 2, len(text) - _SAMPLE)
    samples = [
        text[start : start + _SAMPLE].partition(" ")[2] if start else text[:_SAMPLE] for start in starts
    ]
    return [sample for sample in samples if any(map(str.isalpha, sample))] or [text]


def _among(found: dict[str, float], wanted: set[str]) -> dict[str, float]:
    """Shares of the languages that are possible; where all of them are unlikely, they stay so."""
    kept: dict[str, float] = {}
    for language, likelihood in found.items():
        code = language if language in wanted else _NEAR.get(language, language)
        if code in wanted:
            kept[code] = kept.get(code, 0.0) + likelihood
    total = max(0.5, sum(kept.values()))
    return {language: likelihood / total for language, likelihood in kept.items()}
