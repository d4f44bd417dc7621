"""Pairs around terms: a small model writes source sentences, a translator with the terms makes the targets.

In: terms, something that writes prompts on (`data.embedded.EmbeddedChat`), a translator. Out: shards of
rows.

    translate = lambda sentences, required: [...]        # handed in: no translation model is loaded here
    write_term_sentences([Term("fever", "febre")], EmbeddedChat(), translate, Path("out"), TermWriting(200))
    # {"id": "syn-terms-en-pt-7-0-3", "src": "She has a high fever.", "tgt": "Ela está com febre alta.", ...}

`required` holds for each sentence its (source, target) terms. Terms take turns, those with the fewest
sentences first; a round differs from the others in its examples, its openings and its seed. A run that was
killed goes on.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from data.clinical import check_pair
from data.errors import ConfigError
from data.records import DROPPED, Shards, made_rows
from data.term_prompts import Kind, fault, frame, has_term, joined, kinds, opening, version
from data.term_values import LICENCE, Term, TermCounts, TermWriting, usable_terms

Required = Sequence[Sequence[tuple[str, str]]]
Translate = Callable[[Sequence[str], Required], Sequence[str]]
Progress = Callable[[int, int], None]
_MOST_OF_A_FRAME = 3
_BARREN_ROUNDS: Final = 40


class Continuing(Protocol):
    """What writes prompts on; `data.embedded.EmbeddedChat` does."""

    @property
    def name(self) -> str: ...

    def continue_many(self, prompts: Sequence[str], stop: str = "\n") -> list[str]: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    term: Term
    kind: Kind
    begin: str


def write_term_sentences(
    terms: Iterable[Term],
    writer: Continuing,
    translate: Translate | None,
    out: Path,
    config: TermWriting = TermWriting(),  # noqa: B008
    progress: Progress | None = None,
) -> TermCounts:
    """Without `translate` the rows have an empty target: monolingual text, to be translated later."""
    wanted = usable_terms(terms)
    if config.purpose not in ("train", "test"):
        raise ConfigError(f"purpose {config.purpose!r}: must be train or test")
    began = time.monotonic()
    with Shards.opened(out, _made_by(wanted, writer.name, config)) as shards:
        per_term, frames, seen = _so_far(out, wanted)
        stopped, barren = "enough", 0
        while shards.totals["pairs"] < config.sentences:
            if config.seconds and time.monotonic() - began > config.seconds:
                stopped = "time"
                break
            if barren >= _BARREN_ROUNDS:
                stopped = "nothing new"
                break
            asked = _round(wanted, per_term, shards.next, config)
            if not asked:
                stopped = "each term has its sentences"
                break
            rows, dropped, written = _made(asked, writer, translate, shards.next, config, frames, seen)
            rows = rows[: config.sentences - shards.totals["pairs"]]
            per_term.update(str(row["terms"][0]["source"]) for row in rows)  # type: ignore[index]
            shards.add(rows, dropped, {"pairs": len(rows), "written": written, **_reasons(dropped)})
            barren = 0 if rows else barren + 1
            if progress:
                progress(shards.totals["pairs"], config.sentences)
        return _counts(shards.totals, wanted, per_term, time.monotonic() - began, stopped)


def _round(terms: Sequence[Term], per_term: Counter[str], number: int, config: TermWriting) -> list[_Asked]:
    """The scarcest terms, in one way of writing and with the same examples, which are read once."""
    drawn = random.Random(f"{config.purpose}:{config.seed}:{number}")
    open_terms = [
        term for term in terms if not config.most_per_term or per_term[term.source] < config.most_per_term
    ]
    drawn.shuffle(open_terms)
    # A term that the model never gets right must not take all the places: fewest first, but by halves.
    open_terms.sort(key=lambda term: per_term[term.source])
    count = config.prompts_per_round
    scarce = open_terms[: count // 2]
    rest = open_terms[count // 2 :]
    chosen = scarce + drawn.sample(rest, min(count - len(scarce), len(rest)))
    while chosen and len(chosen) < count:
        chosen += chosen[: count - len(chosen)]
    kind = kinds()[number % len(kinds())]
    return [_Asked(term, kind, opening(kind.begin(drawn, term.source), term.source)) for term in chosen]


def _made(
    asked: Sequence[_Asked],
    writer: Continuing,
    translate: Translate | None,
    number: int,
    config: TermWriting,
    frames: Counter[str],
    seen: set[bytes],
) -> tuple[list[dict[str, object]], list[dict[str, object]], int]:
    prompts = [one.kind.prompt(one.term.source, number, one.begin) for one in asked]
    written = _continued(writer, prompts, config.seed * 1_000_003 + number)
    kept: list[tuple[str, _Asked, str]] = []
    dropped: list[dict[str, object]] = []
    for place, (one, text) in enumerate(zip(asked, written, strict=True)):
        sentence = joined(one.begin, text)
        reason = fault(sentence, one.term.source, one.kind) or _known(sentence, one.term.source, frames, seen)
        row_id = f"{_prefix(config)}-{number}-{place}"
        if reason:
            dropped.append({"id": row_id, "src": sentence, "term": one.term.source, "reason": reason})
        else:
            kept.append((row_id, one, sentence))
    sentences = [sentence for _, _, sentence in kept]
    required = [[(one.term.source, one.term.target)] for _, one, _ in kept]
    targets: Sequence[str] = [""] * len(kept)
    if translate is not None and kept:
        targets = translate(sentences, required)
        if len(targets) != len(kept):
            raise ConfigError(f"the translator gave {len(targets)} texts for {len(kept)} sentences")
    rows: list[dict[str, object]] = []
    for (row_id, one, sentence), target in zip(kept, targets, strict=True):
        row = _row(row_id, one, sentence, target, writer.name, config, number)
        reason = _target_fault(sentence, target, config) if translate is not None else ""
        if reason:
            dropped.append({**row, "reason": reason})
        else:
            rows.append(row)
    return rows, dropped, len(asked)


def _prefix(config: TermWriting) -> str:
    marked = "syn-test" if config.purpose == "test" else "syn"
    return f"{marked}-terms-{config.source_language}-{config.target_language}-{config.seed}"


def _continued(writer: Continuing, prompts: Sequence[str], seed: int) -> list[str]:
    """With a seed of the round's own where the model takes settings, so that no round repeats another."""
    settings = getattr(writer, "settings", None)
    if settings is None or not hasattr(settings, "seed"):
        return writer.continue_many(prompts)
    chosen = replace(settings, seed=seed % (1 << 31))
    return writer.continue_many(prompts, "\n", chosen)  # type: ignore[call-arg]


