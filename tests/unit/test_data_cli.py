"""`medloop data` as a person calls it, and the page it writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from data.cli import app
from data.commands import run
from data.corpora import read_records
from data.filter_report import histogram, write_filter_report
from data.llm_values import Message, Reply

ROWS = [
    {
        "id": "a",
        "src": "The patient has a high fever today.",
        "tgt": "O doente tem febre.",
        "terms": ["fever"],
        "tokens": 5,
    },
    {"id": "b", "src": "Take 5 mg of warfarin.", "tgt": "Tome 50 mg de varfarina."},
    {"id": "c", "src": "</script><b>Hold</b> & rest.", "tgt": "</script><b>Suspenda</b> & repouse \ud800."},
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        run(app, "medloop data", arguments)
    return int(stopped.value.code or 0)


def test_the_whole_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("measure", "pairs.jsonl", "--from", "en", "--to", "pt", "--output", "m.jsonl") == 0
    assert call("filter", "m.jsonl", "--kept", "k.jsonl", "--dropped", "d.jsonl", "--report", "r.html") == 0
    printed = capsys.readouterr()
    assert "2 of 3 pairs kept: k.jsonl" in printed.out
    assert "1  changed_number" in printed.out
    assert "not applied, as nothing measured it: unlikely" in printed.err
    page = Path("r.html").read_text()
    assert "&lt;b&gt;Suspenda&lt;/b&gt;" in page
    assert "<b>Suspenda</b>" not in page
    assert "Tome 50 mg de varfarina." in page
    assert "src=" not in page.split("<body>")[1].split("<script")[0]
    assert call("dedupe", "k.jsonl", "--output", "u.jsonl", "--dropped", "s.jsonl") == 0
    assert (
        call("dedupe", "k.jsonl", "--test-sets", "pairs.jsonl", "--output", "v.jsonl", "--dropped", "w.jsonl")
        == 0
    )
    assert "0 of 2 pairs kept: v.jsonl" in capsys.readouterr().out
    assert call("split", "u.jsonl", "--output", "splits", "--dev", "0", "--test", "0") == 0
    assert len(Path("splits/train.jsonl").read_text().splitlines()) == 2
    assert call("sample", "u.jsonl", "--output", "x.jsonl", "--size", "1") == 0


def test_a_plan_asks_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.yaml").write_text("documents: 30\nprompt_price: 1.0\n")
    Path("terms.tsv").write_text("fever\tfebre\n")
    assert call("plan", "--config", "s.yaml", "--terms", "terms.tsv") == 0
    assert capsys.readouterr().out.startswith("30 documents, about ")
    Path("s.yaml").write_text("documets: 30\n")
    assert call("plan", "--config", "s.yaml") == 2
    assert "synthesis.documets: no such setting" in capsys.readouterr().err


def test_generating_without_a_model_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.yaml").write_text("documents: 1\n")
    assert call("generate", "--config", "s.yaml", "--output", "out") == 2
    assert "MEDLOOP_LLM" in capsys.readouterr().err


def test_generating_within_a_budget_and_with_parquet_beside_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Chat:
        name = "fake"

        def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
            if messages[0].content.startswith("You check"):
                return Reply('{"errors": []}')
            text = (
                "Repouse e beba água." if "translate" in messages[0].content[:40] else "Rest and drink water."
            )
            return Reply(json.dumps({"segments": [{"id": "1", "text": text}]}))

    monkeypatch.setattr("data.llm_roles.chat_model", lambda role: Chat())
    Path("s.yaml").write_text("documents: 3\nconcurrency: 1\n")
    command = ("generate", "--config", "s.yaml", "--output", "out", "--parquet")
    assert call(*command, "--calls", "4") == 0
    assert "stopped: budget" in capsys.readouterr().err
    assert len(list(read_records([Path("out/parquet")]))) == 1
    assert call(*command) == 0
    assert [row["position"] for row in read_records([Path("out/parquet")])] == [0, 0, 0]
    assert call(*command, "--money", "1") == 2
    assert "--money counts by prompt_price and reply_price" in capsys.readouterr().err


def test_stats_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("stats", "pairs.jsonl", "--json") == 0
    assert json.loads(capsys.readouterr().out)["pairs"] == 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("measure", "none.jsonl", "--output", "m"), "cannot read none.jsonl"),
        (("measure", "pairs.jsonl", "--output", "m", "--groups", "x"), "valid: form, clinical, terms"),
        (
            ("measure", "pairs.jsonl", "--output", "m", "--models", "mt.measuring:starters"),
            "needs --from and --to",
        ),
        (
            ("measure", "pairs.jsonl", "--output", "m", "--models", "no:no", "--from", "en", "--to", "pt"),
            "not there",
        ),
        (("filter", "pairs.jsonl", "--kept", "k", "--dropped", "d"), "has no measures"),
        (
            ("filter", "pairs.jsonl", "--kept", "k", "--dropped", "d", "--limits", "l.yaml"),
            "cannot read l.yaml",
        ),
        (("stats", "bad.jsonl"), "bad.jsonl:1: not JSON"),
    ],
)
def test_what_is_wrong_in_one_line(
    arguments: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.jsonl").write_text("{\n")
    assert call(*arguments) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert len(error.splitlines()) == 1


def test_bad_records_are_passed_over_when_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.jsonl").write_text('{"src": "secret", "tgt"\n' + json.dumps(ROWS[0]) + "\n")
    assert call("stats", "bad.jsonl", "--skip-bad") == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("1 pairs")
    assert "passed over: 1 × not JSON" in printed.err
    assert "bad.jsonl:1: not JSON" in printed.err
    assert "secret" not in printed.err


def test_the_page_stays_small_and_shows_terms_and_cost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.filter_report._library", lambda: "")  # a second time would take its seconds
    rows = [{"id": str(n), "src": "x" * 5000, "tgt": "y", "reason": "length_ratio"} for n in range(300)]
    Path("k.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    Path("d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = write_filter_report(folder / "r.html", Path("k.jsonl"), Path("d.jsonl")).read_text()
    body = page.split("<h2>Samples</h2>")[1].split("<script")[0]
    assert body.count("<article>") == 13
    assert len(body) < 20_000
    assert "<td>fever</td>" in body
    assert "<td>tokens</td>" in body


def test_histogram_by_hand() -> None:
    rows = histogram({"kept": [0, 1, 1, 3], "dropped": [4]}, bins=2)
    assert [(r["side"], r["from"], r["to"], r["share"]) for r in rows] == [
        ("kept", 0.0, 2.0, 0.75), ("kept", 2.0, 4.0, 0.25), ("dropped", 2.0, 4.0, 1.0)
    ]  # fmt: skip
