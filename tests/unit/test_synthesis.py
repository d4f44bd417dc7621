"""Documents by a fake chat model: what is kept, what is given up, and that a killed run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.documents import Models
from data.errors import ConfigError
from data.jsonl import read_pairs
from data.llm_values import BudgetError, ChatError, Message, Reply
from data.phi import suspicions
from data.plan import SynthesisConfig, documents_for, plan, slot
from data.plan_tables import tables
from data.records import DROPPED, JOURNAL, Shards, made_rows, shard_files
from data.segments import Pair, Segment
from data.synthesis import Counts, generate
from data.term_values import Term

TERMS = (Term("fever", "febre"), Term("cough", "tosse"), Term("sepsis", "sepse"), Term("rash", "exantema"))
CONFIG = SynthesisConfig(documents=4, segments_per_document=2, terms_per_document=2, concurrency=1)
PORTUGUESE = {"She has fever, dose 5 mg.": "Ela tem febre, dose de 5 mg.", "No cough.": "Sem tosse."}


class FakeChat:
    """Answers as the prompt's role asks; `answers` replaces that of a role, and gets the request."""

    name = "fake"

    def __init__(self, **answers: Callable[[dict[str, Any]], object]) -> None:
        self.answers, self.asked = answers, list[str]()

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        system, user = messages[0].content, messages[1].content
        role = next(name for start, name in ROLES.items() if system.startswith(start))
        self.asked.append(role)
        request = json.loads(user) if user.startswith("{") else {}
        answer = self.answers.get(role, getattr(self, f"_{role}"))(request)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return Reply(text, "fake", "stop", 10, 5)

    def _writer(self, request: dict[str, Any]) -> object:
        return {"segments": [{"id": str(n), "text": text} for n, text in enumerate(PORTUGUESE, 1)]}

    _terms = _writer

    def _paraphrase(self, request: dict[str, Any]) -> object:
        return {"segments": [{"id": one["id"], "text": f"Now: {one['text']}"} for one in request["segments"]]}

    def _translator(self, request: dict[str, Any]) -> object:
        return {
            "segments": [
                {"id": one["id"], "text": PORTUGUESE.get(one["text"], "Traduzido.")}
                for one in request["segments"]
            ]
        }

    def _critic(self, request: dict[str, Any]) -> object:
        return {"errors": []}

    def _reviser(self, request: dict[str, Any]) -> object:
        return {
            "segments": [{"id": one["id"], "text": PORTUGUESE[one["source"]]} for one in request["segments"]]
        }


ROLES = {
    "You write clinical": "writer",
    "You write example": "terms",
    "You rewrite": "paraphrase",
    "You translate": "translator",
    "You check": "critic",
    "You correct": "reviser",
}


def _run(out: Path, chat: FakeChat | None = None, config: SynthesisConfig = CONFIG, **more: Any) -> Counts:
    chat = chat or FakeChat()
    return generate(config, TERMS, Models(chat, chat), out, **more)


def test_a_clean_document_becomes_rows_with_their_provenance(tmp_path: Path) -> None:
    counts = _run(tmp_path)
    assert (counts.documents, counts.pairs, counts.calls, counts.stopped) == (4, 8, 12, "enough")
    row = next(made_rows(tmp_path))
    assert row["id"] == "syn-documents-en-pt-7-0-1"
    assert (row["document"], row["position"], row["rounds"]) == ("syn-documents-en-pt-7-0", 0, 1)
    assert row["prompts"] == ["writer@1", "translator@1", "critic@1", "reviser@1", "plan@1"]
    assert row["models"] == {"writer": "fake", "translator": "fake", "critic": "fake", "reviser": "fake"}
    [pair, *_] = read_pairs(shard_files(tmp_path)[0])
    assert pair.target == "Ela tem febre, dose de 5 mg."


def test_a_wrong_dose_goes_to_the_reviser_and_comes_back_clean(tmp_path: Path) -> None:
    def wrong(request: dict[str, Any]) -> object:
        return {
            "segments": [
                {"id": "1", "text": "Ela tem febre, dose de 50 mg."},
                {"id": "2", "text": "Sem tosse."},
            ]
        }

    chat = FakeChat(translator=wrong)
    assert _run(tmp_path, chat, replace(CONFIG, documents=1)).pairs == 2
    assert chat.asked == ["writer", "translator", "critic", "reviser", "critic"]
    assert [row["rounds"] for row in made_rows(tmp_path)] == [2, 2]


