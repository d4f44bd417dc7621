"""YAML with the line of everything, so that a mistake is named where it stands.

In: a file and a pydantic model. Out: the model filled, or a `ConfigError` that lists all mistakes, such as

    configs/mine.yaml:12: training.learning_rat: no such key; valid: source, target, seed, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from data.errors import ConfigError, InputError, MissingExtraError

if TYPE_CHECKING:
    from pydantic import BaseModel

Filled = TypeVar("Filled", bound="BaseModel")
Place = tuple[str | int, ...]


def fill(path: Path, model: type[Filled], content: Any, lines: dict[Place, int]) -> Filled:
    """Paths in the file are relative to it: the model's validators find the folder in their context."""
    from pydantic import ValidationError

    try:
        return model.model_validate(content, context={"folder": path.parent})
    except ValidationError as error:
        problems = [_problem(path, found, lines) for found in error.errors(include_url=False)]
        raise ConfigError("\n".join(problems)) from None


def parse(path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    """The mapping, and the line of each key and item in it."""
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("reading a pipeline's configuration", "flows") from None
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict) or node is None:
        raise ConfigError(f"{path}:1: a pipeline is a mapping of keys to values")
    lines: dict[Place, int] = {}
    _collect(path, node, (), lines)
    return content, lines


def _collect(path: Path, node: Any, place: Place, lines: dict[Place, int]) -> None:
    if node.id == "mapping":
        for key, value in node.value:
            here = (*place, key.value)
            if here in lines:
                place_now = f"{path}:{key.start_mark.line + 1}: {shown(here)}"
                raise ConfigError(f"{place_now}: given twice, first in line {lines[here]}")
            lines[here] = key.start_mark.line + 1
            _collect(path, value, here, lines)
    elif node.id == "sequence":
        for number, value in enumerate(node.value):
            lines[(*place, number)] = value.start_mark.line + 1
            _collect(path, value, (*place, number), lines)


def line_of(place: Sequence[str | int], lines: dict[Place, int]) -> int:
    """Of the place, or of the nearest thing that holds it (a key that is missing has no line)."""
    for length in range(len(place), 0, -1):
        found = lines.get(tuple(place[:length]))
        if found is not None:
            return found
    return 1


def shown(place: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def _problem(path: Path, found: Any, lines: dict[Place, int]) -> str:
    place = tuple(found["loc"])
    context = found.get("ctx", {})
    if context.get("key"):
        place = (*place, str(context["key"]))
    return f"{path}:{line_of(place, lines)}: {shown(place)}: {_words(found, place)}"


def _words(found: Any, place: Place) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "extra_forbidden":
        return "no such key"
    if kind == "missing":
        return "is missing"
    if kind == "unknown_key":
        return unknown(str(place[-1]), context["valid"])
    message = str(found["msg"]).removeprefix("Value error, ")
    given = found.get("input")
    told = f", not {given!r}" if isinstance(given, str | int | float | bool) else ""
    return message[:1].lower() + message[1:] + (told if kind.endswith(("_type", "_parsing")) else "")


def unknown(key: str, valid: Sequence[str]) -> str:
    near = get_close_matches(key, valid, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return (
        f"no such key{hint} valid: {', '.join(valid)}" if hint else f"no such key; valid: {', '.join(valid)}"
    )
