"""Numbers, units, frequencies, dates: what a line says, and when two lines say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.checks.amounts import compare
from data.checks.dates import clocks_of, dates_of
from data.checks.frequency import frequencies_of
from data.checks.numerals import numbers_of, readings
from data.checks.reading import Line, read
from data.checks.tables import languages, table_for


def line(text: str, language: str) -> Line:
    return read(text, table_for(language))


@pytest.mark.parametrize(
    ("written", "mark", "expected"),
    [
        ("1,000", ".", (1000.0, 1.0)),
        ("1.000", ",", (1000.0, 1.0)),
        ("1.500", ".", (1.5, 1500.0)),
        ("2,5", ",", (2.5,)),
        ("2.5", ",", (2.5,)),
        ("0.125", ",", (0.125,)),
        ("1,234.56", ".", (1234.56,)),
        ("1.234,56", ",", (1234.56,)),
        ("1,234,567", ".", (1234567.0,)),
        ("1.1.1.1", ".", ("1.1.1.1",)),
        ("42", "", (42.0,)),
    ],
)
def test_digits_are_read_as_the_language_writes_them(
    written: str, mark: str, expected: tuple[object]
) -> None:
    assert readings(written, mark) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("one hundred and twenty-five", "en", [125.0]),
        ("two thousand five hundred", "en", [2500.0]),
        ("five and six", "en", [5.0, 6.0]),
        ("2.5 million", "en", [2500000.0]),
        ("type IV", "en", [4.0]),
        ("cento e vinte e cinco", "pt", [125.0]),
        ("dois e três", "pt", [2.0, 3.0]),
        ("3 mil", "pt", [3000.0]),
        ("treinta y cinco", "es", [35.0]),
        ("dos mil millones", "es", [2e9]),
        ("quatre-vingt-dix-sept", "fr", [97.0]),
        ("soixante et onze", "fr", [71.0]),
        ("deux cent trois", "fr", [203.0]),
        ("fünfundzwanzig", "de", [25.0]),
        ("zweihundert", "de", [200.0]),
        ("½", "en", [0.5]),
        ("2½", "en", [2.5]),
        ("3/4", "en", [0.75]),
    ],
)
def test_numbers_in_words_are_put_together(text: str, language: str, expected: list[float]) -> None:
    assert [number.value for number in numbers_of(line(text, language))] == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("twice daily", "en", (2.0,)),
        ("b.i.d.", "en", (2.0,)),
        ("q8h", "en", (3.0,)),
        ("every 6 to 8 hours", "en", (3.0, 4.0)),
        ("8-hourly", "en", (3.0,)),
        ("every other day", "en", (0.5,)),
        ("3 times a week", "en", (0.428571,)),
        ("de 8 em 8 horas", "pt", (3.0,)),
        ("12/12 h", "pt", (2.0,)),
        ("3x/dia", "pt", (3.0,)),
        ("duas vezes ao dia", "pt", (2.0,)),
        ("cada 8 horas", "es", (3.0,)),
        ("toutes les 8 heures", "fr", (3.0,)),
        ("trois fois par semaine", "fr", (0.428571,)),
        ("alle 8 Stunden", "de", (3.0,)),
        ("zweimal täglich", "de", (2.0,)),
        ("2-mal pro Tag", "de", (2.0,)),
    ],
)
def test_frequencies_are_times_a_day(text: str, language: str, expected: tuple[float, ...]) -> None:
    read_line = line(text, language)
    assert [f.per_day for f in frequencies_of(read_line, numbers_of(read_line))] == [expected]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("March 4, 2020", "en", [((4, 3, 2020),)]),
        ("4th of May 2019", "en", [((4, 5, 2019),)]),
        ("03/04/2020", "en", [((4, 3, 2020), (3, 4, 2020))]),
        ("03/04/2020", "pt", [((3, 4, 2020),)]),
        ("2020-04-03", "pt", [((3, 4, 2020),)]),
        ("1º de maio", "pt", [((1, 5, None),)]),
        ("15.03.2020", "de", [((15, 3, 2020),)]),
        ("le 1er mars 2021", "fr", [((1, 3, 2021),)]),
        ("You may take 2", "en", []),
    ],
)
def test_dates_have_every_reading(text: str, language: str, expected: list[object]) -> None:
    read_line = line(text, language)
    assert [date.readings for date in dates_of(read_line, numbers_of(read_line))] == expected


@pytest.mark.parametrize(
    ("text", "language", "minutes"),
    [("8:30 pm", "en", 1230), ("20h30", "pt", 1230), ("8 da noite", "pt", 1200), ("12 am", "en", 0)],
)
def test_times_of_day_are_minutes(text: str, language: str, minutes: int) -> None:
    read_line = line(text, language)
    assert [clock.minutes for clock in clocks_of(read_line, numbers_of(read_line))] == [minutes]


SAME = [
    ("0.5 g", "500 mg", "en", "pt"),
    ("1,500 mL", "1,5 L", "en", "pt"),
    ("10,000 people", "10 000 personnes", "en", "fr"),
    ("150 lb", "68 kg", "en", "es"),
    ("101.3 °F", "38,5 °C", "en", "pt"),
    ("10 mg/dL", "0,1 g/L", "en", "pt"),
    ("5 mcg", "5 µg", "en", "de"),
    ("2 weeks", "14 dias", "en", "pt"),
    ("5 to 10 mg", "5-10 mg", "en", "pt"),
    ("the 1960s", "les années 60", "en", "fr"),
    ("two weekly sessions", "duas sessões semanais", "en", "pt"),
    ("3 pm", "15h", "en", "pt"),
    ("at 8am, 5pm and 10pm", "às 8h, 17h e 22h", "en", "pt"),
    ("at 8 pm for 8 hours", "um 20 Uhr für 8 Stunden", "en", "de"),
]


@pytest.mark.parametrize(("source", "target", "source_language", "target_language"), SAME)
def test_the_same_amount_in_other_words(
    source: str, target: str, source_language: str, target_language: str
) -> None:
    assert compare(line(source, source_language), line(target, target_language)) == []


def test_another_time_of_day_is_found() -> None:
    (finding,) = compare(line("at 8 pm", "en"), line("às 21h", "pt"))
    assert (finding.kind, finding.severity) == ("date", "critical")


def test_a_number_left_in_the_other_notation_is_pointed_out() -> None:
    (finding,) = compare(line("3.125 mg", "en"), line("3.125 mg", "pt"))
    assert (finding.kind, finding.severity) == ("number", "major")
    assert "3.125" in finding.message
    assert "3125" in finding.message


def test_a_date_that_both_orders_allow_is_minor() -> None:
    (finding,) = compare(line("on 03/04/2020", "en"), line("em 03/04/2020", "pt"))
    assert (finding.kind, finding.severity) == ("date", "minor")


@given(st.integers(2, 10**9), st.sampled_from(["en", "pt", "es", "fr", "de"]))
def test_a_whole_number_equals_itself_in_every_notation(number: int, language: str) -> None:
    grouped = f"{number:,}".replace(",", "." if language != "en" else ",")
    assert compare(line(f"x {number} x", "en"), line(f"x {grouped} x", language)) == []


@given(st.integers(1, 99), st.integers(1, 99), st.sampled_from(["mg", "mL", "g"]))
def test_another_number_is_always_found(one: int, other: int, unit: str) -> None:
    findings = compare(line(f"{one} {unit}", "en"), line(f"{other} {unit}", "pt"))
    assert [f.severity for f in findings] == ([] if one == other else ["critical"])


@pytest.mark.parametrize("language", languages())
def test_every_number_word_of_a_table_is_read(language: str) -> None:
    table = table_for(language)
    assert table is not None
    for first, entries in table.phrases.items():
        for entry in entries:
            values = [value for kind, value in entry.tags if kind == "number_plain"]
            if values:
                words = " ".join((first, *entry.rest))
                assert values[0] in [n.value for n in numbers_of(line(words, language))], words
