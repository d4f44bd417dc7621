"""Monolingual text for grafting: files in, distinct sentences of a sensible length out.

    texts = read_texts([Path("general.en.txt.gz"), Path("trials.jsonl:src")], pieces)

A plain or gzipped text file holds a sentence a line; of a JSON Lines file, `:field` after the name says
which field.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from data.errors import InputError
from data.jsonl import read_jsonl

CHARACTERS = 900


def read_texts(files: Sequence[str], seed: int) -> list[str]:
    """All sentences, each once, in an order that depends on the seed alone."""
    distinct = dict.fromkeys(text for name in files for text in _lines(name) if 0 < len(text) <= CHARACTERS)
    if not distinct:
        raise InputError(f"no sentence of at most {CHARACTERS} characters in {', '.join(files)}")
    texts = list(distinct)
    random.Random(seed).shuffle(texts)
    return texts


def excluded(texts: Iterable[str], files: Sequence[str]) -> list[str]:
    """Without the sentences of the test files, so that what is measured on them stays honest."""
    reserved = {text for name in files for text in _lines(name)}
    return [text for text in texts if text not in reserved]


def _lines(name: str) -> Iterator[str]:
    path, _, field = name.partition(":")
    try:
        if path.endswith(".jsonl"):
            for _, record in read_jsonl(Path(path)):
                yield str(record.get(field or "text", "")).strip()
        else:
            with _open(path) as stream:
                for line in stream:
                    yield line.strip()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start} of a block") from error


def _open(path: str) -> TextIO:
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8")
    return Path(path).open(encoding="utf-8")
