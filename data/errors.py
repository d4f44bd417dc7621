"""Everything a user can put right.

    MedloopError             one line: what, where, and what would be valid; commands exit with 2
    ├── InputError           text or a file that cannot be read as what it should be
    │   └── RecordError      ... one record of it: names file and line
    ├── OutputError          a place that cannot be written
    ├── LanguagePairError    no model for the pair asked for; lists the pairs there are
    ├── ModelError           a model folder that is missing, damaged or of the wrong kind
    ├── TermbaseError        a row of a termbase; names file and line
    ├── ConfigError          a setting or YAML key; names the place
    └── MissingExtraError    an optional part that is not installed; names the extra

Anything else that escapes is a bug of ours and ends with exit code 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class MedloopError(Exception):
    """Base of every error whose message tells the user what to change."""


class InputError(MedloopError):
    """Text or a file that cannot be read as what it should be."""


class RecordError(InputError):
    """One record of a file; the message starts with `file:line:` so that editors can jump to it."""

    def __init__(self, path: Path | str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path, self.line, self.problem = Path(path), line, problem

    def __reduce__(self) -> tuple[type[RecordError], tuple[Path, int, str]]:
        """So that it comes back whole from a worker process."""
        return (type(self), (self.path, self.line, self.problem))


class OutputError(MedloopError):
    """A file or folder that cannot be written."""


class LanguagePairError(MedloopError):
    """No model translates the pair asked for."""

    def __init__(self, source: str, target: str, available: Iterable[str]) -> None:
        listed = ", ".join(sorted(available)) or "none"
        super().__init__(f"no model translates {source}-{target}; available pairs: {listed}")
        self.source, self.target = source, target


class ModelError(MedloopError):
    """A model folder that is missing, damaged or of the wrong kind."""


class TermbaseError(MedloopError):
    """One row of a termbase."""

    def __init__(self, path: Path | str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path, self.line, self.problem = Path(path), line, problem


class ConfigError(MedloopError):
    """A setting, flag or YAML key."""


class MissingExtraError(MedloopError):
    """An optional part that is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs the extra {extra!r}: pip install '.[{extra}]'")
        self.extra = extra
