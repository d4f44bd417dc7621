"""Near-duplicates in files of any length, within and across them: the first of each family stays.

In: files of pairs. Out: a file of those kept and one of those dropped, each with the id of its like.

    dedupe(["a.jsonl", "b.jsonl"], Path("unique.jsonl"), Path("same.jsonl"))   # Deduped(pairs=9, kept=7, ...)

Signatures (MinHash) are made with all cores and put into bands; records that share a band are compared by
their texts, so nothing is dropped by a hash accident. The texts wait in a temporary file, not in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from data.blocks import blocks, ordered_map
from data.corpora import Reading, Record, read_records
from data.dedup import jaccard, normal_form, shingles
from data.errors import ConfigError, MissingExtraError
from data.files import atomic_write
from data.jsonl import compact_line
from data.lines import Problems

if TYPE_CHECKING:
    import numpy as np

PERMUTATIONS, BANDS = (
    64,
    16,
)  # bands of four: of pairs at 0.9 all but one in ten million share one, at 0.8 0.9998
_SEED = 42
_ROWS = PERMUTATIONS // BANDS
_DOUBT = 0.15  # of a similarity estimated by 64 hashes: four standard deviations at 0.9
_AT_ONCE = 50_000
_NEIGHBOURS = 4  # of a band's records each is compared with so many, or boilerplate would cost its square
SIDES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "both": lambda record: f"{normal_form(record['src'])}\x1f{normal_form(record['tgt'])}",
    "source": lambda record: normal_form(record["src"]),
    "target": lambda record: normal_form(record["tgt"]),
}


@dataclass(frozen=True, slots=True)
class DedupeConfig:
    """`by` is what must be alike: both sides together, the source or the target."""

    threshold: float = 0.9
    by: str = "both"
    processes: int = 0

    def __post_init__(self) -> None:
        if not 0.5 <= self.threshold <= 1:
            raise ConfigError(f"the threshold must be from 0.5 to 1, not {self.threshold}")
        if self.by not in SIDES:
            raise ConfigError(f"cannot compare by {self.by!r}; valid: {', '.join(SIDES)}")


@dataclass(frozen=True, slots=True)
class Deduped:
    pairs: int
    kept: int
    exact: int
    near: int
    unreadable: Mapping[str, int] = field(default_factory=dict)


def dedupe(
    inputs: Sequence[Path | str],
    out: Path,
    dropped: Path,
    config: DedupeConfig = DedupeConfig(),
    reading: Reading = Reading(),  # noqa: B008
    problems: Problems | None = None,
) -> Deduped:
    """Which of two stays is decided by their order in the inputs, so put the better source first."""
    problems = problems if problems is not None else Problems()
    with ExitStack() as open_files:
        folder = open_files.enter_context(tempfile.TemporaryDirectory(prefix="medloop-dedupe-"))
        rows = open_files.enter_context((Path(folder) / "rows").open("w+", encoding="utf-8"))
        texts = open_files.enter_context((Path(folder) / "texts").open("w+b"))
        found = _Families(texts)
        work = partial(sign_block, config.by)
        for block, signed in ordered_map(
            work, blocks(read_records(inputs, reading, problems), 1000), config.processes
        ):
            rows.writelines(map(compact_line, block))
            found.add(signed)
        like = found.matches(config.threshold)
        rows.seek(0)
        keep, drop = (open_files.enter_context(atomic_write(path)) for path in (out, dropped))
        exact = _share_out(rows, like, keep, drop)
    return Deduped(found.count, found.count - len(like), exact, len(like) - exact, dict(problems.counts))


def _share_out(rows: IO[str], like: Mapping[int, tuple[int, float]], keep: IO[str], drop: IO[str]) -> int:
    import json

    names: dict[int, str] = dict.fromkeys((first for first, _ in like.values()), "")
    exact = 0
    for number, line in enumerate(rows):
        if number in names:
            names[number] = json.loads(line)["id"]
        if number not in like:
            keep.write(line)
            continue
        first, similarity = like[number]
        exact += similarity == 1.0
        reason = "duplicate" if similarity == 1.0 else "near_duplicate"
        extra = {"reason": reason, "like": names[first], "similarity": round(similarity, 3)}
        drop.write(compact_line(json.loads(line) | extra))
    return exact


def sign_block(by: str, records: Sequence[Record]) -> tuple[list[bytes], bytes]:
    """The normal form of each record, and their signatures as one table of 32-bit numbers."""
    try:
        from rensa import RMinHash
    except ImportError:
        raise MissingExtraError("finding near-duplicates", "data") from None
    import numpy as np

    key = SIDES[by]
    normal = [key(record) for record in records]
    # Texts without a word are told apart by what they are, not by what their nothing is like.
    normal = [
        text if text.strip("\x1f") else f"\x1f{r['src']}\x1f{r['tgt']}"
        for text, r in zip(normal, records, strict=True)
    ]
    grams = [list(shingles(text)) for text in normal]
    minhashes = RMinHash.digests_from_token_sets(grams, PERMUTATIONS, _SEED)
    return [text.encode("utf-8", "surrogatepass") for text in normal], np.asarray(
        minhashes, dtype=np.uint32
    ).tobytes()


class _Families:
    """Grows by blocks; then says which record is like which earlier one."""

    def __init__(self, texts: IO[bytes]) -> None:
        self._texts = texts
        self._ends = [0]
        self._tables: list[np.ndarray[Any, Any]] = []
        self._bands: list[list[np.ndarray[Any, Any]]] = [[] for _ in range(BANDS)]
        self._seen: dict[bytes, int] = {}
        self._same: dict[int, int] = {}
        self.count = 0

    def add(self, signed: tuple[list[bytes], bytes]) -> None:
        import numpy as np

        normal, table = signed
        for text in normal:
            first = self._seen.setdefault(blake2b(text, digest_size=16).digest(), self.count)
            if first != self.count:
                self._same[self.count] = first
            self._ends.append(self._ends[-1] + self._texts.write(text))
            self.count += 1
        self._tables.append(np.frombuffer(table, dtype=np.uint32).reshape(len(normal), PERMUTATIONS))
        rows = self._tables[-1].astype(np.uint64)
        for band in range(BANDS):
            key = np.zeros(len(normal), dtype=np.uint64)
            for place in range(band * _ROWS, (band + 1) * _ROWS):
                key = key * np.uint64(0x9E3779B97F4A7C15) + rows[:, place] + np.uint64(1)
            self._bands[band].append(key)

    def matches(self, threshold: float) -> dict[int, tuple[int, float]]:
        """Of each record to drop the one that stays, and how alike the two are."""
        self._seen.clear()
        self._texts.flush()
        like: dict[int, tuple[int, float]] = {}
        for number, candidates in self._candidates(threshold):
            if number in self._same:
                continue
            best = self._best(number, {like.get(first, (first,))[0] for first in candidates}, threshold)
            if best:
                like[number] = best
        for number, first in self._same.items():
            like[number] = (like[first][0], like[first][1]) if first in like else (first, 1.0)
        return like

    def _best(self, number: int, firsts: set[int], threshold: float) -> tuple[int, float] | None:
        own = shingles(self._text(number))
        compared = ((first, jaccard(own, shingles(self._text(first)))) for first in sorted(firsts))
        return max((m for m in compared if m[1] >= threshold), key=lambda match: match[1], default=None)

    def _candidates(self, threshold: float) -> Iterator[tuple[int, set[int]]]:
        """Records in order, each with earlier ones that share a band: the first there and the ones before."""
        import numpy as np

        if not self.count:
            return
        pairs = []
        for band in self._bands:
            keys = np.concatenate(band)
            band.clear()
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            new = np.concatenate(([True], keys[1:] != keys[:-1]))
            start = np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))
            later = np.flatnonzero(~new)
            pairs.append(np.stack((order[later], order[start[later]])))
            for step in range(1, _NEIGHBOURS + 1):
                later = later[later - step > start[later]]
                pairs.append(np.stack((order[later], order[later - step])))
        both = np.concatenate(pairs, axis=1)
        packed = np.unique(
            both[0] * self.count + both[1]
        )  # as one number: sorting pairs takes ten times as long
        for numbers, firsts in self._likely(packed // self.count, packed % self.count, threshold):
            yield int(numbers), set(firsts)

    def _likely(
        self, later: np.ndarray[Any, Any], earlier: np.ndarray[Any, Any], threshold: float
    ) -> Iterator[tuple[int, list[int]]]:
        """Spares the texts of pairs whose signatures agree too little: four standard deviations below."""
        import numpy as np

        table = np.concatenate(self._tables) if self._tables else np.empty((0, PERMUTATIONS), dtype=np.uint32)
        number, firsts = -1, list[int]()
        for start in range(0, len(later), _AT_ONCE):
            rows, others = later[start : start + _AT_ONCE], earlier[start : start + _AT_ONCE]
            agree = (table[rows] == table[others]).mean(axis=1) >= threshold - _DOUBT
            for row, other in zip(rows[agree].tolist(), others[agree].tolist(), strict=True):
                if row != number and firsts:
                    yield number, firsts
                    firsts = []
                number = row
                firsts.append(other)
        if firsts:
            yield number, firsts

    def _text(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        self._texts.seek(start)
        return self._texts.read(end - start).decode("utf-8", "surrogatepass")
