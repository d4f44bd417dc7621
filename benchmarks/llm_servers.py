"""The chat adapter against a server that others wrote: one reply whole, one as a stream, four at once.

transformers serve --host 127.0.0.1 --port 8123 --device cpu &
python benchmarks/llm_servers.py http://127.0.0.1:8123/v1 FOLDER_OR_NAME_OF_THE_MODEL
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from data.llm import ChatSettings, Message, OpenAIChat
from data.llm_many import complete_many

QUESTION = [Message("user", "Name one symptom of the flu.")]


def main(base_url: str, model: str) -> None:
    for stream in (False, True):
        settings = ChatSettings(timeout_seconds=120, retries=0, most_reply_tokens=12, stream=stream)
        chat = OpenAIChat(model, settings, base_url=base_url, key="none")
        for count in (1, 4):
            start = time.perf_counter()
            found = complete_many(chat, [QUESTION] * count, concurrency=4)
            print(f"stream={stream}, {count} at once: {time.perf_counter() - start:.1f} s")
            print(f"  {found[0]!r}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(sys.argv[1], sys.argv[2])
    else:
        print("not measured: name the address of a server and a model")
