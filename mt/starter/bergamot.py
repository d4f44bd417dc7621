"""Read a Firefox Translations / Bergamot student: folder in; float weights, settings, vocabulary out.

    student = read_student(Path("enpt.student.tiny11"))
    student.settings["dec-cell"]           # "ssru"
    student.weights["decoder_l1_rnn_W"]    # float32, [inputs, outputs]

Students come as Marian `.bin` (8-bit or float) or `.npz`; the two differ only in the container. 8-bit
matrices are stored as `value * multiplier`, the multiplier as one float after the data, and transposed
except for the embeddings; here they are already turned back.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

BINARY_VERSION = 1
FLOAT32, INT8_INTGEMM = 0x404, 0x4101
# A name, a type, a shape and the data: four lengths a tensor.
_HEADER = struct.Struct("<QQQQ")
_EMBEDDINGS = "Wemb"
_SETTINGS = "special:model.yml"


@dataclass(frozen=True, slots=True)
class Student:
    """A teacher for grafting, as its makers published it."""

    weights: Weights
    settings: dict[str, Any]
    vocabulary: Path

    @property
    def encoder_layers(self) -> int:
        return int(self.settings["enc-depth"])

    @property
    def decoder_layers(self) -> int:
        return int(self.settings["dec-depth"])

    @property
    def heads(self) -> int:
        return int(self.settings["transformer-heads"])

    @property
    def vocabulary_size(self) -> int:
        return int(self.weights[_EMBEDDINGS].shape[0])

    @property
    def dimension(self) -> int:
        return int(self.weights[_EMBEDDINGS].shape[1])


def read_student(folder: Path) -> Student:
    """The one model (`*.bin` or `*.npz`, shortlists aside) and the one shared vocabulary in `folder`."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; --teacher takes the folder of a Bergamot student")
    models = [p for p in sorted(folder.iterdir()) if p.suffix in {".bin", ".npz"} and "lex" not in p.name]
    vocabularies = sorted(folder.glob("*.spm"))
    if len(models) != 1 or len(vocabularies) != 1:
        raise ModelError(
            f"{folder}: needs one *.bin or *.npz model and one shared *.spm vocabulary, "
            f"found {len(models)} and {len(vocabularies)}"
        )
    weights, settings = read_npz(models[0]) if models[0].suffix == ".npz" else read_binary(models[0])
    _require_known_architecture(models[0], weights, settings)
    return Student(weights, settings, vocabularies[0])


def read_binary(path: Path) -> tuple[Weights, dict[str, Any]]:
    """Marian's memory-mapped format: headers, names, shapes, padding, data."""
    import numpy as np

    raw = path.read_bytes()
    try:
        version, count = struct.unpack_from("<QQ", raw, 0)
        if version != BINARY_VERSION or count > len(raw) // _HEADER.size:
            raise ModelError(f"{path}: not a Marian binary model of version {BINARY_VERSION}")
        headers = [_HEADER.unpack_from(raw, 16 + i * _HEADER.size) for i in range(count)]
        position = 16 + count * _HEADER.size
        names = []
        for name_length, *_ in headers:
            names.append(raw[position : position + name_length - 1].decode())
            position += name_length
        shapes = []
        for _, _, rank, _ in headers:
            shapes.append(struct.unpack_from(f"<{rank}i", raw, position))
            position += 4 * rank
        (padding,) = struct.unpack_from("<Q", raw, position)
        position += 8 + padding
        weights: Weights = {}
        settings: dict[str, Any] = {}
        for name, shape, (_, kind, _, length) in zip(names, shapes, headers, strict=True):
            data = raw[position : position + length]
            if len(data) != length:
                raise ModelError(f"{path}: cut off inside the tensor {name!r}")
            position += length
            if name == _SETTINGS:
                settings = _parse_settings(data)
            elif name.endswith("_QuantMultA"):
                continue  # activation scales of the 8-bit kernels; float arithmetic has no use for them
            elif kind == FLOAT32:
                weights[name] = np.frombuffer(data, np.float32, math.prod(shape)).reshape(shape).copy()
            elif kind == INT8_INTGEMM:
                weights[name] = _dequantise(name, shape, data)
            else:
                raise ModelError(
                    f"{path}: tensor {name!r} has type {kind:#x}; known are float32 and 8-bit intgemm"
                )
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise ModelError(f"{path}: damaged Marian binary model ({error})") from error
    return weights, settings


def read_npz(path: Path) -> tuple[Weights, dict[str, Any]]:
    import zipfile

    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: damaged .npz model ({error})") from error
    settings = _parse_settings(arrays.pop(_SETTINGS, np.zeros(0, np.int8)).tobytes())
    return {name: array.astype(np.float32) for name, array in arrays.items()}, settings


def _dequantise(name: str, shape: tuple[int, ...], data: bytes) -> NDArray[np.float32]:
    import numpy as np

    count = math.prod(shape)
    values = np.frombuffer(data, np.int8, count).astype(np.float32)
    (multiplier,) = struct.unpack_from("<f", data, count)
    matrix = values.reshape(shape) if name == _EMBEDDINGS else values.reshape(shape[::-1]).T
    return np.ascontiguousarray(matrix / multiplier, dtype=np.float32)


def _parse_settings(data: bytes) -> dict[str, Any]:
    import yaml

    parsed = yaml.safe_load(data.decode().rstrip("\x00")) if data else {}
    return parsed if isinstance(parsed, dict) else {}


def _require_known_architecture(path: Path, weights: Weights, settings: dict[str, Any]) -> None:
    """Say which setting differs, rather than build a model that only looks right."""
    expected = {
        "type": "transformer",
        "dec-cell": "ssru",
        "transformer-decoder-autoreg": "rnn",
        "transformer-preprocess": "",
        "transformer-postprocess": "dan",
        "transformer-ffn-activation": "relu",
        "tied-embeddings-all": True,
    }
    for key, value in expected.items():
        if settings.get(key, value) != value:
            raise ModelError(f"{path}: {key} is {settings[key]!r}; grafting knows {value!r} only")
    if _EMBEDDINGS not in weights or not {"enc-depth", "dec-depth", "transformer-heads"} <= settings.keys():
        raise ModelError(f"{path}: no shared embeddings or no model settings inside")
