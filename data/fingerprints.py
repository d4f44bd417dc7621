"""What a model was trained on, as hashes: enough to find a test sentence again, too little to read one.

In: the source sentences of the training text. Out: a small file that travels with the model, and answers.

    collector = Collector()
    collector.add("Take one tablet with water after each meal.")
    collector.done().write(folder / FINGERPRINTS)
    read_fingerprints(folder / FINGERPRINTS).seen("Take ONE tablet with water, after each meal")   # "exact"

A sentence leaves a 64-bit hash of its words, and 32-bit hashes of its runs of RUN words, all in one sorted
heap without order or origin. Somebody who guesses a whole sentence can ask whether it was there; nobody can
read one out. A test sentence of LEAST_WORDS or more was seen nearly where NEAR_SHARE of its runs were.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.dedup import Match, Overlap, normal_form
from data.errors import InputError
from data.files import atomic_write_bytes
from data.segments import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FINGERPRINTS = "training.fingerprints"
RUN = 5  # words
LEAST_WORDS = 8
NEAR_SHARE = 0.6  # one word changed in a sentence of 20 spoils 5 of its 16 runs
_MAGIC = b"medloop-fingerprints 1\n"
_FOLD = 1 << 20  # hashes that wait before repeated ones are thrown out


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprints:
    """Both sorted and without repetition."""

    sentences: NDArray[np.uint64]
    runs: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.sentences)

    def seen(self, text: str) -> str:
        """`exact`, `near`, or nothing."""
        share = self.share(text)
        return "exact" if share == 2 else "near" if share >= NEAR_SHARE else ""

    def share(self, text: str) -> float:
        """2 for a sentence that was there; else the share of its runs that were."""
        import numpy as np

        words = normal_form(text).split()
        if not words:
            return 0.0
        if _holds(self.sentences, np.asarray([_sentence_hash(words)], np.uint64))[0]:
            return 2.0
        if len(words) < LEAST_WORDS:
            return 0.0
        return float(_holds(self.runs, np.asarray(_run_hashes(words), np.uint32)).mean())

    def overlap(self, test: Iterable[Segment]) -> Overlap:
        """Which test segments were in the training text; the place there is not known."""
        exact, near = [], []
        for segment in test:
            share = self.share(segment.text)
            if share == 2:
                exact.append(Match(segment.id, "", 1.0))
            elif share >= NEAR_SHARE:
                near.append(Match(segment.id, "", share))
        return Overlap(tuple(exact), tuple(near), NEAR_SHARE)

    def united(self, other: Fingerprints) -> Fingerprints:
        """For a model that was trained from another one."""
        import numpy as np

        return Fingerprints(np.union1d(self.sentences, other.sentences), np.union1d(self.runs, other.runs))

    def write(self, path: Path) -> None:
        parts = [_packed(self.sentences), _packed(self.runs)]
        head: dict[str, Any] = {
            "run": RUN,
            "counts": [len(self.sentences), len(self.runs)],
            "bytes": [len(part) for part in parts],
        }
        with atomic_write_bytes(path) as stream:
            stream.write(_MAGIC + json.dumps(head).encode() + b"\n" + b"".join(parts))


class Collector:
    """Takes sentences one by one; holds hashes only."""

    def __init__(self) -> None:
        self._sentences: list[int] = []
        self._runs: list[int] = []
        self._folded: list[Fingerprints] = []

    def add(self, text: str) -> None:
        words = normal_form(text).split()
        if not words:
            return
        self._sentences.append(_sentence_hash(words))
        self._runs.extend(_run_hashes(words))
        if len(self._runs) >= _FOLD:
            self._fold()

    def done(self) -> Fingerprints:
        import numpy as np

        self._fold()
        return Fingerprints(
            np.unique(np.concatenate([part.sentences for part in self._folded])),
            np.unique(np.concatenate([part.runs for part in self._folded])),
        )

    def _fold(self) -> None:
        import numpy as np

        sentences, runs = np.asarray(self._sentences, np.uint64), np.asarray(self._runs, np.uint32)
        self._folded.append(Fingerprints(np.unique(sentences), np.unique(runs)))
        self._sentences, self._runs = [], []


def fingerprints_of(texts: Iterable[str]) -> Fingerprints:
    collector = Collector()
    for text in texts:
        collector.add(text)
    return collector.done()


def read_fingerprints(path: Path) -> Fingerprints:
    try:
        raw = path.read_bytes()
        if not raw.startswith(_MAGIC):
            raise ValueError
        line, _, body = raw[len(_MAGIC) :].partition(b"\n")
        head = json.loads(line)
        first = int(head["bytes"][0])
        found = Fingerprints(_unpacked(body[:first], "u8"), _unpacked(body[first:], "u4"))
        if [len(found.sentences), len(found.runs)] != head["counts"]:
            raise ValueError
        return found
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, IndexError, zlib.error):
        raise InputError(f"{path}: damaged, or no file of training fingerprints") from None


def _sentence_hash(words: Sequence[str]) -> int:
    digest = hashlib.blake2b(" ".join(words).encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _run_hashes(words: Sequence[str]) -> list[int]:
    """CRC-32 spreads well enough for counting; a chance hit in ten million runs is one in 400."""
    return [
        zlib.crc32(" ".join(words[start : start + RUN]).encode(errors="surrogatepass"))
        for start in range(max(1, len(words) - RUN + 1))
    ]


def _holds(hashes: NDArray[Any], asked: NDArray[Any]) -> NDArray[np.bool_]:
    import numpy as np

    if not len(hashes):
        return np.zeros(len(asked), bool)
    places = np.minimum(np.searchsorted(hashes, asked), len(hashes) - 1)
    return np.asarray(hashes[places] == asked)


def _packed(hashes: NDArray[Any]) -> bytes:
    """Steps between neighbours, all first bytes together, then all second ones: high ones are mostly 0."""
    import numpy as np

    steps = np.diff(hashes, prepend=hashes.dtype.type(0)).astype(hashes.dtype.newbyteorder("<"))
    planes = np.ascontiguousarray(steps.view(np.uint8).reshape(len(steps), steps.itemsize).T)
    return zlib.compress(planes.tobytes(), 6)


def _unpacked(packed: bytes, kind: str) -> NDArray[Any]:
    import numpy as np

    dtype = np.dtype(f"<{kind}")
    planes = np.asarray(bytearray(zlib.decompress(packed)), np.uint8)
    planes = planes.reshape(dtype.itemsize, len(planes) // dtype.itemsize)
    steps = np.ascontiguousarray(planes.T).view(dtype).reshape(-1)
    return np.asarray(np.cumsum(steps, dtype=dtype), dtype.newbyteorder("="))
