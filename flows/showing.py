"""What a person sees of a run: coloured lines and a bar on a terminal, plain lines in a log.

In: steps as they begin, go on and end, and single lines. Out: lines on a stream (standard error by default).

    filter    0.8 s  440 pairs, 391 kept (wrong_language 12, copied 9)
    train     reused from an earlier run
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flows.step_folders import Done

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_WIDTH = 14
_EVERY_SECONDS = 10.0  # between two lines of progress in a log


@dataclass(slots=True)
class Show:
    """`quiet` keeps still (tests, workers); `began` is when this run did, by a clock that cannot jump."""

    quiet: bool = False
    console: Console | None = None
    began: float = field(default_factory=time.monotonic)
    _bar: tuple[Progress, TaskID] | None = None
    _name: str = ""
    _told: float = 0.0

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """On a terminal a bar that goes with the stage."""
        self._name, self._told = name, time.monotonic()
        if self.quiet or not self._screen().is_terminal:
            yield
            return
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn(f"{name:<{_WIDTH}}"),
            BarColumn(20),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=self._screen(), transient=True) as bar:
            self._bar = bar, bar.add_task("", total=None)
            try:
                yield
            finally:
                self._bar = None

    def goes_on(self, text: str, share: float | None = None) -> None:
        """How far the stage is; in a log a line now and then. `share` of 1, where it is known."""
        if self._bar is not None:
            bar, task = self._bar
            bar.update(task, description=text, total=None if share is None else 1.0, completed=share or 0.0)
        elif time.monotonic() - self._told > _EVERY_SECONDS:
            self._told = time.monotonic()
            self.plain(f"  {self._name}: {text}")

    def ends(self, done: Done, counts: Mapping[str, Any]) -> None:
        took = "reused from an earlier run" if done.reused else f"{done.seconds:.1f} s"
        again = f" (again: {done.note})" if done.note else ""
        told = told_counts(counts)
        self.line(f"[bold]{done.name:<{_WIDTH}}[/bold]{took}{again}{'  ' + told if told else ''}")

    def line(self, text: str, markup: bool = True) -> None:
        if self.quiet:
            return
        self._screen().print(text, markup=markup)

    def _screen(self) -> Console:
        if self.console is None:
            from rich.console import Console

            self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        return self.console

    def plain(self, text: str) -> None:
        self.line(text, markup=False)


def told_counts(counts: Mapping[str, Any]) -> str:
    """`440 pairs, 391 kept (wrong_language 12, copied 9)`"""
    numbers = [f"{value:,} {name}" for name, value in counts.items() if isinstance(value, int)]
    texts = [value for value in counts.values() if isinstance(value, str)]
    reasons = counts.get("reasons") or {}
    listed = ", ".join(f"{name} {count:,}" for name, count in reasons.items())
    counted = ", ".join(numbers) + (f" ({listed})" if listed else "")
    return "; ".join(filter(None, [counted, *texts]))
