"""Tags and placeholders come back exactly once, around the right words, whatever the model does."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt.alignment import EngineAligner
from mt.engine import Engine
from mt.markup import MarkupChunk, translate_markup
from mt.markup_parsing import parse_markup
from mt.markup_placeholders import placeholders
from mt.markup_projection import Links, Mark, project
from mt.models import find_model


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(find_model("en", "pt"))


@pytest.mark.parametrize(
    ("text", "kind", "translations", "expected"),
    [
        (
            "<p>Take <b>two red</b> tablets, {name}.</p>",
            "html",
            ["Tome dois comprimidos vermelhos, X1."],
            "<p>Tome <b>dois comprimidos vermelhos</b>, {name}.</p>",
        ),
        (
            "<p>The <b>patient</b> rests every <a href='x'>morning</a>. Stop <code>now</code>.</p>",
            "html",
            ["O paciente descansa todas as manhãs.", "Pare."],
            "<p>O <b>paciente</b> descansa todas as <a href='x'>manhãs</a>. Pare <code>now</code>.</p>",
        ),
        (
            'Take <x id="1"/> tablets of %s each {day}.',
            "text",
            ["Tome comprimidos de X1 cada X2."],
            'Tome <x id="1"/> comprimidos de %s cada {day}.',
        ),
        (
            '<d><p>The <g id="1">blood pressure</g> was low.</p>\n<p translate="no">Dr Smith</p></d>',
            "xml",
            ["A pressão arterial era baixa."],
            '<d><p>A <g id="1">pressão arterial</g> era baixa.</p>\n<p translate="no">Dr Smith</p></d>',
        ),
        (
            "<p><u>HIGH <b>BLOOD PRESSURE</b> TODAY</u></p>",
            "html",
            ["PRESSÃO ARTERIAL ALTA HOJE"],
            "<p><u><b>PRESSÃO ARTERIAL</b> ALTA HOJE</u></p>",
        ),
    ],
)
def test_marks_go_with_their_words(
    engine: Engine, text: str, kind: str, translations: list[str], expected: str
) -> None:
    found = translate_markup([text], kind, "en", lambda _: translations, EngineAligner(engine))
    assert found == [expected]


def same(sentences: Sequence[str]) -> list[str]:
    return list(sentences)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<p>CO<sub>2</sub> &amp; 10<sup>9</sup>/L &mdash; it&rsquo;s <br/> a &lt; b</p>", "html"),
        ("<ul>\n  <li>One thing.</li>\n\n  <li><b>Two.</b> Three.</li>\n</ul>", "html"),
        ("<p>Not <b>closed <i>here</b> or</i> there</div> <", "html"),
        ("<script>if (a < b) x('<p>')</script><style>p {color: red}</style>", "html"),
        ("a <![CDATA[x]]> b <!-- c --> d <?php e ?>", "html"),
        ("Use {a}, {0}, %s, %(x)d, {{ y }}, ${z} and {n, plural, one {# day} other {# days}}.", "text"),
        ("5 % saline, 10% dextrose, 50%; see {the note}", "text"),
        ("<r><seg>It is <ph id='1'>x</ph> here.</seg>\n<seg>And there.</seg></r>", "xml"),
        ("if p < 0.05 and q > 3", "html"),
        ("Line one.\r\n\r\n\tLine <b>two</b>.", "text"),
        ("", "html"),
        ("<p></p>", "html"),
    ],
)
def test_a_translation_that_changes_nothing_changes_nothing(text: str, kind: str) -> None:
    assert translate_markup([text], kind, "en", same) == [text]


@pytest.mark.parametrize(
    ("text", "kind", "ignore", "sentences"),
    [
        ("<p>One <b>two</b>.</p><p>Three.</p>", "html", (), ["One two.", "Three."]),
        ("One<br>two", "html", (), ["One", "two"]),
        ("<p>A&eacute;b {x}\n   c</p>", "html", (), ["Aéb X1 c"]),
        ("<a>One <keep>Dr <b>No</b></keep> two</a>", "xml", ("keep",), ["One  two"]),
        ('<p>One <span class="a notranslate">No</span>two</p>', "html", (), ["One two"]),
        ("<d><t>One</t><t>Two</t></d>", "xml", (), ["One", "Two"]),
        ("X1 has {n} cells", "text", (), ["X1 has Z1 cells"]),
        ("{a} {b}", "text", (), []),
    ],
)
def test_what_the_model_reads(text: str, kind: str, ignore: tuple[str, ...], sentences: list[str]) -> None:
    found = MarkupChunk.of(text, kind, "en", ignore_tags=ignore).sentences
    assert [re.sub(" +", " ", one) for one in found] == [re.sub(" +", " ", one) for one in sentences]


@pytest.mark.parametrize(
    ("translation", "expected"),
    [
        ("Olá X1, tem X2.", "Olá {a}, tem {b}."),
        ("Olá, tem X2.", "Olá {a}, tem {b}."),
        ("Olá X1 X1, tem X2 X2.", "Olá {a}, tem {b}."),
        ("Olá X2 e X1 e X12.", "Olá {b} e {a} e X12."),
        ("", "{a}{b}"),
    ],
)
def test_a_model_that_loses_or_doubles_placeholders(translation: str, expected: str) -> None:
    chunk = MarkupChunk.of("Hello {a}, you have {b}.", "text", "en")
    assert sorted(re.findall("{.}", chunk.render([translation]))) == ["{a}", "{b}"]
    if "," in expected:
        assert chunk.render([translation]) == expected


def test_pairs_stay_nested_where_words_change_places() -> None:
    # a b c -> c b a ; <i> around a, <b> around b c, <u> around c in it
    links: Links = [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    marks = [
        Mark(0, 2, "<i>", "</i>"),
        Mark(3, 8, "<b>", "</b>", children=[Mark(6, 8, "<u>", "</u>")]),
    ]
    assert project("aa bb cc", "xx yy zz", marks, links, str) == "<b><u>xx</u> yy</b> <i>zz</i>"


_TAG = re.compile(r"<[^<>]*>")
_HTML = ["<p>", "</p>", "<b>", "</b>", "<i>", "</i>", "<br>",
         "<x id='1'/>", "<span translate='no'>", "</span>", "<!-- c -->",
         "<td>", "</td>", "<code>", "</code>"]  # fmt: skip
_PLACES = ["{name}", "%s", "%(x)d", "{{ y }}", "{n, plural, one {# a} other {# b}}", "${q}", "%1$s", "[X12X]"]
_WORDS = [
    "Take",
    "two",
    "red tablets",
    "5 mg",
    ". ",
    "CO",
    "X1",
    "&amp;",
    "&nbsp;",
    "“é”",
    "日本",
    " ",
    "\n",
    "   ",
    "a.b",
]


def mangled(sentences: Sequence[str], how: int) -> list[str]:
    """What a bad model may do."""
    found = []
    for sentence in sentences:
        words = sentence.split(" ")
        if how == 1:
            words.reverse()
        elif how == 2:
            words = [word for word in words if not re.search(r"\d", word)]
        elif how == 3:
            words = words * 2
        elif how == 4:
            words = []
        found.append(" ".join(words))
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(_HTML + _PLACES + _WORDS), max_size=25),
    st.sampled_from(["html", "xml", "text"]),
    st.integers(0, 4),
)
def test_every_tag_and_placeholder_comes_back_exactly_once(parts: list[str], kind: str, how: int) -> None:
    text = " ".join(part for part in parts if kind != "text" or not part.startswith("<!"))
    out = translate_markup([text], kind, "en", lambda sentences: mangled(sentences, how))[0]
    assert Counter(_TAG.findall(out)) == Counter(_TAG.findall(text))
    for placeholder in _PLACES:
        assert out.count(placeholder) == text.count(placeholder), placeholder


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="<>/ab&;!-[]'\"= {}%s\n#1é", max_size=60), st.sampled_from(["html", "xml", "text"]))
def test_any_text_is_taken_apart_without_loss(text: str, kind: str) -> None:
    assert "".join(node.raw for node in parse_markup(text, kind)) == text
    translate_markup([text], kind, "en", same)
    list(placeholders(text))


@pytest.mark.parametrize(
    "text",
    ["<a" * 30_000, "<!--" * 10_000, "<a href='" * 10_000, "{" * 30_000,
     "<b>" * 5_000 + "a" + "</b>" * 5_000,
     "<![x " * 10_000, "&#" * 30_000, "<script>" * 5_000, "{a, plural, " * 2_000, "%" * 30_000,
     "<b>a " * 700 + "</b>" * 700],
)  # fmt: skip
def test_hostile_text_takes_no_time(text: str) -> None:
    start = time.process_time()
    for kind in ("html", "text"):
        found = translate_markup([text], kind, "en", same)[0]
        assert Counter(_TAG.findall(found)) == Counter(_TAG.findall(text))
    assert time.process_time() - start < 8


def test_tags_of_a_very_deep_text_keep_their_order() -> None:
    text = "<b>a " * 100 + "</b>" * 100
    assert _TAG.findall(translate_markup([text], "html", "en", same)[0]) == _TAG.findall(text)
