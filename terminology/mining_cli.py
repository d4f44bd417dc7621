"""`medloop terms mine`, `proposals`, `approve`, `reject`: term pairs from a corpus, and decisions on them.

medloop terms mine corpus.jsonl --from en --to pt --base cardio
medloop terms proposals --from en --to pt --base cardio
medloop terms approve "heart failure" --from en --to pt --base cardio --by ana
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.settings import home

if TYPE_CHECKING:
    from terminology.decoding import Decoder
    from terminology.proposals import ProposalStore

Base = Annotated[str, typer.Option("--base", help="Name of the termbase in the store.")]
Source = Annotated[str, typer.Option("--from", help="Source language.")]
Target = Annotated[str, typer.Option("--to", help="Target language.")]
By = Annotated[str, typer.Option("--by", help="Your name, for the history.", envvar="USER")]
Store = Annotated[str, typer.Option("--store", help="SQLAlchemy URL of the store.", envvar="MEDLOOP_TERMS")]
Names = Annotated[list[str], typer.Argument(help="Source terms, as `proposals` shows them.")]


def mine(
    file: Annotated[Path, typer.Argument(help="Parallel corpus, JSONL.")],
    source: Source = "en",
    target: Target = "pt",
    base: Base = "default",
    model: Annotated[str, typer.Option("--model", help="Model; its attention aligns the words.")] = "",
    least_count: Annotated[int, typer.Option("--least", help="Occurrences that a pair needs.")] = 3,
    store: Store = "",
) -> None:
    """Propose term pairs from a parallel corpus; they count for nothing until approved."""
    from data.jsonl import read_pairs
    from terminology.mining import MiningConfig
    from terminology.mining import mine as mine_pairs

    # By name, as `medloop` mounts commands: terminology knows models by their protocol only.
    decoder: Decoder = import_module("mt.decoder").decoder_for(source, target, model)
    found = mine_pairs(read_pairs(file), decoder, (source, target), MiningConfig(least_count))
    added = _open(store).add(base, source, target, found)
    typer.echo(f"{len(found)} pairs found, {added} of them new; see: medloop terms proposals", err=True)


def proposals(
    source: Source = "en", target: Target = "pt", base: Base = "default", store: Store = ""
) -> None:
    """Show what waits for a decision: source, target, occurrences, score."""
    for kept in _open(store).listed(base, source, target, "proposed"):
        one = kept.proposal
        typer.echo(f"{one.source}\t{one.target}\t{one.count}\t{one.score:.3f}")


def approve(
    names: Names,
    source: Source = "en",
    target: Target = "pt",
    base: Base = "default",
    by: By = "",
    store: Store = "",
) -> None:
    """Make terms of proposals."""
    terms = _open(store).approve(base, source, target, names, by)
    typer.echo(f"{len(terms)} terms approved", err=True)


def reject(
    names: Names,
    source: Source = "en",
    target: Target = "pt",
    base: Base = "default",
    by: By = "",
    store: Store = "",
) -> None:
    """Turn proposals down; they are not proposed again."""
    typer.echo(f"{_open(store).reject(base, source, target, names, by)} pairs rejected", err=True)


def _open(url: str) -> ProposalStore:
    from terminology.proposals import ProposalStore
    from terminology.store import TermStore

    if not url:
        home().mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{home() / 'terms.db'}"
    return ProposalStore(TermStore(url), url)
