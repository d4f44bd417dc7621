"""What is to be written: which kind of document, about what, with which terms; and what it will cost.

In: a `SynthesisConfig` and terms. Out: slots, each a pure function of its number, and a `Plan`.

    config = SynthesisConfig.of({"documents": 100, "term_coverage": 3})
    slot(config, terms, 17)                  # the same on every machine, in any order, without the others
    plan(config, terms).calls

A run can therefore be killed, gone on with, and made longer, and nothing is held in memory. Terms take
turns, in another order on each turn, so that each meets other types, specialties and other terms.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from data.errors import ConfigError
from data.plan_tables import prompt, tables
from data.term_values import Term

MODES: Final = ("documents", "source", "terms", "translate", "paraphrase")
PURPOSES: Final = ("train", "test")
_TOKENS_PER_WORD = 1.4
_WORDS_PER_SEGMENT = 14


@dataclass(frozen=True, slots=True)
class SynthesisConfig:
    """`term_coverage` raises `documents` until each term is asked for so often; prices are for 1e6 tokens."""

    mode: str = "documents"
    purpose: str = "train"
    source_language: str = "en"
    target_language: str = "pt"
    documents: int = 100
    segments_per_document: int = 12
    terms_per_document: int = 4
    term_coverage: int = 0
    phenomena_per_document: int = 3
    variants_per_term: int = 3
    rounds: int = 2
    critic: bool = True
    seed: int = 7
    concurrency: int = 4
    prompt_price: float = 0.0
    reply_price: float = 0.0

    def __post_init__(self) -> None:
        for name, value, valid in (("mode", self.mode, MODES), ("purpose", self.purpose, PURPOSES)):
            if value not in valid:
                raise ConfigError(f"synthesis.{name}: {value!r} is none of {', '.join(valid)}")
        for name in ("documents", "segments_per_document", "variants_per_term", "concurrency"):
            if getattr(self, name) < 1:
                raise ConfigError(f"synthesis.{name}: must be 1 or more, not {getattr(self, name)}")
        for name in ("terms_per_document", "term_coverage", "phenomena_per_document", "rounds"):
            if getattr(self, name) < 0:
                raise ConfigError(f"synthesis.{name}: must be 0 or more, not {getattr(self, name)}")

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> SynthesisConfig:
        """From a mapping, as YAML gives it; a wrong key or kind of value is named."""
        kinds = {field.name: type(getattr(cls(), field.name)) for field in fields(cls)}
        for key, value in mapping.items():
            if key not in kinds:
                raise ConfigError(f"synthesis.{key}: no such setting; there are {', '.join(kinds)}")
            fits = isinstance(value, kinds[key]) and (kinds[key] is bool or not isinstance(value, bool))
            if not (fits or (kinds[key] is float and type(value) is int)):
                raise ConfigError(f"synthesis.{key}: must be of type {kinds[key].__name__}, not {value!r}")
        return cls(**mapping)


@dataclass(frozen=True, slots=True)
class Slot:
    """One document to write; `variation` makes two of the same kind differ."""

    number: int
    type: str
    specialty: str
    reader: str
    style: str
    seed: str
    phenomena: tuple[str, ...]
    terms: tuple[Term, ...]
    variation: int


@dataclass(frozen=True, slots=True)
class Plan:
    """An estimate: `calls` and tokens if each document needs one revision in three; money by the prices."""

    documents: int
    pairs: int
    calls: int
    prompt_tokens: int
    reply_tokens: int
    money: float
    coverage: Mapping[str, Mapping[str, int]]
    least_per_term: int


def documents_for(config: SynthesisConfig, terms: Sequence[Term]) -> int:
    """Enough for the coverage of terms, where one is asked for."""
    each = min(config.terms_per_document, len(terms))
    if not config.term_coverage or not each:
        return config.documents
    return max(config.documents, math.ceil(config.term_coverage * len(terms) / each))


def slot(config: SynthesisConfig, terms: Sequence[Term], number: int) -> Slot:
    """Each turn through the types shifts the specialties by one, so that every pairing comes."""
    from_tables = tables()
    drawn = random.Random(f"{config.purpose}:{config.seed}:{number}")
    types, specialties = tuple(from_tables.types), from_tables.specialties
    turn = number // len(types)
    phenomena = tuple(from_tables.phenomena)
    count = min(config.phenomena_per_document, len(phenomena))
    return Slot(
        number,
        types[number % len(types)],
        specialties[(number % len(types) + turn) % len(specialties)],
        tuple(from_tables.readers)[(number + turn) % len(from_tables.readers)],
        tuple(from_tables.styles)[(number // 2 + turn) % len(from_tables.styles)],
        drawn.choice(from_tables.seeds),
        tuple(phenomena[(number * count + place) % len(phenomena)] for place in range(count)),
        _terms(config, terms, number),
        drawn.randrange(1, 10_000),
    )


def plan(config: SynthesisConfig, terms: Sequence[Term] = (), given: int = 0) -> Plan:
    """`given` is how many texts are handed in, for the modes that begin from texts."""
    count = documents_for(config, terms)
    segments = config.segments_per_document
    if config.mode in ("translate", "paraphrase"):
        count = math.ceil(given / segments)
    elif config.mode == "terms":
        segments = config.variants_per_term * min(config.terms_per_document, len(terms))
    coverage: dict[str, Counter[str]] = {
        name: Counter() for name in ("type", "specialty", "reader", "style", "phenomenon", "term")
    }
    for number in range(count):
        one = slot(config, terms, number)
        for name in ("type", "specialty", "reader", "style"):
            coverage[name][getattr(one, name)] += 1
        coverage["phenomenon"].update(one.phenomena)
        coverage["term"].update(term.source for term in one.terms)
    calls, prompts, replies = _cost(config, count, segments)
    money = (prompts * config.prompt_price + replies * config.reply_price) / 1e6
    least = min((coverage["term"][term.source] for term in terms), default=0)
    pairs = given if config.mode in ("translate", "paraphrase") else count * segments
    return Plan(count, pairs, calls, prompts, replies, round(money, 2), coverage, least)


def settings(config: SynthesisConfig) -> dict[str, object]:
    """What makes the records what they are; a run may be made longer, or run at another pace."""
    free = ("documents", "term_coverage", "concurrency", "prompt_price", "reply_price")
    return {key: value for key, value in asdict(config).items() if key not in free}


def roles(config: SynthesisConfig) -> tuple[str, ...]:
    """The prompts that a run uses."""
    first = {"documents": "writer", "source": "writer", "terms": "terms", "paraphrase": "paraphrase"}
    used = [first[config.mode]] if config.mode in first else []
    if config.mode != "source":
        used += [
            "translator",
            *(["critic"] if config.critic else []),
            *(["reviser"] if config.rounds else []),
        ]
    return tuple(used)


def _cost(config: SynthesisConfig, documents: int, segments: int) -> tuple[int, int, int]:
    text = segments * _WORDS_PER_SEGMENT * _TOKENS_PER_WORD
    calls = prompts = replies = 0.0
    for name in roles(config):
        share = 1 / 3 if name == "reviser" else 1.0
        instructions = len(prompt(name).text.split()) * _TOKENS_PER_WORD
        texts = {"writer": 0, "terms": 0, "critic": 2, "reviser": 2}.get(name, 1)
        calls += documents * share
        prompts += documents * share * (instructions + texts * text)
        replies += documents * share * (60 if name == "critic" else text)
    return math.ceil(calls), math.ceil(prompts), math.ceil(replies)


def _terms(config: SynthesisConfig, terms: Sequence[Term], number: int) -> tuple[Term, ...]:
    each = min(config.terms_per_document, len(terms))
    chosen: dict[str, Term] = {}
    for place in range(number * each, (number + 1) * each):
        turn, position = divmod(place, len(terms))
        term = terms[_shuffled(position, len(terms), f"{config.purpose}:{config.seed}:{turn}")]
        chosen[term.source] = term
    return tuple(chosen.values())


def _shuffled(position: int, count: int, key: str) -> int:
    """A place of a permutation without making the whole of it: a step that shares no divisor with `count`."""
    drawn = random.Random(key)
    step, shift = drawn.randrange(1, count + 1), drawn.randrange(count)
    while math.gcd(step, count) != 1:
        step = drawn.randrange(1, count + 1)
    return (position * step + shift) % count
