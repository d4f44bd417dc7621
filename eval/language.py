"""Is a system's output in the language it should be in? A warning for the report, never a score.

In: output texts and the target language. Out: a sentence, or nothing.

>>> wrong_language("b.txt", ["The patient denies allergies and takes no medicine."], "pt")
'b.txt looks like en, not pt: scores mean little until that is settled'

py3langid ships its model; it is asked about many segments at once, as single clinical phrases mislead it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

_LETTERS = 4_000
_LEAST_LETTERS = 40
_SURE = 0.9


def wrong_language(name: str, texts: Sequence[str], language: str) -> str | None:
    wanted = language.replace("_", "-").split("-")[0].lower()
    sample = "\n".join(texts[:: max(1, len(texts) // 60)])[:_LETTERS]
    if sum(letter.isalpha() for letter in sample) < _LEAST_LETTERS:
        return None
    identifier = _identifier()
    if identifier is None or wanted not in identifier.labels():
        return None
    found, probability = identifier.classify(sample)
    if found == wanted or probability < _SURE:
        return None
    return f"{name} looks like {found}, not {wanted}: scores mean little until that is settled"


@cache
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    return _Identifier(LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True))


class _Identifier:
    def __init__(self, model: Any) -> None:
        self._model = model
        self._labels = frozenset(model.nb_classes)

    def labels(self) -> frozenset[str]:
        return self._labels

    def classify(self, text: str) -> tuple[str, float]:
        language, probability = self._model.classify(text)
        return language, float(probability)
