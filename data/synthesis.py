"""Writes synthetic parallel text by chat models, as shards; a run killed anywhere goes on where it was.

In: a `SynthesisConfig`, terms, models, a folder. Out: shards of Pair rows (see `data.records`), and counts.

    config = SynthesisConfig.of({"documents": 200, "term_coverage": 3})
    plan(config, terms).money
    generate(config, terms, Models(writer, translator, critic), Path("artifacts/synthetic"))

Documents are made several at a time and written in their order, so that "done" is one number. A model that
gives no reply for a document is passed over with the reason; after several in a row the run stops with the
error, and these documents are not lost. A budget that is used up stops the run and keeps all there is.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from data.documents import Given, Made, Models, Unit, document_id, make
from data.errors import ConfigError
from data.llm_values import BudgetError, ChatError
from data.plan import Plan, SynthesisConfig, documents_for, plan, roles, settings, slot
from data.plan_tables import prompt, tables
from data.records import Shards
from data.term_sentences import write_term_sentences
from data.term_values import Term, TermCounts, TermWriting

__all__ = [
    "Counts", "Models", "Plan", "SynthesisConfig", "Term", "TermCounts", "TermWriting", "generate", "plan",
    "write_term_sentences",
]  # fmt: skip

_SILENT_IN_A_ROW: Final = 5
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """Of the whole folder, with what earlier runs made; `stopped` is why it ended: enough, budget."""

    documents: int
    pairs: int
    calls: int
    prompt_tokens: int
    reply_tokens: int
    reasons: dict[str, int]
    seconds: float
    stopped: str


@dataclass(frozen=True, slots=True)
class _Silent:
    """No reply came for a unit."""

    unit: Unit
    error: ChatError


def generate(
    config: SynthesisConfig,
    terms: Iterable[Term],
    models: Models,
    out: Path,
    progress: Progress | None = None,
    *,
    given: Iterable[Given] = (),
    cases: Sequence[str] = (),
) -> Counts:
    """`given` are the texts of the modes translate and paraphrase; `cases` are public texts to begin from."""
    listed, began = tuple(terms), time.monotonic()
    if config.mode == "terms" and not listed:
        raise ConfigError("synthesis.mode terms: give terms to write about")
    ends_with = 0 if config.mode in ("translate", "paraphrase") else documents_for(config, listed)
    with Shards.opened(out, _made_by(config, listed, models, cases)) as shards:
        units = _units(config, listed, given, cases, shards.next, ends_with)
        stopped = _run(config, models, shards, units, lambda: progress and progress(shards.next, ends_with))
        return _counts(shards.totals, time.monotonic() - began, stopped)


def _run(
    config: SynthesisConfig, models: Models, shards: Shards, units: Iterator[Unit], tell: Callable[[], object]
) -> str:
    silent: list[_Silent] = []
    made = _in_order(config, models, units)
    try:
        for one in made:
            if isinstance(one, _Silent):
                if isinstance(one.error, BudgetError):
                    return "budget"
                silent.append(one)
                if len(silent) >= _SILENT_IN_A_ROW:
                    raise one.error
                continue
            _give_up(silent, shards, config)
            shards.add(one.rows, one.dropped, one.counts)
            tell()
        if silent and not shards.totals["calls"]:
            raise silent[-1].error
        _give_up(silent, shards, config)
    finally:
        made.close()
    return "enough"


def _give_up(silent: list[_Silent], shards: Shards, config: SynthesisConfig) -> None:
    """The model answers again: what it did not answer was those documents' fault."""
    for one in silent:
        name = document_id(one.unit, config)
        row = {"id": name, "document": name, "reason": "no_reply", "error": type(one.error).__name__}
        shards.add([], [row], {"documents": 1, "dropped_no_reply": 1})
    silent.clear()


def _in_order(
    config: SynthesisConfig, models: Models, units: Iterator[Unit]
) -> Generator[Made | _Silent, None, None]:
    """Several at once, handed on in order; no more than a few wait, so memory stays flat."""

    def work(unit: Unit) -> Made | _Silent:
        try:
            return make(unit, models, config)
        except ChatError as error:
            return _Silent(unit, error)

    if config.concurrency == 1:
        yield from map(work, units)
        return
    pool = ThreadPoolExecutor(config.concurrency, thread_name_prefix="synthesis")
    waiting: deque[Future[Made | _Silent]] = deque()
    try:
        for unit in units:
            waiting.append(pool.submit(work, unit))
            if len(waiting) >= 2 * config.concurrency:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _units(
    config: SynthesisConfig, terms: Sequence[Term], given: Iterable[Given], cases: Sequence[str],
    first: int, end: int,
) -> Iterator[Unit]:  # fmt: skip
    if end:
        for number in range(first, end):
            case = cases[number % len(cases)] if cases else ""
            yield Unit(slot(config, terms, number), case=case)
        return
    size = config.segments_per_document
    texts = islice(given, first * size, None)
    number = first
    while batch := tuple(islice(texts, size)):
        one = slot(config, (), number)
        asked = tuple(term for term in terms if any(_has(text, term) for text in batch))
        yield Unit(replace(one, terms=asked), batch)
        number += 1


def _has(text: Given, term: Term) -> bool:
    from data.segments import Pair
    from data.term_prompts import has_term

    return has_term(text.source.text if isinstance(text, Pair) else text.text, term.source)


def _made_by(
    config: SynthesisConfig, terms: Sequence[Term], models: Models, cases: Sequence[str]
) -> dict[str, object]:
    """What must be the same for a run to go on; the words of the prompts count, not only their versions."""
    texts = [*(f"{term.source}\t{term.target}" for term in terms), *cases]
    return {
        **settings(config),
        "terms_and_cases": hashlib.sha256("\n".join(texts).encode(errors="surrogatepass")).hexdigest(),
        "models": models.names,
        "prompts": {prompt(name).version: prompt(name).digest for name in roles(config)},
        "tables": tables().version,
    }


def _counts(totals: Counter[str], seconds: float, stopped: str) -> Counts:
    reasons = {
        name.removeprefix("dropped_"): count
        for name, count in totals.most_common()
        if name.startswith("dropped_")
    }
    spent = (totals[name] for name in ("documents", "pairs", "calls", "prompt_tokens", "reply_tokens"))
    documents, pairs, calls, prompt_tokens, reply_tokens = spent
    return Counts(documents, pairs, calls, prompt_tokens, reply_tokens, reasons, seconds, stopped)
