"""What the server may be told: where state lives, who may come in, and how much at a time.

>>> ApiSettings(database="sqlite:///state.db", require_key=True).limits.texts
10000
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """Per request, unless the name says otherwise."""

    body_bytes: int = 10 * 2**20
    body_seconds: float = 30.0
    texts: int = 10_000
    characters: int = 1_000_000
    running_requests: int = 64
    cache_bytes: int = 16 * 2**20
    waiting_documents: int = 200


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """`open_admin`: without a key everything is allowed, as on one's own machine; else only to translate."""

    database: str
    files: Path = Path("documents")
    require_key: bool = False
    open_admin: bool = True
    origins: tuple[str, ...] = ()
    keep_documents_seconds: float = 24 * 3600.0
    watch_models_seconds: float = 5.0
    close_seconds: float = 30.0
    limits: Limits = field(default_factory=Limits)
