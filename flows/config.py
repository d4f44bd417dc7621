"""One pipeline as its YAML file says it; read once, at the edge, and handed down frozen.

In: a file. Out: a `Pipeline`; a mistake is a `ConfigError` with the file and the line:

    pipeline = load_pipeline(Path("configs/starter.en-pt.yaml"))
    pipeline.training.learning_rate

    configs/mine.yaml:9: data.real[0].path: no such file: corpora/trails.jsonl

Paths are relative to the YAML file; `samples:NAME` is a file of the bundled samples. Settings of a stage are
the stage's own values (`mt.config`, `eval.gate`), so their rules are checked by their own code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from data.errors import ConfigError
from eval.gate import Policy
from flows.yaml_lines import Filled, fill, line_of, parse, shown
from mt.config import ConvertConfig, TrainConfig

SAMPLES = Path(__file__).resolve().parent.parent / "data" / "samples"
_SAMPLE = "samples:"


def _resolved(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str | Path):
        return value
    text = str(value)
    if text.startswith(_SAMPLE):
        return SAMPLES / text.removeprefix(_SAMPLE)
    folder = (info.context or {}).get("folder", Path())
    return folder / Path(text).expanduser()


def _existing(path: Path) -> Path:
    if not path.exists():
        beside = sorted(one.name for one in path.parent.iterdir())[:8] if path.parent.is_dir() else []
        there = f"; {path.parent} has {', '.join(beside)}" if beside else ""
        raise ValueError(f"no such file: {path}{there}")
    return path


Existing = Annotated[Path, BeforeValidator(_resolved), AfterValidator(_existing)]


def _only_keys_of(kind: type[Any]) -> Callable[[Any], Any]:
    """pydantic lets unknown keys of a plain dataclass pass; a mistyped setting must not."""
    valid = [field.name for field in fields(kind)]

    def check(value: Any) -> Any:
        for key in value if isinstance(value, dict) else ():
            if key not in valid:
                raise PydanticCustomError("unknown_key", "no such key", {"key": str(key), "valid": valid})
        return value

    return check


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RealSource(Part):
    """Pairs of one's own; the weights are shares of what training sees (see `mt.finetune_mixture`)."""

    name: str
    path: Existing
    weight: float = Field(default=1.0, gt=0)
    anchor: float = Field(default=0.0, ge=0)


class Generation(Part):
    """What a chat model writes. `writer` auto: OPENAI_API_KEY's LLM where it is set, else the embedded."""

    writer: Literal["auto", "embedded", "llm", "none"] = "auto"
    sentences: int = Field(default=200, ge=1)
    seconds: float = Field(default=150.0, gt=0)
    weight: float = Field(default=1.0, gt=0)
    synthesis: dict[str, Any] = Field(default_factory=dict)
    most_calls: int | None = Field(default=None, ge=0)
    most_tokens: int | None = Field(default=None, ge=0)
    most_money: float | None = Field(default=None, ge=0)
    concurrency: int = Field(default=4, ge=1)


class Preparation(Part):
    real: tuple[RealSource, ...] = ()
    generation: Generation = Generation()
    termbases: tuple[Existing, ...] = ()
    dev: Existing | None = None
    dev_share: float = Field(default=0.02, gt=0, lt=0.5)
    limits: Existing | None = None
    duplicates: float = Field(default=0.9, ge=0.5, le=1)
    contamination: float = Field(default=0.8, ge=0.5, le=1)


class TestSet(Part):
    """`role` is what the gate takes it for; sets of the role `extra` are reported only."""

    __test__ = False

    name: str
    path: Existing
    role: Literal["domain", "general", "extra"] = "extra"
    limit: int = Field(default=0, ge=0)


class Evaluation(Part):
    """`systems`: outside systems to compare with, as `NAME=FILE` or `NAME=openai:MODEL`."""

    sets: tuple[TestSet, ...] = Field(min_length=1)
    systems: tuple[str, ...] = ()
    comet: str = "no"
    resamples: int = Field(default=500, ge=100)

    @model_validator(mode="after")
    def _one_of_a_role(self) -> Evaluation:
        for role in ("domain", "general"):
            if sum(one.role == role for one in self.sets) > 1:
                raise ValueError(f"only one test set may have the role {role!r}")
        return self


class Release(Part):
    """`smoke`: sentences that must come out non-empty and without critical findings after the switch."""

    smoke: tuple[str, ...] = ("Take 5 mg of enalapril twice a day.",)
    document: Existing | None = None
    registry: Path | None = None


class Operation(Part):
    """`at_once`: what a run does while another of the same pipeline is still going.

    `retries`: how often a stage is tried again that waits for an LLM or a network; after `retry_seconds`, and
    six times as long before each further attempt. `launcher`: the words before `-m module`, where training is
    to run in several processes, as in [torchrun, --nproc-per-node=2].
    """

    at_once: Literal["refuse", "wait", "skip"] = "refuse"
    retries: int = Field(default=2, ge=0, le=10)
    retry_seconds: float = Field(default=10.0, ge=0)
    webhook: str = ""
    corrections: Path | None = None
    launcher: tuple[str, ...] = ()


class Pipeline(Part):
    """The whole file. `base` is an installed model with weights, a MarianMT folder, or a hub name."""

    name: str = Field(pattern=r"^[\w.-]+$")
    source: str = Field(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z]{2,4})?$")
    target: str = Field(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z]{2,4})?$")
    base: str = ""
    data: Preparation
    training: Annotated[TrainConfig, BeforeValidator(_only_keys_of(TrainConfig))] = TrainConfig()
    conversion: Annotated[ConvertConfig, BeforeValidator(_only_keys_of(ConvertConfig))] = ConvertConfig()
    evaluation: Evaluation
    gate: Annotated[Policy, BeforeValidator(_only_keys_of(Policy))] = Policy()
    release: Release = Release()
    operation: Operation = Operation()

    @property
    def pair(self) -> str:
        return f"{self.source}-{self.target}"


class Several(Part):
    """A file that lists other pipelines, run one after the other."""

    name: str = Field(pattern=r"^[\w.-]+$")
    pipelines: tuple[Existing, ...] = Field(min_length=1)


def load_pipelines(path: Path) -> list[Pipeline]:
    """One pipeline, or all that a file with `pipelines:` lists."""
    content, lines = parse(path)
    if "pipelines" not in content:
        return [_filled(path, Pipeline, content, lines)]
    several = _filled(path, Several, content, lines)
    return [_filled(one, Pipeline, *parse(one)) for one in several.pipelines]


def load_pipeline(path: Path) -> Pipeline:
    found = load_pipelines(path)
    if len(found) != 1:
        raise ConfigError(f"{path}: lists {len(found)} pipelines; give one of them")
    return found[0]


def _filled(path: Path, model: type[Filled], content: Any, lines: Any) -> Filled:
    try:
        return fill(path, model, content, lines)
    except ConfigError as error:  # a stage's own rule: it names the setting, not the line
        if str(error).startswith(f"{path}:"):
            raise
        blocks = ("training", "conversion", "gate")
        named = [(block, key) for block in blocks for key in content.get(block) or {} if key in str(error)]
        place = named[0] if named else ()
        where = f"{shown(place)}: " if place else ""
        raise ConfigError(f"{path}:{line_of(place, lines)}: {where}{error}") from None
