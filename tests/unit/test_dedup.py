"""Exact and near copies are found, different sentences are not; a match is never a hash accident."""

from __future__ import annotations

import pytest

from data.dedup import Match, NearIndex, find_overlap, jaccard, normal_form, shingles
from data.segments import Segment

TEST = [
    Segment("t1", "Patients received 5 mg of morphine once daily for two weeks."),
    Segment("t2", "No fever was reported."),
    Segment("t3", "..."),
]


def test_overlap_names_exact_before_near_and_the_best_match() -> None:
    training = [
        Segment("c1", "patients received 5 mg of morphine once daily, for two weeks"),
        Segment("c2", "No fever was reported before."),
        Segment("c3", "No fever was reported!"),
        Segment("c4", "!!!"),
        Segment("c5", "The trial was stopped early."),
    ]
    found = find_overlap(TEST, training, threshold=0.7)
    assert found.exact == (Match("t1", "c1", 1.0), Match("t2", "c3", 1.0))
    assert found.near == ()
    assert found.ids == {"t1", "t2"}


def test_near_copies_are_given_with_their_true_similarity() -> None:
    text = "Patients received 50 mg of morphine once daily for two weeks."
    found = find_overlap(TEST, [Segment("c1", text)], threshold=0.8)
    expected = jaccard(shingles(normal_form(TEST[0].text)), shingles(normal_form(text)))
    assert found.near == (Match("t1", "c1", expected),)
    assert find_overlap(TEST, [Segment("c1", text)], threshold=0.95).near == ()


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Take 2.5 mg,  ONCE daily!", "take 2 5 mg once daily"),
        ("ﬁbrose_cística", "fibrose cística"),
        (" … ", ""),
    ],
)
def test_normal_form(text: str, normal: str) -> None:
    assert normal_form(text) == normal


def test_short_and_empty_texts_match_only_themselves() -> None:
    index = NearIndex()
    for number, text in enumerate(("Rest.", "", "Sit.")):
        index.add(Segment(str(number), text))
    assert index.find(Segment("x", "rest")) == [Match("x", "0", 1.0)]
    assert index.find(Segment("x", "")) == []


def test_thousands_of_different_sentences_are_no_copies() -> None:
    words = [
        "dose",
        "risk",
        "drug",
        "trial",
        "heart",
        "liver",
        "renal",
        "acute",
        "onset",
        "fever",
        "cough",
        "rash",
    ]
    training = [
        Segment(str(n), " ".join(words[(n * step + step) % 12] for step in range(1, 11)) + f" {n}")
        for n in range(2000)
    ]
    assert (
        find_overlap([Segment("t", "Bilateral knee replacement was done in 2019.")], training).ids
        == frozenset()
    )
