"""Training in several processes, started by torchrun or accelerate: each has its share of a step's batches.

In: the environment that the launcher sets (WORLD_SIZE, RANK, LOCAL_RANK). Out: a `Team`.

    team = Team.of_environment("cpu")           # one process: Team(), which needs no network
    mine = team.share(batches)                  # every second batch, where there are two
    loss = team.add(gradients, loss)            # sums over all processes; gradients in place

Every process draws the same batches in the same order and so knows the tokens of the whole step: gradients
that are divided by them add up to those of one process with all batches. What a clock or a score decides is
what the first process found; it alone writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

_PATIENCE = timedelta(hours=6)  # the others wait while the first evaluates
_STEPS = 1_000_003  # seeds of neighbouring steps lie so far apart that those of processes fit between

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Team:
    """`size` processes, of which this is number `rank`."""

    rank: int = 0
    size: int = 1

    @classmethod
    def of_environment(cls, device: str, environ: Mapping[str, str] = os.environ) -> Team:
        """`device` as `TrainConfig.device`: NCCL between GPUs, Gloo between CPUs."""
        size = int(environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        import torch

        on_gpus = device != "cpu" and torch.cuda.is_available()
        if on_gpus:
            torch.cuda.set_device(int(environ.get("LOCAL_RANK", "0")))
        torch.distributed.init_process_group("nccl" if on_gpus else "gloo", timeout=_PATIENCE)
        return cls(int(environ["RANK"]), size)

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        return items[self.rank :: self.size]

    def seed(self, seed: int, step: int) -> None:
        """Dropout differs between processes, and a resumed run draws what an undisturbed one would have."""
        if self.size > 1:
            import torch

            torch.manual_seed((seed * _STEPS + step) * _STEPS + self.rank)

    def add(self, gradients: Sequence[Tensor], loss: float) -> float:
        """One message for all of them."""
        if self.size == 1:
            return loss
        import torch

        whole = torch.cat([one.reshape(-1).float() for one in gradients] + [gradients[0].new_tensor([loss])])
        torch.distributed.all_reduce(whole)
        at = 0
        for one in gradients:
            one.copy_(whole[at : at + one.numel()].view_as(one))
            at += one.numel()
        return float(whole[-1])

    def start_alike(self, parameters: Sequence[Tensor]) -> None:
        """What was drawn by chance (small matrices beside frozen ones) is that of the first process."""
        if self.size > 1:
            import torch

            with torch.no_grad():
                for one in parameters:
                    torch.distributed.broadcast(one.data, src=0)

    def agreed(self, value: Item) -> Item:
        """What the first process has."""
        if self.size == 1:
            return value
        import torch

        held = [value]
        torch.distributed.broadcast_object_list(held, src=0)
        return held[0]

    def in_turn(self, work: Callable[[], Item]) -> Item:
        """The first process before all others: it makes what they find."""
        if self.first:
            found = work()
        self.agreed(None)
        return found if self.first else work()

    def leave(self) -> None:
        if self.size > 1:
            import torch

            torch.distributed.destroy_process_group()


ALONE = Team()
