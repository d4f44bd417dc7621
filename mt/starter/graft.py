"""Graft a Firefox Translations / Bergamot student into a MarianMT model that can be fine-tuned and converted.

    python -m mt.starter.graft --teacher DIR --text general.en.txt.gz --text trials.jsonl:src \\
        --from en --to pt --out grafted/en-pt

In: the student's folder and sentences of its source language, as much of the domain as there is. Out: a
folder as `transformers` writes it, with the CTranslate2 int8 form in `ct2/`.

    1. The teacher translates the first sentences: prefixes to learn on, some joined into long ones.
    2. `cells`: the new self-attention imitates the recurrent cells one by one.
    3. The decoder gets one more layer, as attention alone does not quite reach the cells, and `decoder`
       makes the whole of it imitate the teacher's states and word choices.
    4. `rounds`: the graft translates fresh sentences itself, fast, through CTranslate2, and learns from
       what the teacher would have said at each step of them; so it meets its own mistakes in training.
    5. `all`: the same with the encoder free and small steps.
    6. Channels are rescaled, so that 8-bit arithmetic costs less.

A stopped run goes on where it was: translations and checkpoints lie in `OUT/.work`, which a finished run
removes.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.commands import new_app, run
from data.errors import OutputError
from data.files import atomic_write
from data.jsonl import read_jsonl

if TYPE_CHECKING:
    from mt.starter.distil import Example, Progress
    from mt.starter.teacher import Teacher

log = logging.getLogger("graft")
app = new_app("Graft a Bergamot student into a MarianMT model.")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Sizes that finish on two CPU cores in under three hours for a student of 17 million parameters."""

    teacher_sentences: int = 24_000
    fresh_sentences: int = 16_000
    rounds: int = 2
    cell_tokens: int = 1_200_000
    decoder_tokens: int = 6_000_000
    round_tokens: int = 6_000_000
    all_tokens: int = 2_500_000
    joined_sentences: int = 3_200
    extra_layer_at: int = 1
    batch_tokens: int = 3_000
    sample_sentences: int = 400
    longest: int = 200
    seed: int = 1


def graft(teacher: Path, texts: Sequence[str], out: Path, source: str, target: str, recipe: Recipe) -> None:
    """All five steps; `texts` are distinct sentences in an order that a later run repeats."""
    import sentencepiece
    import torch

    from mt.starter.bergamot import read_student
    from mt.starter.deepen import deepen
    from mt.starter.distil import Distillation, RunSettings, Stage, join_examples, make_batches
    from mt.starter.equalise import equalise
    from mt.starter.marian import build_marian, save_marian
    from mt.starter.teacher import Teacher

    student = read_student(teacher)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    work = out / ".work"
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror})") from error
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(student.vocabulary))
    guide = Teacher(student, build_marian(student)).to(device)
    twin = build_marian(student).to(device)
    settings = RunSettings(seed=recipe.seed)

    first = _teacher_translations(
        guide, pieces, texts[: recipe.teacher_sentences], work / "teacher.jsonl", recipe
    )
    first += join_examples(first, recipe.joined_sentences, recipe.longest, recipe.seed)
    batches = make_batches(first, recipe.batch_tokens)
    cells = Distillation(guide, twin, settings, work / "cells.pt", _show)
    cells.stage(Stage.CELLS, "cells", batches, recipe.cell_tokens)
    model = deepen(twin, recipe.extra_layer_at, first[: recipe.sample_sentences])
    training = Distillation(guide, model, settings, work / "checkpoint.pt", _show)
    training.stage(Stage.DECODER, "decoder", batches, recipe.decoder_tokens)
    used = recipe.teacher_sentences
    for number in range(recipe.rounds):
        fresh = texts[used : used + recipe.fresh_sentences]
        used += len(fresh)
        kept = work / f"round-{number}.jsonl"
        if fresh and not kept.exists():
            folder = work / f"round-{number}"
            save_marian(model, student, folder, source, target)
            convert_int8(folder)
            _write_examples(kept, _own_translations(folder, pieces, fresh, recipe))
        if fresh:
            batches = batches + make_batches(list(_read_examples(kept)), recipe.batch_tokens)
        training.stage(Stage.DECODER, f"round-{number}", batches, recipe.round_tokens)
    training.stage(Stage.ALL, "all", batches, recipe.all_tokens)
    equalise(model, first[: recipe.sample_sentences])
    save_marian(model, student, out, source, target)
    convert_int8(out)
    shutil.rmtree(work)


