"""`medloop models`: what is installed, from where, and under which licence.

medloop models
medloop models --json
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from data.commands import new_app

app = new_app("What is installed, from where, which licence.")


@app.command()
def models(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a model.")] = False,
) -> None:
    """What is installed, from where, which licence."""
    from mt.models import installed_models

    for model in installed_models():
        if as_json:
            record = {"name": model.name, "source": model.source, "target": model.target}
            record |= {"licence": model.licence, "origin": model.origin, "folder": str(model.folder)}
            typer.echo(json.dumps(record, ensure_ascii=False))
        else:
            typer.echo(f"{model.name}  {model.source} to {model.target}  {model.licence}")
            typer.echo(f"    {model.origin}")
            typer.echo(f"    {model.folder}")
