"""A file appears only when it is whole; whatever goes wrong, what was there before is untouched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from data.errors import OutputError
from data.files import atomic_write, atomic_write_bytes


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_text_is_written_as_given(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a.txt") as stream:
        stream.write("é\r\nb\n")
        assert names(tmp_path)[0].startswith(".a.txt.")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_bytes() == "é\r\nb\n".encode()
    assert names(tmp_path) == ["a.txt"]


def test_a_new_file_has_the_usual_mode_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.touch()
    old.chmod(0o640)
    umask = os.umask(0o022)
    try:
        for path in (old, new):
            with atomic_write(path) as stream:
                stream.write("x")
    finally:
        os.umask(umask)
    assert [path.stat().st_mode & 0o777 for path in (old, new)] == [0o640, 0o644]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "a.txt").write_text("before")

    def stopped_half_way() -> None:
        with atomic_write(tmp_path / "a.txt") as stream:
            stream.write("after" * 10_000)
            raise error

    with pytest.raises(type(error)):
        stopped_half_way()
    assert (tmp_path / "a.txt").read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_of_reading_in_the_block_is_not_called_one_of_writing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a.txt"):
        (tmp_path / "nowhere").read_text()


@pytest.mark.parametrize(
    ("place", "reason"),
    [("nowhere/a.txt", "No such file or directory"), (".", "Is a directory"), ("f/a.txt", "Not a directory")],
)
def test_a_place_that_cannot_be_written(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "f").touch()
    path = tmp_path / place
    with pytest.raises(OutputError) as caught, atomic_write(path):
        pass
    assert str(caught.value) == f"cannot write {path}: {reason}"


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OutputError) as caught, atomic_write(full) as stream:
        stream.write("x" * 100_000)
    assert str(caught.value) == "cannot write /dev/full: No space left on device"


def test_a_file_too_large_leaves_what_was_there(tmp_path: Path) -> None:
    """A file-size limit stands in for a disk that fills up half-way."""
    program = (
        "import resource, signal, sys\n"
        "from data.errors import OutputError\n"
        "from data.files import atomic_write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try:\n"
        "    with atomic_write(sys.argv[1]) as stream:\n"
        "        stream.write('x' * 1_000_000)\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    path = tmp_path / "a.txt"
    path.write_text("before")
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=False, cwd=Path.cwd()
    )
    assert done.stdout == f"cannot write {path}: File too large\n"
    assert done.stderr == ""
    assert path.read_text() == "before"
    assert names(tmp_path) == ["a.txt"]


def test_a_killed_run_leaves_no_half_file(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from data.files import atomic_write\n"
        "with atomic_write(sys.argv[1]) as stream:\n"
        "    stream.write('x' * 1_000_000)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "a.txt"
    done = subprocess.run([sys.executable, "-c", program, path], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("before")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with atomic_write(tmp_path / "link.txt") as stream:
        stream.write("after")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "after"


def test_pipes_and_devices_are_written_straight(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    with atomic_write_bytes(pipe) as stream:
        stream.write(b"5 mg")
    reader.join(timeout=10)
    assert received == [b"5 mg"]
    assert pipe.is_fifo()


def test_a_long_name_leaves_room_for_the_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 120 + ".txt")
    with atomic_write(path) as stream:
        stream.write("x")
    assert path.read_text() == "x"
