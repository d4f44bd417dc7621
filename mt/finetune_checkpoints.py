"""What a killed run needs to go on as if nothing had happened, in safetensors and JSON.

    out/.work/run.json               which run this is: base, data, settings
    out/.work/last/                  weights, optimiser, average, random state, position
    out/.work/before/                the checkpoint before, for when the last one cannot be read
    out/.work/best/000120.safetensors    the states that were best on dev

A checkpoint is written beside the last good one and takes its place only when it is whole, so a disk that
fills or a kill at the wrong moment costs some minutes and never the run.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ConfigError, ModelError, OutputError
from data.files import atomic_write

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Position:
    """Where a run is; `best` are (score, step) of the kept states, the best first."""

    step: int = 0
    batches: int = 0
    tokens: int = 0
    seconds: float = 0.0
    evaluations: int = 0
    since_best: int = 0
    most_rows: int = 0
    best: list[tuple[float, int]] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)


class Checkpoints:
    def __init__(self, out: Path, identity: Mapping[str, Any]) -> None:
        self.folder = out / ".work"
        self._last, self._before = self.folder / "last", self.folder / "before"
        try:
            (self.folder / "best").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{out}: cannot be written ({error.strerror})") from None
        self._claim(out, json.loads(json.dumps(identity, default=str)))

    def _claim(self, out: Path, identity: dict[str, Any]) -> None:
        path = self.folder / "run.json"
        if not path.exists():
            with atomic_write(path) as stream:
                json.dump(identity, stream, indent=1)
            return
        try:
            earlier = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            earlier = {}
        differing = sorted(key for key in {*earlier, *identity} if earlier.get(key) != identity.get(key))
        if differing:
            raise ConfigError(
                f"{out}: holds the checkpoint of another run ({', '.join(differing)} differ); "
                f"choose another folder, or remove {self.folder}"
            )

    def save(self, position: Position, tensors: Mapping[str, Tensor]) -> None:
        """Replaces the last checkpoint by this one."""
        temporary = self.folder / "last.part"
        shutil.rmtree(temporary, ignore_errors=True)
        with self._full_disk(temporary):
            temporary.mkdir()
            _write(temporary / "state.safetensors", tensors)
            (temporary / "position.json").write_text(json.dumps(asdict(position)), encoding="utf-8")
        if self._last.exists():
            shutil.rmtree(self._before, ignore_errors=True)
            self._last.rename(self._before)
        temporary.rename(self._last)

    def load(self) -> tuple[Position, dict[str, Tensor]] | None:
        """The last whole one; None where a run has only begun."""
        damaged = ""
        for folder in (self._last, self._before):  # the last is not there after a kill between two renames
            if not folder.exists():
                continue
            try:
                found = _read(folder)
            except Exception as error:  # safetensors has its own, which stands in no public module
                damaged = damaged or f"{folder}: damaged checkpoint ({type(error).__name__})"
                continue
            if damaged:
                log.warning("%s; going on from the one before it, step %d", damaged, found[0].step)
                shutil.rmtree(self._last, ignore_errors=True)
            return found
        if damaged:
            raise ModelError(f"{damaged}, and none before it; remove {self.folder} to start anew")
        return None

    def keep_best(self, step: int, state: Mapping[str, Tensor]) -> None:
        path = self._best(step)
        temporary = path.with_suffix(".part")
        with self._full_disk(temporary):
            _write(temporary, state)
            temporary.replace(path)

    def best(self, steps: list[int]) -> dict[str, Tensor]:
        """The mean of the states of these steps."""
        from safetensors.torch import load_file

        states = [load_file(str(self._best(step))) for step in steps]
        if len(states) == 1:
            return states[0]
        import torch

        return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}

    def forget_best(self, kept: list[int]) -> None:
        """But not what the checkpoint before the last one takes for the best."""
        with contextlib.suppress(OSError, ValueError):
            kept = [*kept, *(step for _, step in _position(self._before).best)]
        names = {self._best(step).name for step in kept}
        for path in (self.folder / "best").iterdir():
            if path.name not in names:
                path.unlink(missing_ok=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _best(self, step: int) -> Path:
        return self.folder / "best" / f"{step:06d}.safetensors"

    @contextlib.contextmanager
    def _full_disk(self, temporary: Path) -> Any:
        try:
            yield
        except BaseException as error:
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink(missing_ok=True)
            if not isinstance(error, Exception):
                raise
            raise OutputError(
                f"cannot write {temporary}: {str(error).splitlines()[0]}; "
                f"the last good checkpoint is {self._last if self._last.exists() else 'none'}"
            ) from None


def _position(folder: Path) -> Position:
    position = Position(**json.loads((folder / "position.json").read_text(encoding="utf-8")))
    position.best = [(float(score), int(step)) for score, step in position.best]
    return position


def _read(folder: Path) -> tuple[Position, dict[str, Tensor]]:
    from safetensors.torch import load_file

    return _position(folder), load_file(str(folder / "state.safetensors"))


def _write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    from safetensors.torch import save_file

    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, str(path))
