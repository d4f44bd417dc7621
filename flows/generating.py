"""The stage in which a chat model writes text: the LLM of OPENAI_API_KEY, else the one that comes along.

In: a `Run`. Out: a `Done` with `pairs.jsonl`, or None where nothing is to be written.

    generated(run)          # sentences around the terms of the termbase, and their translations

The embedded model writes English sentences and the model in use translates them; an LLM does both. Goes on
from the last record after a stop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, InputError, ModelError
from flows.config import Pipeline
from flows.preparing import PAIRS
from flows.run import Run, write_summary
from flows.step_folders import Done

if TYPE_CHECKING:
    from data.plan import SynthesisConfig
    from data.term_values import Term

SHARDS = "shards"
_LICENCE = "machine written and machine translated"


def writer(pipeline: Pipeline) -> str:
    """none, llm or embedded; a budget of zero calls is a mistake that is told before anything starts."""
    wanted = pipeline.data.generation
    kind = wanted.writer
    if kind == "auto":
        kind = "llm" if os.environ.get("OPENAI_API_KEY") else "embedded"
    if kind == "llm":
        for name in ("most_calls", "most_tokens", "most_money"):
            if getattr(wanted, name) == 0:
                raise ConfigError(
                    f"data.generation.{name} is 0: no LLM call is allowed; raise it, or set writer: none"
                )
        if not os.environ.get("OPENAI_API_KEY"):
            raise ConfigError("data.generation.writer is llm: set OPENAI_API_KEY (and OPENAI_BASE_URL)")
    return kind


def generated(run: Run) -> Done | None:
    kind = writer(run.pipeline)
    if kind == "none":
        return None
    terms = terms_of(run.pipeline)
    if kind == "llm":
        return _by_llm(run, terms)
    if not terms:
        raise ConfigError(f"{run.config}: data.termbases: the embedded model writes around terms; give some")
    return _by_embedded(run, terms)


def terms_of(pipeline: Pipeline) -> list[Term]:
    from data.term_values import Term
    from terminology.files import load_termbase

    bases = [load_termbase(one, pipeline.source, pipeline.target).termbase for one in pipeline.data.termbases]
    return [Term(term.source, term.targets[0].text) for base in bases for term in base.terms if term.targets]


def _by_embedded(run: Run, terms: list[Term]) -> Done | None:
    from data.embedded import EmbeddedChat
    from data.embedded_weights import prepare
    from data.term_sentences import write_term_sentences
    from data.term_values import TermWriting

    pipeline, wanted = run.pipeline, run.pipeline.data.generation
    config = TermWriting(
        sentences=wanted.sentences, seconds=wanted.seconds, source_language=pipeline.source,
        target_language=pipeline.target,
    )  # fmt: skip
    try:
        prepare()
    except (ModelError, InputError) as error:  # a machine without a line out: said, and gone on without
        run.show.plain(f"{'generate':<14}left out: {error}")
        return None

    def work(folder: Path) -> None:
        found = write_term_sentences(
            terms, EmbeddedChat(), _translator(pipeline), folder / SHARDS, config, _told(run, "sentences")
        )
        _joined(folder)
        write_summary(folder, {"written": found.written, "pairs": found.pairs, "reasons": found.reasons})

    inputs = {
        "writer": "embedded",
        "terms": [[one.source, one.target] for one in terms],
        "config": str(config),
    }
    return run.step("generate", inputs, work, resumes=True)


def _told(run: Run, what: str) -> Callable[[int, int], None]:
    return lambda done, every: run.show.goes_on(f"{done:,} of {every:,} {what}", done / max(1, every))


def _translator(pipeline: Pipeline) -> Callable[[Sequence[str], Any], list[str]]:
    """What is in use; a translation without the wanted term is dropped by the stage itself."""
    from mt.config import DecodeConfig, DeviceConfig
    from mt.engine import Engine
    from mt.models import find_model

    engine = Engine(find_model(pipeline.source, pipeline.target), DeviceConfig(), pipeline.target)

    def translate(sentences: Sequence[str], _: Any) -> list[str]:
        return engine.translate(sentences, DecodeConfig(beam_size=2))

    return translate


def synthesis_config(pipeline: Pipeline) -> SynthesisConfig:
    from data.plan import SynthesisConfig

    wanted = pipeline.data.generation
    settings = {
        "source_language": pipeline.source,
        "target_language": pipeline.target,
        "concurrency": wanted.concurrency,
        "documents": max(1, wanted.sentences // SynthesisConfig().segments_per_document),
    }
    return SynthesisConfig.of({**settings, **wanted.synthesis})


def _by_llm(run: Run, terms: list[Term]) -> Done:
    from data.documents import Models
    from data.llm_budget import Budget, BudgetedChat, Limits, Price
    from data.llm_roles import chat_model
    from data.synthesis import generate

    wanted, config = run.pipeline.data.generation, synthesis_config(run.pipeline)
    limits = Limits(wanted.most_calls, wanted.most_tokens, wanted.most_money)
    budget = Budget(limits, Price(config.prompt_price, config.reply_price))
    models = Models(*(BudgetedChat(chat_model(role), budget) for role in ("writer", "translator", "critic")))

    def work(folder: Path) -> None:
        found = generate(config, terms, models, folder / SHARDS, _told(run, "documents"))
        _joined(folder)
        counts = {"calls": found.calls, "pairs": found.pairs, "reasons": found.reasons}
        write_summary(folder, {**counts, "stopped": f"stopped: {found.stopped}"})

    named = [[one.source, one.target] for one in terms]
    inputs = {"writer": models.names, "terms": named, "config": str(config)}
    return run.step("generate", inputs, work, resumes=True)


def _joined(folder: Path) -> None:
    from data.jsonl import read_jsonl, write_jsonl
    from data.records import shard_files

    rows = (record for path in shard_files(folder / SHARDS) for _, record in read_jsonl(path))
    write_jsonl(folder / PAIRS, ({"licence": _LICENCE, **row} for row in rows))
