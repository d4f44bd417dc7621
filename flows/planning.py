"""What a pipeline would do, and how far it is: read only, nothing is started.

In: a configuration. Out: lines.

    planned(Path("configs/starter.en-pt.yaml"))    # ["starter.en-pt: en-pt, ...", ...]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.config import Pipeline, load_pipelines
from flows.generating import synthesis_config, terms_of, writer
from flows.run import run_folder
from flows.step_folders import MARK, damage
from flows.training import base_folder

STEPS = (
    "generate", "gather", "measure", "filter", "deduplicate", "decontaminate", "prepare", "train", "convert",
    "evaluate", "gate", "document",
)  # fmt: skip


def planned(config: Path) -> Iterator[str]:
    for pipeline in load_pipelines(config):
        yield f"{pipeline.name}: {pipeline.pair}, trained from {base_folder(pipeline)}"
        yield f"  text      {_sources(pipeline)}"
        yield f"  writing   {_writing(pipeline)}"
        yield f"  training  {_training(pipeline)}"
        sets = ", ".join(f"{one.name} ({one.role})" for one in pipeline.evaluation.sets)
        yield f"  tested on {sets}"
        done = sum(name in STEPS for name in _complete(pipeline))
        yield f"  results   {run_folder(pipeline)}" + (f" ({done} steps lie there complete)" if done else "")


def _sources(pipeline: Pipeline) -> str:
    return (
        ", ".join(f"{one.name} (weight {one.weight:g}): {one.path.name}" for one in pipeline.data.real)
        or "none"
    )


def _writing(pipeline: Pipeline) -> str:
    kind, wanted = writer(pipeline), pipeline.data.generation
    if kind == "none":
        return "nothing: no LLM call"
    if kind == "embedded":
        return (
            f"up to {wanted.sentences} sentences in {wanted.seconds:g} s by the embedded model: 0 LLM calls, "
            f"0 tokens, costs nothing"
        )
    from data.plan import plan

    found = plan(synthesis_config(pipeline), terms_of(pipeline))
    tokens = found.prompt_tokens + found.reply_tokens
    return (
        f"about {found.pairs:,} pairs by the LLM of OPENAI_API_KEY: {found.calls:,} LLM calls, "
        f"{tokens:,} tokens, {found.money:.2f} in money (by the prices in data.generation.synthesis)"
    )


def _training(pipeline: Pipeline) -> str:
    config = pipeline.training
    length = f"{config.max_tokens:,} tokens" if config.max_tokens else f"{config.epochs:g} epochs"
    return length + (f", at most {config.max_minutes:g} minutes" if config.max_minutes else "")


def _complete(pipeline: Pipeline) -> Iterator[str]:
    folder = run_folder(pipeline)
    for mark in sorted(folder.glob(f"*/{MARK}")) if folder.is_dir() else ():
        yield mark.parent.name.rpartition("-")[0]


def state(config: Path) -> Iterator[str]:
    from mt.registry import Registry

    for pipeline in load_pipelines(config):
        folder = run_folder(pipeline)
        yield f"{pipeline.name}: {folder}"
        marks = (
            sorted(folder.glob(f"*/{MARK}"), key=lambda one: one.stat().st_mtime) if folder.is_dir() else []
        )
        for mark in marks:
            problem = damage(mark.parent)
            yield f"  {'damaged ' if problem else 'complete'}  {mark.parent.name}" + (
                f"  ({problem})" if problem else ""
            )
        for work in sorted(folder.glob(".*.work")) if folder.is_dir() else ():
            yield f"  begun     {work.name.removeprefix('.').removesuffix('.work')}"
        if not marks:
            yield "  nothing is done yet"
        where = pipeline.release.registry
        aliases = (Registry(where) if where else Registry.standard()).aliases(pipeline.pair)
        in_use = aliases.get("production") or "the starter or another installed model"
        yield f"  in use: {in_use}"
