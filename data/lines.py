"""Lines of text files that may be broken: wrong bytes, lines without end, compressed or not.

In: a path and a `Problems`. Out: `(number, text)`, from 1, in flat memory.

    problems = Problems(skip=True)
    for number, line in read_lines(Path("corpus.tsv.gz"), problems): ...
    problems.counts        # {"not UTF-8": 3, "line too long": 1}

A line longer than LONGEST_LINE is passed over piece by piece and never held whole. Without `skip` the first
problem is an error that names file and line; with it, all are counted and the first few named.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from data.errors import ConfigError, InputError, RecordError

LONGEST_LINE = 1 << 20
_MOST_NAMED = 20
_OTHER_ENCODINGS = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


class Problems:
    """What could not be read: raised at once, or with `skip` counted by kind, the first ones by place."""

    def __init__(self, skip: bool = False) -> None:
        self.skip = skip
        self.counts: Counter[str] = Counter()
        self.named: list[str] = []

    def found(self, path: Path | str, line: int, kind: str, detail: str = "") -> None:
        self.report(kind, RecordError(path, line, f"{kind}{': ' if detail else ''}{detail}"))

    def report(self, kind: str, error: RecordError) -> None:
        if not self.skip:
            raise error
        self.counts[kind] += 1
        if len(self.named) < _MOST_NAMED:
            self.named.append(str(error))


def read_lines(path: Path, problems: Problems, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """Each line without its end."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ConfigError(f"no encoding {encoding!r}; for example: utf-8, cp1252, latin-1, utf-16") from None
    if encoding.lower().replace("-", "").startswith(("utf16", "utf32")):
        yield from _wide_lines(path, encoding)  # a line's end is no single byte there
        return
    for number, raw in _raw_lines(path, problems):
        content = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        try:
            yield number, content.decode(encoding)
        except UnicodeDecodeError as error:
            detail = f"byte 0x{content[error.start]:02x} at column {error.start + 1}"
            problems.found(path, number, f"not {encoding.upper()}", detail)


def _raw_lines(path: Path, problems: Problems) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with opened(path) as stream:
            while raw := stream.readline(LONGEST_LINE):
                number += 1
                if number == 1:
                    _refuse_other_encodings(path, raw)
                if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                    _pass_over(stream)
                    problems.found(path, number, "line too long", f"more than {LONGEST_LINE:,} bytes")
                    continue
                yield number, raw.rstrip(b"\r\n")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InputError(f"cannot read {path} after line {number}: {reason}") from None


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where it is a .gz."""
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _pass_over(stream: IO[bytes]) -> None:
    while piece := stream.readline(LONGEST_LINE):
        if piece.endswith(b"\n"):
            return


def _refuse_other_encodings(path: Path, start: bytes) -> None:
    for mark, name in _OTHER_ENCODINGS:
        if start.startswith(mark):
            raise InputError(f"{path}: is {name}, not UTF-8; say so with the option for the encoding")


def _wide_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    try:
        with codecs.open(str(path), encoding=encoding) as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.rstrip("\r\n")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeError:
        raise InputError(f"{path}: not {encoding.upper()}") from None
