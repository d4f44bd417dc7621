"""Does the converted model say what the trained one said? Both translate a dev set, greedily.

parity, differing = compare(base, checkpoint, float32_folder, int8_folder, pairs, metric)
problem(parity, ConvertConfig())       # "" or why the model must not be used
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import ModelError
from data.segments import Pair
from mt.config import ConvertConfig
from mt.finetune_models import Base, load_marian
from mt.finetune_scoring import ScoreTexts
from mt.tokenization import END

# Pieces of a source that is compared, and of a translation.
_LONGEST_SOURCE, _LONGEST_TARGET = 200, 250
_BATCH = 32


class ParityError(ModelError):
    """The converted model does not translate as the trained one."""


@dataclass(frozen=True, slots=True)
class Parity:
    """`identical` of float32 with transformers; `losses` in points, float32 minus the quantised form.

    `computed_as` is what the quantised form was run in here: a CPU without 16-bit floats reads a float16
    model as float32, so that its loss on a GPU has not been seen.
    """

    segments: int
    identical: float
    identical_quantised: float
    losses: Mapping[str, float]
    scores: Mapping[str, float]
    computed_as: str = ""


def compare(
    base: Base, checkpoint: Path, exact: Path, runnable: Path, pairs: Sequence[Pair], metric: ScoreTexts
) -> tuple[Parity, list[dict[str, object]]]:
    tokenizer = base.vocabulary.tokenizer
    rows = [
        [*row[: _LONGEST_SOURCE - 1], END] for row in tokenizer.encode([pair.source.text for pair in pairs])
    ]
    trained = tokenizer.decode(_greedy(base, checkpoint, rows))
    plain = tokenizer.decode(_translated(exact, rows)[0])
    pieces, computed_as = _translated(runnable, rows)
    quantised = tokenizer.decode(pieces)
    references = [pair.target for pair in pairs]
    before, after = metric(plain, references), metric(quantised, references)
    differing: list[dict[str, object]] = [
        {"id": pair.id, "transformers": one, "float32": two, "quantised": three}
        for pair, one, two, three in zip(pairs, trained, plain, quantised, strict=True)
        if not one == two == three
    ]
    parity = Parity(
        segments=len(pairs),
        identical=_share(trained, plain),
        identical_quantised=_share(trained, quantised),
        losses={name: before[name] - after[name] for name in before},
        scores=dict(after),
        computed_as=computed_as,
    )
    return parity, differing


def problem(parity: Parity, config: ConvertConfig) -> str:
    if parity.identical < config.least_identical:
        return (
            f"only {parity.identical:.1%} of {parity.segments} translations are those of transformers "
            f"({config.least_identical:.0%} is the least)"
        )
    name, most = max(parity.losses.items(), key=lambda item: item[1], default=("", 0.0))
    if most > config.most_loss:
        return f"{config.quantization} loses {most:.2f} {name} ({config.most_loss} is the most)"
    return ""


def not_run_here(parity: Parity, quantization: str) -> str:
    """ "" or what of the form could not be compared, as this machine cannot compute in it."""
    if parity.computed_as in ("", quantization, f"{quantization}_float32"):
        return ""
    return (
        f"{quantization} was compared in {parity.computed_as}, as this machine does not compute in "
        f"{quantization}; compare again where it will run"
    )


def _share(one: Sequence[str], other: Sequence[str]) -> float:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def _greedy(base: Base, checkpoint: Path, rows: list[list[str]]) -> list[list[str]]:
    """What transformers says, as pieces; sorted by length so that little is padding."""
    import torch

    model = load_marian(checkpoint).eval()
    numbers, pad, end = base.vocabulary.numbers, base.pad, base.vocabulary.end
    pieces = {number: piece for piece, number in numbers.items()}
    found: list[list[str]] = [[] for _ in rows]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), _BATCH):
        some = order[start : start + _BATCH]
        sources = [[numbers.get(piece, base.vocabulary.unknown) for piece in rows[i]] for i in some]
        width = max(map(len, sources))
        ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in sources])
        with torch.inference_mode():
            made = model.generate(
                input_ids=ids,
                attention_mask=(ids != pad).long(),
                num_beams=1,
                do_sample=False,
                # The start mark before, and the end mark that is forced after.
                max_length=_LONGEST_TARGET + 2,
                bad_words_ids=[[pad]],
            )
        for i, row in zip(some, made.tolist(), strict=True):
            words = row[1:]
            found[i] = [pieces[n] for n in (words[: words.index(end)] if end in words else words)]
    return found


def _translated(runnable: Path, rows: list[list[str]]) -> tuple[list[list[str]], str]:
    """Pieces, and the arithmetic that was used."""
    import ctranslate2

    translator = ctranslate2.Translator(str(runnable), device="cpu", inter_threads=1, intra_threads=0)
    results = translator.translate_batch(
        rows,
        beam_size=1,
        max_batch_size=2048,
        batch_type="tokens",
        max_input_length=0,
        max_decoding_length=_LONGEST_TARGET,
    )
    return [list(result.hypotheses[0]) for result in results], str(translator.compute_type)
