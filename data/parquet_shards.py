"""Parquet beside the JSONL shards of a run, for readers of columns; made shard by shard, and gone on with.

In: a folder that `data.records` wrote. Out: `parquet/pairs-00000.parquet` ..., one for each shard:

    write_parquet(Path("synthetic"))              # [PosixPath("synthetic/parquet/pairs-00000.parquet")]
    read_records(["synthetic/parquet"])           # the same rows

The lines are what a killed run goes on with, as no parquet file can grow. A shard is written again only where
it has grown since: the file says how many bytes of its shard it holds. It appears when it is whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from data.errors import MissingExtraError, OutputError
from data.files import atomic_write_bytes
from data.jsonl import read_jsonl
from data.records import shard_files

FOLDER: Final = "parquet"
_BYTES: Final = b"medloop.shard_bytes"


def write_parquet(folder: Path) -> list[Path]:
    """The files that were written; those that are up to date are left alone, those without a shard go."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise MissingExtraError("writing parquet", "data") from None
    out = folder / FOLDER
    shards = [shard for shard in shard_files(folder) if shard.stat().st_size]
    try:
        out.mkdir(exist_ok=True)
        for old in set(out.glob("pairs-*.parquet")) - {_beside(shard) for shard in shards}:
            old.unlink()
    except OSError as error:
        raise OutputError(f"cannot write in {out}: {error.strerror or error}") from None
    return [_written(shard) for shard in shards if _held(_beside(shard)) != shard.stat().st_size]


def _beside(shard: Path) -> Path:
    return shard.parent / FOLDER / f"{shard.stem}.parquet"


def _held(path: Path) -> int:
    """Bytes of the shard that a parquet file holds; -1 where there is none that can be read."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        return int((read_schema(path).metadata or {}).get(_BYTES, b"-1"))
    except (OSError, ArrowException, ValueError):
        return -1


def _written(shard: Path) -> Path:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    size = shard.stat().st_size
    rows = [row for _, row in read_jsonl(shard)]
    names = dict.fromkeys(name for row in rows for name in row)  # a field may be in a few rows only
    columns: dict[str, Any] = {name: [row.get(name) for row in rows] for name in names}
    path = _beside(shard)
    try:
        table = pa.table(columns).replace_schema_metadata({_BYTES: str(size)})
        with atomic_write_bytes(path) as stream:
            write_table(table, stream, compression="zstd")
    except (pa.ArrowException, UnicodeError) as error:
        raise OutputError(f"cannot write {path} ({type(error).__name__}): a field of mixed kinds?") from None
    return path
