"""Between the base and the tuned model: weights that lie on the line from one to the other.

    found = blended(base.folder, tuned, shares=(0.3, 0.6, 1.0), score=score, metric="chrF")
    found.share, found.scores     # 0.6, {"chrF": 69.3, ...}: the best on dev of these

A tuned model has gained in its own domain and lost elsewhere. Some of the way from the base to it most of the
gain is there, and the loss is not (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mt.finetune_models import load_marian

if TYPE_CHECKING:
    from torch import Tensor

State = Mapping[str, "Tensor"]


@dataclass(frozen=True, slots=True)
class Blend:
    """`share` of the tuned weights; 1 is the tuned model itself."""

    share: float
    state: State
    scores: dict[str, float]


def blended(
    base: Path,
    tuned: State,
    scores: Mapping[str, float],
    shares: Sequence[float],
    score: Callable[[State], dict[str, float]],
    metric: str,
) -> Blend:
    """The best by `metric`; `scores` are those of the tuned state, which is one of the candidates."""
    best = Blend(1.0, tuned, dict(scores))
    start = dict(load_marian(base, "cpu").named_parameters())
    for share in shares:
        if share == 1.0:
            continue
        state = {name: start[name].detach().to(tensor).lerp(tensor, share) for name, tensor in tuned.items()}
        found = score(state)
        if found[metric] > best.scores[metric]:
            best = Blend(share, state, found)
    return best
