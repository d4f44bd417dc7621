"""Which models there are and where they lie: languages or a name in, a folder that CTranslate2 can run out.

    find_model("en", "pt")                             # the one in production, else the starter
    find_model("en", "pt", "/srv/models/cardiology")   # any folder: CTranslate2, or MarianMT of
    transformers find_model("en", "pt", "Helsinki-NLP/opus-mt-tc-big-en-pt")   # from the local cache of the
    hub, or the hub
    find_model("en", "pt", "candidate")   # an alias or a version of the registry (mt/registry.py)

A model's folder holds `medloop.json` (languages, licence, origin), the tokenizers and, in `ct2/` or beside
them, the CTranslate2 files. A MarianMT folder without them is converted once into `MEDLOOP_HOME/cache`,
which needs the extra `train`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data.errors import InputError, LanguagePairError, MissingExtraError, ModelError
from data.settings import home
from mt.registry import NAMES, Registry

MANIFEST = "medloop.json"
STARTERS = Path(__file__).parent / "starter" / "models"
_TOKENIZERS = ("source.spm", "target.spm")
_VOCABULARIES = (
    "shared_vocabulary.json",
    "source_vocabulary.json",
    "shared_vocabulary.txt",
    "source_vocabulary.txt",
)
_MARIAN_FILES = ("config.json", "vocab.json", *_TOKENIZERS)
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Model:
    """`runnable` holds the CTranslate2 files; languages are empty where a foreign folder does not say."""

    name: str
    folder: Path
    runnable: Path
    source: str = ""
    target: str = ""
    licence: str = ""
    origin: str = ""

    @property
    def pair(self) -> str:
        return f"{self.source}-{self.target}"

    def language_token(self, target: str = "") -> str:
        """`>>por<<` where the model has several target languages, else nothing."""
        wanted = target or self.target
        if (self.folder / MANIFEST).exists() or not wanted:
            return ""
        tokens = [
            token for token in _vocabulary(self.runnable) if token.startswith(">>") and token.endswith("<<")
        ]
        if not tokens:
            return ""
        for code in (wanted, _three_letters().get(wanted.split("-")[0].split("_")[0], "")):
            if f">>{code}<<" in tokens:
                return f">>{code}<<"
        known = ", ".join(sorted(token[2:-2] for token in tokens))
        raise ModelError(f"{self.folder}: does not translate into {wanted!r}; its targets: {known}")


def installed_models() -> list[Model]:
    """The starters, every folder with a manifest in `MEDLOOP_HOME/models`, and the registry's versions."""
    return [_described(folder) for folder in (*_model_folders(), *_registered())]


def find_model(source: str, target: str, name: str = "") -> Model:
    """By name, path or hub name; else what is in production, else the first installed model of the pair."""
    if name:
        return _named(name, source, target)
    registry, pair = Registry.standard(), f"{source}-{target}"
    if pair in registry.pairs() and registry.aliases(pair).get("production"):
        return _described(registry.resolve(pair, "production"))
    for folder in _model_folders():
        manifest = _manifest(folder)
        if (manifest.get("source"), manifest.get("target")) == (source, target):
            return _described(folder)
    raise LanguagePairError(source, target, {model.pair for model in installed_models()})


def _named(name: str, source: str, target: str) -> Model:
    model = _described(_place(name, source, target))
    if model.source and model.target and (model.source, model.target) != (source, target):
        several = any(token.startswith(">>") for token in _vocabulary(model.runnable))
        if not several:
            raise LanguagePairError(source, target, [model.pair])
    return model


def _place(name: str, source: str, target: str) -> Path:
    pair, _, alias = name.rpartition("@")  # "candidate" of the pair asked for, or "en-pt@candidate"
    if alias in NAMES:
        return Registry.standard().resolve(pair or f"{source}-{target}", alias)
    for folder in (*_model_folders(), *_registered()):
        if name == _name(folder):
            return folder
    path = Path(name).expanduser()
    if path.exists():
        return path
    if _HUB_NAME.fullmatch(name):
        return _from_hub(name)
    known = ", ".join(model.name for model in installed_models()) or "none"
    raise ModelError(f"no model {name!r}: neither a folder nor one of the installed: {known}")


def _model_folders() -> Iterator[Path]:
    for root in (STARTERS, home() / "models"):
        if root.is_dir():
            yield from sorted(entry.parent for entry in root.glob(f"*/{MANIFEST}"))


