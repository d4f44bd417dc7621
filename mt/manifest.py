"""What a model's folder says of itself: `medloop.json` for programs, `README.md` for people.

write_manifest(folder, manifest)
file_sums(folder)        # {"ct2/model.bin": {"bytes": 17400000, "sha256": "9f..."}, ...}
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from data.files import atomic_write
from data.fingerprints import FINGERPRINTS, Fingerprints, read_fingerprints
from mt.models import MANIFEST
from mt.parity import Parity, not_run_here

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


def write_fingerprints(trained_on: Sequence[Fingerprints], base: Path, folder: Path) -> None:
    """What a model has seen, by hashes, and what its base had where that says so; else no file."""
    known = [read_fingerprints(base / FINGERPRINTS)] if (base / FINGERPRINTS).is_file() else []
    found = [*trained_on, *known]
    if found:
        reduce(Fingerprints.united, found).write(folder / FINGERPRINTS)


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
    unseen = not_run_here(manifest.parity, manifest.quantization)
    return (
        f"---\nlanguage:\n- {manifest.source}\n- {manifest.target}\n"
        f"license: {json.dumps(manifest.licence or 'other')}\nlibrary_name: ctranslate2\n"
        f"pipeline_tag: translation\ntags:\n- medical\n- marian\n---\n\n"
        f"# {manifest.source} to {manifest.target}\n\n{manifest.origin}. Made on {manifest.made}, "
        f"{manifest.quantization}.\n\n"
        f"| dev score | |\n|---|---|\n{scores}\n"
        f"{manifest.parity.identical:.1%} of {manifest.parity.segments} dev translations are those of the "
        f"trained model in float32.\n\n"
        + (f"Not compared: {unseen}.\n\n" if unseen else "")
        + (f"Licences of the data:\n\n{data}" if data else "")
    )