def test_what_stays_wrong_is_given_up_with_a_reason(tmp_path: Path) -> None:
    def wrong(request: dict[str, Any]) -> object:
        return {"segments": [{"id": "1", "text": f"Dose de {len(chat.asked)}0 mg."}]}

    chat = FakeChat(translator=wrong, reviser=wrong)
    counts = _run(tmp_path, chat, replace(CONFIG, documents=1))
    assert chat.asked.count("reviser") == CONFIG.rounds
    assert counts.pairs == 0
    assert counts.reasons == {"clinical_number": 1, "slot_missing": 1}
    assert [row["reason"] for row in made_rows(tmp_path, DROPPED)] == ["clinical_number", "slot_missing"]


def test_a_critics_major_error_that_nobody_corrects_is_given_up(tmp_path: Path) -> None:
    def finds(request: dict[str, Any]) -> object:
        return {"errors": [{"id": "2", "span": "tosse", "severity": "major", "category": "accuracy"}]}

    chat = FakeChat(critic=finds)
    assert _run(tmp_path, chat, replace(CONFIG, documents=1)).reasons == {"critic_major": 1}


@pytest.mark.parametrize(
    ("mode", "given", "expected"),
    [
        ("source", (), [("She has fever, dose 5 mg.", ""), ("No cough.", "")]),
        ("translate", (Segment("a", "No cough."),), [("No cough.", "Sem tosse.")]),
        ("terms", (), list(PORTUGUESE.items())),
        ("paraphrase", (Pair(Segment("a", "Fine."), "Bem."),), [("Now: Fine.", "Traduzido.")]),
    ],
)
def test_modes(tmp_path: Path, mode: str, given: Any, expected: list[tuple[str, str]]) -> None:
    _run(tmp_path, config=replace(CONFIG, mode=mode, documents=1), given=given)
    assert [(row["src"], row["tgt"]) for row in made_rows(tmp_path)] == expected
    assert [row.get("made_from") for row in made_rows(tmp_path)] == ["a" if given else None] * len(expected)


def test_test_sets_are_marked_differ_and_do_not_mix(tmp_path: Path) -> None:
    test = replace(CONFIG, purpose="test")
    assert slot(test, TERMS, 3) != slot(CONFIG, TERMS, 3)
    _run(tmp_path, config=test)
    assert {row["purpose"] for row in made_rows(tmp_path)} == {"test"}
    assert next(made_rows(tmp_path))["id"].startswith("syn-test-")
    with pytest.raises(ConfigError, match=r"other settings \(purpose\)"):
        _run(tmp_path)


def test_a_longer_run_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    _run(tmp_path, config=replace(CONFIG, documents=2))
    chat = FakeChat()
    assert _run(tmp_path, chat, replace(CONFIG, documents=3)).documents == 3
    assert chat.asked == ["writer", "translator", "critic"]
    ids = [row["id"] for row in made_rows(tmp_path)]
    assert len(ids) == len(set(ids)) == 6


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_spent_budget_keeps_what_there_is(tmp_path: Path, concurrency: int) -> None:
    def limited(request: dict[str, Any]) -> object:
        if chat.asked.count("translator") > 2:
            raise BudgetError("2 calls are used up")
        return FakeChat()._translator(request)

    chat = FakeChat(translator=limited)
    counts = _run(tmp_path, chat, replace(CONFIG, documents=20, concurrency=concurrency))
    assert counts.stopped == "budget"
    assert counts.pairs <= 4
    assert _run(tmp_path, config=replace(CONFIG, documents=20)).pairs == 40


def test_one_document_without_reply_is_passed_over_and_a_dead_server_stops(tmp_path: Path) -> None:
    def dead(request: dict[str, Any]) -> object:
        raise ChatError("fake at nowhere: no reply")

    def once(request: dict[str, Any]) -> object:
        return dead(request) if len(chat.asked) == 1 else FakeChat()._writer(request)

    chat = FakeChat(writer=once)
    assert _run(tmp_path / "one", chat).reasons == {"no_reply": 1}
    with pytest.raises(ChatError, match="no reply"):
        _run(tmp_path / "all", FakeChat(writer=dead), replace(CONFIG, documents=50))
    assert _run(tmp_path / "all", config=replace(CONFIG, documents=50)).pairs == 100  # none was lost