def _registered() -> Iterator[Path]:
    registry = Registry.standard()
    for pair in registry.pairs():
        yield from (version.folder for version in registry.versions(pair))


def _name(folder: Path) -> str:
    return folder.name


def _described(folder: Path) -> Model:
    if not folder.is_dir():
        raise ModelError(f"{folder}: not a folder; a model is a folder of CTranslate2 or MarianMT files")
    manifest = _manifest(folder)
    languages = manifest if manifest else _languages_of_tokenizer(folder)
    return Model(
        name=_name(folder),
        folder=folder,
        runnable=_runnable(folder),
        source=languages.get("source", ""),
        target=languages.get("target", ""),
        licence=manifest.get("licence", ""),
        origin=manifest.get("origin", ""),
    )


def _manifest(folder: Path) -> dict[str, str]:
    return _json_object(folder / MANIFEST)


def _languages_of_tokenizer(folder: Path) -> dict[str, str]:
    found = _json_object(folder / "tokenizer_config.json")
    return {"source": str(found.get("source_lang") or ""), "target": str(found.get("target_lang") or "")}


def _json_object(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise ModelError(f"{path}: damaged; it should hold a JSON object") from None
    return found if isinstance(found, dict) else {}


def _runnable(folder: Path) -> Path:
    """Where the CTranslate2 files are, converted first if need be; else the file that is missing."""
    for place in (folder / "ct2", folder):
        if (place / "model.bin").exists():
            _require(place, ("config.json", *_TOKENIZERS))
            if not any((place / name).exists() for name in _VOCABULARIES):
                raise ModelError(f"{place / _VOCABULARIES[0]}: missing; the model folder is not complete")
            return place
    if (folder / "ct2").is_dir() or "model_type" not in _json_object(folder / "config.json"):
        where = folder / "ct2" if (folder / "ct2").is_dir() else folder
        raise ModelError(f"{where / 'model.bin'}: missing; the model folder is not complete")
    _require(folder, _MARIAN_FILES)
    return _converted(folder)


def _require(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if not (folder / name).exists():
            raise ModelError(f"{folder / name}: missing; the model folder is not complete")


def _converted(folder: Path) -> Path:
    """The int8 form in the cache, made on first use; two processes at once do no harm."""
    architecture = _json_object(folder / "config.json").get("model_type", "")
    if architecture != "marian":
        raise ModelError(f"{folder}: model_type is {architecture!r}; the engine runs 'marian' models")
    place = home() / "cache" / "converted" / f"{folder.resolve().name}-{_fingerprint(folder)}"
    if (place / "model.bin").exists():
        return place
    try:
        import transformers  # noqa: F401
        from ctranslate2.converters import TransformersConverter
    except ImportError:
        raise MissingExtraError(f"converting {folder}", "train") from None
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".converting-") as temporary:
        made = Path(temporary) / "model"
        try:
            TransformersConverter(str(folder), copy_files=list(_TOKENIZERS)).convert(
                str(made), quantization="int8"
            )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"{folder}: cannot be converted ({str(error).splitlines()[0]})") from error
        try:
            made.rename(place)
        except OSError:
            if not (place / "model.bin").exists():
                raise
    return place


def _fingerprint(folder: Path) -> str:
    """Changes when a file does; sizes and times, as hashing the weights would cost more than loading them."""
    parts = [
        f"{entry.name}:{entry.stat().st_size}:{entry.stat().st_mtime_ns}"
        for entry in sorted(folder.iterdir())
        if entry.is_file()
    ]
    return hashlib.sha256("\n".join([str(folder.resolve()), *parts]).encode()).hexdigest()[:16]


def _from_hub(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise MissingExtraError(f"fetching {name}", "train") from None
    wanted = ["*.json", "*.spm", "*.safetensors", "pytorch_model.bin"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise InputError(
            f"{name}: not in the local cache, and the hub cannot be reached ({type(error).__name__}); "
            f"copy the model here and give its folder with --model"
        ) from None


@cache
def _vocabulary(runnable: Path) -> tuple[str, ...]:
    for name in _VOCABULARIES:
        path = runnable / name
        if path.exists():
            text = path.read_text(encoding="utf-8")
            return tuple(json.loads(text) if name.endswith(".json") else text.split("\n"))
    return ()


@cache
def _three_letters() -> dict[str, str]:
    table = (Path(__file__).parent / "tables" / "iso639-3.txt").read_text(encoding="utf-8")
    rows = (line.split() for line in table.splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1] for row in rows}
