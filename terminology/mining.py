"""Proposes term pairs from a parallel corpus, by what the translation model itself looks at.

In: Pairs and a decoder. Out: `Proposal` values, the surest first; a person approves them before they count.

    for proposal in mine(read_pairs("corpus.jsonl"), decoder, MiningConfig(least_count=5)):
        print(proposal.source, "=", proposal.target, proposal.score)  # heart failure = insuficiência cardíaca

The model is led along each target sentence, and its attention says which source words each word came from.
Stretches of up to five words that align with one stretch and nothing outside it are counted (the phrase
extraction of Och and Ney 2004, over attention in place of IBM models). The score is the geometric mean of how
often the source is translated so and how often the target stands for it, lowered for few occurrences.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import sqrt

from data.segments import Pair, Span
from terminology.agreement import is_link
from terminology.decoding import Decoder, Draft
from terminology.placing import text_of
from terminology.tokens import TOKEN

_BATCH = 256
_CLEAR = 0.3  # share of a word's attention that its source word must have


@dataclass(frozen=True, slots=True)
class MiningConfig:
    least_count: int = 3
    least_score: float = 0.4
    longest: int = 5  # words
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pair that may be a term; `count` is how often it stood so."""

    source: str
    target: str
    count: int
    score: float


@dataclass(frozen=True, slots=True)
class AlignedPair:
    """Words of both sides, and for each target word the source word it came from, or -1."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    origins: tuple[int, ...]


def mine(
    pairs: Iterable[Pair],
    decoder: Decoder,
    languages: tuple[str, str],
    config: MiningConfig = MiningConfig(),
) -> list[Proposal]:
    """Streams the corpus; only the counts are kept."""
    joint: Counter[tuple[str, str]] = Counter()
    for aligned in align(pairs, decoder):
        joint.update(set(phrases(aligned, languages, config.longest)))
    return ranked(joint, config)


def align(pairs: Iterable[Pair], decoder: Decoder) -> Iterator[AlignedPair]:
    source = iter(pairs)
    while batch := list(islice(source, _BATCH)):
        fits = decoder.fits([pair.source.text for pair in batch])
        whole = [pair for pair, fit in zip(batch, fits, strict=True) if fit and pair.target.strip()]
        pieces = [decoder.target_pieces(pair.target) for pair in whole]
        drafts = decoder.drafts([pair.source.text for pair in whole], prefixes=pieces, attention=True)
        for pair, row, found in zip(whole, pieces, drafts, strict=True):
            yield _aligned(pair.source.text, decoder.source_spans(pair.source.text), found[0], len(row))


def phrases(aligned: AlignedPair, languages: tuple[str, str], longest: int) -> Iterator[tuple[str, str]]:
    """Stretches of both sides that came from one another and from nothing else."""
    for start in range(len(aligned.source)):
        for end in range(start + 1, min(len(aligned.source), start + longest) + 1):
            places = [place for place, origin in enumerate(aligned.origins) if start <= origin < end]
            if not places:
                continue
            first, last = places[0], places[-1] + 1
            inside = all(start <= origin < end or origin < 0 for origin in aligned.origins[first:last])
            words, others = aligned.source[start:end], aligned.target[first:last]
            whole = {aligned.origins[place] for place in places} >= {start, end - 1}
            if inside and whole and _is_termlike(words, languages[0]) and _is_termlike(others, languages[1]):
                yield " ".join(words), " ".join(others)


def ranked(joint: Counter[tuple[str, str]], config: MiningConfig) -> list[Proposal]:
    """The best target of each source, where it is clear enough; pairs inside a longer pair are kept."""
    sources: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for (source, target), count in joint.items():
        sources[source] += count
        targets[target] += count
    best: dict[str, Proposal] = {}
    for (source, target), count in joint.items():
        sure = sqrt(count / sources[source] * count / targets[target]) * count / (count + 1)
        proposal = Proposal(source, target, count, round(sure, 3))
        if count >= config.least_count and sure >= config.least_score and not _is_copy(source, target):
            best[source] = max(best.get(source, proposal), proposal, key=lambda one: one.score)
    found = sorted(best.values(), key=lambda one: (-one.score, -one.count, one.source))
    return found[: config.most]


def _aligned(source: str, spans: Sequence[Span], draft: Draft, size: int) -> AlignedPair:
    """Attention between pieces, summed up to words."""
    words = [Span(*token.span()) for token in TOKEN.finditer(source)]
    word_of = [_word_at(words, span) for span in spans]
    target: list[str] = []
    origins: list[int] = []
    for start, end in _words(draft.pieces[:size]):
        shares: defaultdict[int, float] = defaultdict(float)
        for row in draft.attention[start:end]:
            for place, share in zip(word_of, row, strict=False):
                shares[place] += share
        shares.pop(-1, None)
        origin, share = max(shares.items(), key=lambda item: item[1], default=(-1, 0.0))
        for number, token in enumerate(TOKEN.findall(text_of(draft.pieces[start:end]))):
            target.append(token.casefold())
            origins.append(origin if share >= _CLEAR * (end - start) and number == 0 else -1)
    return AlignedPair(
        tuple(source[w.start : w.end].casefold() for w in words), tuple(target), tuple(origins)
    )


def _words(pieces: Sequence[str]) -> Iterator[tuple[int, int]]:
    starts = [place for place, piece in enumerate(pieces) if piece.startswith("▁") or place == 0]
    yield from zip(starts, [*starts[1:], len(pieces)], strict=True)


def _word_at(words: Sequence[Span], span: Span) -> int:
    return next((n for n, word in enumerate(words) if word.start < span.end and span.start < word.end), -1)


def _is_termlike(words: Sequence[str], language: str) -> bool:
    """Letters throughout, and no function word at either end."""
    if not all(word.replace("-", "").isalpha() for word in words) or max(map(len, words)) < 4:
        return False
    return not any(is_link(word, language) or len(word) < 3 for word in (words[0], words[-1]))


def _is_copy(source: str, target: str) -> bool:
    return source == target
