"""The cache: what makes another question, several processes, its bound, its key."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from data.errors import ConfigError, InputError
from data.llm import ChatSettings, Message, OpenAIChat, Reply
from data.llm_cache import Cache, CachedChat, new_key

ASKED = [Message("user", "Take 5 mg of aspirin.")]


class Counting:
    name = "counting"

    def __init__(self, finish: str = "stop") -> None:
        self.calls, self.finish = 0, finish

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        self.calls += 1
        return Reply(f"Tome aspirina ({self.calls}).", "m", self.finish, 5, 3)


def test_the_second_time_is_free_and_the_same_in_another_run(tmp_path: Path) -> None:
    model = Counting()
    for _ in range(2):
        chat = CachedChat(model, Cache(tmp_path / "new" / "c.sqlite"))
        assert chat.complete(ASKED) == Reply("Tome aspirina (1).", "m", "stop", 5, 3)
    assert (model.calls, chat.hits) == (1, 1)


def test_what_makes_another_question(tmp_path: Path) -> None:
    cache, model = Cache(tmp_path / "c.sqlite"), Counting()
    CachedChat(model, cache).complete(ASKED)
    CachedChat(model, cache).complete(ASKED, as_json=True)
    CachedChat(model, cache).complete([Message("system", ASKED[0].content)])
    CachedChat(model, cache, version="2").complete(ASKED)
    assert (model.calls, len(cache)) == (4, 4)


def test_settings_and_server_are_part_of_the_key() -> None:
    def one(settings: ChatSettings, port: int) -> dict[str, object]:
        return dict(OpenAIChat("m", settings, base_url=f"http://127.0.0.1:{port}/v1", key="k").identity)

    settings = [ChatSettings(), ChatSettings(seed=1), ChatSettings(temperature=0.5)]
    settings = [*settings, ChatSettings(most_reply_tokens=9)]
    found = [one(setting, port) for setting in settings for port in (1, 2)]
    assert len({str(each) for each in found}) == 8
    assert one(ChatSettings(timeout_seconds=9, retries=0), 1) == found[0]


def test_a_reply_cut_off_is_not_kept(tmp_path: Path) -> None:
    model = Counting(finish="length")
    chat = CachedChat(model, Cache(tmp_path / "c.sqlite"))
    chat.complete(ASKED)
    chat.complete(ASKED)
    assert model.calls == 2


def test_with_a_key_the_file_holds_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.sqlite"
    monkeypatch.setenv("MEDLOOP_LLM_CACHE_KEY", new_key())
    CachedChat(Counting(), Cache(path)).complete(ASKED)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"aspirin" not in content
    again = Counting()
    assert CachedChat(again, Cache(path)).complete(ASKED).text == "Tome aspirina (1)."
    assert again.calls == 0
    monkeypatch.setenv("MEDLOOP_LLM_CACHE_KEY", new_key())
    other = Counting()
    CachedChat(other, Cache(path)).complete(ASKED)
    assert other.calls == 1


def test_a_key_that_is_none_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^MEDLOOP_LLM_CACHE_KEY is no key"):
        Cache(tmp_path / "c.sqlite", key="secret")


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    Cache(tmp_path / "c.sqlite")
    assert (tmp_path / "c.sqlite").stat().st_mode & 0o077 == 0


def test_it_stays_within_its_bound_and_the_oldest_go(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c.sqlite", most_megabytes=0.5)
    for number in range(2000):
        cache.put(str(number).encode(), Reply("x" * 1000))
    assert 200 < len(cache) < 1000
    assert cache.get(b"1999") is not None
    assert cache.get(b"0") is None


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary " * 500)
    with pytest.raises(InputError, match=r"notes.txt is no cache of replies; delete it or name another"):
        Cache(tmp_path / "notes.txt")


def test_a_row_of_another_form_is_a_miss(tmp_path: Path) -> None:
    cache, model = Cache(tmp_path / "c.sqlite"), Counting()
    CachedChat(model, cache).complete(ASKED)
    with sqlite3.connect(tmp_path / "c.sqlite") as connection:
        connection.execute("UPDATE replies SET reply = ?", (b"[0, {}]",))
    assert CachedChat(model, cache).complete(ASKED).text == "Tome aspirina (2)."


def _write(path: str, worker: int) -> None:
    cache = Cache(Path(path))
    for number in range(50):
        cache.put(f"{worker}-{number}".encode(), Reply(f"{worker}-{number}"))


def test_several_processes_share_it(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write, args=(str(path), worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    cache = Cache(path)
    assert len(cache) == 150
    assert cache.get(b"2-49") == Reply("2-49")
