"""How many injected clinical errors the checks find, and how often they cry wolf on what is right.

In: a folder with the public pairs (`--data`). Out: two tables on stdout; with `--alarms`, the alarms to read.

    python benchmarks/safety_checks.py                       # the half that no rule was developed on
    python benchmarks/safety_checks.py --half develop --alarms alarms.jsonl

The pairs are split in two by document. The rules were written while reading one half only (`develop`); the
figures to report are those of the other. `safety_read_alarms.tsv` holds the verdict of a reader on a random
sample of the alarms on untouched pairs: `true` where the two sides of the corpus really differ. The share of
false alarms is estimated from it. Damage is done only to pairs on which the checks of that kind are silent.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from safety_injections import INJECTIONS  # type: ignore[import-not-found]

from data.clinical import Finding, check_pair

FILES = ("rebec-train.en-pt", "tico19-dev.en-pt", "tico19-dev.en-es", "tico19-dev.en-fr")
READ_ALARMS = Path(__file__).with_name("safety_read_alarms.tsv")
WORDS_OF_A_CLINICAL_SENTENCE = range(15, 26)


@dataclass(frozen=True, slots=True)
class Clean:
    """A pair of the corpora as it is, and what the checks say of it."""

    id: str
    source: str
    target: str
    language: str
    corpus: str
    findings: tuple[Finding, ...] = ()


def main() -> None:
    options = parsed()
    pairs = [checked(pair) for pair in load(options.data, options.half)]
    if options.limit:
        pairs = random.Random(0).sample(pairs, min(options.limit, len(pairs)))
    print(f"{len(pairs)} pairs, {options.half} half\n")
    report_alarms(pairs, verdicts())
    report_detection(pairs, options.each)
    report_speed(pairs)
    if options.alarms:
        write_alarms(pairs, options.alarms)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--half", choices=["report", "develop"], default="report")
    parser.add_argument("--limit", type=int, default=0, help="only so many pairs, drawn at random")
    parser.add_argument("--each", type=int, default=400, help="injections of each kind")
    parser.add_argument("--alarms", type=Path, help="write the alarms on untouched pairs here")
    return parser.parse_args()


def load(folder: Path, half: str) -> Iterator[Clean]:
    for name in FILES:
        path = folder / f"{name}.jsonl"
        if not path.exists():
            raise SystemExit(f"{path} is not there: give the folder of the public pairs with --data")
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            digest = hashlib.sha256(row["id"].split(":")[1].encode()).hexdigest()
            if (int(digest, 16) % 2 == 0) == (half == "develop"):
                yield Clean(f"{name}/{row['id']}", row["src"], row["tgt"], row["tgt_lang"], name)


def checked(pair: Clean) -> Clean:
    findings = check_pair(pair.source, pair.target, "en", pair.language)
    return Clean(pair.id, pair.source, pair.target, pair.language, pair.corpus, findings)


def verdicts() -> dict[str, bool]:
    """By the id of a pair that was read: do its two sides really say different things?"""
    lines = READ_ALARMS.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {row[0]: row[1] == "true" for row in rows}


def report_alarms(pairs: Sequence[Clean], read: dict[str, bool]) -> None:
    print("| untouched pairs | pairs | critical % | any % |")
    print("|---|---|---|---|")
    for corpus in (*FILES, "all"):
        own = [pair for pair in pairs if corpus in (pair.corpus, "all")]
        cells = [percent(map(is_critical, own), len(own)), percent((bool(p.findings) for p in own), len(own))]
        print(f"| {corpus} | {len(own)} | {' | '.join(cells)} |")
    for name, alarmed in (
        ("critical", list(filter(is_critical, pairs))),
        ("any", [p for p in pairs if p.findings]),
    ):
        known = [read[pair.id] for pair in alarmed if pair.id in read]
        if known:
            false = known.count(False) / len(known)
            share = 100 * false * len(alarmed) / max(len(pairs), 1)
            counts = f"{known.count(True)} of {len(known)} alarmed pairs read are true finds"
            print(f"\n{name}: {counts}; false alarms on about {share:.2f} % of the pairs")
    kinds = Counter(
        (f.kind, f.severity)
        for pair in pairs
        for f in {(f.kind, f.severity): f for f in pair.findings}.values()
    )
    print(
        "\nby kind:",
        ", ".join(f"{kind} {severity} {count}" for (kind, severity), count in kinds.most_common()),
        "\n",
    )


def report_detection(pairs: Sequence[Clean], each: int) -> None:
    print("| injected | tried | found % | found as critical % |")
    print("|---|---|---|---|")
    for name, (inject, kinds) in INJECTIONS.items():
        dice = random.Random(name)
        order = list(pairs)
        dice.shuffle(order)
        tried = found = critical = 0
        for pair in order:
            if tried == each:
                break
            if any(finding.kind in kinds for finding in pair.findings):
                continue  # its two sides differ already: the damage may well repair them
            damaged = inject(pair.source, pair.target, pair.language, dice)
            if damaged is None or damaged == pair.target:
                continue
            tried += 1
            after = check_pair(pair.source, damaged, "en", pair.language)
            findings = [finding for finding in after if finding.kind in kinds]
            found += bool(findings)
            critical += any(f.severity == "critical" for f in findings)
        cells = f"{100 * found / max(tried, 1):.1f} | {100 * critical / max(tried, 1):.1f}"
        print(f"| {name} | {tried} | {cells} |")
    print()


def report_speed(pairs: Sequence[Clean]) -> None:
    sentences = [pair for pair in pairs if len(pair.source.split()) in WORDS_OF_A_CLINICAL_SENTENCE][:3000]
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        for pair in sentences:
            check_pair(pair.source, pair.target, "en", pair.language)
        best = max(best, len(sentences) / max(time.process_time() - start, 1e-9))
    words = sum(len(pair.source.split()) for pair in sentences) / max(len(sentences), 1)
    print(f"speed: {best:,.0f} pairs a second of one core's time, {words:.1f} words a source sentence")


def is_critical(pair: Clean) -> bool:
    return any(finding.severity == "critical" for finding in pair.findings)


def percent(flags: Iterable[bool], total: int) -> str:
    return f"{100 * sum(flags) / max(total, 1):.2f}"


def write_alarms(pairs: Sequence[Clean], path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for pair in pairs:
            for finding in pair.findings:
                row = {"id": pair.id, "kind": finding.kind, "severity": finding.severity}
                row |= {"message": finding.message, "src": pair.source, "tgt": pair.target}
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
