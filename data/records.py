"""Shards of made records that a killed run goes on with: none doubled, none lost, in flat memory.

In: units of work in their order, each with its rows. Out: files in a folder:

    pairs-00000.jsonl ...     rows of a Pair file, whole units only
    dropped-00000.jsonl ...   the rows that were given up, each with its `reason`
    journal.jsonl             one line a unit: how long the shard was after it, and the counts so far
    run.json                  what made them; another configuration does not go on in the same folder

    with Shards.opened(Path("out"), {"seed": 7}) as shards:
        for number in range(shards.next, 100):
            shards.add([row, ...], [], {"calls": 3})

A row counts once its unit's line is in the journal; what a killed run wrote beyond that is cut off when it
is opened again, and made anew.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from data.errors import ConfigError, OutputError
from data.files import atomic_write
from data.jsonl import json_line

PAIRS, DROPPED, JOURNAL, RUN = "pairs", "dropped", "journal.jsonl", "run.json"
ROWS_PER_SHARD: Final = 50_000
_SYNC_EVERY = 200  # units between two times that all is put on the disk, against a loss of power
_TAIL = 1 << 16


class Shards:
    """Append only. Use `opened`; one process at a time writes in a folder."""

    def __init__(self, folder: Path, rows_per_shard: int) -> None:
        self.folder, self.rows_per_shard = folder, rows_per_shard
        self.next, self.shard, self.rows = 0, 0, 0
        self.totals: Counter[str] = Counter()
        self._files: dict[str, IO[bytes]] = {}

    @classmethod
    def opened(
        cls, folder: Path, made_by: Mapping[str, object], rows_per_shard: int = ROWS_PER_SHARD
    ) -> Shards:
        """Begins a run, or goes on with the one that lies there if the same settings made it."""
        shards = cls(folder, rows_per_shard)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _same_run(folder / RUN, made_by)
            shards._lock()
            shards._recover()
        except OSError as error:
            raise OutputError(f"cannot write in {folder}: {error.strerror or error}") from None
        return shards

    def add(
        self,
        rows: Sequence[Mapping[str, object]],
        dropped: Sequence[Mapping[str, object]],
        counts: Mapping[str, int],
    ) -> None:
        """One unit; after this it is done, whatever happens to the process."""
        self.totals.update(counts)
        if self.rows and self.rows + len(rows) > self.rows_per_shard:
            self._open(self.shard + 1)
        try:
            for name, records in ((PAIRS, rows), (DROPPED, dropped)):
                if records:
                    self._files[name].write("".join(map(json_line, records)).encode())
                    self._files[name].flush()
            self.rows += len(rows)
            self.next += 1
            self._files[JOURNAL].write(json_line(self._entry()).encode())
            self._files[JOURNAL].flush()
            if self.next % _SYNC_EVERY == 0:
                self._sync()
        except OSError as error:
            raise OutputError(f"cannot write in {self.folder}: {error.strerror or error}") from None

    def __enter__(self) -> Shards:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._sync()
        for stream in self._files.values():
            stream.close()
        self._files.clear()
        self._claim.release()

    def _lock(self) -> None:
        import filelock

        self._claim = filelock.FileLock(self.folder / ".lock")
        try:
            self._claim.acquire(timeout=0)
        except filelock.Timeout:
            raise OutputError(f"{self.folder}: another process is writing there") from None

    def _entry(self) -> dict[str, object]:
        ends = {name: self._files[name].tell() for name in (PAIRS, DROPPED)}
        return {
            "next": self.next, "shard": self.shard, "rows": self.rows, "ends": ends, "totals": self.totals
        }  # fmt: skip

    def _recover(self) -> None:
        """Back to the last unit whose line is whole; what stands behind it is made anew."""
        journal = self.folder / JOURNAL
        journal.touch()
        entry, end = _last_entry(journal)
        os.truncate(journal, end)
        ends: dict[str, int] = {}
        if entry:
            self.next, self.rows, ends = entry["next"], entry["rows"], entry["ends"]
            self.totals = Counter(entry["totals"])
        shard = entry["shard"] if entry else 0
        for name in (PAIRS, DROPPED):
            for later in shard_files(self.folder, name):
                if later > _shard(self.folder, name, shard):
                    later.unlink()
            here = _shard(self.folder, name, shard)
            here.touch()
            if here.stat().st_size < ends.get(name, 0):
                raise OutputError(
                    f"{here} is shorter than its journal says; restore it or begin a new folder"
                )
            os.truncate(here, ends.get(name, 0))
        rows = self.rows
        self._files[JOURNAL] = journal.open("ab")
        self._open(shard)
        self.rows = rows

    def _open(self, shard: int) -> None:
        for name in (PAIRS, DROPPED):
            if name in self._files:
                self._files[name].close()
            self._files[name] = _shard(self.folder, name, shard).open("ab")
        self.shard, self.rows = shard, 0

    def _sync(self) -> None:
        """Rows first: a journal must never know of rows that the disk has not got."""
        for name in (PAIRS, DROPPED, JOURNAL):
            if name in self._files:
                os.fsync(self._files[name].fileno())


def shard_files(folder: Path, name: str = PAIRS) -> list[Path]:
    return sorted(folder.glob(f"{name}-*.jsonl"))


def made_rows(folder: Path, name: str = PAIRS) -> Iterator[dict[str, Any]]:
    """The rows of a folder, in order."""
    from data.jsonl import read_jsonl

    for path in shard_files(folder, name):
        for _, row in read_jsonl(path):
            yield row


def _shard(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}-{number:05}.jsonl"


def _last_entry(journal: Path) -> tuple[dict[str, Any] | None, int]:
    """The last whole line, and where it ends; only the file's end is read."""
    size = journal.stat().st_size
    with journal.open("rb") as stream:
        start = max(0, size - _TAIL)
        stream.seek(start)
        tail = stream.read()
    while (cut := tail.rfind(b"\n")) >= 0:
        begin = tail.rfind(b"\n", 0, cut) + 1
        try:
            entry: dict[str, Any] = json.loads(tail[begin:cut])
            return entry, start + cut + 1
        except ValueError:
            tail = tail[:begin]
    return None, 0


def _same_run(path: Path, made_by: Mapping[str, object]) -> None:
    wanted = json.loads(json.dumps(made_by))
    if not path.exists():
        with atomic_write(path) as stream:
            stream.write(json.dumps(wanted, ensure_ascii=False, indent=1) + "\n")
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ConfigError(f"{path} is damaged; choose another folder") from None
    if there != wanted:
        changed = ", ".join(sorted(key for key in {*there, *wanted} if there.get(key) != wanted.get(key)))
        raise ConfigError(
            f"{path.parent} holds a run with other settings ({changed}); go on with the same, "
            "or choose another folder"
        )
