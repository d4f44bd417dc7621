"""What a plan is drawn from, and the prompts: files with a version, so that provenance can name them.

In: `data/tables/synthesis/plan.toml` and `data/prompts/*.md`. Out: values.

>>> prompt("critic").version
'critic@1'
>>> len(tables().types) >= 20, len(tables().specialties) >= 30
(True, True)
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data.errors import ConfigError

_HERE = Path(__file__).parent
_PLAN = _HERE / "tables" / "synthesis" / "plan.toml"
_PROMPTS = _HERE / "prompts"


@dataclass(frozen=True, slots=True)
class Tables:
    """Names with hints for the writer; `seeds` are subjects, by chapter of ICD-10 and its relations."""

    version: str
    types: Mapping[str, str]
    specialties: tuple[str, ...]
    readers: Mapping[str, str]
    styles: Mapping[str, str]
    phenomena: Mapping[str, str]
    seeds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """`version` is what a record says of it; `digest` changes with every letter."""

    version: str
    digest: str
    text: str

    def filled(self, values: Mapping[str, object]) -> str:
        return self.text.format(**values)


@cache
def tables() -> Tables:
    raw = tomllib.loads(_PLAN.read_text(encoding="utf-8"))
    chapters = raw["chapters"]
    seeds = [one["seed"] for one in chapters.values()]
    seeds += [
        f"{one['seed']}, in someone who also has {chapters[other]['seed']}"
        for one in chapters.values()
        for other in one["with"]
    ]
    return Tables(
        f"plan@{raw['version']}", raw["types"], tuple(raw["specialties"]["names"]), raw["readers"],
        raw["styles"], raw["phenomena"], tuple(seeds),
    )  # fmt: skip


@cache
def prompt(name: str) -> Prompt:
    path = _PROMPTS / f"{name}.md"
    try:
        content = path.read_text(encoding="utf-8")
    except OSError:
        there = ", ".join(sorted(one.stem for one in _PROMPTS.glob("*.md")))
        raise ConfigError(f"no prompt {name!r}; there are {there}") from None
    head, _, text = content.partition("\n")
    if not head.startswith("version: "):
        raise ConfigError(f"{path}:1: a prompt begins with a line such as 'version: 1'")
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    return Prompt(f"{name}@{head.removeprefix('version: ').strip()}", digest, text.strip())
