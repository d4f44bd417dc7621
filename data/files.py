"""Files that appear only when they are whole.

In: a path. Out: a stream to write to; at the end of the `with` block the file is there under its name. After
an error or a killed run, what was there before is untouched.

    with atomic_write("out/notes.pt.txt") as stream:
        stream.write("Tome 5 mg.\\n")

What keeps it from being written raises `OutputError`: `cannot write out/a.txt: No such file or directory`.
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from data.errors import OutputError

if TYPE_CHECKING:
    from typing_extensions import Buffer


@contextlib.contextmanager
def atomic_write(path: Path | str) -> Iterator[TextIO]:
    """UTF-8 text, line breaks as given."""
    with atomic_write_bytes(path) as raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        yield stream
        stream.flush()
        stream.detach()


@contextlib.contextmanager
def atomic_write_bytes(path: Path | str) -> Iterator[IO[bytes]]:
    """Writes beside `path` under a temporary name, puts it on the disk, then renames it."""
    if not _replaceable(Path(path)):
        with _straight(path) as stream:
            yield stream
        return
    target = Path(os.path.realpath(path))  # through a link to the file itself, or the link would be replaced
    temporary = target.with_name(f".{target.name[:32]}.{secrets.token_hex(4)}.part")
    raw = _File(temporary, str(path))
    stream = io.BufferedWriter(raw)
    try:
        yield stream
        stream.flush()
        _settle(raw, target)
        raw.close()
        _rename(temporary, target, path)
    except BaseException:
        raw.close()  # without another flush, which would fail again on a full disk
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


class _File(io.FileIO):
    """Its errors name the path that the user gave, and are not those of reading in the same block."""

    def __init__(self, path: Path, shown: str, mode: str = "xb") -> None:
        self.shown = shown
        try:
            super().__init__(path, mode)
        except OSError as error:
            raise self._error(error) from None

    def write(self, content: Buffer, /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._error(error) from None

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self.shown}: {error.strerror or error}")


def _replaceable(path: Path) -> bool:
    """Pipes and devices (/dev/null, a named pipe) must not be renamed over; a new name may be."""
    return not str(path).startswith(("/dev/", "/proc/")) and (path.is_file() or not path.exists())


@contextlib.contextmanager
def _straight(path: Path | str) -> Iterator[IO[bytes]]:
    stream = io.BufferedWriter(_File(Path(path), str(path), "wb"))
    try:
        yield stream
        stream.flush()
    finally:
        stream.raw.close()


def _settle(raw: _File, target: Path) -> None:
    with contextlib.suppress(OSError):  # a file system without modes or syncing still holds the file
        if target.exists():
            os.fchmod(raw.fileno(), stat.S_IMODE(target.stat().st_mode))
        os.fsync(raw.fileno())


def _rename(temporary: Path, target: Path, shown: Path | str) -> None:
    try:
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {shown}: {error.strerror or error}") from None
