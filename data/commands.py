"""What every command line of ours does at its edge: one set of exit codes, one line per error, no telemetry.

In: a typer app. Out: the process ends with

    0    done
    1    a bug of ours: its kind and place, never the text it met
    2    something the user can put right: one line on stderr, what and where
    130  stopped by Ctrl-C
    141  the reader of the pipe has left (`translate ... | head`)

    app = new_app("Translate text.")
    def main() -> None:
        run(app, "translate")

Importing this is cheap on purpose: typer comes in with the first app.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from data.errors import MedloopError
from data.settings import debugging, switch_telemetry_off

if TYPE_CHECKING:
    import typer

DONE, BUG, USER_ERROR, PIPE_CLOSED = 0, 1, 2, 141
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def new_app(help_text: str) -> typer.Typer:
    """A typer app as ours are: plain, quick help; no completion flags; errors left to `run`."""
    import typer

    return typer.Typer(
        help=help_text, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def run(app: typer.Typer, program: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command and ends the process."""
    switch_telemetry_off()
    code = _guarded(program, lambda: _call(app, program, arguments))
    gc.freeze()  # or Python would look through all that torch and others have made, for over a second
    sys.exit(_flushed(program, code))


def _call(app: typer.Typer, program: str, arguments: Sequence[str] | None) -> int:
    import typer

    try:
        result = typer.main.get_command(app).main(arguments, prog_name=program, standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)  # knows which command of a group was meant
        _say(program, f"{error.format_message()} (see {context.command_path if context else program} --help)")
        return error.exit_code
    except typer.Abort:
        return 130
    return result if isinstance(result, int) else DONE


def _guarded(program: str, call: Callable[[], int]) -> int:
    try:
        return call()
    except MedloopError as error:
        _say(program, str(error))
        return USER_ERROR
    except BrokenPipeError:
        return PIPE_CLOSED
    except SystemExit as stop:
        # typer ends a process whose pipe was closed with 1, which here would call it a bug
        if isinstance(stop.__context__, BrokenPipeError):
            return PIPE_CLOSED
        raise
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _escaped(program, error)


def _escaped(program: str, error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        _say(program, f"cannot write: {os.strerror(error.errno)}")
        return USER_ERROR
    where = traceback.extract_tb(error.__traceback__)[-1]
    hint = "" if debugging() else "; MEDLOOP_DEBUG=1 shows the traceback"
    if debugging():
        _say_traceback(error)
    # Only the kind: messages of exceptions quote what they choke on, and that may be about a patient.
    _say(program, f"a bug: {type(error).__name__} at {where.filename}:{where.lineno}{hint}")
    return BUG


def _say_traceback(error: BaseException | None) -> None:
    while error is not None:
        sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
        sys.stderr.write(f"{type(error).__name__} (message withheld: it may quote text)\n")
        error = error.__cause__ or error.__context__


def _flushed(program: str, code: int) -> int:
    """Writes out what is left on stdout, or its reader's leaving would surface as a traceback at exit."""
    try:
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        code = PIPE_CLOSED
    except OSError as error:
        _say(program, f"cannot write standard output: {error.strerror or error}")
        code = USER_ERROR
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _say(program: str, message: str) -> None:
    print(f"{program}: {' '.join(message.splitlines())}", file=sys.stderr)  # noqa: T201
