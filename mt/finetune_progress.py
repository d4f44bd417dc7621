"""What a run tells while it goes: numbers only, never text.

finetune(..., progress=together(plain_lines(print), TensorBoard(folder).show))

step 120   31 %  loss 1.842  1093 tokens/s  rate 5.4e-05  best chrF 71.90  6 min left
    trials 1.412   articles 2.104   replay 1.730 (anchor 0.021)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from data.errors import MissingExtraError


@dataclass(frozen=True, slots=True)
class SourceLoss:
    """Per token, unweighted; `share` is the part of the tokens that this source has."""

    cross_entropy: float
    divergence: float
    share: float


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """`scores` are those of the last evaluation on dev, empty between evaluations."""

    step: int
    tokens: int
    share_done: float
    loss: float
    tokens_per_second: float
    learning_rate: float
    seconds_left: float
    best: float | None = None
    metric: str = "chrF"
    losses: Mapping[str, SourceLoss] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)


Show = Callable[[TrainProgress], None]


def together(*shows: Show) -> Show:
    def show(progress: TrainProgress) -> None:
        for one in shows:
            one(progress)

    return show


def line(progress: TrainProgress) -> str:
    if progress.scores:
        scores = "  ".join(f"{name} {value:.2f}" for name, value in progress.scores.items())
        return f"step {progress.step}  dev  {scores}"
    parts = [
        f"step {progress.step}",
        f"{100 * progress.share_done:.0f} %",
        f"loss {progress.loss:.3f}",
        f"{progress.tokens_per_second:.0f} tokens/s",
        f"rate {progress.learning_rate:.1e}",
    ]
    if progress.best is not None:
        parts.append(f"best {progress.metric} {progress.best:.2f}")
    parts.append(f"{progress.seconds_left / 60:.0f} min left")
    for name, loss in progress.losses.items():
        anchor = f" (anchor {loss.divergence:.3f})" if loss.divergence else ""
        parts.append(f"{name} {loss.cross_entropy:.3f}{anchor}")
    return "  ".join(parts)


def plain_lines(write: Callable[[str], object]) -> Show:
    def show(progress: TrainProgress) -> None:
        write(line(progress))

    return show


class RichBar:
    """A bar on stderr: `with RichBar() as bar: finetune(..., progress=bar.show)`."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.percentage:>3.0f} %"),
            BarColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("starting", total=1.0)

    def __enter__(self) -> RichBar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, progress: TrainProgress) -> None:
        if progress.scores:
            self._bar.console.print(line(progress))
            return
        best = f"  best {progress.metric} {progress.best:.2f}" if progress.best is not None else ""
        self._bar.update(
            self._task,
            completed=progress.share_done,
            description=f"loss {progress.loss:.3f}  {progress.tokens_per_second:.0f} tokens/s{best}  "
            f"{progress.seconds_left / 60:.0f} min left",
        )


class TensorBoard:
    """Curves for TensorBoard; needs the extra `tensorboard`."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtraError("TensorBoard", "tensorboard") from None
        self._writer: Any = SummaryWriter(str(folder))

    def show(self, progress: TrainProgress) -> None:
        values = {f"dev/{name}": value for name, value in progress.scores.items()}
        if not values:
            values = {
                "train/loss": progress.loss,
                "train/tokens_per_second": progress.tokens_per_second,
                "train/learning_rate": progress.learning_rate,
            }
            for name, loss in progress.losses.items():
                values[f"loss/{name}"] = loss.cross_entropy
                values[f"anchor/{name}"] = loss.divergence
        for name, value in values.items():
            self._writer.add_scalar(name, value, progress.step)
        self._writer.flush()
