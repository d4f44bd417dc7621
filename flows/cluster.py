"""Bulk work on a Ray cluster, through Ray Data: one actor with one model for each core it is given.

In: a job, blocks, which cluster (`local`: this machine as one; `auto`: the one this machine is part of;
`ray://host:10001`). Out: the blocks' results, in order.

    for lines in on_cluster(TranslateBlocks("en", "pt"), blocks, "auto"): ...

Only places in files travel to the workers, and lines come back; a lost worker's blocks are done again by
another. The files must be where all machines reach them (s3://, or a shared folder), and so must the models.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from data.errors import ConfigError, InputError, MedloopError, MissingExtraError
from data.settings import switch_telemetry_off
from flows.blocks import Block
from flows.bulk import Job

# Of a core, what an actor asks for: there are no more actors than cores, but those of a lost machine must
# find room on the others. An actor that asks for a whole core would wait for a machine that never comes.
_ROOM = 0.5
_RESULT_BYTES = 4 * 2**20
KINDS = ("local", "auto", "ray://HOST:PORT")


class _Actor:
    """What a worker process holds."""

    def __init__(self, job: Job) -> None:
        self._work = job.worker(1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        block = Block(**{name: _plain(batch[name][0]) for name in Block.__slots__})
        return {"text": ["\n".join(self._work(block))]}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def on_cluster(job: Job, blocks: Iterable[Block], cluster: str) -> Iterator[list[str]]:
    ray = connect(cluster)
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.max_errored_blocks = 0
    # Ray Data sets aside room for a whole result of the largest size before it starts any work, 128 MB unless
    # told otherwise: on machines with a small object store nothing would ever start. Ours are texts.
    context.target_max_block_size = _RESULT_BYTES
    rows = [asdict(block) for block in blocks]
    if not rows:
        return
    # A block of Ray's for each of ours: what is lost with a worker is one block.
    places = ray.data.from_items(rows, override_num_blocks=min(len(rows), 10_000))
    actors = max(1, min(len(rows), int(ray.cluster_resources().get("CPU", 1))))
    strategy = ray.data.ActorPoolStrategy(min_size=1, max_size=actors)
    texts = places.map_batches(
        _Actor,
        fn_constructor_args=(job,),
        batch_size=1,
        compute=strategy,
        num_cpus=_ROOM,
    )  # a lost actor is started again, and its block is done again, without end: what Ray Data does by itself
    try:
        for row in texts.iter_rows():
            yield str(row["text"]).split("\n")
    except Exception as error:  # Ray wraps what a worker raised, more than once
        ours = _ours(error)
        if ours is None:
            raise
        raise ours from None


def _ours(error: BaseException | None) -> MedloopError | None:
    while error is not None:
        if isinstance(error, MedloopError):
            return error
        error = getattr(error, "cause", None) or error.__cause__
    return None


def connect(cluster: str) -> Any:
    """Ray, connected; a cluster that is not there is named."""
    if cluster not in ("local", "auto") and not cluster.startswith("ray://"):
        raise ConfigError(f"--cluster {cluster!r}: not a cluster; valid: {', '.join(KINDS)}")
    switch_telemetry_off()
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtraError("working on a cluster", "cluster") from None
    if not ray.is_initialized():
        address = {"local": "local", "auto": "auto"}.get(cluster, cluster)
        try:
            ray.init(
                address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False
            )
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"--cluster {cluster}: cannot be reached: {why}") from None
    return ray
