"""Every way a command can end: its exit code, its one line, and no text of a patient in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer

from data.commands import new_app, run
from data.errors import LanguagePairError, MedloopError

SECRET = "Mrs. Nobody has syphilis"


def raising(error: BaseException) -> typer.Typer:
    app = new_app("A test.")

    @app.command()
    def work(count: Annotated[int, typer.Option(help="How many.")] = 1) -> None:
        """Works."""
        raise error

    return app


def outcome(app: typer.Typer, *arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        run(app, "prog", arguments)
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (MedloopError("a.txt: not UTF-8"), 2, "prog: a.txt: not UTF-8\n"),
        (
            LanguagePairError("en", "xx", ["pt-en", "en-pt"]),
            2,
            "prog: no model translates en-xx; available pairs: en-pt, pt-en\n",
        ),
        (MedloopError("two\nlines"), 2, "prog: two lines\n"),
        (OSError(28, "No space left on device"), 2, "prog: cannot write: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Exit(3), 3, ""),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
    ],
)
def test_an_error_is_one_line(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    assert outcome(raising(error)) == code
    assert capsys.readouterr() == ("", line)


def test_a_bug_is_named_by_kind_and_place_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(raising(ValueError(SECRET))) == 1
    out, err = capsys.readouterr()
    assert err.startswith("prog: a bug: ValueError at ")
    assert "test_commands.py:" in err
    assert "MEDLOOP_DEBUG=1" in err
    assert err.count("\n") == 1
    assert SECRET not in out + err


def test_the_traceback_of_a_bug_withholds_its_messages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDLOOP_DEBUG", "1")
    error = ValueError(SECRET)
    error.__cause__ = KeyError(SECRET)
    assert outcome(raising(error)) == 1
    out, err = capsys.readouterr()
    assert "raise error" in err
    assert "KeyError (message withheld" in err
    assert SECRET not in out + err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--cuont", "1"], "prog: No such option: --cuont (Possible options: --count) (see prog --help)\n"),
        (["--count", "x"], "prog: Invalid value for '--count': 'x' is not a valid int. (see prog --help)\n"),
    ],
)
def test_a_wrong_flag_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert outcome(raising(ValueError()), *arguments) == 2
    assert capsys.readouterr() == ("", line)


def test_help_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(raising(ValueError()), "--help") == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: prog [OPTIONS]\n\n  Works.\n")
    assert err == ""


PRINTER = (
    "from data.commands import new_app, run\n"
    "app = new_app('Prints.')\n"
    "@app.command()\n"
    "def work(lines: int = 1) -> None:\n"
    "    for _ in range(lines):\n"
    "        print('x' * 100)\n"
    "run(app, 'prog')\n"
)


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_full_disk_behind_stdout(lines: int) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PRINTER, "--lines", str(lines)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("prog: cannot write")
    assert done.stderr.endswith("No space left on device\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_leaves(lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTER, "--lines", str(lines)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 141


def test_importing_the_edge_stays_light() -> None:
    heavy = "('typer', 'rich', 'torch', 'pydantic')"
    program = f"import sys, data.commands; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
