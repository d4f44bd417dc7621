"""The `translate` command as people call it: a process of its own, a tiny real model, and every bad input."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mt.models import find_model
from tests.tiny_marian import build_tiny_marian

pytestmark = pytest.mark.transformers
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDLOOP_HOME", str(tmp_path_factory.mktemp("home")))
        return find_model("en", "pt", str(build_tiny_marian(tmp_path_factory.mktemp("tiny")))).runnable


def run(*arguments: str | bytes, stdin: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    """Without the safety checks, which have a lot to say about a model that knows nothing."""
    return checked(*arguments, "--no-check", stdin=stdin, **options)


def checked(
    *arguments: str | bytes, stdin: bytes = b"", **options: object
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from mt.cli import main; main()", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, check=False, **options)  # type: ignore[call-overload,no-any-return]


def last_line(result: subprocess.CompletedProcess[bytes]) -> str:
    lines = result.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_text_in_translation_out(tiny: Path) -> None:
    result = run("Take 5 mg.\n\n  Rest.", "--model", str(tiny))
    assert result.returncode == 0, result.stderr
    assert result.stderr == b""
    first, blank, third = result.stdout.decode().removesuffix("\n").split("\n")
    assert first
    assert blank == ""
    assert third.startswith("  ")


def test_json_has_each_sentence_with_its_score(tiny: Path) -> None:
    result = run("--json", "--n-best", "2", "--model", str(tiny), stdin=b"Take 5 mg. Rest now.\n120/80\n")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(record["id"], record["source"]) for record in records] == [
        ("1", "Take 5 mg."),
        ("2", "Rest now."),
    ]
    assert all(record["score"] < 0 and len(record["alternatives"]) == 1 for record in records)


def test_lines_mode_keeps_the_count(tiny: Path) -> None:
    result = run("--lines", "--json", "--model", str(tiny), stdin=b"Take it. Rest.\nEat.\n")
    assert [json.loads(line)["source"] for line in result.stdout.splitlines()] == ["Take it. Rest.", "Eat."]


def test_a_lost_dose_never_passes_silently(tiny: Path) -> None:
    result = checked("Take 5 mg.", "--model", str(tiny))
    assert result.returncode == 0
    lines = result.stderr.decode().splitlines()
    assert any(line.startswith("translate: segment 1: critical ") for line in lines)
    assert lines[-1] == "translate: 1 of 1 segments need review"
    result = checked("Take 5 mg.", "--json", "--model", str(tiny))
    record = json.loads(result.stdout)
    assert record["needs_review"] is True
    assert "critical" in {finding["severity"] for finding in record["findings"]}
    assert result.stderr == b""


def test_a_glossary_is_enforced_or_says_why_not(tiny: Path, tmp_path: Path) -> None:
    glossary = tmp_path / "client.csv"
    glossary.write_text("source,target\nfever,febre\nrash,erupção\n", encoding="utf-8")
    result = run("A fever. Rest now.", "--json", "--model", str(tiny), "--glossary", str(glossary))
    first, second = [json.loads(line) for line in result.stdout.splitlines()]
    assert [use["source"] for use in first["terms"]["required"]] == ["fever"]
    [use] = first["terms"]["required"]
    assert ("febre" in first["target"].casefold()) == (use["state"] != "missing")
    assert first["needs_review"] == (use["state"] == "missing") == bool(use.get("reason"))
    assert second["terms"] == {"step": "no_terms"}
    result = run("A fever.", "--explain", "--model", str(tiny), "--glossary", str(glossary))
    assert 'segment 1: term "fever"' in result.stderr.decode()


def test_bad_terms_are_named_and_may_be_left_out(tiny: Path, tmp_path: Path) -> None:
    glossary = tmp_path / "client.csv"
    glossary.write_text("source,target\nfever,febre\n,erupção\n", encoding="utf-8")
    arguments = ["A rash.", "--model", str(tiny), "--glossary", str(glossary)]
    result = run(*arguments)
    assert result.returncode == 2
    assert last_line(result) == f"translate: {glossary}:3: has no source term"
    result = run(*arguments, "--skip-bad-terms")
    assert result.returncode == 0
    assert last_line(result) == f"translate: {glossary}:3: has no source term"


@pytest.mark.parametrize(
    "text", [b"", b"   \n\t\n", b"\x00\x01\x02\n", "😀🏥\n".encode(), "مرحبا\n".encode()]
)
def test_odd_text_passes(tiny: Path, text: bytes) -> None:
    result = run("--model", str(tiny), stdin=text)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(b"\n") == text.count(b"\n")
    if not text.strip(b" \n\t\x00\x01\x02"):
        assert result.stdout == text


def test_bytes_that_are_not_text_on_the_command_line_come_back(tiny: Path) -> None:
    result = run(b"\xff\xfe 120/80", "--model", str(tiny))
    assert result.returncode == 0, result.stderr
    assert result.stdout == b"\xff\xfe 120/80\n"


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["--to", "de", "Rest."], b"", "translate: no model translates en-de; available pairs: en-pt, pt-en"),
        (
            ["--model", "{tiny}"],
            b"Rest\xff.",
            "translate: standard input: not UTF-8: invalid start byte 0xff at byte offset 4",
        ),
        (
            ["--model", "{tiny}", "--input", "no.txt"],
            b"",
            "translate: no.txt: cannot be read (No such file or directory)",
        ),
        (["--model", "{tiny}", "--input", "README.pdf"], b"", "no document format for '.pdf'"),
        (["--model", "{tiny}", "--input", "README.md", "x"], b"", "TEXT and --input were both given"),
        (
            ["--model", "{tiny}", "--input", "docs"],
            b"",
            "is a folder; name a folder for the results with --output",
        ),
        (["--model", "{tiny}", "--output", "/proc/no/such", "x"], b"", "cannot write /proc/no/such"),
        (["--model", "{tiny}", "--output", "docs", "x"], b"", "--output docs is a folder; name a file"),
        (["--model", "{tiny}", "--resume", "x"], b"", "--resume continues a folder"),
        (["--model", "{tiny}", "--device", "tpu", "x"], b"", "no device 'tpu'; valid: auto, cpu, cuda"),
        (["--model", "{tiny}", "--beam", "0", "x"], b"", "beam size must be 1 or more, not 0"),
        (["--model", "{tiny}", "--post-edit", "x"], b"", "--post-edit is about terms; name a glossary"),
        (["--model", "{tiny}", "--memory", "m.jsonl", "x"], b"", "--memory shows examples to the LLM"),
        (["--model", "{tiny}", "--glossary", "no.csv", "x"], b"", "cannot read no.csv"),
        (["--model", "{tiny}", "--glossary", "README.md", "x"], b"", "not a termbase by its name"),
        (["--model", "{tiny}", "--frobnicate"], b"", "No such option: --frobnicate"),
    ],
)
def test_what_the_user_can_put_right(tiny: Path, arguments: list[str], stdin: bytes, message: str) -> None:
    result = run(*[argument.format(tiny=tiny) for argument in arguments], stdin=stdin)
    assert result.returncode == 2
    assert message in last_line(result)


def test_a_folder_keeps_its_tree_and_resumes(tiny: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "deep").mkdir(parents=True)
    (source / "a.txt").write_text("Take 5 mg.\n", encoding="utf-8")
    (source / "deep" / "b.tsv").write_text("1\tfever\n", encoding="utf-8")
    (source / "scan.pdf").write_bytes(b"%PDF")
    arguments = ["--model", str(tiny), "--input", str(source), "--output", str(target)]
    result = run(*arguments)
    assert result.returncode == 0, result.stderr
    assert last_line(result) == "translate: left out 1 files of other formats: .pdf"
    assert sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file()) == [
        "a.txt",
        "deep/b.tsv",
    ]
    (target / "a.txt").write_text("kept", encoding="utf-8")
    (target / "deep" / "b.tsv").unlink()
    run(*arguments, "--resume")
    assert (target / "a.txt").read_text(encoding="utf-8") == "kept"
    assert (target / "deep" / "b.tsv").exists()


def test_one_bad_file_of_a_folder_does_not_stop_the_others(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(b"ab\xffc\n")
    (tmp_path / "in" / "b.txt").write_text("Rest.\n", encoding="utf-8")
    result = run("--model", str(tiny), "--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"))
    assert result.returncode == 2
    assert "a.txt: not UTF-8: invalid start byte 0xff at byte offset 2" in result.stderr.decode()
    assert "1 of 2 files were not translated" in result.stderr.decode()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.txt"]


def test_a_killed_run_leaves_no_half_file(tiny: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "long.txt", tmp_path / "long.pt.txt"
    source.write_text(
        "The patient denies fever and cough. Take 5 mg once daily.\n" * 60_000, encoding="utf-8"
    )
    command = [sys.executable, "-c", "from mt.cli import main; main()"]
    command += ["--model", str(tiny), "--input", str(source), "--output", str(target)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not any(path.name.endswith(".part") for path in tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not target.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tiny: Path) -> None:
    result = run("--model", str(tiny), "--output", "/dev/full", "Rest.")
    assert result.returncode == 2
    assert last_line(result) == "translate: cannot write /dev/full: No space left on device"


def test_the_path_to_a_short_translation_imports_nothing_heavy(tiny: Path) -> None:
    code = (
        "import sys\nfrom mt.cli import app\nfrom typer.testing import CliRunner\n"
        f"assert CliRunner().invoke(app, ['Rest.', '--model', {str(tiny)!r}]).exit_code == 0\n"
        "heavy = {'torch', 'transformers', 'prefect', 'pydantic', 'openai', 'pandas', 'markdown_it'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert result.stdout == "[]\n"


def test_help_is_quick_and_light() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert b"--n-best" in result.stdout
    assert after.ru_utime - before.ru_utime < 1.0  # processor time, so that a busy machine does not matter
