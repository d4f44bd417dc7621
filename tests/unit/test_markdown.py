"""Markdown: prose is translated, markup survives whatever the model does with it."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt.documents import ReadOptions, read_stream
from mt.formats.inline import scan
from mt.wrapping import rewrapped


def translated(text: str, translate: Callable[[str], str]) -> str:
    chunks = read_stream(io.BytesIO(text.encode()), "file.md", ".md", ReadOptions(language="en"))
    return "".join(chunk.render([translate(sentence) for sentence in chunk.sentences]) for chunk in chunks)


def model_input(text: str) -> list[str]:
    chunks = read_stream(io.BytesIO(text.encode()), "file.md", ".md", ReadOptions(language="en"))
    return [sentence for chunk in chunks for sentence in chunk.sentences]


def brackets(sentence: str) -> str:
    return f"⟨{sentence}⟩"


DOCUMENTS = [
    "# ⟨Dose⟩\n\n⟨Take it.⟩ ⟨Rest.⟩\n",
    "⟨Title⟩\n=====\n\n⟨Part⟩\n---\n## ⟨Closed⟩ ##\n",
    "- ⟨one⟩\n- ⟨two⟩\n  - ⟨three⟩\n\n1. ⟨four⟩\n2. ⟨five⟩\n- [ ] ⟨six⟩\n",
    "> ⟨quoted⟩\n>\n> - ⟨in a list⟩\n",
    "```python\nx = 'kept'\n\ny = 1\n```\n\n⟨after⟩\n\n    indented code\n\n⟨end⟩",
    "~~~\n```\nkept\n~~~\n⟨after⟩\n",
    "- ⟨item⟩\n\n  ```\n  kept\n  ```\n\n  ⟨more⟩\n",
    "---\ntitle: kept\n---\n\n⟨text⟩\n",
    "\ufeff---\r\ntitle: kept\r\n---\r\n⟨text⟩\r\n",
    "<div>\nkept\n</div>\n\n<!-- kept\n\nkept -->\n\n⟨text⟩\n",
    "[label]: https://example.org 'kept'\n\n⟨text⟩\n",
    "[^1]: ⟨A note.⟩\n",
    "| ⟨Drug⟩ | ⟨Dose⟩ |\n|:-----|-----:|\n| ⟨aspirin⟩ | 5 |\n| `x` | ⟨one⟩ |\n\n⟨text⟩\n",
    "⟨hard break⟩  \n⟨next⟩\\\n⟨last⟩\n",
    "![kept](a.png)\n\n`kept` <https://example.org>\n\nhttps://example.org/kept\n",
    "**⟨Bold.⟩** *⟨All of it.⟩*\n",
    '[⟨Text⟩](https://example.org/a_(b) "kept")\n',
    "***\n\n- - -\n\n* * *\n",
    "⟨one⟩\r\r⟨two⟩\r",
]


@pytest.mark.parametrize("marked", DOCUMENTS)
def test_what_is_translated(marked: str) -> None:
    assert translated(re.sub("[⟨⟩]", "", marked), brackets) == marked


INLINE = [
    ("Take `x` daily.", "Take X1 daily."),
    ("See [the guide](a.md) and **rest** now.", "See [1]the guide[2] and [3]rest[4] now."),
    ("Dose X1 of `y` here.", "Dose X1 of Z1 here."),
    ("As [1] says, *rest* now.", "As [1] says, [2]rest[3] now."),
    ("Costs $5 or 2 * 3 * 4 in snake_case_name.", "Costs $5 or 2 * 3 * 4 in snake_case_name."),
    ("Ask ana@example.org or https://example.org/a, please.", "Ask X1 or X2, please."),
    ("Where $x_1$ and &nbsp; and a<br>b.", "Where X1 and X2 and a[1]b."),
    ("A [ref][label] and [kept][] here[^2].", "A [1]ref[2] and X1 hereX2."),
    ("Over two\n> lines here.", "Over two > lines here."),
    (r"Not \*emphasis\* here.", r"Not \*emphasis\* here."),
]


@pytest.mark.parametrize(("text", "expected"), INLINE)
def test_what_the_model_sees(text: str, expected: str) -> None:
    if "> lines" in text:
        text, expected = "> Over two\n> lines here.", "Over two lines here."
    assert model_input(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "translation", "expected"),
    [
        ("Take `x` daily.", "Tome X1 todo dia.", "Tome `x` todo dia."),
        ("A **red** car.", "Um carro [1]vermelho[2].", "Um carro **vermelho**."),
        ("A **red** car.", "Um carro [1] vermelho [2] .", "Um carro **vermelho** ."),
        ("A **red** car.", "Um carro vermelho.", "[A] **[red]** [car.]"),
        ("A **red** car.", "Um [2]carro[1].", "[A] **[red]** [car.]"),
        ("Take `x` daily.", "Tome X1 X1.", "[Take] `x` [daily.]"),
        ("Take `x` daily.", "Tome X12.", "[Take] `x` [daily.]"),
        ("The [a](u) and [b](v) go.", "[3]b[4] e [1]a[2] vão.", "[b](v) e [a](u) vão."),
        ("> one two\n> three `x`.", "um dois três X1.", "> um dois\n> três `x`."),
    ],
)
def test_marks_survive_or_the_stretches_between_are_used(text: str, translation: str, expected: str) -> None:
    whole = model_input(text)[0]
    assert (
        translated(text, lambda sentence: translation if sentence == whole else f"[{sentence}]") == expected
    )


@pytest.mark.parametrize(
    ("translation", "breaks", "expected"),
    [
        ("um dois três", ((4, "\n"),), "um dois\ntrês"),
        ("umdois", ((4, "\n"),), "umdois\n"),
        ("", ((2, "\n"), (4, "\r\n")), "\n\r\n"),
        ("a b c d", ((2, "\n> "), (5, "\n")), "a\n> b c\nd"),
    ],
)
def test_line_breaks_come_back_at_spaces(
    translation: str, breaks: tuple[tuple[int, str], ...], expected: str
) -> None:
    assert rewrapped(translation, 8, breaks) == expected


SIGNS = [
    *"aB1 .\n\r\t-#>*_|)(][`~!\\$&<>:\x00\ufeffé",
    "\r\n",
    "```\n",
    "[a](b)",
    "**",
    "    ",
    "\n\n",
    "---\n",
    "|-|\n",
]
SIGNS += ["<!--", "-->", "<b>", "x1", "X1", "[1]", "https://a.b", "  \n", "- ", "1. ", "word ", "[^1]: "]
ANY_MARKDOWN = st.lists(st.sampled_from(SIGNS), max_size=40).map("".join)


@settings(deadline=None, max_examples=60)
@given(ANY_MARKDOWN)
def test_identity_gives_the_document_back(text: str) -> None:
    assert translated(text, lambda sentence: sentence) == text


TRANSLATORS: list[Callable[[str], str]] = [
    str.upper,
    lambda _: "",
    lambda sentence: sentence[::-1] + "\n",
    lambda sentence: f"{sentence} {sentence}",
]


@settings(deadline=None, max_examples=60)
@given(ANY_MARKDOWN, st.sampled_from(TRANSLATORS))
def test_any_translation_keeps_lines(text: str, translate: Callable[[str], str]) -> None:
    breaks = "[\n\r\x0b\x0c]"
    assert re.findall(breaks, translated(text, translate)) == re.findall(breaks, text)


PIECES = ["word ", "Two words. ", "`c` ", "**b** ", "[t](u) ", "![i](u) ", "https://a.b ", "<br> ", "and\n"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from(TRANSLATORS))
def test_any_translation_keeps_markup(text: str, translate: Callable[[str], str]) -> None:
    result = translated(text, translate)
    for markup in ("`c`", "**", "](u)", "![i](u)", "https://a.b", "<br>"):
        assert result.count(markup) == text.count(markup), markup


@pytest.mark.parametrize(
    "unit", ["`a ``", "[", "[a](", "*a ", "**a_", "<a ", "![", "$a", "a@b.", "`a` ", "&a", "\\"]
)
def test_scanning_takes_linear_time(unit: str) -> None:
    text = (unit * 30_000)[:30_000]
    started = time.process_time()
    scan(text)
    assert time.process_time() - started < 10  # quadratic work would take minutes


def test_a_long_document_is_cut_only_between_blocks() -> None:
    document = "Some text here.\n\n```\ncode\n\nmore code\n```\n\n- item\n\n  inside\n\n" * 3_000
    assert translated(document, str.upper) == document.replace("Some text here", "SOME TEXT HERE").replace(
        "item", "ITEM"
    ).replace("inside", "INSIDE")
