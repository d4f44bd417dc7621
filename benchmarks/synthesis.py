"""What synthetic pairs cost besides the model: records a second and memory, with an instant fake model.

    python benchmarks/synthesis.py --documents 20000            # a table; twelve segments a document
    python benchmarks/synthesis.py --documents 84000            # a million records

The fake model answers at once with segments that are right, so that writer, translator, critic and the checks
run once for each document, as with a good LLM. Memory is the process's largest, at each tenth of the run: it
must be flat. Processor seconds are told beside the clock's, as other work may share the cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data.documents import Models
from data.llm_values import Message, Reply
from data.plan import SynthesisConfig
from data.synthesis import generate
from data.term_values import Term

_SOURCE = "The patient was given {n} mg of enalapril twice a day for {m} days without fever."
_TARGET = "O paciente recebeu {n} mg de enalapril duas vezes ao dia por {m} dias sem febre."


class InstantChat:
    name = "instant"

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        system = messages[0].content
        numbers = range(1, 13)
        if system.startswith("You check"):
            return Reply('{"errors": []}', self.name)
        text = _TARGET if system.startswith("You translate") else _SOURCE
        segments = [{"id": str(n), "text": text.format(n=n * 5, m=n + 2)} for n in numbers]
        return Reply(json.dumps({"segments": segments}), self.name)


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--out", type=Path, help="folder for the shards; else a temporary one")
    arguments = parser.parse_args()
    terms = [Term(f"term{number}", f"termo{number}") for number in range(500)]
    config = SynthesisConfig(documents=arguments.documents, concurrency=1)
    chat = InstantChat()
    began, worked = time.perf_counter(), time.process_time()
    tenth = max(1, arguments.documents // 10)
    print("records  records/s  records/CPU-s  MB")

    def tell(done: int, _: int) -> None:
        if done % tenth == 0:
            seconds = time.perf_counter() - began
            own, records = time.process_time() - worked, done * 12
            print(
                f"{records:>7,}  {records / seconds:>9,.0f}  {records / own:>13,.0f}  {megabytes():.0f}",
                flush=True,
            )

    with tempfile.TemporaryDirectory() as scratch:
        counts = generate(config, terms, Models(chat, chat), arguments.out or Path(scratch), tell)
    print(f"kept {counts.pairs:,} of {counts.documents * 12:,}; given up: {counts.reasons}")


if __name__ == "__main__":
    main()
