"""Whole documents through a made-up translator: order, layout and numbering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from data.segments import Hypothesis
from mt.config import DecodeConfig
from mt.engine import Engine
from mt.layout import parse
from mt.models import find_model
from mt.service import TranslationService
from mt.typography import Typography


class Shouting:
    """Upper-cases; remembers how many sentences it was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def translate_stream(
        self,
        windows: Iterable[Sequence[str]],
        decode: DecodeConfig = DecodeConfig(),  # noqa: B008
    ) -> Iterator[list[tuple[Hypothesis, ...]]]:
        ready = list(windows)  # all windows are read ahead of the first result
        for window in ready:
            self.asked += len(window)
            yield [(Hypothesis(sentence.upper(), -0.5), Hypothesis("?", -2.0)) for sentence in window]


def test_layout_stays_and_sentences_are_replaced() -> None:
    text = "1. Take 5 mg.\n\n  - Rest.  Then eat.\r\n\t120/80\n"
    assert TranslationService(Shouting()).translate_text(text, "en") == (
        "1. TAKE 5 MG.\n\n  - REST.  THEN EAT.\r\n\t120/80\n"
    )


def test_each_distinct_sentence_is_translated_once_a_chunk() -> None:
    translator = Shouting()
    service = TranslationService(translator)
    (part,) = service.translate_chunks([parse("No fever.\nNo cough.\nNo fever.\n", "en")])
    assert translator.asked == 2
    assert part.text == "NO FEVER.\nNO COUGH.\nNO FEVER.\n"
    assert [one.source.id for one in part.translations] == ["1", "2", "3"]


def test_numbers_run_through_the_document() -> None:
    chunks = [parse("A fever. A cough.", "en"), parse("", "en"), parse("A rash.", "en")]
    parts = list(TranslationService(Shouting()).translate_chunks(chunks))
    assert [[one.source.id for one in part.translations] for part in parts] == [["1", "2"], [], ["3"]]
    assert parts[2].translations[0].alternatives == (Hypothesis("?", -2.0),)


@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_chunks_come_back_in_order(texts: list[str]) -> None:
    parts = TranslationService(Shouting()).translate_chunks(parse(text, "en") for text in texts)
    assert [len(part.text.splitlines()) for part in parts] == [len(text.splitlines()) for text in texts]


def test_shouted_and_curly_text_is_read_plainly_and_given_back_as_written() -> None:
    engine = Engine(find_model("en", "pt"))
    service = TranslationService(engine, typography=Typography(engine.tokenizer))
    text = "ALLERGIES: PENICILLIN\n\nThe patient’s “white coat” effect.\n"
    result = service.translate_document(text, "en")
    assert result.text.splitlines()[0] == "ALERGIAS: PENICILINA"
    assert result.segments[0].translation.source.text == "ALLERGIES: PENICILLIN"
    assert '"' not in result.text or result.text.count('"') % 2
