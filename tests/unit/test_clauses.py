"""Overlong sentences: pieces fit, nothing is lost, the cuts are at the best places."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt.clauses import split_long


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def characters(texts: Sequence[str]) -> list[int]:
    return [len(text) + 1 for text in texts]


@pytest.mark.parametrize(
    ("sentence", "limit", "pieces"),
    [
        ("one two three", 3, ["one two three"]),
        ("one two; three four five", 4, ["one two; ", "three four five"]),
        ("one, two three; four five six", 5, ["one, two three; ", "four five six"]),
        ("pain and fever and cough here", 4, ["pain and fever ", "and cough here"]),
        ("a b c. D e f", 5, ["a b c. ", "D e f"]),
        ("dor, febre, tosse e dispneia", 3, ["dor, febre, ", "tosse e dispneia"]),
        ("1,000 mg of a drug", 3, ["1,000 mg of ", "a drug"]),
        ("one two - three four", 3, ["one two - ", "three four"]),
        ("", 3, []),
    ],
)
def test_cuts_at_the_best_place(sentence: str, limit: int, pieces: list[str]) -> None:
    assert split_long(sentence, limit, words) == pieces


def test_ideographic_marks_are_places_to_cut() -> None:
    assert split_long("病人发烧，咳嗽，没有疼痛", 9, characters) == ["病人发烧，", "咳嗽，没有疼痛"]


def test_one_endless_word_is_cut() -> None:
    pieces = split_long("x" * 100_000, 200, characters)
    assert "".join(pieces) == "x" * 100_000
    assert max(characters(pieces)) <= 200


CLUSTERS = ["e\u0301", "\U0001f469\u200d\U0001f52c", "\U0001f44d\U0001f3fd", "\U0001f1e7\U0001f1f7"]


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_combined_characters_stay_whole(cluster: str) -> None:
    pieces = split_long(cluster * 40, len(cluster) * 9, characters)
    assert len(pieces) > 1
    assert all(piece.startswith(cluster[0]) and piece.endswith(cluster[-1]) for piece in pieces)
    assert all(len(piece) % len(cluster) == 0 for piece in pieces)


def test_counts_each_character_few_times() -> None:
    counted = 0

    def count(texts: Sequence[str]) -> list[int]:
        nonlocal counted
        counted += sum(map(len, texts))
        return words(texts)

    text = "word, another " * 7_000
    started = time.process_time()
    split_long(text, 100, count)
    assert counted <= 4 * len(text)
    assert time.process_time() - started < 5


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 token, not 0"):
        split_long("a", 0, words)


ANY_TEXT = st.text(st.one_of(st.characters(), st.sampled_from(" ,;.e\u0301\ud83d\udc4d\u200d")), max_size=80)


@settings(deadline=None)
@given(ANY_TEXT, st.integers(2, 30))
def test_pieces_fit_and_join_to_the_sentence(sentence: str, limit: int) -> None:
    pieces = split_long(sentence, limit, lambda texts: [len(text) for text in texts])
    assert "".join(pieces) == sentence
    assert all(pieces)
    assert all(len(piece) <= limit or len(piece) <= 34 for piece in pieces)
