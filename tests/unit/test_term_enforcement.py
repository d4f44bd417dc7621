"""Enforcement over a fake model: a word-for-word translator whose attention is the diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from data.segments import Hypothesis, Segment, Span, Translation
from terminology.agreement import Need, agrees_clearly, determiners, forms, verb_as
from terminology.enforcement import EnforceConfig, Enforcer, Step
from terminology.guards import clinical_safety
from terminology.matching import TermMatcher
from terminology.medicines import medicine_names
from terminology.placing import Place, places_of
from terminology.termbase import Term, Termbase, Variant
from terminology.word_classes import has_object, is_noun_for_adjective

WORDS = {"the": "a", "flu": "influenza", "season": "época", "starts": "começa", "a": "um", "mask": "pano",
         "infected": "contaminado", "man": "homem", "US": "EUA", "spreads": "espalha"}  # fmt: skip


@dataclass(frozen=True)
class FakeDraft:
    text: str
    pieces: tuple[str, ...]
    score: float
    attention: tuple[tuple[float, ...], ...]


class FakeDecoder:
    """Each word is a piece; `likes` are pieces that it finds likely, `blind` hides the attention."""

    def __init__(
        self, likes: Sequence[str] = (), blind: bool = False, second: str = "", tail: str = ""
    ) -> None:
        self.likes, self.blind, self.second, self.tail = set(likes), blind, second, tail
        self.calls: list[str] = []

    def drafts(
        self,
        sentences: Sequence[str],
        count: int = 1,
        prefixes: Sequence[Sequence[str] | None] | None = None,
        attention: bool = False,
    ) -> list[list[FakeDraft]]:
        self.calls.append("forced" if prefixes else "beam" if count > 1 else "plain")
        forced = prefixes or [None] * len(sentences)
        found = [
            [self._draft(text, list(prefix or ()))] for text, prefix in zip(sentences, forced, strict=True)
        ]
        if count > 1 and self.second:
            found = [[*drafts, self._of(self.second)] for drafts in found]
        return found

    def _draft(self, sentence: str, prefix: list[str]) -> FakeDraft:
        words = [WORDS.get(word, word) for word in sentence.split()]
        pieces = prefix + ["▁" + word for word in words[len(prefix) :]]
        return self._of(" ".join(piece.lstrip("▁") for piece in pieces) + (self.tail if prefix else ""))

    def _of(self, text: str) -> FakeDraft:
        pieces = self.target_pieces(text)
        size = len(pieces)
        rows = tuple(
            tuple(float(row == column and not self.blind) for column in range(size)) for row in range(size)
        )
        return FakeDraft(text, tuple(pieces), -0.1, rows)

    def beginning_scores(
        self, sentences: Sequence[str], beginnings: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        return [
            [-0.1 if piece.lstrip("▁") in self.likes else -0.2 for piece in pieces] for pieces in beginnings
        ]

    def score(self, sentences: Sequence[str], translations: Sequence[str]) -> list[float]:
        return [-0.1 for _ in sentences]

    def fits(self, sentences: Sequence[str]) -> list[bool]:
        return [len(sentence) < 200 for sentence in sentences]

    def source_spans(self, sentence: str) -> list[Span]:
        spans, start = [], 0
        for word in sentence.split():
            spans.append(Span(start, start + len(word)))
            start += len(word) + 1
        return spans

    def target_pieces(self, text: str) -> list[str]:
        return ["▁" + word for word in text.split()]


def matcher(*pairs: tuple[str, str]) -> TermMatcher:
    terms = tuple(Term(str(n), source, (Variant(target),)) for n, (source, target) in enumerate(pairs))
    return TermMatcher([Termbase("b", "en", "pt", terms)])


def run(decoder: FakeDecoder, text: str, *pairs: tuple[str, str], **settings: object):  # type: ignore[no-untyped-def]
    safety = settings.pop("safety", None)
    enforcer = Enforcer(decoder, matcher(*pairs), EnforceConfig(**settings), safety)  # type: ignore[arg-type]
    [result] = enforcer.translate([Segment("s1", text)])
    return result


@pytest.mark.parametrize(
    ("text", "pairs", "expected", "step"),
    [
        ("the season starts", [("flu", "gripe")], "a época começa", Step.NO_TERMS),
        ("the flu season", [("season", "época")], "a influenza época", Step.PLAIN),
        ("the flu season starts", [("flu", "gripe")], "a gripe época começa", Step.REPLACED),
        ("flu starts", [("flu", "gripe")], "Gripe começa", Step.REPLACED),  # a sentence starts with a capital
        ("the flu US", [("flu", "gripe"), ("US", "Estados Unidos")], "a gripe Estados Unidos", Step.REPLACED),
        ("flu spreads flu", [("flu", "gripe")], "Gripe espalha gripe", Step.REPLACED),
        ("a mask", [("masks", "máscaras")], "uma máscara", Step.REPLACED),
    ],
)
def test_translate(text: str, pairs: list[tuple[str, str]], expected: str, step: Step) -> None:
    result = run(FakeDecoder(likes=["um", "a"]), text, *pairs)
    assert (result.translation.target, result.step) == (expected, step)
    assert result.check.ok
    assert result.translation.source.id == "s1"


def test_the_model_chooses_the_determiner() -> None:
    result = run(FakeDecoder(likes=["o"]), "the flu starts", ("flu", "vírus"))
    assert result.translation.target == "o vírus começa"


def test_what_reads_badly_is_finished_by_the_model() -> None:
    class Rough(FakeDecoder):
        def beginning_scores(self, sentences, beginnings):  # type: ignore[no-untyped-def]
            return [[-9.0 if piece == "▁começa" else -0.1 for piece in pieces] for pieces in beginnings]

    decoder = Rough()
    result = run(decoder, "flu starts", ("flu", "gripe"))
    assert result.step is Step.FORCED
    assert "forced" in decoder.calls
    assert result.translation.target == "Gripe começa"


def test_without_attention_the_candidates_are_searched() -> None:
    result = run(FakeDecoder(blind=True, second="a gripe época"), "the flu season", ("flu", "gripe"))
    assert (result.translation.target, result.step) == ("a gripe época", Step.RERANKED)


def test_what_cannot_be_placed_stays_and_says_why() -> None:
    result = run(FakeDecoder(blind=True), "the flu season", ("flu", "gripe"))
    assert (result.translation.target, result.step) == ("a influenza época", Step.PLAIN)
    assert result.why_missing == {"gripe": "no_place"}


def test_the_guard_keeps_the_earlier_text() -> None:
    def safety(_source: str, target: str) -> list[str]:
        return ["dose"] if "gripe" in target else []

    result = run(FakeDecoder(), "the flu season", ("flu", "gripe"), safety=safety)
    assert (result.translation.target, result.step) == ("a influenza época", Step.PLAIN)
    assert result.why_missing == {"gripe": "safety"}


def test_a_segment_that_the_model_cannot_read_whole_is_left_alone() -> None:
    decoder = FakeDecoder()
    result = run(decoder, "flu " + "x " * 150, ("flu", "gripe"))
    assert result.why_missing == {"gripe": "too_long"}
    assert decoder.calls == ["plain"]


def test_a_term_without_a_word_of_the_model_is_forced_all_the_same() -> None:
    result = run(FakeDecoder(), "the zzz season", ("zzz", "x.b* (c)"))
    assert result.translation.target == "a x.b* (c) época"


def test_order_and_empty_input() -> None:
    enforcer = Enforcer(FakeDecoder(), matcher(("flu", "gripe")))
    assert enforcer.translate([]) == []
    texts = ["the season", "the flu", "season"]
    results = enforcer.translate([Segment(str(n), text) for n, text in enumerate(texts)])
    assert [result.translation.target for result in results] == ["a época", "a gripe", "época"]


@pytest.mark.parametrize(
    ("variant", "language", "need", "expected"),
    [
        ("doença respiratória", "pt", Need(plural=True), ("doenças respiratórias", "doença respiratória")),
        (
            "equipamento de proteção",
            "pt",
            Need(plural=True),
            ("equipamentos de proteção", "equipamento de proteção"),
        ),
        ("máscaras faciais", "pt", Need(singular=True), ("máscara facial", "máscaras faciais")),
        ("infeccioso", "pt", Need(), ("infeccioso", "infecciosa", "infecciosas", "infecciosos")),
        ("MERS (Síndrome)", "pt", Need(), ("MERS (Síndrome)",)),
        ("RNA", "pt", Need(plural=True), ("RNA",)),
        ("Krankenhaus", "de", Need(plural=True), ("Krankenhause", "Krankenhäuser", "Krankenhaus")),
        ("symptom", "en", Need(plural=True), ("symptoms", "symptom")),
        ("高血压", "zh", Need(plural=True), ("高血压",)),
    ],
)
def test_forms(variant: str, language: str, need: Need, expected: tuple[str, ...]) -> None:
    assert forms(variant, language, need) == expected


def test_verbs_are_conjugated() -> None:
    assert {"suspender", "suspenda", "suspende"} <= set(forms("suspender", "pt", Need()))


def test_determiners() -> None:
    assert determiners("Da", "pt") == ("Da", "Do", "Dos", "Das")
    assert determiners("gripe", "pt") == ()


def test_a_document_keeps_its_word_for_a_term() -> None:
    both = Term("1", "flu", (Variant("gripe"), Variant("influenza")))
    enforcer = Enforcer(FakeDecoder(), TermMatcher([Termbase("b", "en", "pt", (both,))]))
    texts = [("the flu season", "a gripe época"), ("the flu starts", "a influenza começa")]
    given = [Translation(Segment(str(n), source), target) for n, (source, target) in enumerate(texts)]
    wordings: dict[str, str] = {}
    first, second = enforcer.enforce(given, wordings)
    assert wordings == {"flu": "gripe"}
    assert first.translation.target == "a gripe época"
    assert second.translation.target == "a gripe começa"
    assert second.terms.step == Step.REPLACED
    [later] = enforcer.enforce([given[1]], wordings)  # another part of the same document
    assert later.translation.target == "a gripe começa"
    [other] = enforcer.enforce([given[1]], {})  # another document
    assert other.translation.target == "a influenza começa"
    assert other.terms.ok


def test_a_wording_that_cannot_be_changed_is_told() -> None:
    both = Term("1", "flu", (Variant("gripe"), Variant("influenza")))
    enforcer = Enforcer(FakeDecoder(blind=True), TermMatcher([Termbase("b", "en", "pt", (both,))]))
    [result] = enforcer.enforce([Translation(Segment("1", "the flu"), "a influenza")], {"flu": "gripe"})
    assert [(use.state, use.reason) for use in result.terms.required] == [("exact", "other_wording")]
    assert not result.terms.ok


def test_other_candidates_and_ids_stay_with_a_mended_translation() -> None:
    plain = Translation(Segment("s9", "the flu"), "a influenza", None, (Hypothesis("uma influenza"),))
    [result] = Enforcer(FakeDecoder(), matcher(("flu", "gripe"))).enforce([plain])
    assert result.translation.target == "a gripe"
    assert (result.translation.source, result.translation.alternatives) == (plain.source, plain.alternatives)


def test_a_translation_of_another_origin_is_traced() -> None:
    """Beam search, or a person: the model is led along the text that is given."""
    decoder = FakeDecoder()
    given = Translation(Segment("1", "the flu season"), "uma influenza estação")
    [result] = Enforcer(decoder, matcher(("flu", "gripe"))).enforce([given])
    assert result.translation.target == "uma gripe estação"
    assert decoder.calls[:2] == ["plain", "forced"]


def test_a_preposition_behind_the_old_words_stays_whatever_it_looked_at() -> None:
    """`infecção por coronavírus`, where `por` looks at `infection` as well."""
    rows = ((1.0, 0.0), (0.9, 0.1), (0.0, 1.0))
    draft = FakeDraft("infecção por COVID", ("▁infecção", "▁por", "▁COVID"), -0.1, rows)
    [match] = matcher(("infection", "infeção")).find("infection COVID")
    spans = [Span(0, 9), Span(10, 15)]
    assert places_of(draft, spans, match, "pt") == [Place(0, 1)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("infeção", "infecção", True),
        ("hospitalizados", "internados", True),
        ("pulmão", "infecção", False),  # -ão may be of either gender
        ("toca", "toque", False),
        ("infetado", "infectada", False),
    ],
)
def test_agrees_clearly(first: str, second: str, expected: bool) -> None:
    assert agrees_clearly(first, second, "pt") is expected
    assert not agrees_clearly(first, second, "fi")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("flu", "o flu época"),  # the same on both sides
        ("إنفلونزا", "a إنفلونزا época"),
        ("流行性感冒", "a 流行性感冒 época"),
        (r"(gripe|.*)\1", r"a (gripe|.*)\1 época"),
    ],
)
def test_unusual_targets(target: str, expected: str) -> None:
    assert run(FakeDecoder(), "the flu season", ("flu", target)).translation.target == expected


@pytest.mark.parametrize(
    ("old", "after", "language", "expected"),
    [
        ("tocar", " o rosto.", "pt", True),
        ("tocar", " superfícies que", "pt", True),
        ("tocá", "-las.", "pt", True),
        ("tocar", ".", "pt", False),
        ("tocar", " e lavar", "pt", False),
        ("rastrear", " de rotina", "pt", False),
        ("toque", " o rosto", "pt", False),
        ("tocar", " la cara", "es", True),
        ("toucher", " le visage", "fr", True),
        ("infecção", " grave", "pt", False),
    ],
)
def test_has_object(old: str, after: str, language: str, expected: bool) -> None:
    assert has_object(old, after, language) is expected


@pytest.mark.parametrize(
    ("form", "old", "expected"),
    [
        ("pulmão", "pulmonar", True),
        ("pulmão", "pulmões", False),
        ("respiratória", "pulmonar", False),
        ("da comunidade", "hospitalar", False),  # brings its own preposition
        ("tocar", "pulmonar", False),
        ("rosto", "tocar", False),  # an infinitive, though it ends as an adjective
    ],
)
def test_is_noun_for_adjective(form: str, old: str, expected: bool) -> None:
    assert is_noun_for_adjective(form, old, "pt") is expected


def test_a_noun_that_stands_for_an_adjective_gets_its_preposition() -> None:
    class Lungs(FakeDecoder):
        def beginning_scores(self, sentences, beginnings):  # type: ignore[no-untyped-def]
            return [[-0.1 if "▁de" in pieces else -0.5 for _ in pieces] for pieces in beginnings]

    given = Translation(Segment("1", "the lung"), "doença pulmonar")
    [result] = Enforcer(Lungs(), matcher(("lung", "pulmão"))).enforce([given])
    assert result.translation.target == "doença de pulmão"


def test_an_adjective_cannot_take_over_the_object_of_a_verb() -> None:
    given = Translation(Segment("1", "avoid touching faces"), "evite tocar rostos")
    [result] = Enforcer(FakeDecoder(), matcher(("touching", "comovente"))).enforce([given])
    assert result.translation.target == "evite tocar rostos"
    assert [use.reason for use in result.terms.required] == ["part_of_speech"]


def test_a_term_beside_the_words_that_it_should_replace_is_refused() -> None:
    """`Continue glifage com metformina`: the model says its own word after all."""

    class Stubborn(FakeDecoder):
        def beginning_scores(self, sentences, beginnings):  # type: ignore[no-untyped-def]
            return [[-0.9 if piece == "▁500" else -0.1 for piece in pieces] for pieces in beginnings]

        def _draft(self, sentence, prefix):  # type: ignore[no-untyped-def]
            text = "continue glifage com metformina 500 mg" if prefix else "continue metformina 500 mg"
            return self._of(text)

    decoder = Stubborn()
    [result] = Enforcer(decoder, matcher(("metformin", "glifage"))).translate(
        [Segment("1", "continue metformin 500 mg")]
    )
    assert "forced" in decoder.calls
    assert (result.translation.target, result.step) == ("continue glifage 500 mg", Step.REPLACED)


@pytest.mark.parametrize(
    ("old", "variant", "language", "expected"),
    [
        ("segure", "suspender", "pt", "suspenda"),
        ("segura", "suspender", "pt", "suspende"),
        ("mantido", "interromper", "pt", "interrompido"),
        ("segurar", "suspender", "pt", ""),  # the base's own form will do
        ("dose", "suspender", "pt", "suspenda"),  # `dosar`
        ("febre", "suspender", "pt", ""),
        ("segure", "febre", "pt", ""),
        ("mantenga", "suspender", "fi", ""),
    ],
)
def test_a_verb_takes_the_form_of_the_old_one(old: str, variant: str, language: str, expected: str) -> None:
    assert verb_as(old, variant, language) == expected


def test_an_imperative_is_not_made_an_infinitive_by_the_base() -> None:
    given = Translation(Segment("1", "hold warfarin"), "segure varfarina")
    [result] = Enforcer(FakeDecoder(), matcher(("hold", "suspender"))).enforce([given])
    assert result.translation.target == "Suspenda varfarina"


def test_the_clients_name_of_a_medicine_passes_the_guard() -> None:
    base = Termbase("b", "en", "pt", (Term("1", "metformin", (Variant("glifage"),)),))
    given = Translation(Segment("1", "stop metformin"), "suspenda metformina")
    for termbases, target in (((), "suspenda metformina"), ((base,), "suspenda glifage")):
        safety = clinical_safety("en", "pt", termbases)
        [result] = Enforcer(FakeDecoder(), TermMatcher([base]), safety=safety).enforce([given])
        assert result.translation.target == target
    assert medicine_names([Termbase("b", "en", "pt", (Term("1", "fever", (Variant("febre"),)),))]) is None


def test_an_empty_base_changes_nothing() -> None:
    given = Translation(Segment("1", "the flu"), "a influenza")
    [result] = Enforcer(FakeDecoder(), TermMatcher([Termbase("b", "en", "pt", ())])).enforce([given])
    assert (result.translation, result.terms.step, result.terms.required) == (given, Step.NO_TERMS, ())
