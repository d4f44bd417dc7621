"""Does synthetic text help? The embedded model writes around a term list, the starter learns from it.

    python benchmarks/synthetic_gain.py write   --data ../shared/data --work artifacts/gain
    python benchmarks/synthetic_gain.py prepare --data ../shared/data --work artifacts/gain
    python benchmarks/synthetic_gain.py train   --data ../shared/data --work artifacts/gain
    python benchmarks/synthetic_gain.py report  --data ../shared/data --work artifacts/gain
    python benchmarks/synthetic_gain.py price

- `write`: sentences around the terms of TICO-19's list (Facebook's, en-pt), each translated by the starter
  with the list's terms enforced. Goes on where it was.
- `prepare`: measured by form, safety checks, terms and the starters; filtered; without near-duplicates and
  without anything like the test set; some apart for dev; general sentences with the starter's own
  translations as replay.
- `train`: the starter on both, embeddings frozen, bound to itself.
- `report`: the starter and the result on TICO-19 dev, which nothing was chosen on: success of the list's
  terms with and without enforcement, BLEU, chrF, paired bootstrap; and on general text, what it costs there.
- `price`: what the same would cost for 100,000 pairs with a strong LLM, from the plan of `data.synthesis`.

Each step prints its minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.path[0] == str(Path(__file__).parent):  # run by its path, this file would hide the package of its name
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from data.contamination import decontaminate
from data.duplicates import dedupe
from data.embedded import EmbeddedChat, EmbeddedSettings
from data.filtering import load_limits
from data.jsonl import read_jsonl, write_jsonl
from data.measuring import MeasureConfig, filter_pairs, measure
from data.records import shard_files
from data.segments import Segment, Translation
from data.synthesis import SynthesisConfig, plan
from data.term_sentences import Required, write_term_sentences
from data.term_values import Term, TermWriting
from mt.config import DecodeConfig, DeviceConfig, TrainConfig
from mt.decoder import EngineDecoder
from mt.engine import Engine
from mt.models import find_model
from terminology.checking import State, TermCheck, check, check_matches
from terminology.enforcement import Enforcer
from terminology.files import load_termbase
from terminology.guards import clinical_safety
from terminology.matching import TermMatcher
from terminology.termbase import Termbase

TERMS, TEST = "tico19-terms-facebook.en-pt.jsonl", "tico19-dev.en-pt.jsonl"
STARTER = Path(__file__).parent.parent / "mt" / "starter" / "models" / "en-pt"
REPLAY, DEV = 4000, 150
# An assumption, not a quotation: dollars for a million tokens of a strong model, as of November 2026.
PROMPT_PRICE, REPLY_PRICE = 2.5, 10.0


def write(options: argparse.Namespace) -> None:
    enforcer = Enforcer(
        EngineDecoder(engine(options.threads)),
        TermMatcher([termbase(options.data)]),
        safety=clinical_safety("en", "pt"),
    )

    def translate(sentences: Sequence[str], _: Required) -> list[str]:
        """With every term of the list that a sentence has, not only the one it was written for."""
        segments = [Segment(str(number), text) for number, text in enumerate(sentences)]
        return [one.translation.target for one in enforcer.translate(segments)]

    terms = [Term(term.source, term.targets[0].text) for term in termbase(options.data).terms]
    chat = EmbeddedChat(settings=EmbeddedSettings(threads=options.threads))
    config = TermWriting(options.sentences, options.minutes * 60)
    print(write_term_sentences(terms, chat, translate, options.work / "written", config, told))


def told(done: int, wanted: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} {done} of {wanted}", flush=True)


def prepare(options: argparse.Namespace) -> None:
    from mt.measuring import starters

    work = options.work
    limits = load_limits(None)
    config = MeasureConfig(only_if=tuple(limits), processes=1)
    shards = shard_files(work / "written")
    print(measure(shards, work / "measured.jsonl", config, starters("en", "pt")))
    print(filter_pairs([work / "measured.jsonl"], work / "kept.jsonl", work / "dropped.jsonl", limits))
    print(dedupe([work / "kept.jsonl"], work / "unique.jsonl", work / "same.jsonl"))
    test = [options.data / TEST]
    print(decontaminate([work / "unique.jsonl"], test, work / "clean.jsonl", work / "seen.jsonl"))
    pairs = [row for _, row in read_jsonl(work / "clean.jsonl")]
    random.Random(1).shuffle(pairs)
    write_jsonl(work / "dev.jsonl", pairs[:DEV])
    write_jsonl(work / "train.jsonl", pairs[DEV:])
    general = [row for _, row in read_jsonl(options.data / "general-dev.en-pt.jsonl")]
    write_jsonl(work / "dev.general.jsonl", general[:DEV])
    write_jsonl(work / "replay.jsonl", replay(options.data, engine(options.threads)))
    print(f"{len(pairs) - DEV} pairs to learn from, {coverage(pairs[DEV:])}")


def coverage(pairs: Sequence[dict[str, Any]]) -> str:
    counts = Counter(term["source"] for pair in pairs for term in pair["terms"])
    return f"{len(counts)} terms, the rarest {min(counts.values())} times"


def replay(data: Path, translator: Engine) -> list[dict[str, str]]:
    with gzip.open(data / "general-mono.en.txt.gz", "rt", encoding="utf-8") as stream:
        lines = [line.strip() for line in stream if 20 <= len(line) <= 300]
    picked = random.Random(1).sample(lines, REPLAY)
    return [
        {"id": f"replay:{number}", "src": text, "tgt": found, "src_lang": "en", "tgt_lang": "pt"}
        for number, (text, found) in enumerate(zip(picked, translator.translate(picked), strict=True))
        if found
    ]


def train(options: argparse.Namespace) -> None:
    from mt.finetune import finetune
    from mt.finetune_mixture import Mixture, Source
    from mt.starter.graft import convert_int8

    work = options.work
    mixture = Mixture(
        (
            Source("synthetic", work / "train.jsonl", weight=1, anchor=0.3),
            Source("replay", work / "replay.jsonl", weight=1, cross_entropy=0.0, anchor=1.0),
        )
    )
    config = TrainConfig(
        source="en",
        target="pt",
        learning_rate=options.rate,
        epochs=4,
        max_minutes=options.minutes,
        batch_tokens=2000,
        ema_decay=0.99,
        warmup=0.15,
        freeze=("embeddings",),
        longest=120,
        evaluations=4,
        patience=0,
        dev_segments=DEV,
        threads=options.threads,
    )
    dev = {"synthetic": work / "dev.jsonl", "general": work / "dev.general.jsonl"}
    done = finetune(
        STARTER, mixture, dev, work / "run", config, scores, lambda found: print(found, flush=True)
    )
    convert_int8(work / "run")
    print(f"{done.tokens} tokens; before {done.base_scores}, after {done.scores}")


def scores(translations: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    import sacrebleu

    chrf = sacrebleu.corpus_chrf(list(translations), [list(references)]).score
    return {"chrF": chrf, "BLEU": sacrebleu.corpus_bleu(list(translations), [list(references)]).score}


def report(options: argparse.Namespace) -> None:
    for name in (TEST, "general-dev.en-pt.jsonl"):
        rows = [row for _, row in read_jsonl(options.data / name)]
        if name != TEST:
            rows = rows[DEV:]
        compare(name, rows, options)


def compare(name: str, rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    base = termbase(options.data)
    matcher = TermMatcher([base])
    systems = {"starter": engine(options.threads), "with synthetic pairs": own(options)}
    outputs: dict[str, list[str]] = {}
    for system, translator in systems.items():
        drafts = next(
            translator.translate_stream([[row["src"] for row in rows]], DecodeConfig(attention=True))
        )
        outputs[system] = [found[0].text for found in drafts]
        if name == TEST:
            plain = [
                Translation(Segment(row["id"], row["src"]), text)
                for row, text in zip(rows, outputs[system], strict=True)
            ]
            enforcer = Enforcer(EngineDecoder(translator), matcher, safety=clinical_safety("en", "pt"))
            mended = enforcer.mended(plain, None, [found[0] for found in drafts])
            outputs[f"{system}, enforced"] = [one.translation.target for one in mended]
    table(name, rows, outputs, matcher)
    if name == TEST:
        for title, wanted in ((f"{name}, no term of the list", False), (f"{name}, with terms", True)):
            places = [place for place, row in enumerate(rows) if bool(matcher.find(row["src"])) == wanted]
            chosen = {system: [texts[place] for place in places] for system, texts in outputs.items()}
            table(title, [rows[place] for place in places], chosen, matcher)


def table(
    title: str, rows: list[dict[str, Any]], outputs: dict[str, list[str]], matcher: TermMatcher
) -> None:
    print(
        f"\n{title}: {len(rows)} segments\n\n| system | list's terms | proper terms | BLEU | p | chrF | p |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    tested = significance(outputs, [row["tgt"] for row in rows])
    proper = [proper_matches(matcher, row) for row in rows]
    for system, texts in outputs.items():
        every = [check(matcher, row["src"], text) for row, text in zip(rows, texts, strict=True)]
        fair = [check_matches(found, text, "pt") for found, text in zip(proper, texts, strict=True)]
        print(f"| {system} | {success(every)} | {success(fair)} | {tested[system]} |", flush=True)


def proper_matches(matcher: TermMatcher, row: dict[str, Any]) -> Any:
    """Matches that the reference translates as the list does: a perfect translator could have them all."""
    statuses = check(matcher, row["src"], row["tgt"]).statuses
    return tuple(status.match for status in statuses if status.state is not State.MISSING)


def success(checks: Sequence[TermCheck]) -> str:
    states = [status.state for one in checks for status in one.statuses]
    found = sum(state is not State.MISSING for state in states)
    return f"{100 * found / max(1, len(states)):.2f} % of {len(states)}"


def significance(outputs: dict[str, list[str]], references: list[str]) -> dict[str, str]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.significance import PairedTest

    metrics: dict[str, Any] = {"BLEU": BLEU(references=[references]), "chrF": CHRF(references=[references])}
    _, found = PairedTest(list(outputs.items()), metrics, references=None, test_type="bs", n_samples=1000)()
    columns: list[Any] = list(found.values())[1:]
    return {
        system: " | ".join(
            f"{column[place].score:.2f} | {shown(column[place].p_value)}" for column in columns
        )
        for place, system in enumerate(outputs)
    }


def shown(p_value: float | None) -> str:
    return "" if p_value is None else f"{p_value:.3f}"


def price(options: argparse.Namespace) -> None:
    """The whole round of writer, translator, critic and reviser, in documents and around terms."""
    terms = [Term(term.source, term.targets[0].text) for term in termbase(options.data).terms]
    settings = {"prompt_price": PROMPT_PRICE, "reply_price": REPLY_PRICE, "seed": 7}
    for mode in ("documents", "terms"):
        one = plan(SynthesisConfig.of({**settings, "mode": mode, "documents": 1000}), terms)
        documents = -(-100_000 * one.documents // one.pairs)
        config = SynthesisConfig.of({**settings, "mode": mode, "documents": documents})
        found = plan(config, terms)
        print(
            f"{mode}: {found.pairs:,} pairs, {found.documents:,} documents, {found.calls:,} calls, "
            f"{found.prompt_tokens / 1e6:,.0f} M tokens in, {found.reply_tokens / 1e6:,.0f} M out: "
            f"{found.money:,.0f} dollars, by the Batch API half of it: {found.money / 2:,.0f}"
        )


def termbase(data: Path) -> Termbase:
    return load_termbase(data / TERMS, "en", "pt").termbase


def engine(threads: int) -> Engine:
    return Engine(find_model("en", "pt", str(STARTER)), DeviceConfig(compute_type="int8", threads=threads))


def own(options: argparse.Namespace) -> Engine:
    model = find_model("en", "pt", str(options.work / "run" / "ct2"))
    return Engine(model, DeviceConfig(compute_type="int8", threads=options.threads))


STEPS = {"write": write, "prepare": prepare, "train": train, "report": report, "price": price}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=list(STEPS))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("artifacts/gain"))
    parser.add_argument("--sentences", type=int, default=3500)
    parser.add_argument("--minutes", type=float, default=15, help="of writing or training, at most")
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    began, worked = time.monotonic(), time.process_time()
    STEPS[options.step](options)
    took = {"minutes": time.monotonic() - began, "core_minutes": time.process_time() - worked}
    print(json.dumps({"step": options.step} | {name: round(spent / 60, 1) for name, spent in took.items()}))


if __name__ == "__main__":
    main()
