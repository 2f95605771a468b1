"""Seeds that have finished, of recipes that have not: what a kill must not lose.

One SQLite file for all sweeps. A seed is written in one transaction, by the process that heard of
it first, and is forgotten when its recipe's run in the store holds it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from lstm_bench.errors import StoreError

TABLE = """create table if not exists seeds (
    session text, recipe text, seed integer, outcome blob, primary key (session, recipe, seed)
)"""


class Ledger:
    """The finished seeds of one session of a sweep."""

    def __init__(self, path: Path, session: str) -> None:
        """`session` names the sweep's run in the store. Raises `StoreError` if `path` is unfit."""
        self.path = path
        self.session = session
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            # Commits at once; a killed process loses nothing that it has handed to the system.
            self._database = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = off")
            self._database.execute(TABLE)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def keep(self, recipe: str, seed: int, outcome: bytes) -> None:
        """Writes the outcome of one seed; what is there already stays."""
        with self._usable():
            row = (self.session, recipe, seed, outcome)
            self._database.execute("insert or ignore into seeds values (?, ?, ?, ?)", row)

    def kept(self, recipe: str) -> dict[int, bytes]:
        """Returns the finished seeds of `recipe`: seed -> outcome."""
        query = "select seed, outcome from seeds where session = ? and recipe = ? order by seed"
        with self._usable():
            return dict(self._database.execute(query, (self.session, recipe)).fetchall())

    def forget(self, recipe: str) -> None:
        """Deletes the seeds of `recipe`, which the store now holds."""
        with self._usable():
            gone = (self.session, recipe)
            self._database.execute("delete from seeds where session = ? and recipe = ?", gone)

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"artifacts: {self.path} must be a SQLite file that can be written, but {error}; "
                "move it away, or set another folder as `artifacts` in conf/default.yaml"
            ) from error


@contextlib.contextmanager
def alone(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Lets one process at a time be where `path` is locked; calls `waiting` before it waits.

    The system gives the lock back when a process ends, however it ends. Where it has no such locks
    nobody waits.
    """
    try:
        import fcntl
    except ImportError:  # not POSIX
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise StoreError(
            f"artifacts: {path.parent} must be a folder that can be written, but {error.strerror}; "
            "set another one as `artifacts` in conf/default.yaml"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
