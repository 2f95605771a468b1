"""Kills, signals, full disks and damaged checkpoints: what happens to sweeps.

Each function takes a place whose sweep has not ended, disturbs it, and returns how often it did.
Afterwards the sweep can be run to its end.
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

from .ends import model_files
from .sessions import (
    LATEST,
    Place,
    ended,
    fork_server,
    has,
    kill_group,
    wait_for_work,
    wait_for_workers,
    workers,
)

WRITING = (
    "write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat,rmdir,"
    "ftruncate,fsync,fdatasync"
)
"""System calls that leave something behind."""


def traced(place: Place) -> tuple[str, ...]:
    """Returns the command that has the system calls of a session written to a file."""
    return ("strace", "-q", "-ttt", "-o", str(place.root / "calls"), "-e", f"trace={WRITING}")


@dataclass(frozen=True)
class Call:
    """A system call of a session: the number-th of its name, and when it was made, in seconds."""

    name: str
    number: int
    time: float


def calls(place: Place) -> list[Call]:
    """Returns the system calls of a session that was `traced`."""
    seen: Counter[str] = Counter()
    found = []
    for line in (place.root / "calls").read_text(errors="replace").splitlines():
        time_, _, call = line.partition(" ")
        name = call.partition("(")[0]
        if name.isidentifier():
            seen[name] += 1
            found.append(Call(name, seen[name], float(time_)))
    return found


def one_of(made: list[Call], chance: random.Random, share: float = 1.0) -> Call:
    """Returns one of the calls that a session `made` in the first `share` of its time.

    Each moment is as likely, not each call: most of these come while MLflow makes its tables.
    """
    moment = chance.uniform(made[0].time, made[0].time + share * (made[-1].time - made[0].time))
    return next(call for call in made if call.time >= moment)


def killed_at_a_call(place: Place, call: Call) -> int:
    """Kills a session, with its workers, as its driver makes one system call."""
    name, number = call.name, call.number
    inject = f"inject={name}:signal=KILL:when={number}"
    process = place.start(("strace", "-q", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject))
    try:
        code = process.wait(timeout=LATEST)
    finally:
        kill_group(process)
    if code != 0:  # not killed before it came so far
        assert code == -signal.SIGKILL, f"exit {code} at {call}: {place.said()}"
    return int(code != 0)


def killed(place: Place, chance: random.Random) -> int:
    """Kills a session with its workers while it works."""
    process = place.start()
    at_work = wait_for_work(process, place, chance)
    kill_group(process)
    return int(at_work)


def killed_workers(place: Place, chance: random.Random, times: int) -> int:
    """Kills one worker after the other while a session works, and lets it end."""
    process, count = place.start(), 0
    while count < times and wait_for_workers(process):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0, 1.5))
        found = workers(process)
        if found:
            with contextlib.suppress(psutil.Error):
                chance.choice(found).kill()
                count += 1
    ended(process)
    place.check()
    return count


def killed_fork_server(place: Place, chance: random.Random) -> int:
    """Kills the process that workers are forked from while a session works, and lets it end."""
    process = place.start()
    wait_for_workers(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=chance.uniform(0, 2))
    server, count = fork_server(process), 0
    if server is not None:
        server.kill()
        count = 1
    ended(process)
    place.check()
    return count


def signalled(place: Place, chance: random.Random, number: signal.Signals) -> int:
    """Sends the driver of a session a signal while it works; it must end by itself."""
    process = place.start()
    at_work = wait_for_work(process, place, chance)
    process.send_signal(number)
    ended(process, 60)
    place.check()
    return int(at_work)


def can_mount() -> bool:
    """Returns whether a file system may be mounted here, seen by nobody else."""
    if not has("unshare"):
        return False
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=60k", "none", "/mnt"]
    return subprocess.run(words, capture_output=True).returncode == 0


def without_temporary_room(place: Place) -> int:
    """Runs a session with 60 kB for temporary files: it may fail, and then has to say why."""
    mount = f"mount -t tmpfs -o size=60k none {shlex.quote(str(place.temporary))}"
    process = place.start(("unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh"))
    _refused(place, ended(process))
    return 1


def without_room(place: Place, size: str) -> int:
    """Runs a session on a disk of a size that it fills; what it left is then on a larger one."""
    disk, kept = place.root / "disk", place.root / "kept"
    disk.mkdir()
    quoted = {name: shlex.quote(str(path)) for name, path in
              (("here", place.here), ("disk", disk), ("kept", kept))}  # fmt: skip
    # The disk's files are copied out: a mount that nobody else sees ends with its processes.
    script = (
        "mount -t tmpfs -o size={size} none {disk} && cp -a {here}/. {disk} && "
        'mount --bind {disk} {here} && cd {here} && "$@"; code=$?; '
        "cp -a {disk}/. {kept}; exit $code"
    ).format(size=size, **quoted)
    kept.mkdir()
    process = place.start(("unshare", "-rm", "sh", "-c", script, "sh"))
    code = ended(process)
    assert code != 0, "the disk was not full"
    _refused(place, code)
    shutil.rmtree(place.here)
    kept.rename(place.here)
    return 1


def _refused(place: Place, code: int) -> None:
    place.check()
    assert code in (0, 1, 2), f"exit {code}: {place.said()}"
    assert code == 0 or place.said().strip(), f"exit {code} without a word"


def interrupted_with_checkpoints(place: Place) -> int:
    """Kills a session once it has kept seeds of recipes that have not ended; returns how many."""
    path = place.here / "mlartifacts" / "seeds.db"
    process, count = place.start(), 0
    deadline = time.monotonic() + LATEST
    while not count and process.poll() is None and time.monotonic() < deadline:
        count = _checkpoints(path)
        time.sleep(0.005)
    kill_group(process)
    return _checkpoints(path)


def _checkpoints(path: Path) -> int:
    if not path.exists():
        return 0
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_opened(path)) as database:
        return int(database.execute("select count(*) from seeds").fetchone()[0])
    return 0


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=10, isolation_level=None)


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 3)


def _sql(query: str) -> Callable[[Path], None]:
    """Returns what runs a query on the checkpoints."""

    def damage(path: Path) -> None:
        with contextlib.closing(_opened(path)) as database:
            database.create_function("flipped", 1, _flipped)
            database.execute(query)
            database.execute("pragma wal_checkpoint(truncate)")

    return damage


def _flipped(blob: bytes) -> bytes:
    middle = len(blob) // 2
    return blob[:middle] + bytes([blob[middle] ^ 16]) + blob[middle + 1 :]


CHECKPOINTS: dict[str, Callable[[Path], None]] = {
    "cut": _sql("update seeds set outcome = substr(outcome, 1, length(outcome) / 2)"),
    "flipped": _sql("update seeds set outcome = flipped(outcome)"),
    "empty": _sql("update seeds set outcome = x''"),
    "null": _sql("update seeds set outcome = null"),
    "no table": _sql("drop table seeds"),
    "truncated": _cut,
}
"""Ways to damage the file of checkpoints."""


def without_models(place: Place, chance: random.Random) -> int:
    """Removes the networks of some finished recipes of a sweep that has ended."""
    files = sorted(model_files(place.here).values())
    gone = chance.sample(files, max(1, len(files) // 3))
    for path in gone:
        path.unlink()
    return len(gone)
