"""The `translate` command: text, files or folders in, translations out, everything else on stderr.

translate "Take 5 mg once daily." --from en --to pt
translate --input notes.md --output notes.pt.md
translate --input letters/ --output letters.pt/ --resume
cat report.txt | translate --json
translate --input letter.txt --glossary client.tbx --glossary house.csv --explain

What a person should look at (a dose that differs, a term that could not be brought in) is told on standard
error, or in the JSON; the exit code stays 0.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from data.commands import new_app, run
from data.errors import ConfigError, InputError, MedloopError

if TYPE_CHECKING:
    from data.llm import ChatModel
    from data.segments import Translation
    from mt.config import DecodeConfig
    from mt.engine import Engine
    from mt.formats.chunks import Chunk, ReadOptions
    from mt.service import Checker, Enforcer, Part, TranslationService
    from terminology.termbase import Termbase

app = new_app("Translate clinical text, offline.")

# Text of one command line is short: all cores work on one sentence. Anything else is bulk.
_SHORT_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Job:
    """One translation as the flags ask for it."""

    service: TranslationService
    reading: ReadOptions
    decode: DecodeConfig
    as_json: bool
    explain: bool


@dataclass(frozen=True, slots=True)
class Demands:
    """What is asked of the translation beyond being one."""

    glossaries: list[Path]
    skip_bad_terms: bool
    post_edit: bool
    memory: Path | None
    check: bool
    explain: bool


@app.command()
def translate(
    text: Annotated[
        str | None, typer.Argument(help="Text to translate; standard input when not given.")
    ] = None,
    source: Annotated[str, typer.Option("--from", help="Source language.")] = "en",
    target: Annotated[str, typer.Option("--to", help="Target language.")] = "pt",
    model: Annotated[str, typer.Option(help="Model: an installed name, a folder, or a hub name.")] = "",
    input_path: Annotated[Path | None, typer.Option("--input", help="File or folder to translate.")] = None,
    output_path: Annotated[Path | None, typer.Option("--output", help="File or folder to write.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Folder: leave out what is translated already.")
    ] = False,
    lines: Annotated[
        bool, typer.Option("--lines", help="One line is one segment; no sentence splitting.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a segment.")] = False,
    beam: Annotated[int, typer.Option(help="Beam size; 1 is fastest.")] = 1,
    n_best: Annotated[int, typer.Option(help="Candidates a segment.")] = 1,
    glossary: Annotated[
        list[Path],
        typer.Option("--glossary", help="Termbase file to enforce (several: the first has the say)."),
    ] = [],  # noqa: B006
    skip_bad_terms: Annotated[
        bool, typer.Option("--skip-bad-terms", help="Leave bad rows of a glossary out and list them.")
    ] = False,
    post_edit: Annotated[
        bool, typer.Option("--post-edit", help="Let the configured LLM bring in terms that still miss.")
    ] = False,
    memory: Annotated[
        Path | None, typer.Option("--memory", help="Approved pairs (JSONL) to show the LLM as examples.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Clinical safety checks; findings on standard error.")
    ] = True,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say on standard error what became of each term.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 for all cores.")] = 0,
    list_models: Annotated[bool, typer.Option("--list", help="List the installed models and exit.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Translate clinical text, offline.

    Paragraphs, blank lines, list marks and spaces stay as they are. Files: .txt, .md, .jsonl, .tsv.
    """
    if version:
        _show_version()
        return
    if list_models:
        _show_models()
        return
    _require_one_source(text, input_path, output_path, resume)
    bulk = text is None or len(text) > _SHORT_TEXT
    demands = Demands(glossary, skip_bad_terms, post_edit, memory, check, explain)
    job = _job(source, target, model, (device, threads, bulk), (beam, n_best), lines, as_json, demands)
    if input_path is not None and input_path.is_dir():
        _translate_folder(job, input_path, output_path or input_path, resume)
    elif input_path is not None:
        _translate_file(job, input_path, output_path)
    elif text is not None:
        _translate_text(job, text, output_path)
    else:
        _translate_stdin(job, output_path)


