"""Sentences around terms: what of a weak model's text stays, and that a run goes on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.records import DROPPED, made_rows
from data.term_prompts import Kind, fault, frame, has_term, joined, kinds, opening
from data.term_sentences import Required, write_term_sentences
from data.term_values import Term, TermWriting, usable_terms

KIND = Kind("note", ("", "The {term}"), (("rash", "The rash has gone after a week."),))
TERMS = [Term("fever", "febre"), Term("dry cough", "tosse seca"), Term("sepsis", "sepse")]


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("She has had a fever for two days.", ""),
        ("Fevers are common in young children.", ""),
        ("She has had a feverish feeling all day.", "term_missing"),
        ("She has a cough and a rash.", "term_missing"),
        ("A fever.", "too_short"),
        ("She has had a fever for two days", "not_a_sentence"),
        ("fever was not seen in any of them.", ""),
        ("she has had a fever for two days.", "not_a_sentence"),
        ("Fever | Sentence: She has a fever.", "prompt_echo"),
        ("As an AI, I cannot have a fever at all.", "prompt_echo"),
        ("The fever, the fever, the fever went away.", "repetition"),
        ("The fever of MRN 12345678 went away today.", "phi_record_number"),
        ("患者有 fever 三天了 and it is bad.", "other_script"),
        ("The " + "very " * 2 + " ".join(f"w{n}" for n in range(40)) + " fever.", "too_long"),
    ],
)
def test_fault(sentence: str, reason: str) -> None:
    assert fault(sentence, "fever", KIND) == reason


def test_an_example_that_is_said_again_does_not_count() -> None:
    assert fault("The rash has gone after a week.", "rash", KIND) == "example_repeated"


@pytest.mark.parametrize(
    ("sentence", "term", "there"),
    [
        ("People with AIDS live longer.", "AIDS", True),
        ("He aids his father.", "AIDS", False),
        ("Wash the mask.", "masks", False),
        ("A non-infectious disease.", "infectious", False),
        ("COVID-19 spreads.", "COVID", False),
        ("Two ventilators were used.", "ventilator", True),
    ],
)
def test_has_term(sentence: str, term: str, there: bool) -> None:
    assert has_term(sentence, term) is there


@pytest.mark.parametrize(
    ("begin", "written", "sentence"),
    [
        ("", "She has a fever. He has not.", "She has a fever."),
        ("The fever", "rose to 39.4 °C, i.e. too high.", "The fever rose to 39.4 °C, i.e. too high."),
        ("", '"No fever?"', "No fever?"),
        ("Fever", "", "Fever"),
        ("Common cold", ", flu and cough .", "Common cold, flu and cough."),
    ],
)
def test_joined(begin: str, written: str, sentence: str) -> None:
    assert joined(begin, written) == sentence


def test_openings_suit_the_term() -> None:
    kind = Kind("note", ("She", "{Term}", "{Term} was"), ())
    drawn = random.Random(1)
    begins = {term: {kind.begin(drawn, term) for _ in range(80)} for term in ("masks", "infectious", "fever")}
    assert begins["masks"] == begins["infectious"] == {"She", "{Term}"}
    assert begins["fever"] == {"She", "{Term}", "{Term} was"}


def test_small_things() -> None:
    assert opening("{Term} was", "dry cough") == "Dry cough was"
    assert frame("The fever rose to 39.4 °C.", "fever") == frame("The sepsis rose to 38 °C.", "sepsis")
    assert usable_terms([*TERMS, Term("FEVER", "febre"), Term("19", "19"), Term("x", " ")])[1:] == tuple(
        TERMS[1:]
    )
    assert all(fault(text, term, KIND) == "" for kind in kinds() for term, text in kind.examples)


class Writer:
    """Writes a new sentence each time; every fourth loses its term, every fifth says the same again."""

    name = "writer"

    def __init__(self) -> None:
        self.count = 0

    def continue_many(self, prompts: Sequence[str], stop: str = "\n") -> list[str]:
        written = []
        for prompt in prompts:
            begin = prompt.rpartition("| Sentence:")[2].strip()
            term = prompt.rpartition("Term: ")[2].partition(" |")[0]
            self.count += 1
            word = "".join("abcdefghij"[int(digit)] for digit in str(self.count + 1000 * id(self)))
            text = f"was seen with {term} in ward {word} last night."
            if self.count % 4 == 0:
                text = f"was seen in ward {word} last night and again."
            written.append(text if begin else f"She {text}")
        return written


def _translate(sentences: Sequence[str], required: Required) -> list[str]:
    return [f"Foi vista com {terms[0][1]} na enfermaria." for terms in required]


CONFIG = TermWriting(sentences=60, prompts_per_round=8)


def test_terms_take_turns_and_each_row_says_where_it_comes_from(tmp_path: Path) -> None:
    counts = write_term_sentences(TERMS, Writer(), _translate, tmp_path, CONFIG)
    assert (counts.pairs, counts.terms, counts.all_terms, counts.stopped) == (60, 3, 3, "enough")
    assert counts.least >= 10
    row = next(made_rows(tmp_path))
    assert row["models"] == {"writer": "writer", "translator": "handed in"}
    assert row["terms"][0]["in_source"] is True
    assert row["terms"][0]["in_target"] is True
    assert row["prompts"] == ["sentences@1"]
    sources = [one["src"] for one in made_rows(tmp_path)]
    assert len(set(sources)) == 60
    assert {one["reason"] for one in made_rows(tmp_path, DROPPED)} >= {"term_missing"}


def test_a_longer_run_goes_on_with_what_is_there(tmp_path: Path) -> None:
    write_term_sentences(TERMS, Writer(), _translate, tmp_path, CONFIG)
    first = [row["id"] for row in made_rows(tmp_path)]
    longer = TermWriting(sentences=90, prompts_per_round=8)
    assert write_term_sentences(TERMS, Writer(), _translate, tmp_path, longer).pairs == 90
    ids = [row["id"] for row in made_rows(tmp_path)]
    assert ids[:60] == first
    assert len(set(ids)) == 90
    with pytest.raises(ConfigError, match=r"other settings \(seed\)"):
        write_term_sentences(TERMS, Writer(), None, tmp_path, TermWriting(90, prompts_per_round=8, seed=8))


def test_a_translation_that_could_hurt_is_dropped(tmp_path: Path) -> None:
    class Doses(Writer):
        def continue_many(self, prompts: Sequence[str], stop: str = "\n") -> list[str]:
            return [text.replace("last night", "on 5 mg") for text in super().continue_many(prompts)]

    def wrong(sentences: Sequence[str], required: Required) -> list[str]:
        return ["Com 50 mg." if place % 2 else "" for place in range(len(sentences))]

    counts = write_term_sentences(TERMS, Doses(), wrong, tmp_path, CONFIG)
    assert counts.pairs == 0
    assert counts.stopped == "nothing new"
    assert {"clinical_number", "no_translation"} <= set(counts.reasons)


def test_time_and_wrong_translators(tmp_path: Path) -> None:
    slow = TermWriting(sentences=10**6, seconds=0.05, prompts_per_round=8)
    assert write_term_sentences(TERMS, Writer(), _translate, tmp_path / "a", slow).stopped == "time"
    with pytest.raises(ConfigError, match="gave 1 texts for"):
        write_term_sentences(TERMS, Writer(), lambda *_: ["x"], tmp_path / "b", CONFIG)
    with pytest.raises(ConfigError, match="no terms to write about"):
        write_term_sentences([], Writer(), None, tmp_path / "c", CONFIG)
