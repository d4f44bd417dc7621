"""How fast the embedded language model writes: tokens a second, by batch size; and what the cache costs.

python -m data.embedded && python benchmarks/embedded.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data.embedded import EmbeddedChat, EmbeddedSettings
from data.errors import ModelError
from data.llm import Message, Reply
from data.llm_cache import Cache, CachedChat

EXAMPLES = """Term: chest pain | Sentence: He reports chest pain that gets worse when he climbs stairs.
Term: insulin | Sentence: Inject 10 units of insulin before breakfast every day.
Term: fracture | Sentence: The X-ray shows no fracture of the left wrist.
Term: {term} | Sentence:"""
TERMS = (
    "fever", "dry cough", "shortness of breath", "kidney failure", "blood pressure", "vaccine", "antibiotic",
    "rash", "asthma", "stroke", "headache", "pneumonia", "diarrhea", "quarantine", "ventilator", "blood clot",
)  # fmt: skip


class Instant:
    name = "instant"

    def complete(self, messages: object, *, as_json: bool = False) -> Reply:
        return Reply("Tome 5 mg.")


def writing(folder: Path | None) -> None:
    try:
        chat = EmbeddedChat(folder)
    except ModelError as error:
        print(f"not measured: {error}")
        return
    prompts = [EXAMPLES.format(term=term) for term in TERMS]
    chat.continue_many(prompts[:2])
    for size in (1, 16):
        settings = replace(EmbeddedSettings(), batch_prompts=size)
        start = time.perf_counter()
        texts = [
            text
            for first in range(0, len(prompts), size)
            for text in chat.continue_many(prompts[first : first + size], settings=settings)
        ]
        seconds = time.perf_counter() - start
        written = sum(chat.count(text) for text in texts)
        print(f"batch {size}: {written / seconds:.0f} tokens/s, {len(texts) / seconds:.2f} sentences/s")
    for term, text in zip(TERMS, texts, strict=True):
        print(f"  {term}: {text}")


def remembering(calls: int = 2000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chat = CachedChat(Instant(), Cache(Path(folder) / "replies.sqlite"))
        for what in ("written", "read"):
            start = time.perf_counter()
            for number in range(calls):
                chat.complete([Message("user", f"Translate: take {number} mg.")])
            print(f"cache {what}: {(time.perf_counter() - start) / calls * 1e6:.0f} microseconds a call")


if __name__ == "__main__":
    remembering()
    writing(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
