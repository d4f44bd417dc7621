"""Whole documents through a made-up translator: order, layout and numbering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from data.checks.findings import Finding
from data.segments import Hypothesis, Segment, Span, Translation
from data.term_records import Enforced, TermEdit, TermRecord, TermUse
from mt.config import DecodeConfig
from mt.engine import Engine
from mt.layout import parse
from mt.models import find_model
from mt.service import SegmentResult, TranslationService, record, summary


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
    service = TranslationService(engine, typography=engine.typography)
    text = "ALLERGIES: PENICILLIN\n\nThe patient’s “white coat” effect.\n"
    result = service.translate_document(text, "en")
    assert result.text.splitlines()[0] == "ALERGIAS: PENICILINA"
    assert result.segments[0].translation.source.text == "ALLERGIES: PENICILLIN"
    assert '"' not in result.text or result.text.count('"') % 2


class Pedant:
    """An enforcer that writes what each term was called before, and counts the documents it sees."""

    def __init__(self) -> None:
        self.documents: list[int] = []

    def enforce(self, translations, wordings=None, drafts=()):  # type: ignore[no-untyped-def]
        assert [draft.text for draft in drafts] == [one.target for one in translations]
        self.documents.append(id(wordings))
        return [
            Enforced(replace(one, target=one.target + "!"), TermRecord("plain", (_use(one.target),)))
            for one in translations
        ]


def _use(target: str) -> TermUse:
    return TermUse("fever", "febre", "exact" if "FEVER" in target else "missing", reason="")


def doubt(source: str, target: str) -> tuple[Finding, ...]:
    return (Finding("number", "critical", None, None, f"{source}|{target}"),) if "5" in source else ()


def test_each_segment_carries_what_was_done_and_found() -> None:
    service = TranslationService(Shouting(), Pedant(), doubt)
    results = service.translate_segments(
        [Segment("a", "No fever."), Segment("b", "Take 5 mg."), Segment("c", "")]
    )
    assert [one.translation.source.id for one in results] == ["a", "b", "c"]
    assert results[0].needs_review is False
    assert results[1].needs_review is True
    assert results[1].findings == doubt("Take 5 mg.", "TAKE 5 MG.!")  # what will be read is what is checked
    assert summary(results) == {
        "segments": 3,
        "needs_review": 2,
        "findings": 1,
        "terms": 3,
        "terms_missing": 2,
    }


def test_the_wordings_are_those_of_one_document() -> None:
    enforcer = Pedant()
    service = TranslationService(Shouting(), enforcer)
    list(service.translate_chunks([parse("A fever.", "en"), parse("A cough.", "en")]))
    assert len(enforcer.documents) == 2
    assert len(set(enforcer.documents)) == 1


def test_without_enforcer_and_checker_nothing_is_said_of_them() -> None:
    [result] = TranslationService(Shouting()).translate_segments([Segment("a", "Rest.")])
    assert record(result) == {"id": "a", "source": "Rest.", "target": "REST.", "score": -0.5} | {
        "alternatives": [{"target": "?", "score": -2.0}]
    }


def test_the_record_of_a_doubtful_segment() -> None:
    use = TermUse("flu", "gripe", "missing", Span(0, 3), None, "no_place")
    edits = (TermEdit("forced", "gripe", "score"),)
    finding = Finding("number", "critical", Span(0, 1), None, "gone")
    one = Translation(Segment("1", "Flu 5"), "X", None)
    found = record(SegmentResult(one, TermRecord("plain", (use,), ("gripa",), edits), (finding,)))
    assert found == {
        "id": "1",
        "source": "Flu 5",
        "target": "X",
        "score": None,
        "terms": {
            "step": "plain",
            "required": [
                {
                    "source": "flu",
                    "target": "gripe",
                    "state": "missing",
                    "source_span": [0, 3],
                    "reason": "no_place",
                }
            ],
            "forbidden": ["gripa"],
            "edits": [{"step": "forced", "term": "gripe", "refused": "score"}],
        },
        "findings": [
            {
                "kind": "number",
                "severity": "critical",
                "source_span": [0, 1],
                "target_span": None,
                "message": "gone",
            }
        ],
        "needs_review": True,
    }
