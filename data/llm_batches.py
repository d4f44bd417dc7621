"""OpenAI's Batch API: large runs at half the price, within a day, and through any crash.

In: a chat model on such a server, requests, a folder for the run's state. Out: for each request, in order,
its `Reply` or the `ChatError` in its place, just as `complete_many` gives them.

    run = BatchRun(OpenAIChat("gpt-x"), requests, Path("out/batches"))
    replies = run.finish()              # submits, waits, collects; call it again after a crash

The state says for each part which file was sent and which batch it became; it is on the disk before the next
step. A crash between the server's yes and that note is healed by the mark that each batch carries. Texts lie
on the server until they are deleted: `finish` deletes them once they are collected.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from data.errors import ConfigError, InputError
from data.files import atomic_write
from data.llm import OpenAIChat
from data.llm_replies import UnreadableError, reply_of
from data.llm_values import ChatError, Message, Reply

logger = logging.getLogger(__name__)
MOST_REQUESTS: Final = 50_000
MOST_BYTES: Final = 150_000_000
_OVER: Final = frozenset({"completed", "failed", "expired", "cancelled"})
_URL: Final = "/v1/chat/completions"


class BatchRun:
    """One set of requests; another set needs another folder."""

    def __init__(
        self,
        chat: OpenAIChat,
        requests: Sequence[Sequence[Message]],
        folder: Path,
        *,
        as_json: bool = False,
        most_requests: int = MOST_REQUESTS,
    ) -> None:
        response_format = {"type": "json_object"} if as_json else None
        lines = [_line(number, chat.request(messages, response_format)) for number, messages in
                 enumerate(requests)]  # fmt: skip
        self._chat, self._count, self._state = chat, len(lines), folder / "batches.json"
        self._parts = _parts(lines, most_requests)
        self._folder = folder
        self._mark = hashlib.sha256(b"".join(lines)).hexdigest()[:32]
        self._noted: dict[str, dict[str, str]] = self._load()

    def submit(self) -> None:
        """Sends each part that has not become a batch yet."""
        for number, part in enumerate(self._parts):
            noted = self._noted.setdefault(str(number), {})
            if "batch" in noted:
                continue
            batch = self._lost(number)
            if batch is None:
                if "file" not in noted:
                    noted["file"] = self._sent(f"part-{number}.jsonl", b"".join(part))
                    self._save()
                batch = self._created(noted["file"], number)
            noted["batch"] = batch.id
            self._save()
            logger.info("batch %s: %d requests", batch.id, len(part))

    def poll(self) -> bool:
        """Whether every batch is over; what has just ended is collected to the folder."""
        self.submit()
        for number, noted in self._noted.items():
            if noted.get("status") in _OVER:
                continue
            batch = self._batch(noted["batch"])
            if batch.status in _OVER:
                self._collect(int(number), batch)
                noted["status"] = batch.status
                self._save()
        return all(noted.get("status") in _OVER for noted in self._noted.values())

    def finish(
        self, poll_seconds: float = 30, sleep: Callable[[float], None] = time.sleep
    ) -> list[Reply | ChatError]:
        while not self.poll():
            sleep(poll_seconds)
        return self.results()

    def results(self) -> list[Reply | ChatError]:
        """A slot per request; what has no line in any part says how its batch ended."""
        found: dict[int, Reply | ChatError] = {}
        starts = [sum(map(len, self._parts[:number])) for number in range(len(self._parts))]
        for number, start in enumerate(starts):
            status = self._noted.get(str(number), {}).get("status", "not over")
            missing = ChatError(f"{self._chat.where}: no reply in the batch ({status})")
            found |= dict.fromkeys(range(start, start + len(self._parts[number])), missing)
            path = self._part_path(number)
            if path.is_file():
                with path.open("rb") as stream:
                    found |= dict(filter(None, map(self._result, stream)))
        return [found[place] for place in range(self._count)]

    def _result(self, line: bytes) -> tuple[int, Reply | ChatError] | None:
        try:
            given = json.loads(line)
            place = int(given["custom_id"])
        except (ValueError, KeyError, TypeError):
            return None  # its slot keeps its error
        if not 0 <= place < self._count:
            return None
        try:
            answer = given["response"]
            if answer["status_code"] != 200:
                return place, ChatError(f"{self._chat.where}: no reply (status {answer['status_code']})")
            return place, reply_of(answer["body"], self._chat.name)
        except (KeyError, TypeError):
            return place, ChatError(f"{self._chat.where}: no reply (the batch reports an error)")
        except UnreadableError as error:
            return place, ChatError(f"{self._chat.where}: {error}")

    def _collect(self, number: int, batch: Any) -> None:
        """Replies and errors to one file, then off the server."""
        names = [name for name in (batch.output_file_id, batch.error_file_id) if name]
        with atomic_write(self._part_path(number)) as stream:
            for name in names:
                text = self._text(name)
                stream.write(text if text.endswith("\n") else f"{text}\n")
        for name in [*names, self._noted[str(number)].get("file")]:
            with contextlib.suppress(ChatError):
                if name:
                    self._delete(name)

    def _sent(self, name: str, content: bytes) -> str:
        return str(self._call(lambda client: client.files.create(file=(name, content), purpose="batch")).id)

    def _text(self, file: str) -> str:
        return str(self._call(lambda client: client.files.content(file)).text)

    def _delete(self, file: str) -> None:
        self._call(lambda client: client.files.delete(file))

    def _batch(self, name: str) -> Any:
        return self._call(lambda client: client.batches.retrieve(name))

    def _created(self, file: str, number: int) -> Any:
        return self._call(
            lambda client: client.batches.create(
                input_file_id=file,
                endpoint=_URL,
                completion_window="24h",
                metadata={"medloop": self._mark, "part": str(number)},
            )
        )

    def _lost(self, number: int) -> Any:
        """A batch of this run that was made, but not noted before a crash."""
        for batch in self._call(lambda client: client.batches.list(limit=100)).data:
            if (batch.metadata or {}) == {"medloop": self._mark, "part": str(number)}:
                return batch
        return None

    def _call(self, call: Callable[[Any], Any]) -> Any:
        return self._chat.call(call)

    def _part_path(self, number: int) -> Path:
        return self._folder / f"replies-{number}.jsonl"

    def _load(self) -> dict[str, dict[str, str]]:
        if not self._state.is_file():
            return {}
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            mark, parts = state["mark"], state["parts"]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{self._state} is damaged; delete it to submit everything again") from None
        if mark != self._mark:
            raise ConfigError(f"{self._folder} belongs to other requests; name another folder")
        return dict(parts)

    def _save(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self._state) as stream:
            json.dump({"mark": self._mark, "parts": self._noted}, stream)


def _line(number: int, body: dict[str, Any]) -> bytes:
    body = {name: value for name, value in body.items() if not name.startswith("stream")}
    line = {"custom_id": str(number), "method": "POST", "url": _URL, "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def _parts(lines: list[bytes], most_requests: int) -> list[list[bytes]]:
    parts: list[list[bytes]] = []
    size = 0
    for line in lines:
        if not parts or len(parts[-1]) >= most_requests or size + len(line) > MOST_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(line)
        size += len(line)
    return parts
