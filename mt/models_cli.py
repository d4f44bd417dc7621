"""`medloop models`: what is installed and in use, and how that changes.

medloop models list
medloop models show en-pt candidate
medloop models promote en-pt 2026-11-21-3f2a9c1e
medloop models rollback en-pt
medloop models export en-pt production model.zip      # or s3://..., any fsspec URL
medloop models import model.zip
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from data.commands import new_app

app = new_app("What is installed, from where, which licence.")

Pair = Annotated[str, typer.Argument(help="Language pair, as en-pt.")]
Name = Annotated[str, typer.Argument(help="A version, or production or candidate.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a model.")]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: Json = False) -> None:
    """What is installed, from where, which licence; and which version is in use."""
    if context.invoked_subcommand is None:
        list_models(as_json)


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """Every model there is, and what is in production."""
    from mt.models import installed_models
    from mt.registry import Registry

    registry = Registry.standard()
    aliases = {
        version.folder: version.aliases for pair in registry.pairs() for version in registry.versions(pair)
    }
    for model in installed_models():
        names = aliases.get(model.folder, ())
        if as_json:
            record: dict[str, object] = {"name": model.name, "source": model.source, "target": model.target}
            record |= {"licence": model.licence, "origin": model.origin, "folder": str(model.folder)}
            record |= {"aliases": list(names)}
            typer.echo(json.dumps(record, ensure_ascii=False))
        else:
            marks = f"  [{', '.join(names)}]" if names else ""
            typer.echo(f"{model.name}  {model.source} to {model.target}  {model.licence}{marks}")
            typer.echo(f"    {model.origin}")
            typer.echo(f"    {model.folder}")


@app.command()
def show(pair: Pair, name: Name = "production") -> None:
    """The manifest of a version: base, data, settings, licences, scores."""
    from mt.registry import MANIFEST, Registry

    folder = Registry.standard().resolve(pair, name)
    typer.echo((folder / MANIFEST).read_text(encoding="utf-8").rstrip())


@app.command()
def promote(pair: Pair, name: Name = "candidate") -> None:
    """Put a version into production."""
    from mt.registry import Registry

    typer.echo(f"{pair}: {Registry.standard().promote(pair, name)} is in production")


@app.command()
def rollback(pair: Pair) -> None:
    """Put the version before the last promotion back into production."""
    from mt.registry import Registry

    typer.echo(f"{pair}: {Registry.standard().rollback(pair)} is in production again")


@app.command()
def remove(pair: Pair, name: Name) -> None:
    """Delete a version that is not in production."""
    from mt.registry import Registry

    Registry.standard().remove(pair, name)
    typer.echo(f"{pair}: {name} is removed")


@app.command("export")
def export(
    pair: Pair,
    name: Name,
    to: Annotated[str, typer.Argument(help="A file, or any fsspec URL; with --hub a hub's repository.")],
    hub: Annotated[bool, typer.Option("--hub", help="Push to a model hub in place of a file.")] = False,
) -> None:
    """Write a version to one file."""
    from mt.registry import Registry
    from mt.registry_archive import export_version, push_version

    write = push_version if hub else export_version
    typer.echo(f"{pair}: {write(Registry.standard(), pair, name, to)} is in {to}")


@app.command("import")
def import_(
    archive: Annotated[str, typer.Argument(help="A file that export wrote, or any fsspec URL.")],
) -> None:
    """Read a version from one file; it becomes the candidate."""
    from mt.registry import Registry
    from mt.registry_archive import import_version

    typer.echo(f"{import_version(Registry.standard(), archive)} is imported, as candidate")
