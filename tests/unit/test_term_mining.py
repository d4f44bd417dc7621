"""Mining over made-up alignments, and proposals from found to approved or rejected."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from data.errors import ConfigError, InputError
from data.segments import Pair, Segment, Span
from terminology.mining import AlignedPair, MiningConfig, Proposal, mine, phrases, ranked
from terminology.proposals import ProposalStore
from terminology.store import TermStore


class Draft:
    def __init__(self, pieces: list[str], rows: list[list[float]]) -> None:
        self.text, self.pieces, self.score, self.attention = "", tuple(pieces), 0.0, rows


class Diagonal:
    """A word is a piece, and each looks at the source word at its own place."""

    def fits(self, sentences: list[str]) -> list[bool]:
        return [len(sentence) < 100 for sentence in sentences]

    def target_pieces(self, text: str) -> list[str]:
        return ["▁" + word for word in text.split()]

    def source_spans(self, sentence: str) -> list[Span]:
        spans, start = [], 0
        for word in sentence.split():
            spans.append(Span(start, start + len(word)))
            start += len(word) + 1
        return spans

    def drafts(self, sentences, count=1, prefixes=None, attention=False):  # type: ignore[no-untyped-def]
        return [
            [
                Draft(
                    pieces,
                    [[float(c == r) for c in range(len(text.split()))] for r in range(len(pieces))],
                )
            ]
            for text, pieces in zip(sentences, prefixes, strict=True)
        ]


def pair(source: str, target: str) -> Pair:
    return Pair(Segment("1", source), target, "en", "pt")


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        (
            (1, 0),
            {
                ("heart failure", "insuficiência cardíaca"),
                ("heart", "cardíaca"),
                ("failure", "insuficiência"),
            },
        ),
        ((0, 0), {("heart", "insuficiência cardíaca")}),
        ((1, -1), {("failure", "insuficiência")}),
        ((-1, -1), set()),
    ],
)
def test_phrases(origins: tuple[int, int], expected: set[tuple[str, str]]) -> None:
    aligned = AlignedPair(("heart", "failure"), ("insuficiência", "cardíaca"), origins)
    assert set(phrases(aligned, ("en", "pt"), 5)) == expected


def test_function_words_and_numbers_are_no_terms() -> None:
    aligned = AlignedPair(("pain", "of", "12"), ("dor", "de", "12"), (0, 1, 2))
    assert (
        set(phrases(aligned, ("en", "pt"), 5)) == set()
    )  # `dor` is too short to be told from a function word
    aligned = AlignedPair(("fever", "of", "unknown"), ("febre", "de", "desconhecida"), (0, 1, 2))
    assert ("fever of", "febre de") not in set(phrases(aligned, ("en", "pt"), 5))
    assert ("fever of unknown", "febre de desconhecida") in set(phrases(aligned, ("en", "pt"), 5))


def test_ranked_takes_the_clearest_target() -> None:
    joint = Counter({("flu", "gripe"): 8, ("flu", "influenza"): 2, ("cold", "frio"): 1})
    [best] = ranked(joint, MiningConfig(least_count=2))
    assert best == Proposal("flu", "gripe", 8, 0.795)  # sqrt(0.8 * 1.0) * 8 / 9


def test_mine_streams_pairs_and_leaves_out_what_the_model_cannot_read() -> None:
    pairs = [pair("severe fever", "grave febre")] * 3 + [pair("fever " * 50, "febre " * 50)]
    found = mine(iter(pairs), Diagonal(), ("en", "pt"), MiningConfig())  # type: ignore[arg-type]
    assert {(one.source, one.target, one.count) for one in found} == {
        ("severe", "grave", 3),
        ("fever", "febre", 3),
        ("severe fever", "grave febre", 3),
    }
    assert mine(iter([]), Diagonal(), ("en", "pt")) == []  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> tuple[TermStore, ProposalStore]:
    url = f"sqlite:///{tmp_path / 'terms.db'}"
    terms = TermStore(url)
    return terms, ProposalStore(terms, url)


FOUND = [Proposal("flu", "gripe", 8, 0.8), Proposal("rash", "erupção", 4, 0.6)]


def test_proposals_count_for_nothing_until_approved(store: tuple[TermStore, ProposalStore]) -> None:
    terms, proposals = store
    assert proposals.add("b", "en", "pt", FOUND) == 2
    assert terms.bases() == []
    proposals.approve("b", "en", "pt", ["flu"], "ana")
    [term] = terms.termbase("b").terms
    assert (term.source, term.allowed, term.origin) == ("flu", ("gripe",), "mined, 8 times")
    assert [event.who for event in terms.history("b")] == ["ana"]
    assert [kept.proposal.source for kept in proposals.listed("b", "en", "pt", "proposed")] == ["rash"]


def test_what_was_decided_is_not_proposed_again(store: tuple[TermStore, ProposalStore]) -> None:
    _, proposals = store
    proposals.add("b", "en", "pt", FOUND)
    assert proposals.reject("b", "en", "pt", ["rash"], "ana") == 1
    assert proposals.add("b", "en", "pt", FOUND) == 0
    assert proposals.add("b", "en", "es", FOUND) == 2  # another pair of languages


def test_bad_decisions(store: tuple[TermStore, ProposalStore]) -> None:
    _, proposals = store
    proposals.add("b", "en", "pt", FOUND)
    with pytest.raises(InputError, match="no proposal 'flo' in the base 'b'; 2 are waiting"):
        proposals.approve("b", "en", "pt", ["flo"], "ana")
    with pytest.raises(ConfigError, match="--by NAME"):
        proposals.reject("b", "en", "pt", ["flu"], " ")
