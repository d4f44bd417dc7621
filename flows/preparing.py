"""The stages from sources of text to what training reads; each calls one library function on files.

In: a `Run` and the results of earlier stages. Out: a `Done` whose folder holds the next files.

    gathered = gather(run, generate(run))
    measured = measure(run, gathered)
    kept = filtered(run, measured)          # kept.jsonl, dropped.jsonl with the reasons
    prepared(run, decontaminated(run, deduplicated(run, kept)))   # train-<source>.jsonl, dev.jsonl, manifest
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.files import atomic_write
from data.jsonl import json_line, read_jsonl, write_jsonl
from flows.run import Run, summary, write_summary
from flows.step_folders import Done, file_digest

PAIRS, KEPT, DROPPED = "pairs.jsonl", "kept.jsonl", "dropped.jsonl"
DEV, MANIFEST = "dev.jsonl", "manifest.json"
WRITTEN = "written"  # the source that a chat model wrote
PART = "part"  # the key of a record that says which source it is of


def gather(run: Run, generated: Done | None) -> Done:
    """All sources in one file, each record with the name of its own."""
    sources: dict[str, Path] = {one.name: one.path for one in run.pipeline.data.real}
    if generated is not None:
        sources[WRITTEN] = generated.folder / PAIRS
    if not sources:
        raise InputError(f"{run.config}: nothing to train on: data.real is empty and nothing is generated")

    def work(folder: Path) -> None:
        counts: Counter[str] = Counter()
        write_jsonl(folder / PAIRS, _records(run, sources, counts))
        write_summary(folder, {"pairs": sum(counts.values()), "reasons": dict(counts)})

    languages = (run.pipeline.source, run.pipeline.target)
    return run.step("gather", {"sources": sources, "languages": languages}, work)


def _records(run: Run, sources: dict[str, Path], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    from data.corpora import Reading, read_records

    reading = Reading(run.pipeline.source, run.pipeline.target)
    for name, path in sources.items():
        for record in read_records([path], reading):
            counts[name] += 1
            languages = {"src_lang": run.pipeline.source, "tgt_lang": run.pipeline.target}
            yield {**record, **languages, PART: name}


def measured(run: Run, gathered: Done) -> Done:
    from data.measuring import MeasureConfig, measure

    config = MeasureConfig()

    def work(folder: Path) -> None:
        found = measure([gathered.folder / PAIRS], folder / PAIRS, config)
        write_summary(folder, {"pairs": found.pairs})

    return run.step("measure", {"pairs": gathered, "groups": config.groups}, work)


def filtered(run: Run, measures: Done) -> Done:
    from data.filtering import DEFAULT_LIMITS, load_limits
    from data.measuring import filter_pairs

    limits = run.pipeline.data.limits or DEFAULT_LIMITS

    def work(folder: Path) -> None:
        found = filter_pairs([measures.folder / PAIRS], folder / KEPT, folder / DROPPED, load_limits(limits))
        write_summary(folder, {"pairs": found.pairs, "kept": found.kept, "reasons": dict(found.reasons)})

    return run.step("filter", {"pairs": measures, "limits": limits}, work)


def deduplicated(run: Run, kept: Done) -> Done:
    from data.duplicates import DedupeConfig, dedupe

    config = DedupeConfig(threshold=run.pipeline.data.duplicates)

    def work(folder: Path) -> None:
        found = dedupe([kept.folder / KEPT], folder / KEPT, folder / DROPPED, config)
        counts = {"pairs": found.pairs, "kept": found.kept}
        write_summary(folder, {**counts, "reasons": {"exact": found.exact, "near": found.near}})

    return run.step("deduplicate", {"pairs": kept, "threshold": config.threshold, "by": config.by}, work)


def decontaminated(run: Run, unique: Done) -> Done:
    """Nothing that is tested on, or chosen on, may be learnt."""
    from data.contamination import decontaminate

    pipeline = run.pipeline
    tests = [one.path for one in pipeline.evaluation.sets] + (
        [pipeline.data.dev] if pipeline.data.dev else []
    )

    def work(folder: Path) -> None:
        found = decontaminate(
            [unique.folder / KEPT], tests, folder / KEPT, folder / DROPPED, pipeline.data.contamination
        )
        write_summary(folder, {"pairs": found.pairs, "kept": found.kept, "reasons": dict(found.reasons)})

    inputs = {"pairs": unique, "tests": tests, "threshold": pipeline.data.contamination}
    return run.step("decontaminate", inputs, work)


def prepared(run: Run, clean: Done) -> Done:
    """A file for each source, the dev set, and the manifest that says what is in them."""
    from data.splits import SplitConfig, split

    pipeline = run.pipeline
    config = SplitConfig(dev=pipeline.data.dev_share, test=0.0, seed=pipeline.name)

    def work(folder: Path) -> None:
        pairs = clean.folder / KEPT
        if pipeline.data.dev is not None:
            shutil.copyfile(pipeline.data.dev, folder / DEV)
        else:
            parts = folder / "parts"
            split([pairs], parts, config)
            (parts / "dev.jsonl").rename(folder / DEV)
            pairs = parts / "train.jsonl"
        counts = _shared_out(pairs, folder)
        shutil.rmtree(folder / "parts", ignore_errors=True)
        if not counts:
            raise InputError(f"{pairs}: no pair is left to train on; read {clean.folder.parent}/*/{DROPPED}")
        files = {one.name: file_digest(one) for one in sorted(folder.glob("*.jsonl"))}
        with atomic_write(folder / MANIFEST) as stream:
            json.dump({"pairs": counts, "sha256": files}, stream, indent=1)
        write_summary(folder, {"pairs": sum(counts.values()), "reasons": counts})

    inputs = {"pairs": clean, "dev": pipeline.data.dev, "split": dataclasses.asdict(config)}
    return run.step("prepare", inputs, work)


def _shared_out(pairs: Path, folder: Path) -> dict[str, int]:
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        streams: dict[str, Any] = {}
        for _, record in read_jsonl(pairs):
            part = str(record.pop(PART, WRITTEN))
            if part not in streams:
                streams[part] = stack.enter_context(atomic_write(folder / f"train-{part}.jsonl"))
            streams[part].write(json_line(record))
            counts[part] += 1
    return dict(counts)


def dropped_files(*steps: Done) -> list[Path]:
    """Where a reader finds what was thrown away, and why."""
    return [one.folder / DROPPED for one in steps if summary(one).get("reasons")]
