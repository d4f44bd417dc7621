"""A progress bar for the translate command: on standard error, only where a person watches a large file.

with path.open("rb") as stream, Progress(stream, path) as watched:
    read(watched)
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO

_FROM_BYTES = 200_000


class Progress:
    """A bar on stderr over the bytes read, when a person watches and the file is worth waiting for."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream, self._path = stream, path
        self._bar: Any = None

    def __enter__(self) -> BinaryIO:
        size = self._path.stat().st_size
        if not sys.stderr.isatty() or size < _FROM_BYTES:
            return self._stream
        from rich.console import Console
        from rich.progress import Progress as Bar

        self._bar = Bar(console=Console(stderr=True), transient=True)
        self._bar.start()
        watched: BinaryIO = self._bar.wrap_file(self._stream, total=size, description=self._path.name)
        return watched

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