def main() -> None:
    run(app, "translate")


def _require_one_source(
    text: str | None, input_path: Path | None, output_path: Path | None, resume: bool
) -> None:
    if text is not None and input_path is not None:
        raise ConfigError("TEXT and --input were both given; give one of them")
    folder = input_path is not None and input_path.is_dir()
    if folder and output_path is None:
        raise ConfigError(f"--input {input_path} is a folder; name a folder for the results with --output")
    if folder and output_path is not None and output_path.exists() and not output_path.is_dir():
        raise ConfigError(f"--output {output_path} is a file, and --input a folder; both must be folders")
    if not folder and output_path is not None and output_path.is_dir():
        raise ConfigError(f"--output {output_path} is a folder; name a file")
    if resume and not folder:
        raise ConfigError("--resume continues a folder; give folders with --input and --output")


def _job(
    source: str,
    target: str,
    model: str,
    device: tuple[str, int, bool],
    search: tuple[int, int],
    lines: bool,
    as_json: bool,
    demands: Demands,
) -> Job:
    from mt.config import DecodeConfig, DeviceConfig
    from mt.engine import Engine
    from mt.formats.chunks import ReadOptions
    from mt.models import find_model
    from mt.service import TranslationService

    where = DeviceConfig(device=device[0], threads=device[1], bulk=device[2])
    decode = DecodeConfig(beam_size=search[0], n_best=search[1], scores=as_json or search[1] > 1)
    termbases = _termbases(demands, source, target)
    chat = _chat(demands)
    engine = Engine(find_model(source, target, model), where, target)
    service = TranslationService(
        engine,
        _enforcer(engine, termbases, chat, demands.memory) if termbases else None,
        _checker(termbases, source, target) if demands.check else None,
        engine.typography,
    )
    return Job(service, ReadOptions(language=source, split=not lines), decode, as_json, demands.explain)


def _checker(termbases: list[Termbase], source: str, target: str) -> Checker:
    """What a glossary calls a medicine is no other medicine to the checks."""
    from mt.service import clinical_checker

    if not termbases:
        return clinical_checker(source, target)
    from terminology.medicines import medicine_names

    return clinical_checker(source, target, medicine_names(termbases))


def _termbases(demands: Demands, source: str, target: str) -> list[Termbase]:
    """Read before the model is, so that a bad row is told at once."""
    if not demands.glossaries:
        for flag, given in (("--post-edit", demands.post_edit), ("--skip-bad-terms", demands.skip_bad_terms)):
            if given:
                raise ConfigError(f"{flag} is about terms; name a glossary with --glossary FILE")
        return []
    from terminology.files import load_termbase

    found = []
    for path in demands.glossaries:
        loaded = load_termbase(path, source, target, demands.skip_bad_terms)
        for problem in (*loaded.skipped, *loaded.conflicts):
            _say(str(problem))
        found.append(loaded.termbase)
    return found


def _chat(demands: Demands) -> ChatModel | None:
    if demands.memory is not None and not demands.post_edit:
        raise ConfigError("--memory shows examples to the LLM; give --post-edit, too")
    if not demands.post_edit:
        return None
    from data.llm_roles import chat_model

    return chat_model("postedit")


def _enforcer(
    engine: Engine, termbases: list[Termbase], chat: ChatModel | None, memory: Path | None
) -> Enforcer:
    from mt.decoder import EngineDecoder
    from terminology.enforcement import enforcer_for

    neighbours = None
    if memory is not None:
        from data.jsonl import read_pairs
        from terminology.memory import TranslationMemory

        neighbours = TranslationMemory(read_pairs(memory)).neighbours
    return enforcer_for(EngineDecoder(engine), termbases, chat, neighbours)


def _translate_text(job: Job, text: str, output_path: Path | None) -> None:
    from mt.layout import parse

    _write(
        job,
        iter([parse(text, job.reading.language, split=job.reading.split)]),
        output_path,
        text[-1:] != "\n",
    )


