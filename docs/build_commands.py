"""Writes docs/commands.md: the `--help` of every command, as a terminal of 80 columns shows it.

In: the two command-line apps. Out: one page of Markdown; `make docs` writes it, a test checks it.

    .venv/bin/python docs/build_commands.py
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

PAGE = Path(__file__).resolve().parent / "commands.md"
PROGRAMS = {"translate": "mt.cli:app", "medloop": "flows.cli:app"}
_TERMINAL = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
_HEAD = """# Commands

<!-- Made by `make docs` from the commands' own help; edit that, not this. -->

Results go to stdout and everything else to stderr. Exit codes: 0 done, 1 a bug of ours, 2 something the user
can put right (one line says what, where, and the valid choices), 130 stopped by Ctrl-C.
"""


def page() -> str:
    sections = [_HEAD]
    for program, place in PROGRAMS.items():
        module, _, attribute = place.partition(":")
        app = getattr(importlib.import_module(module), attribute)
        for words in command_paths(app, program):
            level = "##" if len(words) == 1 else "###"
            sections.append(f"{level} `{' '.join(words)}`\n\n```text\n{help_text(app, words)}\n```\n")
    return "\n".join(sections)


def command_paths(app: typer.Typer, program: str) -> Iterator[list[str]]:
    """The program itself, then each command below it, depth first: ["medloop"], ["medloop", "models"], ..."""
    command = typer.main.get_command(app)
    pending = [([program], command)]
    while pending:
        words, command = pending.pop(0)
        yield words
        if isinstance(command, TyperGroup):
            context = command.make_context(words[-1], [], resilient_parsing=True)
            below = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
            pending = [
                ([*words, name], found) for name, found in below if found and not found.hidden
            ] + pending


def help_text(app: typer.Typer, words: list[str]) -> str:
    result = CliRunner().invoke(app, [*words[1:], "--help"], prog_name=words[0], env=_TERMINAL)
    if result.exit_code:
        raise RuntimeError(f"{' '.join(words)} --help ended with {result.exit_code}") from result.exception
    return "\n".join(line.rstrip() for line in result.output.strip("\n").splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
