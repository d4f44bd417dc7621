"""Steps that are done once: each has a folder named by the hash of what went in, and a mark when it is whole.

In: a step's name, its inputs (paths count by their content, everything else by its value), and the work. Out:
the folder of results.

    folders = StepFolders(home() / "pipelines" / "starter")
    done = folders.run("filter", {"pairs": measured, "limits": limits}, lambda work: filter_into(work))
    done.folder          # .../filter-3f2a9c1e7b55, with complete.json in it
    done.reused          # True where an earlier run had done it

A killed run leaves `.filter-3f2a9c1e7b55.work`; work that can go on (`resumes=True`) finds it again, other
work starts anew. A complete folder whose files are no longer what they were is done again, and said so.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import MedloopError, MissingExtraError, OutputError
from data.files import atomic_write

log = logging.getLogger(__name__)

MARK = "complete.json"
_FORMAT = 1  # part of every name: raise it when steps of before must not be used any more
_DIGITS = 12
_WAIT_SECONDS = 7 * 24 * 3600.0


class LockedError(MedloopError):
    """Another run is doing the same thing; names who."""


class DiskFullError(OutputError):
    """No room for results; what is complete stays, and the same command goes on from there."""


@dataclass(frozen=True, slots=True)
class Done:
    """`seconds` is what the work took when it was done; `note` says why it was done again."""

    name: str
    folder: Path
    seconds: float
    reused: bool = False
    note: str = ""

    def __fspath__(self) -> str:
        return str(self.folder)


@dataclass(frozen=True, slots=True)
class StepFolders:
    """`root` holds the folders of all steps of one pipeline; `wait` is for runs at the same time."""

    root: Path
    wait: bool = False

    def path(self, name: str, inputs: Mapping[str, Any]) -> Path:
        return self.root / f"{name}-{digest(name, inputs)}"

    def complete(self, name: str, inputs: Mapping[str, Any]) -> bool:
        folder = self.path(name, inputs)
        return _read_mark(folder) is not None and not damage(folder)

    def run(
        self, name: str, inputs: Mapping[str, Any], work: Callable[[Path], None], resumes: bool = False
    ) -> Done:
        folder = self.path(name, inputs)
        with disk_errors_named(name, self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            with locked(self.root / f".{folder.name}.lock", f"{name} in {self.root}", self.wait):
                return self._run(name, folder, inputs, work, resumes)

    def _run(
        self, name: str, folder: Path, inputs: Mapping[str, Any], work: Callable[[Path], None], resumes: bool
    ) -> Done:
        note = damage(folder) if folder.exists() else ""
        if folder.exists() and not note:
            mark = _read_mark(folder) or {}
            return Done(name, folder, float(mark.get("seconds", 0.0)), reused=True)
        place = folder.with_name(f".{folder.name}.work")
        if note:
            log.warning("%s: %s; doing %s again", folder, note, name)
            shutil.rmtree(folder)
        if not resumes:
            shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        work(place)
        seconds = round(time.monotonic() - start, 3)
        _write_mark(place, {"step": name, "inputs": _shown(inputs), "seconds": seconds})
        place.rename(folder)
        return Done(name, folder, seconds, note=note)


def digest(name: str, inputs: Mapping[str, Any]) -> str:
    """The same content gives the same name, wherever it lies and whenever it was written."""
    described = {key: _described(value) for key, value in inputs.items()}
    text = json.dumps([_FORMAT, name, described], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _described(value: Any) -> Any:
    if isinstance(value, Done):
        return _described(value.folder)
    if isinstance(value, Path):
        return content_digest(value)
    if isinstance(value, Mapping):
        return {str(key): _described(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_described(one) for one in value]
    return value


def content_digest(path: Path) -> str:
    """Of a step's folder its name, which is a hash already; else of the bytes."""
    for part in (path, *path.parents):
        if (part / MARK).is_file():
            return f"{part.name}/{path.relative_to(part)}"
    if path.is_dir():
        sums = [
            [one.relative_to(path).as_posix(), file_digest(one)]
            for one in sorted(path.rglob("*"))
            if one.is_file() and not any(part.startswith(".") for part in one.relative_to(path).parts)
        ]
        return hashlib.sha256(json.dumps(sums).encode()).hexdigest()
    return file_digest(path)


def file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def damage(folder: Path) -> str:
    """What is wrong with a folder that should be complete; empty where nothing is."""
    mark = _read_mark(folder)
    if mark is None:
        return "has no readable mark of completion"
    for name, expected in mark.get("files", {}).items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != expected["bytes"] or file_digest(path) != expected["sha256"]:
            return f"{name} is not what was written"
    return ""


def _read_mark(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write_mark(folder: Path, mark: Mapping[str, Any]) -> None:
    files = {
        one.relative_to(folder).as_posix(): {"bytes": one.stat().st_size, "sha256": file_digest(one)}
        for one in sorted(folder.rglob("*"))
        if one.is_file() and one.name != MARK
    }
    with atomic_write(folder / MARK) as stream:
        json.dump({**mark, "files": files}, stream, indent=1, ensure_ascii=False, default=str)


def _shown(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: str(value.folder) if isinstance(value, Done) else value for key, value in inputs.items()}


@contextlib.contextmanager
def locked(path: Path, what: str, wait: bool = False) -> Iterator[None]:
    """One process at a time; the system lets go of the lock when its holder dies, however it dies."""
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        raise MissingExtraError("running pipelines", "flows") from None
    holder = path.with_suffix(".holder")
    lock = FileLock(path, timeout=_WAIT_SECONDS if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"{what}: another run is at it ({_held_by(holder)}); wait for it, or stop it and start again"
        ) from None
    try:
        holder.write_text(f"process {os.getpid()} on {os.uname().nodename}", encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _held_by(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "unknown"
    except OSError:
        return "unknown"


@contextlib.contextmanager
def disk_errors_named(what: str, place: Path) -> Iterator[None]:
    """A full disk says so in one line, and what to do; also where a library wrapped it in its own words."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(what, place) from None
        raise OutputError(f"{what}: cannot write in {place}: {error.strerror or error}") from None
    except OutputError as error:
        if os.strerror(errno.ENOSPC) in str(error):
            raise _full(what, place) from None
        raise


def _full(what: str, place: Path) -> DiskFullError:
    try:
        free = f"{shutil.disk_usage(place).free // 2**20} MB free"
    except OSError:
        free = "free space unknown"
    return DiskFullError(
        f"{what}: the disk of {place} is full ({free}); make room and run the same command again: "
        f"it goes on from the last complete step"
    )