def _translate_stdin(job: Job, output_path: Path | None) -> None:
    from mt.documents import read_stream

    if sys.stdin.isatty():
        _say("reading standard input; end it with Ctrl-D")
    _write(job, read_stream(sys.stdin.buffer, "standard input", ".txt", job.reading), output_path)


def _translate_file(job: Job, input_path: Path, output_path: Path | None) -> None:
    from mt.documents import document_format, read_stream

    document_format(input_path.suffix)
    try:
        stream = input_path.open("rb")
    except OSError as error:
        raise InputError(f"{input_path}: cannot be read ({error.strerror})") from None
    from mt.progress import Progress

    with stream, Progress(stream, input_path) as watched:
        _write(job, read_stream(watched, str(input_path), input_path.suffix, job.reading), output_path)


def _translate_folder(job: Job, source: Path, target: Path, resume: bool) -> None:
    """Translates every file it can read; the others are named, and end the run with exit code 2."""
    from mt.documents import FORMATS

    files = [path for path in sorted(source.rglob("*")) if path.is_file() and target not in path.parents]
    known = [path for path in files if path.suffix.lower() in FORMATS]
    left = sorted({path.suffix or path.name for path in files} - {path.suffix for path in known})
    if left:
        _say(f"left out {len(files) - len(known)} files of other formats: {', '.join(left)}")
    failed = 0
    for path in known:
        result = target / path.relative_to(source)
        if resume and result.exists():
            continue
        try:
            _make_folder(result.parent)
            _translate_file(job, path, result)
        except MedloopError as error:
            failed += 1
            _say(str(error))
    if failed:
        raise InputError(f"{failed} of {len(known)} files were not translated; the others are in {target}")
    if not known:
        raise InputError(f"{source}: no file to translate; formats: {', '.join(sorted(FORMATS))}")


def _make_folder(path: Path) -> None:
    from data.errors import OutputError

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made ({error.strerror})") from None


def _write(job: Job, chunks: Iterator[Chunk], output_path: Path | None, newline: bool = False) -> None:
    """Whole or not at all into a file; as it comes to standard output."""
    from data.files import atomic_write

    parts = job.service.translate_chunks(chunks, job.decode)
    if output_path is None:
        _make_stdout_lossless()
        _write_parts(job, parts, sys.stdout)
        if newline and not job.as_json and job.decode.n_best == 1:
            sys.stdout.write("\n")
        return
    with atomic_write(output_path) as stream:
        _write_parts(job, parts, stream)


def _make_stdout_lossless() -> None:
    """Bytes that came on the command line leave as they were; line breaks too."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")


def _write_parts(job: Job, parts: Iterator[Part], stream: TextIO) -> None:
    from mt.explaining import Watch
    from mt.results import record

    watch = Watch(job.explain)
    for part in parts:
        if job.as_json:
            stream.writelines(json.dumps(record(one), ensure_ascii=False) + "\n" for one in part.segments)
        elif job.decode.n_best > 1:
            for one in part.translations:
                for rank, (text, score) in enumerate(_ranked(one), 1):
                    stream.write(f"{one.source.id}\t{rank}\t{score}\t{text}\n")
        else:
            stream.write(part.text)
        if job.explain or not job.as_json:  # in JSON each segment has its findings with it
            for result in part.segments:
                for line in watch.lines(result):
                    _say(line)
    if closing := watch.closing():
        _say(closing)


def _ranked(translation: Translation) -> Iterator[tuple[str, float | None]]:
    yield translation.target, _rounded(translation.score)
    for other in translation.alternatives:
        yield other.text, _rounded(other.score)


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def _show_models() -> None:
    from mt.models import installed_models

    for model in installed_models():
        typer.echo(f"{model.source}\t{model.target}\t{model.name}\t{model.folder}")


def _show_version() -> None:
    from importlib.metadata import version

    typer.echo(f"translate (medloop {version('medloop')})")


def _say(message: str) -> None:
    print(f"translate: {message}", file=sys.stderr)  # noqa: T201
