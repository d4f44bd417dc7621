"""Hard-wrapped text: sentences are read whole, and as many lines come out as went in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt.layout import parse
from mt.wrapping import rewrapped, unwrapped

NOTE = """\
DISCHARGE SUMMARY

The patient is a 64-year-old man who was admitted with chest pain and
shortness of breath. He has a history of hypertension and of type 2
Diabetes mellitus, treated with metformin 850 mg twice daily.

MEDICATIONS ON DISCHARGE
1. Metoprolol 25 mg twice daily, to be taken with food in the morning
   and in the evening.
2. Aspirin 81 mg once daily.
"""


def test_sentences_are_whole_and_lines_are_kept() -> None:
    layout = parse(NOTE, "en")
    assert "The patient is a 64-year-old man who was admitted with chest pain and shortness of breath." in (
        layout.sentences
    )
    assert "Metoprolol 25 mg twice daily, to be taken with food in the morning and in the evening." in (
        layout.sentences
    )
    assert layout.render(layout.sentences) == NOTE
    longer = layout.render([f"{sentence} {sentence}" for sentence in layout.sentences])
    assert longer.count("\n") == NOTE.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "Blood pressure 120/80\nheart rate 70",  # short lines
        "The patient was admitted to the ward with a high fever.\nhe was given paracetamol at once there",
        "The following medicines must not be stopped by the patient:\naspirin and metoprolol, every day",
        "The patient was admitted to the ward with a high fever\n\nhe was given paracetamol at once",
        "Metoprolol twenty-five milligrams in the morning hours\nAspirin eighty-one milligrams at noon",
        "The first line is very short and could hold more\nwords, but the second is a great deal longer",
        "The patient was admitted to the ward with a high fever\n- he was given paracetamol at once there",
        "Name        of the medicine which the patient takes\nevery single day        for a fortnight",
    ],
)
def test_lines_that_end_stay_apart(text: str) -> None:
    assert unwrapped(text) == (text, [])


def test_a_break_goes_to_the_nearest_space() -> None:
    assert rewrapped("um dois tres", 11, [(4, "\n")]) == "um\ndois tres"
    assert rewrapped("um", 11, [(4, "\r\n")]) == "um\r\n"


_LINE = st.text(alphabet="abcdeé,. A1\t-", max_size=70)


@given(st.lists(_LINE, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_untranslated_it_is_what_it_was_or_only_moves_a_break(lines: list[str], newline: str) -> None:
    text = newline.join(lines)
    joined, wraps = unwrapped(text)
    for position, raw in reversed(wraps):
        joined = joined[:position] + raw + joined[position + 1 :]
    assert joined == text
    layout = parse(text, "en")
    assert layout.render(["x"] * len(layout.sentences)).count(newline) == text.count(newline)
    assert layout.render(layout.sentences) == text
