"""Sweeps in processes of their own, which are to be disturbed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .verdict import TRACEBACK

SEARCH = """\
title: Disturbed
task: memory
seeds: 4
units: 4
recipes:
  A1: {epochs: 30}
search:
  trials: 8
  startup: 4
  confirm: 1
  ablate: A1
  space:
    epochs: {int: [20, 60]}
    learning_rate: {float: [1.0e-3, 1.0e-1], log: true}
    stateful: [true, false]
    batch_size: [1, 4]
"""
FIXED = """\
title: Disturbed
task: memory
seeds: 4
units: 4
recipes:
  A1: {epochs: 20}
  A2: {base: A1, epochs: 60}
"""
LATEST = 180
"""Seconds that a session may take, on a machine with other work."""
COMMAND = (sys.executable, "-m", "lstm_bench", "sweep", "disturbed.yaml", "--json")


@dataclass(frozen=True)
class Place:
    """Folders of one sweep below `root`: the one it works in, and the one for temporary files."""

    root: Path

    @property
    def here(self) -> Path:
        return self.root / "here"

    @property
    def temporary(self) -> Path:
        return self.root / "t"  # short: a socket lies in it, whose name may have 107 letters

    @property
    def printed(self) -> Path:
        return self.root / "stdout"

    @property
    def told(self) -> Path:
        return self.root / "stderr"

    def start(self, before: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Starts the sweep, by way of the command `before`, in a process group of its own."""
        with self.printed.open("wb") as out, self.told.open("wb") as err:
            return subprocess.Popen(
                [*before, *COMMAND],
                cwd=self.here,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "TMPDIR": str(self.temporary)},
                start_new_session=True,
            )

    def finish(self, before: Sequence[str] = ()) -> None:
        """Runs the sweep to its end, which must be a success."""
        process = self.start(before)
        code = ended(process)
        assert code == 0, f"exit {code}: {self.said()}"

    def said(self) -> str:
        """Returns the end of what the latest session told people."""
        return self.told.read_text(errors="replace")[-1500:]

    def check(self) -> None:
        """Fails where the latest session ended with a traceback."""
        assert TRACEBACK not in self.told.read_bytes(), f"traceback: {self.said()}"


def new_place(root: Path, sweep: str = SEARCH) -> Place:
    """Returns a place with a sweep file and two workers."""
    place = Place(root)
    place.temporary.mkdir(parents=True)
    (place.here / "conf").mkdir(parents=True)
    (place.here / "conf" / "default.yaml").write_text("workers: 2\n")
    (place.here / "disturbed.yaml").write_text(sweep)
    return place


def ended(process: subprocess.Popen[bytes], seconds: float = LATEST) -> int:
    """Returns the exit code of a session; fails where it hangs, or leaves processes behind."""
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)
        raise AssertionError(f"hang: the session was still there after {seconds:.0f} s") from None
    deadline = time.monotonic() + 15
    while (left := group(process)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if left:
        kill_group(process)
        raise AssertionError(f"left behind: {len(left)} processes, like {left[0]}")
    return code


def group(process: subprocess.Popen[bytes]) -> list[str]:
    """Returns the command lines of the processes in a session's group."""
    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            alive = each.status() != psutil.STATUS_ZOMBIE
            if alive and os.getpgid(each.pid) == process.pid:
                found.append(" ".join(each.cmdline())[:200])
    return found


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kills a session with all of its workers, as a system does that loses its power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def fork_server(process: subprocess.Popen[bytes]) -> psutil.Process | None:
    """Returns the process that a session's workers are forked from, if it is there."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            if "forkserver" in " ".join(child.cmdline()) and child.ppid() == process.pid:
                return child
    return None


def workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Returns a session's workers, in order of age."""
    server = fork_server(process)
    if server is None:
        return []
    with contextlib.suppress(psutil.Error):
        return sorted(server.children(), key=lambda each: each.create_time())
    return []


def wait_for_work(process: subprocess.Popen[bytes], place: Place, chance: random.Random) -> bool:
    """Returns after a seed was kept and a little time has passed: whether the session is at it.

    A disturbance during the first seconds, which are imports, would be no test.
    """
    log = place.here / "mlartifacts" / "seeds.db-wal"

    def stamp() -> int:
        return log.stat().st_mtime_ns if log.exists() else 0

    before, deadline = stamp(), time.monotonic() + LATEST
    while stamp() == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=chance.uniform(0, 2.5))
    return process.poll() is None


def wait_for_workers(process: subprocess.Popen[bytes]) -> bool:
    """Returns once a worker is there: whether the session is still at work."""
    deadline = time.monotonic() + LATEST
    while not workers(process) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return process.poll() is None


def has(program: str) -> bool:
    """Returns whether a program can be run here."""
    return shutil.which(program) is not None
