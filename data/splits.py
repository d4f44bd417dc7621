"""Train, dev and test: by document, and the same tomorrow, when there is more data.

In: files of pairs. Out: a folder with train.jsonl, dev.jsonl, test.jsonl and leaks.jsonl.

    split(["pairs.jsonl"], Path("splits"), SplitConfig(dev=0.01, test=0.01))   # Split({"train": 98, ...})

Where a pair goes depends on its document's name and the seed alone, so growing data moves nothing. A pair of
no document goes by its source text, so that copies stay together. A pair of train whose source or target is
also in dev or test (copied from one document to another) is a leak: it stays out of train, in a file of its
own. Pairs made for testing only (`"use": "test"`) go to test whatever their document.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from data.corpora import Reading, read_records
from data.dedup import normal_form
from data.errors import ConfigError, OutputError
from data.files import atomic_write
from data.jsonl import json_line
from data.lines import Problems

PARTS = ("train", "dev", "test")
_GROUPS = ("document", "source", "id")


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """`dev` and `test` are shares; `by` is what stays together: document, source text, or pair."""

    dev: float = 0.01
    test: float = 0.01
    by: str = "document"
    seed: str = "medloop"

    def __post_init__(self) -> None:
        if not (0 <= self.dev < 1 and 0 <= self.test < 1 and self.dev + self.test < 1):
            raise ConfigError(
                f"shares of dev and test must leave some to train, not {self.dev} and {self.test}"
            )
        if self.by not in _GROUPS:
            raise ConfigError(f"cannot keep {self.by!r} together; valid: {', '.join(_GROUPS)}")


@dataclass(frozen=True, slots=True)
class Split:
    """`counts` of pairs by part, with `leaks`."""

    counts: Mapping[str, int]
    unreadable: Mapping[str, int] = field(default_factory=dict)


def part_of(record: Mapping[str, Any], config: SplitConfig) -> str:
    """A share of the numbers that a hash can be belongs to test, the next to dev, the rest to train."""
    if record.get("use") == "test":
        return "test"
    digest = blake2b(
        f"{config.seed}\x1f{_group(record, config.by)}".encode("utf-8", "surrogatepass"), digest_size=8
    )
    place = int.from_bytes(digest.digest(), "big") / 2**64
    if place < config.test:
        return "test"
    return (
        "dev" if place >= 1 - config.dev else "train"
    )  # from the other end: changing one share moves only it


def split(
    inputs: Sequence[Path | str],
    folder: Path,
    config: SplitConfig = SplitConfig(),
    reading: Reading = Reading(),  # noqa: B008
    problems: Problems | None = None,
) -> Split:
    """Reads once; what may go to train waits in a temporary file until dev and test are known."""
    problems = problems if problems is not None else Problems()
    _make(folder)
    counts: Counter[str] = Counter(dict.fromkeys((*PARTS, "leaks"), 0))
    held: set[bytes] = set()
    with ExitStack() as files:
        waiting = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
        out = {
            part: files.enter_context(atomic_write(folder / f"{part}.jsonl")) for part in (*PARTS, "leaks")
        }
        for record in read_records(inputs, reading, problems):
            part = part_of(record, config)
            if part == "train":
                waiting.write(json_line(record))
                continue
            out[part].write(json_line(record))
            counts[part] += 1
            held.update(_sides(record))
        waiting.seek(0)
        for line in waiting:
            part = "leaks" if held and not held.isdisjoint(_sides(json.loads(line))) else "train"
            out[part].write(line)
            counts[part] += 1
    return Split(dict(counts), dict(problems.counts))


def _group(record: Mapping[str, Any], by: str) -> str:
    if by == "document" and record.get("document"):
        return f"document:{record['document']}"
    if by == "id":
        return f"id:{record['id']}"
    return f"source:{normal_form(record['src']) or record['src']}"


def _sides(record: Mapping[str, Any]) -> list[bytes]:
    """Hashes, as the texts of a large test set need not be kept."""
    texts = (normal_form(record[side]) for side in ("src", "tgt"))
    return [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts if text]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {error.strerror or error}") from None
