"""How to decode: one small frozen value that CLI flags, YAML and requests all fill.

>>> DecodeConfig(beam_size=4, n_best=2).n_best
2
"""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class DecodeConfig:
    """`scores` asks for mean log-probabilities per token, which plain decoding can do without."""

    beam_size: int = 1
    n_best: int = 1
    scores: bool = False
    length_penalty: float = 1.0

    def __post_init__(self) -> None:
        if self.beam_size < 1:
            raise ConfigError(f"beam size must be 1 or more, not {self.beam_size}")
        if not 1 <= self.n_best <= 100:
            raise ConfigError(f"n-best must be 1 to 100, not {self.n_best}")

    @property
    def beams(self) -> int:
        """As many candidates as asked for need as wide a beam."""
        return max(self.beam_size, self.n_best)


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """`threads` 0 is all cores; `bulk` deals the cores out to batches, else they share each one."""

    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 0
    bulk: bool = True

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ConfigError(f"no device {self.device!r}; valid: {', '.join(DEVICES)}")
        if self.threads < 0:
            raise ConfigError(f"threads must be 0 (all cores) or more, not {self.threads}")
