"""A version as one file, to carry to another machine; only data, nothing that runs when it is read.

    export_version(registry, "en-pt", "production", "s3://bucket/en-pt.zip")     # any fsspec URL, or a path
    version = import_version(registry, "s3://bucket/en-pt.zip")
    push_version(registry, "en-pt", "production", "hospital/en-pt-medical")      # to a hub

The archive is a ZIP of CTranslate2's own weights, tokenizers, JSON, Markdown and safetensors. Everything
else is refused at both ends, pickles above all: so are names that lead out of the folder, files that the
manifest does not list, and archives of which a part is missing.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from data.errors import InputError, MissingExtraError, ModelError, OutputError
from mt.registry import MANIFEST, Registry, require_runnable, verify

_KINDS = (".json", ".jsonl", ".safetensors", ".spm", ".md", ".txt")
# Weights as CTranslate2 writes them; pytorch_model.bin, a pickle, has another name.
_WEIGHTS = ("model.bin",)
_PICKLE, _ZIP = b"\x80", b"PK"
_LARGEST = 8 * 1024**3
_BLOCK = 1 << 20


def export_version(registry: Registry, pair: str, name: str, to: str) -> str:
    folder = registry.resolve(pair, name)
    verify(folder)
    with tempfile.TemporaryDirectory(prefix="medloop-export-") as temporary:
        archive = Path(temporary) / "model.zip"
        with zipfile.ZipFile(archive, "w") as bundle:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    inside = path.relative_to(folder).as_posix()
                    with path.open("rb") as stream:
                        _require_harmless(inside, stream.read(8), str(folder))
                    bundle.write(path, inside)
        with archive.open("rb") as source, _open(to, "wb") as target:
            try:
                shutil.copyfileobj(source, target, _BLOCK)
            except OSError as error:
                raise OutputError(f"cannot write {to}: {error.strerror or error}") from None
    return folder.name


def import_version(registry: Registry, archive: str) -> str:
    """Becomes a version of its pair and the candidate."""
    with tempfile.TemporaryDirectory(prefix="medloop-import-") as temporary:
        local = Path(temporary) / "model.zip"
        with _open(archive, "rb") as source, local.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
        folder = Path(temporary) / "model"
        folder.mkdir()
        _unpack(local, folder, archive)
        manifest = _manifest(folder, archive)
        try:
            verify(folder)
            require_runnable(folder)
        except ModelError as error:
            raise ModelError(f"{archive}: {str(error).replace(f'{folder}/', '')}") from None
        return registry.register(folder, str(manifest["source"]), str(manifest["target"]))


def push_version(registry: Registry, pair: str, name: str, repository: str) -> str:
    """To a model hub, private unless it exists already; the token comes from the environment."""
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError:
        raise MissingExtraError("pushing to a hub", "train") from None
    folder = registry.resolve(pair, name)
    verify(folder)
    hub = HfApi()
    try:
        hub.create_repo(repository, private=True, exist_ok=True)
        hub.upload_folder(
            repo_id=repository, folder_path=folder, commit_message=f"medloop {pair} {folder.name}"
        )
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise OutputError(f"{repository}: the hub did not take it ({type(error).__name__})") from None
    return folder.name


def _unpack(local: Path, folder: Path, shown: str) -> None:
    try:
        with zipfile.ZipFile(local) as bundle:
            entries = [entry for entry in bundle.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > _LARGEST:
                raise ModelError(f"{shown}: unpacks to more than {_LARGEST >> 30} GiB; refused")
            for entry in entries:
                _require_inside(entry, shown)
                with bundle.open(entry) as stream:
                    start = stream.read(8)
                    _require_harmless(entry.filename, start, shown)
                    path = folder / entry.filename
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("xb") as target:
                        target.write(start)
                        shutil.copyfileobj(stream, target, _BLOCK)
    except (zipfile.BadZipFile, EOFError, FileExistsError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{shown}: not a whole archive ({type(error).__name__}); copy it again") from None


def _require_inside(entry: zipfile.ZipInfo, shown: str) -> None:
    name = entry.filename
    path = PurePosixPath(name)
    is_link = (entry.external_attr >> 16) & 0o170000 == 0o120000
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or is_link:
        raise ModelError(f"{shown}: {name!r} leads out of the folder; refused")


def _require_harmless(name: str, start: bytes, shown: str) -> None:
    path = PurePosixPath(name)
    if path.name not in _WEIGHTS and path.suffix not in _KINDS:
        raise ModelError(f"{shown}: {name!r} is no part of a model; taken are {', '.join(_KINDS)}, model.bin")
    pickled = start.startswith(_PICKLE) and path.suffix != ".safetensors"
    if path.suffix != ".spm" and (pickled or start.startswith(_ZIP)):
        raise ModelError(f"{shown}: {name!r} is a pickle or an archive, which could run code; refused")


def _manifest(folder: Path, shown: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(found.get(k), str) for k in ("source", "target")):
        raise ModelError(f"{shown}: has no {MANIFEST} with source and target; export it again")
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    strangers = sorted(present - set(found.get("files", {})) - {MANIFEST})
    if strangers:
        raise ModelError(f"{shown}: {strangers[0]!r} is not in its manifest; refused")
    return found


def _open(place: str, mode: str) -> IO[bytes]:
    """A path, or a URL that fsspec knows."""
    try:
        if "://" not in place:
            return open(place, mode)
        try:
            import fsspec  # type: ignore[import-untyped]
        except ImportError:
            raise MissingExtraError(f"reading and writing {place}", "train") from None
        found: IO[bytes] = fsspec.open(place, mode).open()
        return found
    except (OSError, ValueError, ImportError) as error:
        kind = OutputError if "w" in mode else InputError
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise kind(f"cannot {'write' if 'w' in mode else 'read'} {place}: {reason}") from None
