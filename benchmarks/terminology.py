"""How well terms are enforced, at what price for the rest, and how much time it takes.

    python -m benchmarks.terminology --data ../shared/data --model NAME_OR_FOLDER

Three ways to require terms of the TICO-19 term list (Facebook's) in TICO-19 dev, en-pt:

    proper       those that the reference contains: a perfect translator could have all of them
    all matched  every term found in the source, though the reference may say it otherwise
    random       each term paired with another term's target: what enforcement does with nonsense

Success: share of required terms that the check finds, in any form / as written. chrF and BLEU against the
reference. All rows, and the odd rows apart: thresholds are to be tried on the even
ones (docs/terminology-reading.md read both).
Time: a text in which a fifth of the segments need a term brought in, through the service, against the service
without an enforcer; wall clock and processor time. For es and fr, which have no starter model, the termbases
are loaded and matched, and looked for in the references.

With --post-edit the segments that still miss a term go to the model in the role `postedit`
(MEDLOOP_LLM_MODEL, OPENAI_BASE_URL); what the guard took and refused is counted.
"""

from __future__ import annotations

import sys
from pathlib import Path

if sys.path[0] == str(Path(__file__).parent):  # run by its path, this file would hide the package of its name
    sys.path[0] = str(Path(__file__).parent.parent)

import argparse
import json
import random
import time
from collections import Counter
from dataclasses import replace

from data.llm_roles import chat_model
from data.segments import Segment, Translation
from mt.config import DecodeConfig, DeviceConfig
from mt.decoder import EngineDecoder
from mt.engine import Engine
from mt.models import find_model
from mt.service import TranslationService
from terminology.checking import State, TermCheck, check, check_matches
from terminology.enforcement import Enforcer, Step, TermedTranslation
from terminology.files import load_termbase
from terminology.guards import clinical_safety
from terminology.matching import TermMatch, TermMatcher
from terminology.postedit import PostEditor
from terminology.termbase import Termbase

SHARE = 5  # of the timed text every fifth segment needs a term


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", default="", help="name or folder; default: the starter")
    parser.add_argument("--target", default="pt", help="pt, es or fr")
    parser.add_argument("--segments", type=int, default=0, help="only so many")
    parser.add_argument("--post-edit", action="store_true", help="the LLM for what is left")
    parser.add_argument("--out", type=Path, help="JSON Lines of the segments that changed, for reading")
    arguments = parser.parse_args()
    for other in ("es", "fr"):
        matched(arguments.data, other)
    target = arguments.target
    engine = Engine(find_model("en", target, arguments.model), DeviceConfig(compute_type="int8"))
    rows = read(arguments.data / f"tico19-dev.en-{target}.jsonl", arguments.segments)
    path = arguments.data / f"tico19-terms-facebook.en-{target}.jsonl"
    termbase = load_termbase(path, "en", target).termbase
    drafts = next(engine.translate_stream([[row["src"] for row in rows]], DecodeConfig(attention=True)))
    plain = [found[0] for found in drafts]
    texts = [draft.text for draft in plain]
    changed = []
    for name, matcher in (
        ("proper", PerRow(rows, termbase, target)),
        ("all matched", TermMatcher([termbase])),
        ("random", TermMatcher([shuffled(termbase)])),
    ):
        enforcer = Enforcer(EngineDecoder(engine), matcher, safety=clinical_safety("en", target))  # type: ignore[arg-type]
        translations = [
            Translation(Segment(row["id"], row["src"]), draft.text)
            for row, draft in zip(rows, plain, strict=True)
        ]
        results = enforcer.mended(translations, None, plain)
        print(f"\n{name}")
        for half, chosen in (("all", slice(None)), ("odd rows", slice(1, None, 2))):
            report(half, rows[chosen], texts[chosen], results[chosen])
        if arguments.post_edit:
            left = [number for number, result in enumerate(results) if not result.check.ok]
            enforcer.post_editor = PostEditor(chat_model("postedit"), "en", target)
            post_edited(enforcer.mended([translations[i] for i in left], None, [plain[i] for i in left]))
        changed += [
            {"kind": name, "source": row["src"], "plain": before, "enforced": result.translation.target}
            | {"steps": [f"{edit.step} {edit.term} {edit.reason}" for edit in result.edits]}
            for row, before, result in zip(rows, texts, results, strict=True)
            if result.translation.target != before
        ]
    if not arguments.post_edit:
        timing(engine, rows, texts, TermMatcher([termbase]), target)
    if arguments.out:
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in changed)
        arguments.out.write_text("".join(lines), encoding="utf-8")


class PerRow:
    """A matcher whose every row has a termbase of its own, so that all rows share one batch."""

    def __init__(self, rows: list[dict[str, str]], termbase: Termbase, target: str) -> None:
        self.source_language, self.target_language = "en", target
        self._matchers = {row["src"]: TermMatcher([only(termbase, row)]) for row in rows}

    def find(self, text: str) -> tuple[TermMatch, ...]:
        return self._matchers[text].find(text)


