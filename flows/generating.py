"""The stage in which a chat model writes text: the LLM of OPENAI_API_KEY, else the one that comes along.

In: a `Run`. Out: a `Done` with `pairs.jsonl`, or None where nothing is to be written.

    generated(run)
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from data.errors import ConfigError
from flows.config import Pipeline
from flows.preparing import PAIRS
from flows.run import Run, write_summary
from flows.step_folders import Done


def writer(pipeline: Pipeline) -> str:
    """none, llm or embedded; a budget of zero calls is a mistake that is told before anything starts."""
    wanted = pipeline.data.generation
    kind = wanted.writer
    if kind == "auto":
        kind = "llm" if os.environ.get("OPENAI_API_KEY") else "embedded"
    if kind == "llm":
        for name in ("most_calls", "most_tokens", "most_money"):
            if getattr(wanted, name) == 0:
                raise ConfigError(
                    f"data.generation.{name} is 0: no LLM call is allowed; raise it, or set writer: none"
                )
        if not os.environ.get("OPENAI_API_KEY"):
            raise ConfigError("data.generation.writer is llm: set OPENAI_API_KEY (and OPENAI_BASE_URL)")
    return kind


def generated(run: Run) -> Done | None:
    kind = writer(run.pipeline)
    if kind == "none":
        return None
    try:
        importlib.import_module("data.synthesis")
    except ModuleNotFoundError:
        run.show.plain(f"{'generate':<14}left out: writing text is not part of this version")
        return None
    raise NotImplementedError(kind, PAIRS, write_summary, Path)
