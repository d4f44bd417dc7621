"""What the first request with a glossary would wait for, loaded in the background once there is a glossary.

    warm(["en", "pt-BR"])                  # returns at once; a second time does nothing

Dictionaries of word forms take most of a second to load and tens of megabytes, so a server without glossaries
does without.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from mt.api.engines import base

_loaded: set[str] = set()


def warm(languages: Iterable[str]) -> threading.Thread | None:
    new = sorted({base(one) for one in languages} - _loaded)
    if not new:
        return None
    _loaded.update(new)
    thread = threading.Thread(target=_load, args=(new,), name="medloop-warming", daemon=True)
    thread.start()
    return thread


def _load(languages: Iterable[str]) -> None:
    from terminology.enforcement import enforcer_for  # noqa: F401  its modules and tables
    from terminology.inflection import is_infinitive, word_keys

    for language in languages:
        word_keys(language)["word"]
        is_infinitive("word", language)