def matched(data: Path, target: str) -> None:
    rows = read(data / f"tico19-dev.en-{target}.jsonl", 0)
    loaded = load_termbase(data / f"tico19-terms-facebook.en-{target}.jsonl", "en", target)
    matcher = TermMatcher([loaded.termbase])
    checks = [check(matcher, row["src"], row["tgt"]) for row in rows]
    print(
        f"en-{target}: {len(loaded.termbase.terms)} terms, {len(loaded.conflicts)} conflicts; "
        f"{sum(len(one.statuses) for one in checks)} matches in {sum(bool(one.statuses) for one in checks)} "
        f"of {len(rows)} segments; the references have {success(checks)}"
    )


def read(path: Path, count: int) -> list[dict[str, str]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return rows[:count] if count else rows


def only(termbase: Termbase, row: dict[str, str]) -> Termbase:
    """The terms whose target the reference has."""
    statuses = check(TermMatcher([termbase]), row["src"], row["tgt"]).statuses
    kept = {status.match.term.id for status in statuses if status.state is not State.MISSING}
    return replace(termbase, terms=tuple(term for term in termbase.terms if term.id in kept))


def shuffled(termbase: Termbase) -> Termbase:
    targets = [term.targets for term in termbase.terms]
    random.Random(19).shuffle(targets)
    pairs = zip(termbase.terms, targets, strict=True)
    return replace(termbase, terms=tuple(replace(term, targets=other) for term, other in pairs))


def report(name: str, rows: list[dict[str, str]], plain: list[str], results: list[TermedTranslation]) -> None:
    import sacrebleu

    after = [result.check for result in results]
    matches = [[status.match for status in checked.statuses] for checked in after]
    before = [
        check_matches(found, text, rows[0]["tgt_lang"]) for found, text in zip(matches, plain, strict=True)
    ]
    references = [[row["tgt"] for row in rows]]
    texts = [result.translation.target for result in results]
    print(f"  {name}: {sum(map(len, matches))} terms in {sum(map(bool, matches))} of {len(rows)} segments")
    for label, checks, translations in (("plain", before, plain), ("enforced", after, texts)):
        bleu = sacrebleu.corpus_bleu(translations, references).score
        chrf = sacrebleu.corpus_chrf(translations, references).score
        print(f"  {label:<9} success {success(checks)}   BLEU {bleu:.2f}   chrF {chrf:.2f}")
    steps = Counter(result.step.value for result in results if result.step is not Step.NO_TERMS)
    print(f"  steps   {dict(steps)}")
    refused = Counter(edit.reason for result in results for edit in result.edits if edit.reason)
    print(f"  refused {dict(refused)}")


def post_edited(results: list[TermedTranslation]) -> None:
    """Of the segments that the steps before left; one refused candidate list counts once."""
    taken = sum(result.step is Step.POST_EDITED for result in results)
    whole = sum(result.check.ok for result in results)
    edits = [edit for result in results for edit in result.edits if edit.step == Step.POST_EDITED]
    refused = Counter(edit.reason for edit in edits if edit.reason)
    print(
        f"  post-editing: {len(results)} segments, {taken} taken ({whole} now have all their terms); "
        f"refused {dict(refused)}"
    )


def success(checks: list[TermCheck]) -> str:
    states = Counter(status.state for checked in checks for status in checked.statuses)
    total = max(1, states.total())
    found = total - states[State.MISSING]
    return f"{100 * found / total:6.2f} % (as written {100 * states[State.EXACT] / total:.2f} %)"


def timing(
    engine: Engine, rows: list[dict[str, str]], plain: list[str], matcher: TermMatcher, target: str
) -> None:
    needy: list[Segment] = []
    easy: list[Segment] = []
    for row, text in zip(rows, plain, strict=True):
        (easy if check(matcher, row["src"], text).ok else needy).append(Segment(row["id"], row["src"]))
    count = min(len(needy), len(easy) // (SHARE - 1))
    mixed = random.Random(3).sample(needy, count) + random.Random(4).sample(easy, count * (SHARE - 1))
    bare, found = TranslationService(engine), []
    for turn in range(4):  # in the first one dictionaries and tables load
        safety = clinical_safety("en", target)  # remembers texts, so each turn has its own
        enforcing = TranslationService(engine, Enforcer(EngineDecoder(engine), matcher, safety=safety))
        times = []
        for service in (bare, enforcing):
            start = (time.perf_counter(), time.process_time())
            service.translate_segments(mixed)
            times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        if turn:
            found.append((times[1][1] / times[0][1], times[1][0] / times[0][0], times[0][0]))
    processor, wall, seconds = min(found)
    print(
        f"\ntime: {len(mixed)} segments, {count} need a term: {processor:.2f} x plain in processor time, "
        f"{wall:.2f} x by the clock ({seconds:.1f} s plain)"
    )


if __name__ == "__main__":
    main()
