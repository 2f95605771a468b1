"""Kills, signals, full disks and damaged checkpoints during sweeps.

Each function takes the folder of an unfinished sweep, disturbs the sweep, and returns how often it
did. Afterwards the sweep can be run to its end.
"""

from __future__ import annotations

import contextlib
import random
import shlex
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from .results import model_files
from .sessions import (
    TIMEOUT,
    SweepFolder,
    exit_code,
    fork_server,
    is_installed,
    kill_group,
    wait_for_work,
    wait_for_workers,
    workers,
)

WRITING = (
    "write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat,rmdir,"
    "ftruncate,fsync,fdatasync"
)
"""System calls that change files."""


def tracer(sweep_folder: SweepFolder) -> tuple[str, ...]:
    """Returns the command that writes the system calls of a session to a file."""
    return (
        "strace",
        "-q",
        "-ttt",
        "-o",
        str(sweep_folder.root / "calls"),
        "-e",
        f"trace={WRITING}",
    )


@dataclass(frozen=True)
class Call:
    """A system call of a session: its name, its number among those of this name, its time (s)."""

    name: str
    number: int
    time: float


def calls(sweep_folder: SweepFolder) -> list[Call]:
    """Returns the system calls of a session that ran under `tracer`."""
    counts: Counter[str] = Counter()
    result = []
    for line in (sweep_folder.root / "calls").read_text(errors="replace").splitlines():
        time_, _, call = line.partition(" ")
        name = call.partition("(")[0]
        if name.isidentifier():
            counts[name] += 1
            result.append(Call(name, counts[name], float(time_)))
    return result


def random_call(calls: list[Call], rng: random.Random, share: float = 1.0) -> Call:
    """Returns a random one of the calls in the first `share` of a session.

    Every moment is equally likely, not every call: most calls are made while MLflow creates tables.
    """
    start, end = calls[0].time, calls[-1].time
    moment = rng.uniform(start, start + share * (end - start))
    return next(call for call in calls if call.time >= moment)


def kill_at_call(sweep_folder: SweepFolder, call: Call) -> int:
    """Kills a session with its workers when its driver makes one system call."""
    name, number = call.name, call.number
    inject = f"inject={name}:signal=KILL:when={number}"
    process = sweep_folder.start(
        ("strace", "-q", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject)
    )
    try:
        code = process.wait(timeout=TIMEOUT)
    finally:
        kill_group(process)
    if code != 0:  # with 0, the session ended before this call
        assert code == -signal.SIGKILL, f"exit {code} at {call}: {sweep_folder.stderr_tail()}"
    return int(code != 0)


def kill(sweep_folder: SweepFolder, rng: random.Random) -> int:
    """Kills a session with its workers while it is training."""
    process = sweep_folder.start()
    running = wait_for_work(process, sweep_folder, rng)
    kill_group(process)
    return int(running)


def kill_workers(sweep_folder: SweepFolder, rng: random.Random, times: int) -> int:
    """Kills one worker after another during a session, which must still end."""
    process, count = sweep_folder.start(), 0
    while count < times and wait_for_workers(process):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=rng.uniform(0, 1.5))
        running = workers(process)
        if running:
            with contextlib.suppress(psutil.Error):
                rng.choice(running).kill()
                count += 1
    exit_code(process)
    sweep_folder.check()
    return count


def kill_fork_server(sweep_folder: SweepFolder, rng: random.Random) -> int:
    """Kills the process that forks the workers during a session, which must still end."""
    process = sweep_folder.start()
    wait_for_workers(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=rng.uniform(0, 2))
    server, count = fork_server(process), 0
    if server is not None:
        server.kill()
        count = 1
    exit_code(process)
    sweep_folder.check()
    return count


def send_signal(sweep_folder: SweepFolder, rng: random.Random, number: signal.Signals) -> int:
    """Sends a signal to the driver of a session while it is training; it must end by itself."""
    process = sweep_folder.start()
    running = wait_for_work(process, sweep_folder, rng)
    process.send_signal(number)
    exit_code(process, 60)
    sweep_folder.check()
    return int(running)


