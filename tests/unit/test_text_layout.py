"""Layout: what is translated, what is kept, and that no translation can change the lines."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt.layout import Layout, one_line, parse

# Sentences to translate stand between ⟨ and ⟩; everything else is kept.
CASES = [
    "",
    " \n\n\t ",
    "⟨Take 5 mg.⟩  ⟨Rest.⟩",
    "  ⟨Indented.⟩  \r\n\r\n⟨Next.⟩\r",
    "- ⟨Rest⟩\n* ⟨Fluids⟩\n• ⟨Sleep⟩\n– ⟨Food⟩",
    "1. ⟨Take it.⟩ ⟨Rest.⟩\n2) ⟨Walk⟩\n(3) ⟨Sleep⟩\n10. ⟨End⟩\n1.2. ⟨Methods⟩",
    "a) ⟨Rest⟩\n(iv) ⟨Walk⟩\nIV. ⟨Plan⟩\nb. ⟨Eat well⟩\nB) ⟨Sleep⟩",
    "⟨E. coli was found.⟩\n⟨T. cruzi too.⟩",
    "# ⟨History⟩\n### ⟨Plan⟩\n> ⟨Quoted⟩\n⟨> 5 cm lesion⟩\n- [ ] ⟨Call⟩\n- [x] ⟨Done⟩",
    "-----\n=====\n12/07/2024\n120/80\n😀\n***\n10²\n1º",
    "⟨Name:⟩\t⟨Ana⟩\t12",
    "⟨Na⟩          ⟨normal⟩",
    "⟨Name:⟩ ________ ⟨Date:⟩ ____",
    "⟨Contents⟩ ........ 12",
    "✅ ⟨Done⟩\n1 - ⟨First⟩\n⟨10 - 20 mg daily⟩",
    "https://example.org/a\nana@example.org\n⟨See www.who.int now.⟩",
    "\ufeff⟨Text.⟩",
    "⟨a⟩\x00⟨b⟩\x1b⟨c⟩\ud800⟨d⟩\x85⟨e⟩\u2028⟨f⟩\u2029⟨g⟩\x0b⟨h⟩\x0c⟨i⟩",
    "⟨مرحبا بكم.⟩\n⟨שלום.⟩",
    "⟨a\u00a0b⟩\u00a0\u3000\n",
]


@pytest.mark.parametrize("marked", CASES)
def test_what_is_translated(marked: str) -> None:
    layout = parse(re.sub("[⟨⟩]", "", marked), "en")
    assert layout.render([f"⟨{sentence}⟩" for sentence in layout.sentences]) == marked


def test_lines_are_kept_whole_on_request() -> None:
    layout = parse("1. Take 5 mg. Rest. \n\n--\n", "en", split=False)
    assert layout == Layout(gaps=("", " \n\n--\n"), sentences=("1. Take 5 mg. Rest.",))


def test_translations_cannot_break_lines() -> None:
    layout = parse("One.\nTwo.", "en")
    assert layout.render(["a\nb\r\nc", "\x00d\u2028\ud800"]) == "a b c\n d "
    assert one_line("a\tb") == "a b"
    assert one_line("a\u00a0b\u200d") == "a\u00a0b\u200d"


def test_each_sentence_needs_its_translation() -> None:
    with pytest.raises(ValueError, match="1 translations for 2 sentences"):
        parse("One.\nTwo.", "en").render(["Um."])


SIGNS = [
    *"aB .\n\r\t-#>*|1)(•\x00\x0b\x85\u2028\ud800\ufeffé\u00a0\u0301",
    "\r\n",
    "Dr. ",
    "1. ",
    "- ",
    "   ",
    "____",
]
ANY_TEXT = st.one_of(st.text(st.characters()), st.lists(st.sampled_from(SIGNS), max_size=40).map("".join))
TRANSLATORS: list[Callable[[str], str]] = [
    str.upper,
    lambda _: "",
    lambda sentence: f"\n{sentence}\r\n\u2029",
    lambda sentence: sentence[::-1] + "\x00\ud800",
]


@settings(deadline=None)
@given(ANY_TEXT, st.booleans())
def test_identity_gives_the_text_back(text: str, split: bool) -> None:
    layout = parse(text, "en", split=split)
    assert layout.render(layout.sentences) == text
    assert all(sentence.strip() == sentence != "" for sentence in layout.sentences)


@settings(deadline=None)
@given(ANY_TEXT, st.sampled_from(TRANSLATORS), st.sampled_from(["en", "pt", "ar", "zh"]))
def test_any_translation_keeps_lines_and_paragraphs(
    text: str, translate: Callable[[str], str], language: str
) -> None:
    def breaks(string: str) -> list[str]:
        return re.findall("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", string)

    layout = parse(text, language)
    translated = layout.render([translate(sentence) for sentence in layout.sentences])
    assert breaks(translated) == breaks(text)
    kept_empty = [not line.strip() for line in text.splitlines()]
    if translate is str.upper:
        assert [not line.strip() for line in translated.splitlines()] == kept_empty


@settings(deadline=None)
@given(ANY_TEXT)
def test_the_model_gets_clean_text(text: str) -> None:
    for sentence in parse(text, "en").sentences:
        sentence.encode()  # no lone surrogate
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]", sentence)
        assert any(character.isalnum() for character in sentence)


@pytest.mark.parametrize(
    "unit", ["a ", "a. ", "x", "1. ", ". . ", "(a) ", "   a", "😀 ", "a.b@", "#", "\x00a", "Dr. "]
)
def test_a_long_line_takes_linear_time(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    started = time.process_time()
    layout = parse(text, "en")
    assert layout.render(layout.sentences) == text
    assert time.process_time() - started < 5