def _known(sentence: str, term: str, frames: Counter[str], seen: set[bytes]) -> str:
    """Remembers the sentence, and says what keeps it out: it is there already, or its frame is worn."""
    key, bare = _key(sentence.lower()), frame(sentence, term)
    if key in seen:
        return "duplicate"
    if frames[bare] >= _MOST_OF_A_FRAME:
        return "worn_frame"
    seen.add(key)
    frames[bare] += 1
    return ""


def _target_fault(sentence: str, target: str, config: TermWriting) -> str:
    if not target.strip():
        return "no_translation"
    found = check_pair(sentence, target, config.source_language, config.target_language)
    return next((f"clinical_{one.kind}" for one in found if one.severity == "critical"), "")


def _row(
    row_id: str, asked: _Asked, sentence: str, target: str, writer: str, config: TermWriting, number: int
) -> dict[str, object]:
    term = asked.term
    return {
        "id": row_id,
        "src": sentence,
        "tgt": target,
        "src_lang": config.source_language,
        "tgt_lang": config.target_language,
        "origin": f"synthesis:terms:{writer}",
        "licence": LICENCE,
        "document": row_id,
        "position": 0,
        "purpose": config.purpose,
        "type": asked.kind.name,
        "terms": [
            {
                "source": term.source,
                "target": term.target,
                "in_source": True,
                "in_target": has_term(target, term.target),
            }
        ],
        "models": {"writer": writer, "translator": "handed in"},
        "prompts": [version()],
        "seed": config.seed,
        "rounds": 1,
    }


def _so_far(out: Path, terms: Sequence[Term]) -> tuple[Counter[str], Counter[str], set[bytes]]:
    """What a run that is gone on with has written: 16 bytes a sentence are kept of it."""
    per_term, frames, seen = Counter[str](), Counter[str](), set[bytes]()
    for row in made_rows(out):
        term = str(row["terms"][0]["source"])
        per_term[term] += 1
        frames[frame(str(row["src"]), term)] += 1
        seen.add(_key(str(row["src"]).lower()))
    for row in made_rows(out, DROPPED):
        if row.get("tgt") is not None:
            seen.add(_key(str(row["src"]).lower()))
    return per_term, frames, seen


def _made_by(terms: Sequence[Term], writer: str, config: TermWriting) -> dict[str, object]:
    settings = {key: value for key, value in asdict(config).items() if key not in ("sentences", "seconds")}
    listed = "\n".join(f"{term.source}\t{term.target}" for term in terms)
    return {
        "mode": "terms",
        "writer": writer,
        "terms": hashlib.sha256(listed.encode()).hexdigest(),
        "prompts": version(),
        **settings,
    }


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


def _reasons(dropped: Sequence[dict[str, object]]) -> Counter[str]:
    return Counter(f"dropped_{row['reason']}" for row in dropped)


def _counts(
    totals: Counter[str], terms: Sequence[Term], per_term: Counter[str], seconds: float, stopped: str
) -> TermCounts:
    reasons = {
        name.removeprefix("dropped_"): count
        for name, count in totals.most_common()
        if name.startswith("dropped_")
    }
    counts = [per_term[term.source] for term in terms]
    with_some = sum(count > 0 for count in counts)
    return TermCounts(
        totals["pairs"], totals["written"], reasons, with_some, len(terms), min(counts), seconds, stopped
    )
