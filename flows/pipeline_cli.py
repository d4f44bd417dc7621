"""`medloop pipeline`: run a configuration, say what it would do, say how far it is.

medloop pipeline run configs/starter.en-pt.yaml
medloop pipeline plan configs/starter.en-pt.yaml
medloop pipeline status configs/starter.en-pt.yaml
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from data.commands import new_app

app = new_app("Run the loop: from seeds and corpora to a model in use.")
REJECTED = 3

Config = Annotated[Path, typer.Argument(help="A pipeline's YAML file; see configs/.")]


@app.command()
def run(
    config: Config,
    base: Annotated[str, typer.Option(help="Another base than the file's.")] = "",
    demo: Annotated[bool, typer.Option("--demo", help="A rejected release is no failure.")] = False,
) -> int:
    """Do what is not done yet; start it again to go on. Exit code 3: the release was rejected."""
    from flows.engine import start_server

    if base:
        os.environ["MEDLOOP_BASE"] = base
    from flows.config import load_pipelines

    found = load_pipelines(config)  # mistakes are told before anything starts
    server = start_server()
    from flows.running import run_pipelines

    states = run_pipelines(config, len(found), server)
    return 0 if demo or all(state in ("released", "skipped") for state in states) else REJECTED


@app.command()
def bulk(
    corpus: Annotated[str, typer.Argument(help="JSONL or parquet with src; a path, or s3://...")],
    output: Annotated[Path, typer.Argument(help="JSONL to write; start again to go on.")],
    work: Annotated[str, typer.Option(help="translate, or filter (measures and reasons).")] = "translate",
    source: Annotated[str, typer.Option("--from", help="Source language.")] = "en",
    target: Annotated[str, typer.Option("--to", help="Target language.")] = "pt",
    model: Annotated[str, typer.Option(help="An installed name, a folder, or a hub name.")] = "",
    limits: Annotated[str, typer.Option(help="YAML of the filter's limits.")] = "",
    cluster: Annotated[str, typer.Option(help="local, auto or ray://HOST:PORT; else this machine.")] = "",
) -> None:
    """Translate or filter a corpus of any size, on all cores or on a Ray cluster."""
    from data.errors import ConfigError
    from flows.bulk import FilterBlocks, Job, TranslateBlocks, run_blocks
    from flows.showing import Show

    jobs: dict[str, Job] = {
        "translate": TranslateBlocks(source, target, model),
        "filter": FilterBlocks(limits),
    }
    if work not in jobs:
        raise ConfigError(f"--work {work!r}: no such work; valid: {', '.join(jobs)}")
    show = Show()
    with show.stage(work):
        done = run_blocks(
            jobs[work], corpus, output, cluster, tell=lambda lines: show.goes_on(f"{lines:,} lines")
        )
    typer.echo(f"{done:,} lines: {output}")


@app.command()
def plan(config: Config) -> None:
    """What would run, how many LLM calls, tokens and how much money; starts nothing."""
    from flows.planning import planned

    for line in planned(config):
        typer.echo(line)


@app.command()
def status(config: Config) -> None:
    """Which steps are complete, which were cut off, which model is in use."""
    from flows.planning import state

    for line in state(config):
        typer.echo(line)
