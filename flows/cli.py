"""The `medloop` command: mounts each package's own commands by dotted name, imported only when called.

In: command-line arguments. Out: whatever the command prints; exit codes as in `data.commands`.

    medloop --version
    medloop models

A new command is one row of COMMANDS; its help line stands here so that `medloop --help` imports nothing.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from data.commands import new_app, run
from data.errors import MissingExtraError

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter

_OURS = ("data", "mt", "terminology", "eval", "flows")


@dataclass(frozen=True, slots=True)
class Mounted:
    """Where a command's typer app is (`module:name`), its help line, and the extra that its imports need."""

    target: str
    help: str
    extra: str = "all"


COMMANDS: dict[str, Mounted] = {
    "check": Mounted("eval.check_cli:app", "Check a translation for what could hurt a patient."),
    "data": Mounted(
        "data.cli:app", "Generate, measure, filter, deduplicate and split parallel text.", "data"
    ),
    "eval": Mounted("eval.cli:app", "Score and compare systems, and write a report.", "eval"),
    "gate": Mounted("eval.cli:gate_app", "May a candidate replace the system in use?", "eval"),
    "keys": Mounted("mt.keys_cli:app", "Who may use the translation server.", "api"),
    "models": Mounted("mt.models_cli:app", "What is installed, from where, which licence."),
    "pipeline": Mounted(
        "flows.pipeline_cli:app", "Run the loop: from seeds and corpora to a model in use.", "flows"
    ),
    "serve": Mounted("mt.api.serve:app", "Serve translations to tools and hospital systems.", "api"),
    "terms": Mounted("terminology.cli:app", "Keep termbases, and check texts against them.", "terms"),
}


class LazyGroup(TyperGroup):
    """A group that knows its commands' names and help lines, and imports one only to run it."""

    table = COMMANDS

    def list_commands(self, ctx: Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        mounted = self.table.get(cmd_name)
        return load(cmd_name, mounted) if mounted else None

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        if self.table:
            with formatter.section("Commands"):
                formatter.write_dl([(name, mounted.help) for name, mounted in self.table.items()])

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        if args[0] not in self.table and not args[0].startswith("-"):
            ctx.fail(f"no command {args[0]!r}; there are: {', '.join(self.table) or 'none'}")
        return super().resolve_command(ctx, args)


def load(name: str, mounted: Mounted) -> Command:
    """Imports a command's app; a library that is not installed is named by its extra."""
    module, _, attribute = mounted.target.partition(":")
    try:
        app: Any = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OURS:
            raise
        raise MissingExtraError(f"medloop {name} ({error.name})", mounted.extra) from None
    command = typer.main.get_command(app)
    command.name = name
    return command


app = new_app("Medical machine translation with LLMs in the loop.")


@app.callback(cls=LazyGroup, invoke_without_command=True)
def medloop(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Medical machine translation with LLMs in the loop."""
    if version:
        typer.echo(f"medloop {installed_version()}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def installed_version() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of("medloop")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0 (not installed)"


def main() -> None:
    run(app, "medloop")
