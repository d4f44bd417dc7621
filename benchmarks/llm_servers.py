"""The chat adapter and the agents against a server that others wrote: replies whole and as a stream.

    transformers serve --host 127.0.0.1 --port 8123 --device cpu &
    python benchmarks/llm_servers.py http://127.0.0.1:8123/v1 FOLDER_OR_NAME_OF_THE_MODEL [--agents]

`--agents` runs writer, translator, critic and reviser on a few segments, stops by a budget, and goes on where
it was. A small model writes nothing that stays: what counts is that every reply is used or given up with a
reason.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data.llm import ChatSettings, Message, OpenAIChat
from data.llm_budget import Budget, BudgetedChat, Limits
from data.llm_many import complete_many
from data.records import DROPPED, made_rows
from data.segments import Segment
from data.synthesis import Models, SynthesisConfig, Term, generate

QUESTION = [Message("user", "Name one symptom of the flu.")]
TERMS = [Term("fever", "febre"), Term("dry cough", "tosse seca")]
GIVEN = [
    Segment(str(number), text)
    for number, text in enumerate(
        ("She has a high fever.", "Take 5 mg of it every day.", "No pain in the left leg."), 1
    )
]


def replies(base_url: str, model: str) -> None:
    for stream in (False, True):
        chat = client(base_url, model, stream, 12)
        for count in (1, 4):
            start = time.perf_counter()
            found = complete_many(chat, [QUESTION] * count, concurrency=4)
            print(f"stream={stream}, {count} at once: {time.perf_counter() - start:.1f} s")
            print(f"  {found[0]!r}")


def client(base_url: str, model: str, stream: bool, tokens: int) -> OpenAIChat:
    settings = ChatSettings(timeout_seconds=300, retries=0, most_reply_tokens=tokens, stream=stream)
    return OpenAIChat(model, settings, base_url=base_url, key="none")


def agents(base_url: str, model: str, tokens: int) -> None:
    for stream in (False, True):
        chat = client(base_url, model, stream, tokens)
        for mode in ("documents", "translate"):
            config = SynthesisConfig(mode=mode, documents=2, segments_per_document=3, rounds=1, concurrency=2)
            with tempfile.TemporaryDirectory() as folder:
                for name, calls in (("budget of 1 call", 1), ("gone on with", 0)):
                    budget = Budget(Limits(calls=calls) if calls else Limits())
                    limited = BudgetedChat(chat, budget)
                    found = generate(config, TERMS, Models(limited, limited), Path(folder), given=GIVEN)
                    print(f"stream={stream}, {mode}, {name}: {found}, used {budget.used}", flush=True)
                for row in made_rows(Path(folder)):
                    print(f"  kept: {row['src']} | {row['tgt']} (rounds {row['rounds']})")
                given_up = [row["reason"] for row in made_rows(Path(folder), DROPPED)]
                print(f"  given up: {given_up}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base_url")
    parser.add_argument("model")
    parser.add_argument("--agents", action="store_true")
    parser.add_argument("--tokens", type=int, default=160, help="of a reply of the agents, at most")
    options = parser.parse_args()
    replies(options.base_url, options.model)
    if options.agents:
        agents(options.base_url, options.model, options.tokens)


if __name__ == "__main__":
    main()
