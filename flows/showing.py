"""What a person sees of a run: coloured lines on a terminal, plain ones in a log.

In: steps as they begin and end, and single lines. Out: lines on a stream (standard error by default).

    filter    0.8 s  440 pairs, 391 kept (wrong_language 12, copied 9)
    train     reused from an earlier run
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flows.step_folders import Done

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 14


@dataclass(slots=True)
class Show:
    """`quiet` keeps still (tests, workers); `began` is when this run did, by a clock that cannot jump."""

    quiet: bool = False
    console: Console | None = None
    began: float = field(default_factory=time.monotonic)

    def begins(self, name: str) -> None:
        if sys.stderr.isatty():
            self.line(f"[dim]{name:<{_WIDTH}}...[/dim]")

    def ends(self, done: Done, counts: Mapping[str, Any]) -> None:
        took = "reused from an earlier run" if done.reused else f"{done.seconds:.1f} s"
        again = f" (again: {done.note})" if done.note else ""
        told = told_counts(counts)
        self.line(f"[bold]{done.name:<{_WIDTH}}[/bold]{took}{again}{'  ' + told if told else ''}")

    def line(self, text: str, markup: bool = True) -> None:
        if self.quiet:
            return
        if self.console is None:
            from rich.console import Console

            self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.console.print(text, markup=markup)

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
