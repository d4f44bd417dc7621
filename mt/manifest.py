"""What a model's folder says of itself: `medloop.json` for programs, `README.md` for people.

write_manifest(folder, manifest)
file_sums(folder)        # {"ct2/model.bin": {"bytes": 17400000, "sha256": "9f..."}, ...}
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.files import atomic_write
from mt.models import MANIFEST
from mt.parity import Parity

CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `medloop.json`."""

    source: str
    target: str
    licence: str
    origin: str
    quantization: str
    parity: Parity
    base: str = ""
    base_fingerprint: str = ""
    data_digest: str = ""
    licences: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made: str = ""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    with atomic_write(folder / MANIFEST) as stream:
        json.dump(dataclasses.asdict(manifest), stream, indent=1, ensure_ascii=False, default=str)
        stream.write("\n")


def file_sums(folder: Path) -> dict[str, Any]:
    """Size and SHA-256 of each file, by its path in the folder."""
    sums = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            sums[name] = {"bytes": path.stat().st_size, "sha256": digest}
    return sums


def model_card(manifest: Manifest) -> str:
    """As model hubs read it: a block of YAML, then what a reader wants to know."""
    scores = "".join(f"| {name} | {value:.2f} |\n" for name, value in manifest.parity.scores.items())
    data = "".join(
        f"- {name}: {', '.join(f'{licence} ({count})' for licence, count in sorted(licences.items()))}\n"
        for name, licences in manifest.licences.items()
        if isinstance(licences, Mapping)
    )
    return (
        f"---\nlanguage:\n- {manifest.source}\n- {manifest.target}\n"
        f"license: {json.dumps(manifest.licence or 'other')}\nlibrary_name: ctranslate2\n"
        f"pipeline_tag: translation\ntags:\n- medical\n- marian\n---\n\n"
        f"# {manifest.source} to {manifest.target}\n\n{manifest.origin}. Made on {manifest.made}, "
        f"{manifest.quantization}.\n\n"
        f"| dev score | |\n|---|---|\n{scores}\n"
        f"{manifest.parity.identical:.1%} of {manifest.parity.segments} dev translations are those of the "
        f"trained model in float32.\n\n" + (f"Licences of the data:\n\n{data}" if data else "")
    )
