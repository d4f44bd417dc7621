"""Examples to padded tensors: what the encoder reads, what the decoder sees, what it should say.

batch = collate(corpora, examples, pad, start)
batch.labels            # only real positions, row after row; batch.used marks them in `prefix`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mt.finetune_data import Corpus
from mt.finetune_mixture import Example


@dataclass(frozen=True, slots=True)
class Batch:
    """`origins` and `rows` say, for each label, of which corpus and of which row it is."""

    examples: tuple[Example, ...]
    sources: Tensor
    present: Tensor
    prefix: Tensor
    used: Tensor
    labels: Tensor
    origins: Tensor
    rows: Tensor

    def halves(self) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
        middle = len(self.examples) // 2
        return self.examples[:middle], self.examples[middle:]


def collate(
    corpora: Sequence[Corpus], examples: tuple[Example, ...], pad: int, start: int, device: torch.device
) -> Batch:
    sources = [corpora[e.corpus].source_row(e.pair) for e in examples]
    targets = [corpora[e.corpus].target_row(e.pair) for e in examples]
    source_ids, present = _padded(sources, pad)
    label_ids, used = _padded(targets, pad)
    prefix = np.full_like(label_ids, pad)
    prefix[:, 0] = start
    prefix[:, 1:] = label_ids[:, :-1]
    lengths = [len(row) for row in targets]
    origins = np.repeat([e.corpus for e in examples], lengths)
    rows = np.repeat(np.arange(len(examples)), lengths)

    def tensor(values: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device)

    return Batch(
        examples,
        tensor(source_ids),
        tensor(present),
        tensor(prefix),
        tensor(used),
        tensor(label_ids[used]),
        tensor(origins),
        tensor(rows),
    )


def _padded(rows: Sequence[NDArray[np.int32]], pad: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    lengths = np.array([len(row) for row in rows])
    present = np.arange(lengths.max())[None, :] < lengths[:, None]
    ids = np.full(present.shape, pad, dtype=np.int64)
    ids[present] = np.concatenate(rows)
    return ids, present
