"""Temporary folders: removed after use, or after a kill when the next one is created."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lstm_bench.errors import StoreError
from lstm_bench.safety import _temporary as temporary
from lstm_bench.safety._temporary import disk_errors_reported, temporary_folder, temporary_folder_in


def test_a_folder_exists_while_it_is_used(tmp_path):
    with temporary_folder_in(tmp_path, ".partial-") as folder:
        (folder / "x").write_text("x")
        assert folder.parent == tmp_path and folder.name.startswith(".partial-")
    assert list(tmp_path.iterdir()) == []


HOLD = """
import sys, time
from pathlib import Path
from lstm_bench.safety._temporary import temporary_folder_in
with temporary_folder_in(Path(sys.argv[1]), ".partial-") as folder:
    (folder / "large").write_text("x" * 1000)
    print("created", flush=True)
    time.sleep(600)
"""


def holder(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "created\n"
    return process


def test_folders_of_killed_processes_are_removed_and_those_of_running_ones_are_not(tmp_path):
    (tmp_path / ".partial-file0000").write_text("not a folder, so not one of ours")
    for name in (".partial-main", ".partial-research", ".partial-"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.txt").write_text("mine")
    (tmp_path / ".partial-link0000").symlink_to(tmp_path / ".partial-main")
    (tmp_path / ".partial-bare0000").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    killed, running = holder(tmp_path), holder(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == len(before) + 2
    with temporary_folder_in(tmp_path, ".partial-"):
        pass
    left = {path.name for path in tmp_path.iterdir()}
    assert before < left and len(left) == len(before) + 1  # and the running process's
    assert (tmp_path / ".partial-main" / "thesis.txt").read_text() == "mine"
    running.kill()
    running.communicate()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO, errno.ENOLCK, errno.EOPNOTSUPP, 45])
def test_a_folder_is_created_on_a_system_without_locks(tmp_path, monkeypatch, number):
    def refused(*_):
        raise OSError(number, "no locks here")

    monkeypatch.setattr("fcntl.flock", refused)
    with temporary_folder_in(tmp_path, ".partial-") as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_every_process_has_one_folder_that_is_removed_with_it(tmp_path):
    code = """
from lstm_bench.safety._temporary import temporary_folder
with temporary_folder() as a, temporary_folder() as b:
    assert a.parent == b.parent
    print(a.parent.name)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.startswith("lstm-bench-")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [30, 85, 120, 200])
def test_sockets_can_be_created_with_any_length_of_the_temporary_folder(tmp_path, length):
    place = tmp_path / ("x" * max(1, length - len(str(tmp_path)) - 1))
    place.mkdir()
    code = """
import socket
from lstm_bench.safety._temporary import process_folder, socket_folder
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(str(socket_folder() / "listener-abcdefgh"))
print(process_folder(), socket_folder())
"""
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(place)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    process_folder, socket_folder = map(Path, run.stdout.split())
    assert process_folder.parent == place
    assert not process_folder.exists() and not socket_folder.exists()


def test_the_error_of_a_full_temporary_folder_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "lstm-bench-abc"))
    with (
        pytest.raises(StoreError, match=rf"temporary folder: {tmp_path} must .* TMPDIR"),
        disk_errors_reported(),
    ):
        raise OSError(28, "No space left on device")


def test_the_error_of_a_missing_temporary_folder_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    monkeypatch.setattr(temporary, "process_folder", lambda: Path(tempfile.mkdtemp()))
    with pytest.raises(StoreError, match=r"temporary folder: .*gone must"), temporary_folder():
        raise AssertionError
