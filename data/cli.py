"""The `medloop data` commands: from files to files, streaming.

    medloop data plan --config synthesis.yaml --terms terms.tsv
    medloop data generate --config synthesis.yaml --terms terms.tsv --output synthetic/
    medloop data measure pairs.jsonl --from en --to pt --output measured.jsonl --models mt.measuring:starters
    medloop data filter measured.jsonl --kept kept.jsonl --dropped dropped.jsonl --report filter.html
    medloop data dedupe kept.jsonl --test-sets heldout.jsonl --output clean.jsonl --dropped same.jsonl
    medloop data split clean.jsonl --output splits/

Counts go to standard output, problems to stderr.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands import new_app
from data.synthesis_cli import generate_command, plan_command

if TYPE_CHECKING:
    from data.corpora import Reading
    from data.lines import Problems
    from data.scoring_models import ModelMeasurer

app = new_app("Generate, measure, filter, deduplicate and split parallel text.")

Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Files or folders (.jsonl .tsv .tmx .parquet, .gz), or a data set: owner/name:config@split."
    ),
]
From = Annotated[str, typer.Option("--from", help="Source language, where the files do not say it.")]
To = Annotated[str, typer.Option("--to", help="Target language, where the files do not say it.")]
Encoding = Annotated[str, typer.Option(help="Of text files that are not UTF-8: cp1252, latin-1, utf-16 ...")]
Skip = Annotated[bool, typer.Option("--skip-bad", help="Count and name what cannot be read, and go on.")]
Processes = Annotated[int, typer.Option(help="Processes at work; 0 is one a core.", min=0)]


@app.callback()
def commands() -> None:
    """Generate, measure, filter, deduplicate and split parallel text."""


app.command("plan")(plan_command)
app.command("generate")(generate_command)


@app.command("measure")
def measure_command(
    inputs: Inputs,
    output: Annotated[Path, typer.Option(help="The pairs with their measures.")],
    source: From = "",
    target: To = "",
    groups: Annotated[
        str, typer.Option(help="Of form, clinical, terms; with commas.")
    ] = "form,clinical,terms",
    models: Annotated[
        str,
        typer.Option(
            help="MODULE:FUNCTION that makes model-based measures of two languages: mt.measuring:starters"
        ),
    ] = "",
    spare: Annotated[
        bool, typer.Option("--spare", help="No model-based measures of what the default limits drop anyway.")
    ] = False,
    encoding: Encoding = "utf-8",
    skip: Skip = False,
    processes: Processes = 0,
) -> None:
    """Add measures to pairs: lengths, languages, copies, safety findings, cross-entropy, round trip."""
    from data.filtering import load_limits
    from data.measuring import MeasureConfig, measure

    chosen = tuple(group.strip() for group in groups.split(",") if group.strip())
    config = MeasureConfig(chosen, load_limits() if spare else (), processes)
    measurer = _measurer(models, source, target)
    problems = _problems(skip)
    found = measure(inputs, output, config, measurer, _reading(source, target, encoding), problems)
    _say(f"{found.pairs:,} pairs in {found.seconds:.1f} s", output)
    _complain(problems)


@app.command("filter")
def filter_command(
    inputs: Inputs,
    kept: Annotated[Path, typer.Option(help="The pairs that stay.")],
    dropped: Annotated[Path, typer.Option(help="The others, each with its reasons.")],
    limits: Annotated[Path | None, typer.Option(help="YAML of limits; else the default ones.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="An HTML page of what was kept and dropped, and why.")
    ] = None,
    skip: Skip = False,
) -> None:
    """Keep measured pairs that are within the limits; nothing is measured again."""
    from data.filtering import load_limits
    from data.measuring import filter_pairs

    problems = _problems(skip)
    found = filter_pairs(inputs, kept, dropped, load_limits(limits), problems)
    _say(f"{found.kept:,} of {found.pairs:,} pairs kept", kept)
    _table(found.reasons)
    if found.not_applied:
        names = ", ".join(dict.fromkeys(found.not_applied))
        typer.echo(f"not applied, as nothing measured it: {names}", err=True)
    if report:
        from data.filter_report import write_filter_report

        typer.echo(write_filter_report(report, kept, dropped))
    _complain(problems)


@app.command("dedupe")
def dedupe_command(
    inputs: Inputs,
    output: Annotated[Path, typer.Option(help="The pairs that stay; of like ones the first.")],
    dropped: Annotated[Path, typer.Option(help="The others, each with the id of the one it is like.")],
    test_sets: Annotated[
        list[str] | None, typer.Option("--test-sets", help="Test sets that must not be in it; repeatable.")
    ] = None,
    threshold: Annotated[float, typer.Option(help="How alike is too alike, from 0.5 to 1.")] = 0.9,
    by: Annotated[str, typer.Option(help="What must be alike: both, source, target.")] = "both",
    source: From = "",
    target: To = "",
    encoding: Encoding = "utf-8",
    skip: Skip = False,
    processes: Processes = 0,
) -> None:
    """Drop near-duplicates and, with --test-sets instead, what the test sets hold."""
    from data.contamination import decontaminate
    from data.duplicates import DedupeConfig, dedupe

    reading, problems = _reading(source, target, encoding), _problems(skip)
    if test_sets:
        seen = decontaminate(
            inputs, test_sets, output, dropped, min(threshold, 0.8), reading, processes, problems
        )
        _say(f"{seen.kept:,} of {seen.pairs:,} pairs kept", output)
        _table(seen.reasons)
    else:
        found = dedupe(inputs, output, dropped, DedupeConfig(threshold, by, processes), reading, problems)
        _say(f"{found.kept:,} of {found.pairs:,} pairs kept", output)
        _table({"duplicate": found.exact, "near_duplicate": found.near})
    _complain(problems)


@app.command("split")
def split_command(
    inputs: Inputs,
    output: Annotated[Path, typer.Option(help="Folder for train, dev, test and leaks.")],
    dev: Annotated[float, typer.Option(help="Share of dev.")] = 0.01,
    test: Annotated[float, typer.Option(help="Share of test.")] = 0.01,
    by: Annotated[str, typer.Option(help="What stays together: document, source, id.")] = "document",
    seed: Annotated[str, typer.Option(help="Another word, another split.")] = "medloop",
    source: From = "",
    target: To = "",
    encoding: Encoding = "utf-8",
    skip: Skip = False,
) -> None:
    """Part pairs into train, dev and test, the same way when there is more data."""
    from data.splits import SplitConfig, split

    problems = _problems(skip)
    found = split(
        inputs, output, SplitConfig(dev, test, by, seed), _reading(source, target, encoding), problems
    )
    _say(f"{sum(found.counts.values()):,} pairs", output)
    _table(found.counts)
    _complain(problems)


@app.command("sample")
def sample_command(
    inputs: Inputs,
    output: Annotated[Path, typer.Option(help="The chosen pairs.")],
    size: Annotated[int, typer.Option(help="How many pairs at most.")],
    by: Annotated[str, typer.Option(help="Fields to balance, with commas: type,specialty")] = "",
    flatness: Annotated[float, typer.Option(help="0: every kind the same; 1: as it is.")] = 0.5,
    per_term: Annotated[int, typer.Option(help="Pairs that a term may have; 0 is any number.")] = 0,
    seed: Annotated[str, typer.Option(help="Another word, another choice.")] = "medloop",
    skip: Skip = False,
) -> None:
    """Choose a smaller set in which no kind of text drowns the others."""
    from data.sampling import SampleConfig, sample

    fields = tuple(name.strip() for name in by.split(",") if name.strip())
    problems = _problems(skip)
    found = sample(inputs, output, SampleConfig(size, fields, flatness, per_term, seed), problems=problems)
    _say(f"{found.kept:,} of {found.pairs:,} pairs chosen", output)
    _table({kind or "(all)": kept for kind, (_, kept) in found.kinds.items()})
    _complain(problems)


@app.command("stats")
def stats_command(
    inputs: Inputs,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    source: From = "",
    target: To = "",
    encoding: Encoding = "utf-8",
    skip: Skip = False,
) -> None:
    """Say what a set of pairs is made of."""
    import dataclasses
    import json

    from data.statistics import stats

    problems = _problems(skip)
    found = stats(inputs, _reading(source, target, encoding), problems)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(found), ensure_ascii=False, indent=1))
    else:
        typer.echo(
            f"{found.pairs:,} pairs, {found.source_words:,} source words, {found.documents:,} documents"
        )
        for name, counts in found.fields.items():
            typer.echo(f"{name}:")
            _table(dict(list(counts.items())[:10]))
    _complain(problems)


def _reading(source: str, target: str, encoding: str) -> Reading:
    from data.corpora import Reading

    return Reading(source, target, encoding)


def _problems(skip: bool) -> Problems:
    from data.lines import Problems

    return Problems(skip)


def _measurer(name: str, source: str, target: str) -> ModelMeasurer | None:
    """What makes model-based measures is named by the user, as this package may load no models itself."""
    from data.errors import ConfigError

    if not name:
        return None
    if not (source and target):
        raise ConfigError("--models needs --from and --to, to know which models")
    module, _, attribute = name.partition(":")
    try:
        make = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise ConfigError(f"--models {name}: not there; for example: mt.measuring:starters") from None
    measurer: ModelMeasurer = make(source, target)
    return measurer


def _say(counts: str, output: Path) -> None:
    typer.echo(f"{counts}: {output}")


def _table(counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        typer.echo(f"  {count:>9,}  {name}")


def _complain(problems: Problems) -> None:
    """Which records were passed over: places and kinds, never their text."""
    for kind, count in problems.counts.items():
        sys.stderr.write(f"passed over: {count:,} × {kind}\n")
    for line in problems.named:
        sys.stderr.write(f"  {line}\n")
