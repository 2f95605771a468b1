"""A checkpoint on disk of the finished seeds of recipes that have not finished yet.

It is one SQLite file for all sweeps. The process that drives a sweep writes each seed in its own
transaction, as soon as a worker reports it. The seeds of a recipe are removed once the recipe's run
in the store holds them.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lstm_bench.errors import StoreError

CREATE_TABLE = """create table if not exists seeds (
    session text, recipe text, seed integer, outcome blob, digest blob,
    primary key (session, recipe, seed)
)"""


class Checkpoint:
    """The finished seeds of one session of a sweep."""

    def __init__(
        self, path: Path, session: str, notice: Callable[[str], None] = lambda _: None
    ) -> None:
        """`session` is the id of the sweep's run in the store.

        `notice` is called with a message about anything that is damaged. A file that is not a valid
        database is renamed. Raises `StoreError` if `path` cannot be used.
        """
        self.path = path
        self.session = session
        self._notice = notice
        with self._store_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open_lock = contextlib.ExitStack()
            if path.exists() and not _is_intact(path):
                # Only if no other sweep has the file open.
                with file_lock(Path(f"{path}.lock"), fail_if_locked=True):
                    self._move_aside()
            self._open_lock.enter_context(file_lock(Path(f"{path}.lock"), shared=True))
            self._database = sqlite3.connect(path, timeout=60, isolation_level=None)
            # Every seed is on the disk before anything else happens: a power cut loses only the
            # seeds that are still running.
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.execute("begin immediate")
            self._database.execute(CREATE_TABLE)
            columns = self._database.execute("pragma table_info(seeds)").fetchall()
            if "digest" not in {column[1] for column in columns}:  # written by an earlier version
                self._database.execute("alter table seeds add column digest blob")
            self._database.execute("commit")

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
        self._open_lock.close()

    def save(self, recipe: str, seed: int, outcome: bytes) -> None:
        """Writes the outcome of one seed; an outcome that is already there stays."""
        with self._store_errors():
            row = (self.session, recipe, seed, outcome, self._digest(recipe, seed, outcome))
            self._database.execute("insert or ignore into seeds values (?, ?, ?, ?, ?)", row)

    def load(self, recipe: str) -> dict[int, bytes]:
        """Returns the finished seeds of `recipe`: seed -> outcome; drops damaged rows."""
        query = "select seed, outcome, digest from seeds where session = ? and recipe = ?"
        with self._store_errors():
            cursor = self._database.execute(f"{query} order by seed", (self.session, recipe))
            rows = cursor.fetchall()
        outcomes = {}
        for seed, outcome, digest in rows:
            valid = isinstance(outcome, bytes) and isinstance(seed, int)
            # Rows of earlier versions have no digest; damage in them shows when they are unpacked.
            if valid and digest in (None, self._digest(recipe, seed, outcome)):
                outcomes[seed] = outcome
            else:
                self.drop_damaged(recipe, seed)
        return outcomes

    def drop_damaged(self, recipe: str, seed: int) -> None:
        """Deletes the row of a seed that cannot be read, with a notice: the seed is run again."""
        with self._store_errors():
            row = (self.session, recipe, seed)
            query = "delete from seeds where session = ? and recipe = ? and seed is ?"
            self._database.execute(query, row)
        self._notice(f"seed {seed} of recipe {recipe} is damaged in {self.path}, and is run again")

    def remove(self, recipe: str, seeds: Iterable[int] | None = None) -> None:
        """Deletes the seeds of `recipe`, by default all of them, which the store now holds."""
        rows = (self.session, recipe)
        query = "delete from seeds where session = ? and recipe = ?"
        with self._store_errors():
            if seeds is None:
                self._database.execute(query, rows)
            else:
                self._database.execute("begin immediate")
                self._database.executemany(
                    f"{query} and seed = ?", [(*rows, seed) for seed in seeds]
                )
                self._database.execute("commit")

    def _digest(self, recipe: str, seed: int, outcome: bytes) -> bytes:
        key = f"{self.session}\n{recipe}\n{seed}\n".encode()
        return hashlib.sha256(key + outcome).digest()

    def _move_aside(self) -> None:
        """Renames a damaged file and the files that SQLite keeps next to it, with a notice."""
        candidates = (Path(f"{self.path}.damaged-{number}") for number in itertools.count(1))
        target = next(path for path in candidates if not path.exists())
        for suffix in ("-wal", "-shm"):
            # SQLite keeps these two only while the file is in use, or after a crash.
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").rename(f"{target}{suffix}")
        self.path.rename(target)
        self._notice(
            f"{self.path} is damaged and was renamed to {target.name}; the finished seeds of "
            "unfinished recipes that it held are run again"
        )

    @contextlib.contextmanager
    def _store_errors(self) -> Iterator[None]:
        """Turns the errors of SQLite and of the file system into a `StoreError`."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"artifacts: {self.path} must be a SQLite file that can be written, but {error}; "
                "move it away, or set another folder as `artifacts` in conf/default.yaml"
            ) from error


def _is_intact(path: Path) -> bool:
    """Returns whether a file is an undamaged SQLite database, or empty."""
    if not path.is_file():
        return True  # a folder is not damaged: opening it raises the error
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as database:
            return bool(database.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # locked or unreadable, which is not damage
        return True
    except (sqlite3.DatabaseError, ValueError):
        return False


@contextlib.contextmanager
def file_lock(
    path: Path,
    on_wait: Callable[[], None] = lambda: None,
    shared: bool = False,
    fail_if_locked: bool = False,
) -> Iterator[None]:
    """Locks the file `path` for one process at a time; calls `on_wait` before it has to wait.

    Several processes may hold a `shared` lock at the same time. With `fail_if_locked` it raises
    `StoreError` rather than wait.

    The operating system releases the lock when a process ends, even if it is killed. On a system
    without such locks nothing is locked and nobody waits.
    """
    try:
        import fcntl
    except ImportError:  # not a POSIX system
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
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if fail_if_locked:
                raise StoreError(
                    f"artifacts: {path.with_suffix('')} is damaged, and another sweep uses it; "
                    "wait until that has ended, and run the same command again"
                ) from error
            on_wait()
            fcntl.flock(file, kind)
        yield