def can_mount() -> bool:
    """Returns whether a file system can be mounted in a private namespace."""
    if not is_installed("unshare"):
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=60k", "none", "/mnt"]
    return subprocess.run(command, capture_output=True).returncode == 0


def fill_temporary_folder(sweep_folder: SweepFolder) -> int:
    """Runs a session with 60 kB for temporary files; if it fails, it must say why."""
    mount = f"mount -t tmpfs -o size=60k none {shlex.quote(str(sweep_folder.temporary))}"
    process = sweep_folder.start(("unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh"))
    _check_refusal(sweep_folder, exit_code(process))
    return 1


def fill_disk(sweep_folder: SweepFolder, size: str) -> int:
    """Runs a session on a disk that it fills, and copies its files to a larger disk."""
    disk, copy = sweep_folder.root / "disk", sweep_folder.root / "copy"
    disk.mkdir()
    quoted = {name: shlex.quote(str(path)) for name, path in
              (("folder", sweep_folder.folder), ("disk", disk), ("copy", copy))}  # fmt: skip
    # The files are copied from the disk, because a private mount ends with its processes.
    script = (
        "mount -t tmpfs -o size={size} none {disk} && cp -a {folder}/. {disk} && "
        'mount --bind {disk} {folder} && cd {folder} && "$@"; code=$?; '
        "cp -a {disk}/. {copy}; exit $code"
    ).format(size=size, **quoted)
    copy.mkdir()
    process = sweep_folder.start(("unshare", "-rm", "sh", "-c", script, "sh"))
    code = exit_code(process)
    assert code != 0, "the disk was not full"
    _check_refusal(sweep_folder, code)
    shutil.rmtree(sweep_folder.folder)
    copy.rename(sweep_folder.folder)
    return 1


def _check_refusal(sweep_folder: SweepFolder, code: int) -> None:
    """Fails if a session crashed, or failed without a message."""
    sweep_folder.check()
    assert code in (0, 1, 2), f"exit {code}: {sweep_folder.stderr_tail()}"
    assert code == 0 or sweep_folder.stderr_tail().strip(), f"exit {code} without a message"


def kill_after_checkpoint(sweep_folder: SweepFolder) -> int:
    """Kills a session after its first checkpoints; returns the number of checkpoints."""
    path = sweep_folder.folder / "mlartifacts" / "seeds.db"
    process, count = sweep_folder.start(), 0
    deadline = time.monotonic() + TIMEOUT
    while not count and process.poll() is None and time.monotonic() < deadline:
        count = _checkpoints(path)
        time.sleep(0.005)
    kill_group(process)
    return _checkpoints(path)


def _checkpoints(path: Path) -> int:
    """Returns the number of checkpoints in a file."""
    if not path.exists():
        return 0
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_connect(path)) as database:
        return int(database.execute("select count(*) from seeds").fetchone()[0])
    return 0


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=10, isolation_level=None)


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def _sql(query: str) -> Callable[[Path], None]:
    """Returns a function that runs a query on the file of checkpoints."""

    def damage(path: Path) -> None:
        with contextlib.closing(_connect(path)) as database:
            database.create_function("flipped", 1, _flipped)
            database.execute(query)
            database.execute("pragma wal_checkpoint(truncate)")

    return damage


def _flipped(blob: bytes) -> bytes:
    middle = len(blob) // 2
    return blob[:middle] + bytes([blob[middle] ^ 16]) + blob[middle + 1 :]


CHECKPOINT_DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut": _sql("update seeds set outcome = substr(outcome, 1, length(outcome) / 2)"),
    "flipped": _sql("update seeds set outcome = flipped(outcome)"),
    "empty": _sql("update seeds set outcome = x''"),
    "null": _sql("update seeds set outcome = null"),
    "no table": _sql("drop table seeds"),
    "truncated": _truncate,
}
"""Ways to damage the file of checkpoints."""


def remove_networks(sweep_folder: SweepFolder, rng: random.Random) -> int:
    """Removes the networks of a third of the finished recipes."""
    files = sorted(model_files(sweep_folder.folder).values())
    removed = rng.sample(files, max(1, len(files) // 3))
    for path in removed:
        path.unlink()
    return len(removed)
