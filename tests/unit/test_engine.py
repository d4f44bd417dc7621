"""The engine on a tiny real model: what comes out belongs to what went in, whatever that was."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError, ModelError
from mt.config import DecodeConfig, DeviceConfig
from mt.engine import LONGEST_PIECE, Engine
from mt.models import find_model
from mt.service import TranslationService
from mt.tokenization import Tokenizer, piece_spans
from tests.tiny_marian import build_tiny_marian

pytestmark = pytest.mark.transformers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDLOOP_HOME", str(tmp_path_factory.mktemp("home")))
        made = build_tiny_marian(tmp_path_factory.mktemp("tiny"))
        model = find_model("en", "pt", str(made))
    return model.runnable


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return Engine(find_model("en", "pt", str(folder)), DeviceConfig(device="cpu", threads=2))


def test_batch_and_single_agree(engine: Engine) -> None:
    sentences = ["Take 5 mg once daily.", "The patient denies fever and cough.", "", "Hold metoprolol."] * 9
    together = engine.translate(sentences)
    assert together == [engine.translate([sentence])[0] for sentence in sentences]
    assert len(together) == len(sentences)


def test_windows_come_back_in_order(engine: Engine) -> None:
    windows = [["Take 5 mg."], [], ["Hold metoprolol.", "Fever."], ["cough"]]
    streamed = list(engine.translate_stream(windows))
    assert [len(window) for window in streamed] == [1, 0, 2, 1]
    assert [[found[0].text for found in window] for window in streamed] == [
        engine.translate(w) for w in windows
    ]


def test_n_best_is_scored_and_sorted(engine: Engine) -> None:
    (found,) = next(iter(engine.translate_stream([["Take 5 mg."]], DecodeConfig(n_best=3, scores=True))))
    scores = [hypothesis.score for hypothesis in found]
    assert len(found) == 3
    assert all(score is not None and score < 0 for score in scores)
    assert scores == sorted(scores, key=lambda score: -(score or 0))


def test_forced_prefix_is_obeyed_and_attention_fits_the_pieces(engine: Engine) -> None:
    prefix = engine.tokenizer.encode_target(["Suspender"])[0]
    (found,) = engine.candidates(["Hold metoprolol."], prefixes=[prefix], attention=True)
    assert list(found[0].pieces[: len(prefix)]) == prefix
    source = engine.tokenizer.encode(["Hold metoprolol."])[0]
    assert len(found[0].attention) >= len(found[0].pieces)
    assert all(len(row) == len(source) for row in found[0].attention)
    assert all(0 <= place < len(source) for place in found[0].aligned())


def test_the_models_own_translation_scores_best(engine: Engine) -> None:
    source = "The patient denies fever."
    (found,) = engine.candidates([source], DecodeConfig(beam_size=4))
    own, other = engine.score([source, source], [found[0].text, "metoprolol metoprolol 50 tosse"])
    assert own > other


def test_a_long_sentence_is_cut_and_nothing_is_dropped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    encode = type(engine.tokenizer).encode

    def remembering(self: Tokenizer, sentences: Sequence[str]) -> list[list[str]]:
        seen.extend(sentences)
        return encode(self, sentences)

    monkeypatch.setattr(Tokenizer, "encode", remembering)
    sentence = "Take 5 mg, " * 400 + "and rest."
    assert len(engine.translate([sentence])) == 1
    pieces = [row for row in seen if row != sentence]
    assert " ".join(pieces) == sentence
    assert max(engine.tokenizer.count(pieces)) <= LONGEST_PIECE


def test_one_line_of_100_000_characters(engine: Engine) -> None:
    assert len(engine.translate(["x" * 100_000])) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_keeps_its_lines(folder: Path, text: str) -> None:
    service = TranslationService(_shared(folder))
    translated = service.translate_text(text, "en")
    assert len(translated.splitlines()) == len(text.splitlines())
    assert [bool(line.strip()) for line in translated.splitlines()] == [
        bool(line.strip()) or bool(back.strip())
        for line, back in zip(text.splitlines(), translated.splitlines(), strict=True)
    ]


_ENGINES: dict[Path, Engine] = {}


def _shared(folder: Path) -> Engine:
    if folder not in _ENGINES:
        _ENGINES[folder] = Engine(find_model("en", "pt", str(folder)), DeviceConfig(device="cpu"))
    return _ENGINES[folder]


def test_many_threads_one_engine(engine: Engine) -> None:
    from concurrent.futures import ThreadPoolExecutor

    sentences = [f"Take {number} mg once daily." for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda s: engine.translate([s])[0], sentences)) == engine.translate(sentences)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DecodeConfig(beam_size=0), "beam size must be 1 or more, not 0"),
        (lambda: DecodeConfig(n_best=0), "n-best must be 1 to 100, not 0"),
        (lambda: DeviceConfig(device="tpu"), "no device 'tpu'; valid: auto, cpu, cuda"),
        (lambda: DeviceConfig(threads=-1), "threads must be 0 (all cores) or more, not -1"),
    ],
)
def test_bad_settings(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == message


def test_no_gpu_is_one_clear_line(folder: Path) -> None:
    import ctranslate2

    if ctranslate2.get_cuda_device_count():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Engine(find_model("en", "pt", str(folder)), DeviceConfig(device="cuda"))


@pytest.mark.parametrize("text", ["Hold it.", "½ ção 😀", ""])
def test_pieces_know_their_characters_without_protobuf(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protobuf is no part of the light core."""
    monkeypatch.setitem(sys.modules, "google.protobuf", None)
    monkeypatch.setattr("sentencepiece._protobuf_loaded", False)
    monkeypatch.delitem(sys.modules, "sentencepiece.sentencepiece_pb2", raising=False)
    processor = Tokenizer.load(find_model("en", "pt").runnable).source
    spans = piece_spans(processor, text)
    assert "".join(text[span.start : span.end] for span in spans) == text