SLOW_RUN = """
import sys, time
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from test_synthesis import CONFIG, FakeChat, _run
from dataclasses import replace
class Slow(FakeChat):
    def complete(self, messages, *, as_json=False):
        time.sleep(0.002)
        return super().complete(messages, as_json=as_json)
_run(Path({out!r}), Slow(), replace(CONFIG, documents=4000, concurrency=2))
"""


def test_killed_in_the_middle_none_doubled_none_lost(tmp_path: Path) -> None:
    here = Path(__file__)
    code = SLOW_RUN.format(tests=str(here.parent), root=str(here.parents[2]), out=str(tmp_path / "out"))
    journal = tmp_path / "out" / JOURNAL
    for wanted in (5, 20):
        process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not journal.exists() or journal.read_bytes().count(b"\n") < wanted:
            assert process.poll() is None, process.stderr.read() if process.stderr else b""
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stderr:
            process.stderr.close()
    done = journal.read_bytes().count(b"\n")
    config = replace(CONFIG, documents=done + 30, concurrency=2)
    assert _run(tmp_path / "out", config=config).pairs == 2 * (done + 30)
    ids = [row["id"] for row in made_rows(tmp_path / "out")]
    assert ids == [f"syn-documents-en-pt-7-{n}-{k}" for n in range(done + 30) for k in (1, 2)]


@pytest.mark.parametrize("torn", [b'{"id": "x", "src', b'{"id": "x"}\n'])
def test_what_the_journal_does_not_know_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    with Shards.opened(tmp_path, {"a": 1}, rows_per_shard=2) as shards:
        for number in range(3):
            shards.add([{"id": f"{number}-{k}"} for k in range(2)], [], {"pairs": 2})
    last = shard_files(tmp_path)[-1]
    with last.open("ab") as stream:
        stream.write(torn)
    with (tmp_path / JOURNAL).open("ab") as stream:
        stream.write(b'{"next": 9, "sh')
    with Shards.opened(tmp_path, {"a": 1}, rows_per_shard=2) as shards:
        assert (shards.next, shards.totals["pairs"], shards.shard) == (3, 6, 2)
    assert [row["id"] for row in made_rows(tmp_path)] == [f"{n}-{k}" for n in range(3) for k in range(2)]
    assert os.stat(last).st_size == len('{"id": "2-0"}\n') * 2  # noqa: PTH116


def test_the_plan_covers_everything_and_counts_the_cost() -> None:
    config = replace(CONFIG, documents=10, term_coverage=9, prompt_price=1.0, reply_price=2.0)
    found = plan(config, TERMS)
    assert found.documents == documents_for(config, TERMS) == 18
    assert found.least_per_term == 9
    assert found.calls == 18 * 3 + 6
    assert found.money == round((found.prompt_tokens + 2 * found.reply_tokens) / 1e6, 2)
    from_tables = tables()
    big = plan(replace(CONFIG, documents=900), TERMS).coverage
    assert set(big["type"]) == set(from_tables.types)
    assert set(big["specialty"]) == set(from_tables.specialties)
    assert set(big["phenomenon"]) == set(from_tables.phenomena)
    pairings = {(one.type, one.specialty) for one in (slot(CONFIG, TERMS, n) for n in range(24 * 35))}
    assert len(pairings) == 24 * 35


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"mod": "terms"}, "synthesis.mod: no such setting"),
        ({"mode": "magic"}, "none of documents, source, terms"),
        ({"documents": "ten"}, "synthesis.documents: must be of type int, not 'ten'"),
        ({"documents": 0}, "must be 1 or more, not 0"),
        ({"seed": True}, "must be of type int"),
    ],
)
def test_wrong_settings_are_named(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SynthesisConfig.of(mapping)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BP 120/80, HR 72, 1,204 deaths in 2019", ()),
        ("MRN: 00482913", ("record_number", "long_number")),
        ("CPF 123.456.789-09", ("cpf",)),
        ("Write to jane@example.org", ("email",)),
        ("Seen by Dr. Maria Silva", ("named_person",)),
    ],
)
def test_suspicions(text: str, found: tuple[str, ...]) -> None:
    assert suspicions(text) == found


def test_text_copied_from_its_seed_is_marked() -> None:
    seed = "A man of forty years came with a dry cough that had lasted three weeks and more"
    assert suspicions(f"Indeed, {seed.lower()}.", seed) == ("copied",)
    assert suspicions("A man of forty came with a dry cough.", seed) == ()
