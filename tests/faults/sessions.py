"""Sweeps in processes of their own, to be disturbed by the tests."""

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

from .violations import TRACEBACK

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
TIMEOUT = 180
"""Seconds that a session may take, on a machine with other load."""
COMMAND = (sys.executable, "-m", "lstm_bench", "sweep", "disturbed.yaml", "--json")


@dataclass(frozen=True)
class SweepFolder:
    """The folders and output files of one sweep, below `root`."""

    root: Path

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self.root / "work"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files; short, because a socket path has at most 107 bytes."""
        return self.root / "t"

    @property
    def stdout(self) -> Path:
        return self.root / "stdout"

    @property
    def stderr(self) -> Path:
        return self.root / "stderr"

    def start(self, wrapper: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Starts the sweep in its own process group; `wrapper` is a command that runs it."""
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            return subprocess.Popen(
                [*wrapper, *COMMAND],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "TMPDIR": str(self.temporary)},
                start_new_session=True,
            )

    def finish(self, wrapper: Sequence[str] = ()) -> None:
        """Runs the sweep to its end, which must be successful."""
        process = self.start(wrapper)
        code = exit_code(process)
        assert code == 0, f"exit {code}: {self.stderr_tail()}"

    def stderr_tail(self) -> str:
        """Returns the end of what the latest session wrote to stderr."""
        return self.stderr.read_text(errors="replace")[-1500:]

    def check(self) -> None:
        """Fails if the latest session ended with a traceback."""
        assert TRACEBACK not in self.stderr.read_bytes(), f"traceback: {self.stderr_tail()}"


def new_sweep_folder(root: Path, sweep: str = SEARCH) -> SweepFolder:
    """Returns a new folder with a sweep file and two workers."""
    sweep_folder = SweepFolder(root)
    sweep_folder.temporary.mkdir(parents=True)
    (sweep_folder.folder / "conf").mkdir(parents=True)
    (sweep_folder.folder / "conf" / "default.yaml").write_text("workers: 2\n")
    (sweep_folder.folder / "disturbed.yaml").write_text(sweep)
    return sweep_folder


def exit_code(process: subprocess.Popen[bytes], seconds: float = TIMEOUT) -> int:
    """Returns the exit code of a session; fails if it hangs, or leaves processes behind."""
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)
        raise AssertionError(f"hang: the session was still running after {seconds:.0f} s") from None
    deadline = time.monotonic() + 15
    while (left := group_members(process)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if left:
        kill_group(process)
        raise AssertionError(f"left behind: {len(left)} processes, e.g. {left[0]}")
    return code


def group_members(process: subprocess.Popen[bytes]) -> list[str]:
    """Returns the command lines of the processes in the group of a session."""
    commands = []
    for member in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            alive = member.status() != psutil.STATUS_ZOMBIE
            if alive and os.getpgid(member.pid) == process.pid:
                commands.append(" ".join(member.cmdline())[:200])
    return commands


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kills a session with all its workers at once, as in a power failure."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def fork_server(process: subprocess.Popen[bytes]) -> psutil.Process | None:
    """Returns the process that forks the workers of a session, or None."""
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            if "forkserver" in " ".join(child.cmdline()) and child.ppid() == process.pid:
                return child
    return None


def workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Returns the workers of a session, the oldest first."""
    server = fork_server(process)
    if server is None:
        return []
    with contextlib.suppress(psutil.Error):
        return sorted(server.children(), key=lambda worker: worker.create_time())
    return []


def wait_for_work(
    process: subprocess.Popen[bytes], sweep_folder: SweepFolder, rng: random.Random
) -> bool:
    """Waits for the first checkpoint of a seed and a little longer.

    Returns whether the session is still running. A disturbance during the first seconds, which are
    imports, would test nothing.
    """
    log = sweep_folder.folder / "mlartifacts" / "seeds.db-wal"

    def stamp() -> int:
        return log.stat().st_mtime_ns if log.exists() else 0

    before, deadline = stamp(), time.monotonic() + TIMEOUT
    while stamp() == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=rng.uniform(0, 2.5))
    return process.poll() is None


def wait_for_workers(process: subprocess.Popen[bytes]) -> bool:
    """Waits for the first worker; returns whether the session is still running."""
    deadline = time.monotonic() + TIMEOUT
    while not workers(process) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return process.poll() is None


def is_installed(program: str) -> bool:
    """Returns whether a program is installed."""
    return shutil.which(program) is not None
