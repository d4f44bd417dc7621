"""The `medloop eval` and `medloop gate` commands.

    medloop eval --systems old=en-pt new=models/new other=outputs.txt --testset bundled --output report/
    medloop eval --systems new=models/new --testset letters.jsonl --reference-free --reverse pt-en
    medloop gate --general general/ --domain domain/ --baseline old --candidate new

The verdict goes to standard output, the rest to stderr; `gate` ends with 0 to promote and 3 to reject.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands import new_app

if TYPE_CHECKING:
    from data.llm import ChatModel
    from data.segments import Segment
    from eval.run import Plan
    from eval.scores import Metric
    from eval.testsets import TestSet
    from terminology.termbase import Termbase

app = new_app("Score and compare systems; check them for what could hurt a patient.")
gate_app = new_app("May a candidate replace the system in use?")
REJECTED = 3
RANDOM_TERMS = 40  # of the control, where a system is to be tried with them


@app.command(context_settings={"allow_extra_args": True})
def evaluate(
    context: typer.Context,
    systems: Annotated[
        list[str],
        typer.Option("--systems", help="NAME=FILE, NAME=MODEL or NAME=openai:MODEL; more may follow."),
    ],
    testset: Annotated[
        str, typer.Option(help="A file (.jsonl .tsv .tmx .parquet), 'bundled', or a data set's name.")
    ] = "bundled",
    output: Annotated[Path, typer.Option(help="Folder for report.html, results.json, model-card.md.")] = Path(
        "report"
    ),
    source: Annotated[str, typer.Option("--from", help="Source language; else as the test set says.")] = "",
    target: Annotated[str, typer.Option("--to", help="Target language; else as the test set says.")] = "",
    glossary: Annotated[list[Path] | None, typer.Option(help="Termbase; repeatable.")] = None,
    random_terms: Annotated[int, typer.Option(help="Measure as many random terms too, as a control.")] = 0,
    trained_on: Annotated[
        list[Path] | None, typer.Option(help="Training text of the systems (Pair files), to find overlap.")
    ] = None,
    reference_free: Annotated[bool, typer.Option("--reference-free", help="Without references.")] = False,
    reverse: Annotated[
        str, typer.Option(help="Model for the round trip; 'default' takes the installed one.")
    ] = "",
    judge: Annotated[str, typer.Option(help="Chat model that marks errors and prefers.")] = "",
    judge_segments: Annotated[int, typer.Option(help="How many segments it judges; 0 is all.")] = 50,
    comet: Annotated[str, typer.Option(help="COMET model: folder, name, or 'no'.")] = "",
    limit: Annotated[int, typer.Option(help="Only the first segments; 0 is all.")] = 0,
    resamples: Annotated[int, typer.Option(help="Samples for intervals and tests.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 12345,
) -> None:
    """Score systems on the same segments, test every difference, and write a report."""
    from eval.report import write_report
    from eval.run import evaluate as run_evaluation
    from eval.systems import fingerprints_of_models, parse_systems, translate_with
    from eval.testsets import load_testset
    from eval.verdict import headlines

    chosen = parse_systems([*systems, *_trailing(context.args)])
    test = load_testset(testset, source, target, limit)
    if any(system.condition == "random" for system in chosen):
        random_terms = random_terms or RANDOM_TERMS
    plan = _plan(
        test, glossary or [], random_terms, trained_on, reference_free, reverse,
        (judge, judge_segments), comet, (resamples, seed),
    )  # fmt: skip
    if not trained_on:
        languages = (test.source_language, test.target_language)
        plan = replace(plan, fingerprints=fingerprints_of_models(chosen, *languages))
    controls = (plan.random_termbase,) if plan.random_termbase else ()
    terms = {"proper": plan.termbases, "random": controls}
    outputs = []
    for system in chosen:
        _say(f"{system.name}: {system.kind} {system.target}")
        outputs.append(translate_with(system, test, terms=terms))
    evaluation = run_evaluation(test, outputs, plan)
    page = write_report(evaluation, output)
    for warning in evaluation.warnings:
        _say(f"warning: {warning}")
    for one in evaluation.not_measured:
        _say(
            f"not measured: {one.name}: {one.reason}" + (f" (to enable: {one.enable})" if one.enable else "")
        )
    for line in headlines(evaluation):
        typer.echo(line.text)
    typer.echo(str(page))


@gate_app.command()
def gate(
    baseline: Annotated[str, typer.Option(help="The system in use.")],
    candidate: Annotated[str, typer.Option(help="The system that would replace it.")],
    general: Annotated[
        Path | None, typer.Option(help="Results on general text: folder or results.json.")
    ] = None,
    domain: Annotated[Path | None, typer.Option(help="Results on text of the domain.")] = None,
    policy: Annotated[Path | None, typer.Option(help="YAML with other limits than the defaults.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for a report with the decision on top.")] = None,
) -> int:
    """Promote or reject, with every reason; exit code 3 is a rejection."""
    from eval.gate import decide, load_policy
    from eval.report import write_report
    from eval.results import load_evaluation

    evaluations = [load_evaluation(path) if path else None for path in (general, domain)]
    decision = decide(evaluations[0], evaluations[1], baseline, candidate, load_policy(policy))
    typer.echo(f"{decision.verdict}: {candidate} in place of {baseline}")
    for reason in decision.reasons:
        typer.echo(f"  {'ok  ' if reason.passed else 'FAIL'} {reason.rule}: {reason.detail}")
    shown = evaluations[1] or evaluations[0]
    if output is not None and shown is not None:
        typer.echo(str(write_report(shown, output, decision)))
    return 0 if decision.promote else REJECTED


def _plan(
    test: TestSet,
    glossaries: list[Path],
    random_count: int,
    trained_on: list[Path] | None,
    reference_free: bool,
    reverse: str,
    judge: tuple[str, int],
    comet: str,
    sampling: tuple[int, int],
) -> Plan:
    from eval.judging import JudgePlan
    from eval.run import Plan
    from eval.significance import Resampling
    from eval.systems import translate_texts
    from eval.term_accuracy import random_terms

    languages = {"source": test.target_language, "target": test.source_language}
    back = partial(translate_texts, reverse, **languages) if reverse else None
    return Plan(
        metrics=tuple(_metrics(comet)),
        termbases=tuple(_termbases(glossaries, test)),
        random_termbase=random_terms(test, random_count, sampling[1]) if random_count else None,
        training=tuple(_training(trained_on)) if trained_on else None,
        reference_free=reference_free,
        back_translate=back,
        back_model=reverse,
        judge=JudgePlan(_chat(judge[0]), judge[1], sampling[1]) if judge[0] else None,
        resampling=Resampling(*sampling),
    )


def _metrics(comet: str) -> list[Metric]:
    from eval.neural import BertScore, Comet
    from eval.surface import surface_metrics

    return [*([] if comet == "no" else [Comet(comet)]), *surface_metrics(), BertScore()]


def _termbases(paths: list[Path], test: TestSet) -> list[Termbase]:
    from terminology.files import load_termbase

    return [load_termbase(path, test.source_language, test.target_language).termbase for path in paths]


def _training(paths: list[Path]) -> list[Segment]:
    from data.jsonl import read_pairs

    return [pair.source for path in paths for pair in read_pairs(path)]


def _chat(model: str) -> ChatModel:
    """In the role of the judge, so that its server, key and limits can be set."""
    from data.llm_roles import chat_model

    return chat_model("judge", os.environ | {"MEDLOOP_LLM_JUDGE_MODEL": model})


def _trailing(arguments: list[str]) -> list[str]:
    """`--systems a=x b=y`: what follows an option without a name of its own."""
    from data.errors import ConfigError

    for argument in arguments:
        if argument.startswith("-") or "=" not in argument:
            raise ConfigError(f"{argument!r}: not an option of this command, nor NAME=FILE or NAME=MODEL")
    return arguments


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201
