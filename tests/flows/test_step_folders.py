"""Steps are done once, go on after a kill, and never spoil each other."""

from __future__ import annotations

import dataclasses
import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.errors import OutputError
from flows.step_folders import MARK, DiskFullError, LockedError, StepFolders, digest, locked

# Three steps of forty records each; the middle one goes on from its last record, as generation does.
CHAIN = """
import sys, time
from pathlib import Path
from flows.step_folders import StepFolders
folders = StepFolders(Path(sys.argv[1]))

def first(work):
    for number in range(40):
        with (work / "a.txt").open("a") as stream:
            stream.write(f"{number}\\n")
        time.sleep(0.002)

def second(work):
    path = work / "b.txt"
    path.touch()
    whole = path.read_text().rpartition("\\n")[0]
    lines = whole.split("\\n") if whole else []
    path.write_text("".join(f"{line}\\n" for line in lines))
    for line in (one.folder / "a.txt").read_text().split()[len(lines):]:
        with path.open("a") as stream:
            stream.write(f"{int(line) * 2}\\n")
        time.sleep(0.002)

def third(work):
    (work / "sum.txt").write_text(str(sum(map(int, (two.folder / "b.txt").read_text().split()))))
    time.sleep(0.02)

one = folders.run("first", {"seed": 1}, first)
two = folders.run("second", {"numbers": one}, second, resumes=True)
folders.run("third", {"numbers": two}, third)
"""


def write(text: str, calls: list[str]):  # type: ignore[no-untyped-def]
    def work(folder: Path) -> None:
        calls.append(text)
        (folder / "out.txt").write_text(text, encoding="utf-8")

    return work


def test_what_is_complete_is_not_done_again(tmp_path: Path) -> None:
    calls: list[str] = []
    folders = StepFolders(tmp_path)
    first = folders.run("write", {"n": 1}, write("x", calls))
    again = folders.run("write", {"n": 1}, write("x", calls))
    other = folders.run("write", {"n": 2}, write("y", calls))
    assert (first.folder, first.reused, again.reused) == (again.folder, False, True)
    assert other.folder != first.folder
    assert calls == ["x", "y"]


def test_names_depend_on_content_not_on_place_or_time(tmp_path: Path) -> None:
    for folder, text in (("a", "same"), ("b", "same"), ("c", "other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pairs.jsonl").write_text(text, encoding="utf-8")
    os.utime(tmp_path / "b" / "pairs.jsonl", (1, 1))  # a clock that jumped
    names = [digest("step", {"pairs": tmp_path / folder / "pairs.jsonl"}) for folder in "abc"]
    assert names[0] == names[1] != names[2]


def test_a_clock_that_jumps_back_while_a_step_works_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, calls = StepFolders(tmp_path), list[str]()

    def work(folder: Path) -> None:
        write("x", calls)(folder)
        monkeypatch.setattr("time.time", lambda: 0.0)

    done = folders.run("write", {"n": 1}, work)
    assert 0 <= done.seconds < 60
    assert folders.run("write", {"n": 1}, work) == dataclasses.replace(done, reused=True)


def test_a_damaged_result_is_done_again_and_said_so(tmp_path: Path) -> None:
    calls: list[str] = []
    folders = StepFolders(tmp_path)
    done = folders.run("write", {}, write("x", calls))
    (done.folder / "out.txt").write_text("z", encoding="utf-8")
    again = folders.run("write", {}, write("x", calls))
    assert (again.reused, again.note, calls) == (False, "out.txt is not what was written", ["x", "x"])
    (done.folder / MARK).write_text("{", encoding="utf-8")
    assert folders.run("write", {}, write("x", calls)).note == "has no readable mark of completion"


def test_two_at_once_are_told_who_is_first(tmp_path: Path) -> None:
    with (
        locked(tmp_path / ".one.lock", "train"),
        pytest.raises(LockedError, match=rf"train: another run is at it \(process {os.getpid()} on "),
        locked(tmp_path / ".one.lock", "train"),
    ):
        pass


def test_a_full_disk_names_the_step_and_leaves_what_is_complete(tmp_path: Path) -> None:
    folders = StepFolders(tmp_path)
    before = folders.run("write", {}, write("x", []))

    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DiskFullError, match=r"filter: the disk of .* is full \(\d+ MB free\); make room"):
        folders.run("filter", {}, full)

    def wrapped(_: Path) -> None:
        raise OutputError("cannot write x: No space left on device")

    with pytest.raises(DiskFullError):
        folders.run("filter", {}, wrapped)
    assert folders.run("write", {}, write("x", [])).folder == before.folder
    assert not folders.path("filter", {}).exists()


def chain(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHAIN, str(root)], cwd=Path(__file__).resolve().parents[2])


def results(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.glob("*/*.txt"))
        if not path.parent.name.startswith(".")
    }


def test_killed_at_ten_points_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    assert chain(tmp_path / "calm").wait() == 0
    expected = results(tmp_path / "calm")
    points = random.Random(7)
    kills = 0
    for number in range(10):
        root = tmp_path / f"killed-{number}"
        process = chain(root)
        deadline = time.monotonic() + 20
        while not root.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(points.uniform(0, 0.35))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        assert chain(root).wait() == 0
        assert results(root) == expected
    assert kills >= 5
    assert list(expected) == sorted(expected)
    assert len(expected) == 3
    assert next(text for name, text in expected.items() if name.startswith("third")) == str(
        sum(range(40)) * 2
    )
