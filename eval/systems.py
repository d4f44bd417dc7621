"""The systems under test: a file of outputs, a model of ours, or a chat model; each becomes one text a
segment.

In: `name=FILE`, `name=MODEL`, `name=openai:MODEL`; `name@proper=...`, `@random`, `@none` say which terms a
system is given (a model of ours is made to use them). Out: `Outputs`, with the time it took where we did the
translating.

    translate_with(parse_system("starter=en-pt"), testset).words_per_second
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import ConfigError, InputError
from data.fingerprints import FINGERPRINTS, Fingerprints, read_fingerprints
from data.llm import ChatModel, Message
from data.segments import Pair, Segment
from eval.testsets import TestSet, read_outputs
from terminology.termbase import Termbase

CONDITIONS = ("proper", "random", "none")
_FILES = (".txt", ".tsv", ".jsonl", ".json")
_PROMPT = Path(__file__).parent / "prompts" / "translate.md"


@dataclass(frozen=True, slots=True)
class System:
    """What to test; `kind` is file, model or openai."""

    name: str
    kind: str
    target: str
    condition: str = ""

    @property
    def base(self) -> str:
        """The name without its condition: `a` of `a@proper`."""
        return self.name.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Outputs:
    """One text a segment, in the test set's order; `seconds` is None where the texts came from a file."""

    system: System
    texts: tuple[str, ...]
    seconds: float | None = None
    words: int = 0

    @property
    def words_per_second(self) -> float | None:
        """Source words; None where nothing was timed."""
        return self.words / self.seconds if self.seconds else None


def parse_system(spec: str) -> System:
    name, equals, target = spec.partition("=")
    name, target = name.strip(), target.strip()
    if not (equals and name and target):
        raise ConfigError(f"--systems {spec!r}: write NAME=FILE, NAME=MODEL or NAME=openai:MODEL")
    condition = name.partition("@")[2]
    if condition and condition not in CONDITIONS:
        raise ConfigError(f"--systems {spec!r}: no condition {condition!r}; valid: {', '.join(CONDITIONS)}")
    if target.startswith("openai:"):
        return System(name, "openai", target.removeprefix("openai:"), condition)
    path = Path(target).expanduser()
    if path.is_file():
        return System(name, "file", str(path), condition)
    if path.suffix.lower() in _FILES:
        raise InputError(f"cannot read {path}: no such file")
    return System(name, "model", target, condition)


def parse_systems(specs: Sequence[str]) -> list[System]:
    systems = [parse_system(spec) for spec in specs]
    names = [system.name for system in systems]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"--systems: each name once; given twice: {', '.join(twice)}")
    return systems


def translate_with(
    system: System,
    testset: TestSet,
    chat: ChatModel | None = None,
    terms: Mapping[str, Sequence[Termbase]] | None = None,
) -> Outputs:
    """`terms` holds the termbases to enforce under each condition; files and chat models are as they are."""
    sources = [pair.source.text for pair in testset.pairs]
    words = sum(len(text.split()) for text in sources)
    if system.kind == "file":
        return Outputs(system, read_outputs(Path(system.target), testset))
    if system.kind == "openai":
        start = time.perf_counter()
        answers = _by_chat(sources, testset, chat or _chat_model(system.target))
        return Outputs(system, tuple(answers), time.perf_counter() - start, words)
    termbases = () if system.condition in ("", "none") else (terms or {}).get(system.condition, ())
    if system.condition in ("proper", "random") and not termbases:
        raise ConfigError(f"{system.name}: the condition {system.condition!r} needs terms: --glossary FILE")
    texts, seconds = _by_engine(system, testset, sources, termbases)
    return Outputs(system, tuple(texts), seconds, words)


def fingerprints_of_models(systems: Sequence[System], source: str, target: str) -> dict[str, Fingerprints]:
    """What each model of ours says it was trained on; nothing for files, chat models and older models."""
    from mt.models import find_model

    found = {}
    for system in systems:
        if system.kind == "model":
            path = find_model(source, target, _model_name(system)).folder / FINGERPRINTS
            if path.is_file():
                found[system.name] = read_fingerprints(path)
    return found


def translate_texts(model: str, texts: Sequence[str], source: str, target: str) -> list[str]:
    """With one of our models, for instance back to the source language."""
    pairs = tuple(Pair(Segment(str(number), text), "") for number, text in enumerate(texts))
    return _by_engine(System("", "model", model), TestSet("", pairs, source, target), texts, ())[0]


def _by_engine(
    system: System, testset: TestSet, texts: Sequence[str], termbases: Sequence[Termbase]
) -> tuple[list[str], float]:
    """All sentences of all segments go through the engine together; loading is not timed."""
    from mt.config import DecodeConfig, DeviceConfig
    from mt.engine import Engine
    from mt.layout import parse
    from mt.models import find_model

    source, target = testset.source_language, testset.target_language
    engine = Engine(find_model(source, target, _model_name(system)), DeviceConfig(), target)
    chunks = [parse(text, source) for text in texts]
    sentences = [sentence for chunk in chunks for sentence in chunk.sentences]
    owners = [number for number, chunk in enumerate(chunks) for _ in chunk.sentences]
    start = time.perf_counter()
    if termbases:
        from eval.conditions import enforced

        found = iter(enforced(engine, sentences, owners, testset, termbases))
    else:
        found = iter(engine.translate(sentences, DecodeConfig()))
    seconds = time.perf_counter() - start
    return [chunk.render([next(found) for _ in chunk.sentences]) for chunk in chunks], seconds


def _model_name(system: System) -> str:
    return "" if system.target == "default" else system.target


def _by_chat(sources: Sequence[str], testset: TestSet, chat: ChatModel) -> list[str]:
    prompt = _PROMPT.read_text(encoding="utf-8")
    system = prompt.replace("{source_language}", testset.source_language)
    system = system.replace("{target_language}", testset.target_language)
    messages = [(Message("system", system), Message("user", text)) for text in sources]
    return [chat.complete(pair).text.strip() for pair in messages]


def _chat_model(model: str) -> ChatModel:
    from data.llm import OpenAIChat

    return OpenAIChat(model)