def convert_int8(folder: Path) -> None:
    """The CTranslate2 form in `folder/ct2`, complete in itself."""
    import ctranslate2

    converter = ctranslate2.converters.TransformersConverter(
        str(folder), copy_files=["source.spm", "target.spm"]
    )
    converter.convert(str(folder / "ct2"), quantization="int8", force=True)


def _teacher_translations(
    teacher: Teacher, pieces: Any, texts: Sequence[str], kept: Path, recipe: Recipe
) -> list[Example]:
    import torch

    from mt.starter.distil import end_with_eos
    from mt.starter.marian import EOS

    have = {example.source: example for example in _read_examples(kept)} if kept.exists() else {}
    wanted = [end_with_eos(ids, recipe.longest) for ids in pieces.encode(list(texts))]
    todo = sorted((ids for ids in wanted if ids not in have), key=len)
    device = next(teacher.model.parameters()).device
    pad = teacher.model.config.pad_token_id
    size = 64 if device.type == "cpu" else 512
    with kept.open("a", encoding="utf-8") as stream:
        for start in range(0, len(todo), size):
            batch = todo[start : start + size]
            width = max(map(len, batch))
            ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in batch], device=device)
            with torch.autocast(device.type, torch.bfloat16):
                rows = teacher.translate(ids, ids != pad, min(recipe.longest, 2 * width + 10))
            for source, row in zip(batch, rows, strict=True):
                stream.write(json.dumps({"source": source, "target": [*row, EOS]}) + "\n")
            stream.flush()
            log.info("teacher %d of %d sentences", start + len(batch), len(todo))
    return list(_read_examples(kept))


def _own_translations(folder: Path, pieces: Any, texts: Sequence[str], recipe: Recipe) -> Iterator[Example]:
    import ctranslate2

    from mt.starter.distil import Example, end_with_eos

    translator = ctranslate2.Translator(str(folder / "ct2"), device="auto", inter_threads=2, intra_threads=1)
    tokens = [[*row[: recipe.longest - 1], "</s>"] for row in pieces.encode(list(texts), out_type=str)]
    results = translator.translate_batch(
        tokens, beam_size=1, max_batch_size=4096, batch_type="tokens", max_decoding_length=recipe.longest
    )
    for row, result in zip(tokens, results, strict=True):
        source = tuple(pieces.piece_to_id(row))
        yield Example(source, end_with_eos(pieces.piece_to_id(result.hypotheses[0]), recipe.longest))


def _write_examples(path: Path, examples: Iterator[Example]) -> None:
    with atomic_write(path) as stream:
        for example in examples:
            stream.write(json.dumps({"source": example.source, "target": example.target}) + "\n")


def _read_examples(path: Path) -> Iterator[Example]:
    from mt.starter.distil import Example

    for _, record in read_jsonl(path):
        values: Any = record
        yield Example(tuple(values["source"]), tuple(values["target"]))


def _show(progress: Progress) -> None:
    log.info(
        "%s %3.0f %%  state error %.4f  word divergence %.4f  %d target tokens/s",
        progress.stage,
        100 * progress.share_done,
        progress.state_error,
        progress.word_divergence,
        progress.tokens_per_second,
    )


@app.command()
def command(
    teacher: Annotated[Path, typer.Option(help="Folder of the student: its .bin or .npz and its .spm.")],
    text: Annotated[
        list[str], typer.Option(help="Sentences: .txt, .txt.gz, or .jsonl:FIELD; may be repeated.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the model.")],
    source: Annotated[str, typer.Option("--from", help="Source language.")] = "en",
    target: Annotated[str, typer.Option("--to", help="Target language.")] = "pt",
    exclude: Annotated[
        list[str] | None, typer.Option(help="Test files whose sentences are left out.")
    ] = None,
    scale: Annotated[float, typer.Option(help="All sizes times this; 0.01 for a trial.", min=0.001)] = 1.0,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 for all.", min=0)] = 0,
) -> None:
    """Make a MarianMT model that translates like the student."""
    import dataclasses

    import torch

    from mt.starter.sources import excluded, read_texts

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if threads:
        torch.set_num_threads(threads)
    recipe = Recipe()
    sizes = (
        "teacher_sentences",
        "fresh_sentences",
        "joined_sentences",
        "cell_tokens",
        "decoder_tokens",
        "round_tokens",
        "all_tokens",
    )
    scaled = {name: max(1, int(getattr(recipe, name) * scale)) for name in sizes}
    texts = excluded(read_texts(text, recipe.seed), exclude or [])
    graft(teacher, texts, out, source, target, dataclasses.replace(recipe, **scaled))


if __name__ == "__main__":
    run(app, "graft")
