"""What a shortlist of target words (CTranslate2's `vmap`) saves and costs, the en-pt starter on TICO-19 dev.

    python benchmarks/medical.py prepare --work artifacts/medical
    python benchmarks/shortlist.py --pairs artifacts/medical/en-pt --out artifacts/shortlist

The lexicon comes from the pairs by IBM model 1: for each source piece its likeliest target pieces and itself;
always allowed are so many of the most frequent target pieces. Time is processor time of int8, greedy decoding
on one thread, so it can be compared on a busy machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.jsonl import read_pairs
from mt.tokenization import Tokenizer

SETTINGS = ((50, 1000), (100, 2000), (100, 6000), (100, 20_000))
SOURCES = ("trials", "articles", "replay")
_ROUNDS, _LONGEST = 4, 120

Numbers = NDArray[Any]


def encoded(folder: Path, each: int, tokenizer: Tokenizer, vocabulary: dict[str, int]) -> list[list[Numbers]]:
    """Both sides of the pairs as piece numbers."""
    pairs = [p for name in SOURCES for p in itertools.islice(read_pairs(folder / f"{name}.jsonl"), each)]
    unknown = vocabulary["<unk>"]
    return [
        [np.array([vocabulary.get(piece, unknown) for piece in row[:_LONGEST]]) for row in side]
        for side in (
            tokenizer.encode([pair.source.text for pair in pairs]),
            tokenizer.encode_target([pair.target for pair in pairs]),
        )
    ]


def lexicon(sources: list[Numbers], targets: list[Numbers], size: int) -> tuple[Numbers, Numbers]:
    """Source and target pieces, likeliest target first; number `size` is the empty word."""
    codes, places, base = [], [], 0
    for source, target in zip(map(np.unique, sources), map(np.unique, targets), strict=True):
        words = np.append(source, size).astype(np.int64)
        codes.append((words[None, :] * (size + 1) + target[:, None]).ravel())
        places.append(np.repeat(np.arange(base, base + len(target)), len(words)))
        base += len(target)
    unique, inverse = np.unique(np.concatenate(codes), return_inverse=True)
    place, source_of = np.concatenate(places), unique // (size + 1)
    share = np.ones(len(unique))
    for _ in range(_ROUNDS):
        weights = share[inverse]
        weights /= np.bincount(place, weights, minlength=base)[place]
        counts = np.bincount(inverse, weights, minlength=len(unique))
        totals = np.bincount(source_of, counts, minlength=size + 1)
        share = counts / np.maximum(totals[source_of], 1e-9)
    order = np.lexsort((-share, source_of))
    return source_of[order], (unique % (size + 1))[order]


def lines(
    found: tuple[Numbers, Numbers], frequency: Numbers, names: list[str], best: int, frequent: int
) -> Iterator[str]:
    """As CTranslate2 reads them: what is always allowed stands behind an empty source."""
    common = [int(i) for i in np.argsort(-frequency)[:frequent] if frequency[i]]
    yield "\t" + " ".join(names[i] for i in common)
    starts = np.searchsorted(found[0], np.arange(len(names) + 1))
    for number, name in enumerate(names[:-1]):  # <pad> is last
        likeliest = found[1][starts[number] : min(starts[number + 1], starts[number] + best)].tolist()
        yield f"{name}\t" + " ".join(names[i] for i in dict.fromkeys([*likeliest, number]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path("mt/starter/models/en-pt"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=7000, help="pairs of each source")
    parser.add_argument("--every", type=int, default=3, help="every so many segments of dev")
    arguments = parser.parse_args()
    import ctranslate2
    import sacrebleu

    folder = arguments.model / "ct2"
    tokenizer = Tokenizer.load(folder)
    vocabulary: dict[str, int] = json.loads((arguments.model / "vocab.json").read_text(encoding="utf-8"))
    names = sorted(vocabulary, key=lambda name: vocabulary[name])
    sources, targets = encoded(arguments.pairs, arguments.each, tokenizer, vocabulary)
    frequency = np.bincount(np.concatenate(targets), minlength=len(names))
    found = lexicon(sources, targets, len(names))
    dev = list(read_pairs(arguments.data / "tico19-dev.en-pt.jsonl"))[:: arguments.every]
    pieces, references = tokenizer.encode([p.source.text for p in dev]), [[p.target for p in dev]]
    plain: list[str] = []
    for best, frequent in ((0, 0), *SETTINGS):
        runnable = folder
        if best:
            runnable = arguments.out / f"{best}-{frequent}"
            shutil.copytree(folder, runnable, dirs_exist_ok=True)
            text = "\n".join(lines(found, frequency, names, best, frequent))
            (runnable / "vmap.txt").write_text(text + "\n", encoding="utf-8")
        translator = ctranslate2.Translator(str(runnable), device="cpu", inter_threads=1, intra_threads=1)
        start = time.process_time()
        results = translator.translate_batch(
            pieces,
            beam_size=1,
            max_batch_size=1024,
            batch_type="tokens",
            use_vmap=bool(best),
            max_decoding_length=250,
        )
        seconds = time.process_time() - start
        texts = tokenizer.decode([result.hypotheses[0] for result in results])
        plain = plain or texts
        print(
            f"{f'{best} likeliest, {frequent} frequent' if best else 'all words':<28}{seconds:6.2f} s  "
            f"BLEU {sacrebleu.corpus_bleu(texts, references).score:.2f}  "
            f"chrF {sacrebleu.corpus_chrf(texts, references).score:.2f}  "
            f"the same {sum(map(str.__eq__, texts, plain)) / len(texts):.0%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
