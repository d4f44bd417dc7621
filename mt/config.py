"""How to decode, train and convert: small frozen values that CLI flags, YAML and requests all fill.

>>> DecodeConfig(beam_size=4, n_best=2).n_best
2
>>> TrainConfig(learning_rate=3e-5).schedule
'cosine'
"""

from __future__ import annotations

from dataclasses import dataclass

from data.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class DecodeConfig:
    """`scores` asks for mean log-probabilities per token, which plain decoding can do without; `attention`
    for candidates with their pieces and what these looked at, which enforcing terms needs."""

    beam_size: int = 1
    n_best: int = 1
    scores: bool = False
    attention: bool = False
    length_penalty: float = 1.0
    # Above 1: draws from so many of the likeliest words, as back-translation does; beam_size stays 1.
    sampling_topk: int = 1
    sampling_temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.beam_size < 1:
            raise ConfigError(f"beam size must be 1 or more, not {self.beam_size}")
        if not 1 <= self.n_best <= 100:
            raise ConfigError(f"n-best must be 1 to 100, not {self.n_best}")
        if self.sampling_topk < 0 or self.sampling_temperature <= 0:
            raise ConfigError("sampling_topk must be 0 (all words) or more, sampling_temperature above 0")
        if self.sampling_topk != 1 and self.beam_size != 1:
            raise ConfigError("sampling and a beam do not go together; choose one")

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


PRECISIONS = ("auto", "bfloat16", "float32")
SCHEDULES = ("cosine", "linear", "constant", "inverse_sqrt")
FREEZABLE = ("embeddings", "encoder", "decoder")
QUANTIZATIONS = ("int8", "int8_float16", "int8_bfloat16", "float16", "bfloat16", "float32")


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """Small matrices beside the frozen ones, merged into them at the end; for many variants of one base."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    layers: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ConfigError(f"lora rank must be 1 or more, not {self.rank}")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to fine-tune. The length is `max_tokens` target tokens, else `epochs` times all the data.

    `anchor_models` are the teachers of sources with an `anchor` (empty: the base itself); `anchor_words` of
    their likeliest words a position are compared, the rest as one sum. `ema_decay` 0 is off; `average_best`
    takes the mean of the best states on dev instead of the single best. `blend` are shares of the tuned
    weights, the rest being the base's, of which the best on dev is kept. `dev_metric` is a key of what the
    metric returns.
    """

    source: str = ""
    target: str = ""
    seed: int = 1
    epochs: float = 3.0
    max_tokens: int = 0
    max_minutes: float = 0.0
    batch_tokens: int = 2500
    accumulate: int = 1
    longest: int = 200
    learning_rate: float = 6e-5
    warmup: float = 0.06
    schedule: str = "cosine"
    final_rate: float = 0.02
    weight_decay: float = 0.0
    clip: float = 1.0
    label_smoothing: float = 0.0
    dropout: float | None = None
    r_drop: float = 0.0
    ema_decay: float = 0.999
    average_best: int = 1
    blend: tuple[float, ...] = ()
    anchor_models: tuple[str, ...] = ()
    anchor_words: int = 32
    freeze: tuple[str, ...] = ()
    lora: LoraConfig | None = None
    precision: str = "auto"
    device: str = "auto"
    threads: int = 0
    evaluations: int = 10
    patience: int = 4
    dev_metric: str = "chrF"
    dev_segments: int = 500
    checkpoint_seconds: float = 120.0
    report_seconds: float = 5.0
    max_unknown: float = 0.05
    max_wrong_language: float = 0.2
    weights: str = "float32"

    def __post_init__(self) -> None:
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("device", self.device, DEVICES)
        _one_of("weights", self.weights, ("float32", "float16"))
        for part in self.freeze:
            _one_of("freeze", part, FREEZABLE)
        for name in ("batch_tokens", "accumulate", "average_best", "anchor_words", "dev_segments"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.blend and self.lora:
            raise ConfigError("blend and lora do not go together: choose one of them")
        for share in self.blend:
            if not 0 < share <= 1:
                raise ConfigError(f"blend takes shares above 0 and up to 1, not {share}")
        if self.longest < 8:
            raise ConfigError(f"longest must be 8 or more pieces, not {self.longest}")
        if self.learning_rate <= 0:
            raise ConfigError(f"learning_rate must be above 0, not {self.learning_rate}")
        if self.epochs <= 0 and self.max_tokens <= 0:
            raise ConfigError("nothing to train: epochs and max_tokens are both 0")
        for name in ("warmup", "label_smoothing", "ema_decay", "final_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must be from 0 to below 1, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class ConvertConfig:
    """What to make of a checkpoint, and how far it may stray from it: shares and points of a score.

    `equalise` rescales channels before rounding to 8 bits, so that it costs less (mt/starter/equalise.py).
    """

    quantization: str = "int8"
    equalise: bool = True
    least_identical: float = 0.99
    most_loss: float = 0.3
    least_segments: int = 200
    most_segments: int = 400
    licence: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        _one_of("quantization", self.quantization, QUANTIZATIONS)
        if self.most_segments < self.least_segments:
            raise ConfigError(
                f"most_segments ({self.most_segments}) is below least_segments ({self.least_segments})"
            )


def _one_of(name: str, value: str, valid: tuple[str, ...]) -> None:
    if value not in valid:
        raise ConfigError(f"no {name} {value!r}; valid: {', '.join(valid)}")
