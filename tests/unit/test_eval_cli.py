"""`medloop eval` and `medloop gate` as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.commands import run
from eval.cli import app, gate_app
from eval.results import load_evaluation
from eval.testsets import load_testset


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pairs = load_testset("bundled", limit=30).pairs
    rows = [
        {"id": p.id, "src": p.source.text, "tgt": p.target, "src_lang": "en", "tgt_lang": "pt"} for p in pairs
    ]
    Path("set.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("good.txt").write_text("".join(pair.target + "\n" for pair in pairs))
    Path("bad.txt").write_text("".join(" ".join(pair.target.split()[1:]) + "\n" for pair in pairs))
    Path("terms.csv").write_text("source,target\nfever,febre\n")
    return tmp_path


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        run(gate_app if arguments[0] == "gate" else app, "medloop", arguments[1:])
    return int(stopped.value.code or 0)


COMMON = ("--testset", "set.jsonl", "--comet", "no", "--resamples", "200")


def test_two_systems_after_one_flag_and_the_gate(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--systems", "bad=bad.txt", "good=good.txt", *COMMON, "--output", "out")
    assert call("eval", *arguments, "--glossary", "terms.csv", "--trained-on", "set.jsonl") == 0
    printed = capsys.readouterr()
    assert "good is significantly better than bad in BLEU" in printed.out
    assert printed.out.splitlines()[-1] == "out/report.html"
    assert "not measured: BERTScore" in printed.err
    found = load_evaluation(Path("out"))
    assert [system.name for system in found.systems] == ["bad", "good"]
    assert found.system("good").contamination is not None
    gate = ("--baseline", "bad", "--candidate", "good", "--general", "out", "--domain", "out")
    assert call("gate", *gate, "--output", "gated") == 3
    printed = capsys.readouterr()
    assert printed.out.startswith("reject: good in place of bad\n")
    assert "FAIL general-contamination: 30 segments" in printed.out
    assert "ok   domain-quality: chrF2++ on set" in printed.out
    assert "REJECT" in Path("gated/report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--systems", "a=short.txt", *COMMON), "short.txt has 1 lines, and set.jsonl has 30 segments"),
        (("--systems", "a=good.txt", "b", *COMMON), "'b': not an option of this command"),
        (("--systems", "a=good.txt", "--testset", "no.jsonl"), "no test set 'no.jsonl'"),
        (("--systems", "a=good.txt", *COMMON, "--glossary", "none.csv"), "none.csv"),
        (("--systems", "a=good.txt", *COMMON, "--resamples", "3"), "resamples must be 100 or more"),
    ],
)
def test_what_a_user_can_put_right_is_one_line(
    files: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    Path("short.txt").write_text("x\n")
    assert call("eval", *arguments) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("medloop: ")]
    assert message in line


def test_output_in_the_wrong_language_is_warned_of(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = load_testset("bundled", limit=30).pairs
    Path("english.txt").write_text("".join(pair.source.text + "\n" for pair in pairs))
    assert call("eval", "--systems", "a=english.txt", *COMMON) == 0
    assert "warning: english.txt looks like en, not pt" in capsys.readouterr().err
