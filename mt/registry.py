"""Versions of models in plain folders, and which of them is in use.

    registry = Registry(home() / "models")
    version = registry.register(Path("runs/trials-int8"), "en", "pt")     # "2026-11-21-3f2a9c1e", candidate
    registry.promote("en-pt", version)
    registry.rollback("en-pt")                                            # the one before
    registry.resolve("en-pt", "production")                               # its folder

    models/en-pt/2026-11-21-3f2a9c1e/     one version: ct2/, medloop.json, README.md
    models/en-pt/aliases.json             {"production": ..., "candidate": ..., "before": [...]}

A version appears under its name only when it is whole, and `aliases.json` is replaced in one move, so a
reader never sees half of a change. Changes of one pair wait for nobody: a second process is told to try
again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ModelError, OutputError
from data.files import atomic_write
from data.settings import home

ALIASES = "aliases.json"
MANIFEST = "medloop.json"
NAMES = ("production", "candidate")
_VERSION = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{4,64}")
_PAIR = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z]{2,4})?-[A-Za-z]{2,3}(?:[_-][A-Za-z]{2,4})?")
_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Version:
    pair: str
    name: str
    folder: Path
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registry:
    """`root` holds a folder for each pair."""

    root: Path

    @classmethod
    def standard(cls) -> Registry:
        return cls(home() / "models")

    def pairs(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(
            entry.name for entry in self.root.iterdir() if entry.is_dir() and _PAIR.fullmatch(entry.name)
        )

    def versions(self, pair: str) -> list[Version]:
        """Oldest first."""
        folder = self.root / _valid_pair(pair)
        names = [
            entry.name
            for entry in (folder.iterdir() if folder.is_dir() else ())
            if _VERSION.fullmatch(entry.name) and (entry / MANIFEST).is_file()
        ]
        aliases = self.aliases(pair)
        found = [
            Version(pair, name, folder / name, tuple(a for a in NAMES if aliases.get(a) == name))
            for name in names
        ]
        return sorted(found, key=lambda version: (_made(version.folder), version.name))

    def aliases(self, pair: str) -> dict[str, Any]:
        path = self.root / _valid_pair(pair) / ALIASES
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise ModelError(f"{path}: damaged; it should hold a JSON object") from None
        return found if isinstance(found, dict) else {}

    def resolve(self, pair: str, name: str = "production") -> Path:
        """The folder of a version or alias."""
        version = str(self.aliases(pair).get(name) or "") if name in NAMES else name
        known = self.versions(pair)
        for candidate in known:
            if candidate.name == version:
                return candidate.folder
        listed = ", ".join(one.name for one in known) or "none"
        what = f"no {name} model" if name in NAMES else f"no version {name!r}"
        raise ModelError(f"{pair}: {what}; versions: {listed}")

    def register(
        self, folder: Path, source: str, target: str, manifest: Mapping[str, Any] | None = None
    ) -> str:
        """Copies a converted folder in and makes it the candidate; the same content is the same version.

        `manifest` adds to, or stands for, the folder's own `medloop.json`.
        """
        from mt.manifest import file_sums

        pair = _valid_pair(f"{source}-{target}")
        own = _own_manifest(folder) | dict(manifest or {})
        require_runnable(folder)
        with self._changing(pair), self._incoming(pair) as incoming:
            shutil.copytree(folder, incoming, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
            own |= {"source": source, "target": target, "files": file_sums(incoming)}
            own.setdefault("registered", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
            with atomic_write(incoming / MANIFEST) as stream:
                json.dump(own, stream, indent=1, ensure_ascii=False, default=str)
            version = self.adopt(pair, incoming, own)
            self._set(pair, {"candidate": version})
        return version

    def adopt(self, pair: str, incoming: Path, manifest: Mapping[str, Any]) -> str:
        """Gives a whole folder its name; the caller holds the lock."""
        sums = json.dumps(manifest["files"], sort_keys=True).encode()
        digest = hashlib.sha256(sums).hexdigest()[:8]
        for present in self.versions(pair):
            if present.name.endswith(f"-{digest}"):
                return present.name
        version = f"{time.strftime('%Y-%m-%d', time.gmtime())}-{digest}"
        incoming.rename(self.root / pair / version)
        return version

    def promote(self, pair: str, name: str = "candidate") -> str:
        """Makes a version the one in production; returns its name."""
        with self._changing(pair):
            version = self.resolve(pair, name).name
            verify(self.root / pair / version)
            aliases = self.aliases(pair)
            current = aliases.get("production")
            if current == version:
                return version
            before = [*aliases.get("before", []), *([current] if current else [])]
            self._set(pair, {"production": version, "before": before})
        return version

    def rollback(self, pair: str) -> str:
        """Production becomes what it was before the last promotion."""
        with self._changing(pair):
            aliases = self.aliases(pair)
            present = {version.name for version in self.versions(pair)}
            before = [version for version in aliases.get("before", []) if version in present]
            if not before:
                raise ModelError(f"{pair}: no earlier version to go back to")
            verify(self.root / pair / before[-1])
            self._set(pair, {"production": before[-1], "before": before[:-1]})
        return str(before[-1])

    def remove(self, pair: str, name: str) -> None:
        with self._changing(pair):
            folder = self.resolve(pair, name)
            aliases = self.aliases(pair)
            if aliases.get("production") == folder.name:
                raise ModelError(
                    f"{pair}: {folder.name} is in production; promote another version or roll back first"
                )
            before = [version for version in aliases.get("before", []) if version != folder.name]
            changes: dict[str, Any] = {"before": before}
            if aliases.get("candidate") == folder.name:
                changes["candidate"] = None
            self._set(pair, changes)
            # Out of sight in one move, so that nobody finds half of it.
            doomed = folder.with_name(f".removed-{secrets.token_hex(4)}")
            folder.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)

    def _set(self, pair: str, changes: Mapping[str, Any]) -> None:
        aliases = self.aliases(pair) | dict(changes)
        with atomic_write(self.root / pair / ALIASES) as stream:
            json.dump({key: value for key, value in aliases.items() if value is not None}, stream, indent=1)

    @contextlib.contextmanager
    def _changing(self, pair: str) -> Iterator[None]:
        from filelock import FileLock, Timeout

        folder = self.root / _valid_pair(pair)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / ".lock", timeout=_SECONDS)
            lock.acquire()
        except Timeout:
            raise ModelError(f"{pair}: another process is changing these models; try again") from None
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _incoming(self, pair: str) -> Iterator[Path]:
        folder = self.root / pair / f".incoming-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            yield folder
        except OSError as error:
            raise OutputError(f"{self.root / pair}: cannot be written ({error.strerror or error})") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def require_runnable(folder: Path) -> None:
    """Enough to translate with: CTranslate2 files and both tokenizers."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder")
    place = folder / "ct2" if (folder / "ct2").is_dir() else folder
    for name in ("model.bin", "config.json", "source.spm", "target.spm"):
        if not (place / name).is_file():
            raise ModelError(f"{place / name}: missing; convert the model first")


def verify(folder: Path) -> None:
    """Every file that the manifest lists is there and whole."""
    from mt.manifest import file_sums

    listed = _own_manifest(folder).get("files", {})
    if not listed:
        raise ModelError(f"{folder / MANIFEST}: lists no files; register the model anew")
    found = file_sums(folder)
    for name, sums in listed.items():
        if name not in found:
            raise ModelError(f"{folder / name}: missing; the copy is not complete")
        if found[name] != sums:
            raise ModelError(f"{folder / name}: damaged; it is not the file that was registered")


def _own_manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ModelError(f"{folder / MANIFEST}: damaged; it should hold a JSON object") from None
    return found if isinstance(found, dict) else {}


def _made(folder: Path) -> str:
    return str(_own_manifest(folder).get("registered", ""))


def _valid_pair(pair: str) -> str:
    if not _PAIR.fullmatch(pair):
        raise ModelError(f"no language pair {pair!r}; written like en-pt")
    return pair
