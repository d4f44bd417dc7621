"""The `medloop data plan` and `generate` commands: what a synthetic set would be and cost, and making it.

    medloop data plan --config synthesis.yaml --terms terms.tsv
    medloop data generate --config synthesis.yaml --terms terms.tsv --output synthetic/

Models and keys come from the environment (data/llm_roles.py). A run that was killed goes on where it was.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from data.synthesis import SynthesisConfig, Term

ConfigFile = Annotated[
    Path, typer.Option("--config", help="YAML of the synthesis; its keys are SynthesisConfig's.")
]
Terms = Annotated[
    list[str] | None, typer.Option("--terms", help="Terms with their translations (.tsv .jsonl); repeatable.")
]


def plan_command(config: ConfigFile, terms: Terms = None) -> None:
    """Say what a synthetic set would hold and cost; asks no model."""
    from data.synthesis import plan

    chosen = _config(config)
    found = plan(chosen, _terms(terms, chosen))
    typer.echo(f"{found.documents:,} documents, about {found.pairs:,} pairs")
    typer.echo(
        f"{found.calls:,} calls, {found.prompt_tokens:,} prompt and {found.reply_tokens:,} reply tokens"
    )
    typer.echo(f"money at the prices given: {found.money:,.2f}")
    if terms:
        typer.echo(f"each term in at least {found.least_per_term} documents")
    for name, counts in found.coverage.items():
        typer.echo(f"{name}: {len(counts)} kinds")


def generate_command(
    config: ConfigFile,
    output: Annotated[Path, typer.Option(help="Folder for the shards of pairs.")],
    terms: Terms = None,
    cache: Annotated[
        Path | None, typer.Option(help="Replies are kept here, so a rerun costs nothing.")
    ] = None,
    calls: Annotated[int | None, typer.Option(help="Stop after so many calls; what is there stays.")] = None,
    money: Annotated[float | None, typer.Option(help="The same, at the prices of the configuration.")] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet files beside the lines.")] = False,
) -> None:
    """Write synthetic pairs by the chat models of the environment."""
    from data.errors import ConfigError
    from data.llm_budget import Budget, BudgetedChat, Limits, Price
    from data.llm_cache import Cache, CachedChat
    from data.llm_roles import chat_model
    from data.llm_values import ChatModel
    from data.synthesis import Models, generate

    chosen = _config(config)
    if money is not None and not (chosen.prompt_price or chosen.reply_price):
        raise ConfigError("--money counts by prompt_price and reply_price; the configuration has neither")
    kept = Cache(cache) if cache else None
    budget = Budget(Limits(calls=calls, money=money), Price(chosen.prompt_price, chosen.reply_price))

    def model(role: str) -> ChatModel:
        found = BudgetedChat(chat_model(role), budget)  # inside the cache: what was had costs nothing
        return CachedChat(found, kept) if kept else found

    models = Models(model("writer"), model("translator"), model("critic") if chosen.critic else None)
    found = generate(chosen, _terms(terms, chosen), models, output, _progress)
    if parquet:
        from data.parquet_shards import write_parquet

        write_parquet(output)
    typer.echo(f"{found.pairs:,} pairs of {found.documents:,} documents: {output}")
    typer.echo(
        f"{found.calls:,} calls, {found.prompt_tokens:,} prompt and {found.reply_tokens:,} reply tokens"
    )
    for reason, count in found.reasons.items():
        typer.echo(f"  {count:>9,}  {reason}")
    if found.stopped != "enough":
        typer.echo(f"stopped: {found.stopped}", err=True)


def _config(path: Path) -> SynthesisConfig:
    from data.errors import ConfigError, MissingExtraError
    from data.synthesis import SynthesisConfig

    try:
        import yaml
    except ImportError:
        raise MissingExtraError("reading a synthesis configuration", "data") from None
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{path}: not YAML") from None
    content = {} if content is None else content
    if isinstance(content, Mapping):
        content = content.get("synthesis", content)  # a whole pipeline's file has it under this name
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: must hold settings by name, for example `documents: 100`")
    return SynthesisConfig.of(content)


def _terms(paths: list[str] | None, config: SynthesisConfig) -> list[Term]:
    from data.corpora import Reading, read_records
    from data.synthesis import Term

    records = read_records(paths or [], Reading(config.source_language, config.target_language))
    return [Term(record["src"], record["tgt"]) for record in records]


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {total:,} documents" + ("\n" if done == total else ""))
