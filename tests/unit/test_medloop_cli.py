"""`medloop`: quick to help, imports a command only to run it, and says what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
import types

import pytest
import typer
from typer.testing import CliRunner

from data.commands import new_app
from data.errors import MissingExtraError
from flows.cli import COMMANDS, Mounted, app, load


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """One command that works, one that must not be touched, one whose library is not installed."""
    module = types.ModuleType("made_up_commands")
    module.app = new_app("Counts.")  # type: ignore[attr-defined]

    @module.app.command()  # type: ignore[untyped-decorator]
    def work(count: int = 1) -> None:
        """Counts."""
        typer.echo(f"counted {count}")

    monkeypatch.setitem(sys.modules, "made_up_commands", module)
    monkeypatch.setitem(COMMANDS, "count", Mounted("made_up_commands:app", "Count to a number."))
    monkeypatch.setitem(COMMANDS, "broken", Mounted("no_such_library.cli:app", "Not here.", extra="eval"))
    monkeypatch.setitem(COMMANDS, "renamed", Mounted("mt.no_such_module:app", "Our own mistake."))


@pytest.mark.usefixtures("mounted")
def test_help_lists_the_commands_without_importing_them() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert re.search(r"count +Count to a number\.\n", result.output)
    assert re.search(r"broken +Not here\.\n", result.output)
    assert CliRunner().invoke(app, []).output == result.output


@pytest.mark.usefixtures("mounted")
def test_a_command_runs_with_its_own_options() -> None:
    assert CliRunner().invoke(app, ["count", "--count", "3"]).output == "counted 3\n"
    assert (
        "Usage: medloop count [OPTIONS]"
        in CliRunner().invoke(app, ["count", "--help"], prog_name="medloop").output
    )


@pytest.mark.usefixtures("mounted")
def test_a_library_that_is_not_installed_is_named_with_its_extra() -> None:
    with pytest.raises(MissingExtraError) as caught:
        load("broken", COMMANDS["broken"])
    assert str(caught.value) == (
        "medloop broken (no_such_library) needs the extra 'eval': pip install '.[eval]'"
    )


@pytest.mark.usefixtures("mounted")
def test_a_module_of_ours_that_is_missing_is_our_bug() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        load("renamed", COMMANDS["renamed"])


@pytest.mark.usefixtures("mounted")
def test_an_unknown_command_names_those_there_are() -> None:
    result = CliRunner().invoke(app, ["conut"])
    assert result.exit_code == 2
    assert "no command 'conut'; there are: " in result.output
    assert "count, broken, renamed" in result.output


def test_version_is_the_installed_one() -> None:
    assert re.fullmatch(r"medloop \d+\.\d+\.\d+\n", CliRunner().invoke(app, ["--version"]).output)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_mounted_command_has_help(name: str) -> None:
    mounted = COMMANDS[name]
    assert mounted.help.endswith((".", "?"))
    assert len(mounted.help) <= 90
    assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom flows.cli import main\n"
        "try:\n    main()\nfinally:\n"
        "    print([m for m in sys.modules if m in ('rich', 'torch', 'prefect', 'pydantic', 'mt', 'eval')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: medloop")
    assert done.stdout.endswith("[]\n")
