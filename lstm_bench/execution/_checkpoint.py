"""Seeds that have finished, of recipes that have not: what a kill must not lose.

One SQLite file for all sweeps. A seed is written in one transaction, by the process that heard of
it first, and is forgotten when its recipe's run in the store holds it.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from lstm_bench.errors import StoreError

TABLE = """create table if not exists seeds (
    session text, recipe text, seed integer, outcome blob, digest blob,
    primary key (session, recipe, seed)
)"""


class Checkpoint:
    """The finished seeds of one session of a sweep."""

    def __init__(
        self, path: Path, session: str, notice: Callable[[str], None] = lambda _: None
    ) -> None:
        """`session` names the sweep's run in the store; `notice` is told what is found damaged.

        A file that is no sound database is moved aside. Raises `StoreError` if `path` is unfit.
        """
        self.path = path
        self.session = session
        self._notice = notice
        with self._usable():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._in_use = contextlib.ExitStack()
            if path.exists() and not _is_sound(path):
                with exclusive_lock(
                    Path(f"{path}.lock"), at_once=True
                ):  # no other sweep has it open
                    self._move_aside()
            self._in_use.enter_context(exclusive_lock(Path(f"{path}.lock"), shared=True))
            self._database = sqlite3.connect(path, timeout=60, isolation_level=None)
            # Each seed is on the disk before the next thing happens: a power cut loses running
            # seeds alone.
            self._database.execute("pragma journal_mode = wal")
            self._database.execute("pragma synchronous = full")
            self._database.execute("begin immediate")
            self._database.execute(TABLE)
            columns = self._database.execute("pragma table_info(seeds)").fetchall()
            if "digest" not in {column[1] for column in columns}:  # of an earlier version
                self._database.execute("alter table seeds add column digest blob")
            self._database.execute("commit")

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
        self._in_use.close()

    def keep(self, recipe: str, seed: int, outcome: bytes) -> None:
        """Writes the outcome of one seed; what is there already stays."""
        with self._usable():
            row = (self.session, recipe, seed, outcome, self._digest(recipe, seed, outcome))
            self._database.execute("insert or ignore into seeds values (?, ?, ?, ?, ?)", row)

    def kept(self, recipe: str) -> dict[int, bytes]:
        """Returns the finished seeds of `recipe`: seed -> outcome; damaged rows are dropped."""
        query = "select seed, outcome, digest from seeds where session = ? and recipe = ?"
        with self._usable():
            rows = self._database.execute(f"{query} order by seed", (self.session, recipe))
            found = rows.fetchall()
        kept = {}
        for seed, outcome, digest in found:
            sound = isinstance(outcome, bytes) and isinstance(seed, int)
            # Rows of earlier versions have no digest; whoever unpacks them will see.
            if sound and digest in (None, self._digest(recipe, seed, outcome)):
                kept[seed] = outcome
            else:
                self.drop(recipe, seed)
        return kept

    def drop(self, recipe: str, seed: int) -> None:
        """Deletes the row of a seed that cannot be read, and says so: it is run again."""
        with self._usable():
            row = (self.session, recipe, seed)
            query = "delete from seeds where session = ? and recipe = ? and seed is ?"
            self._database.execute(query, row)
        self._notice(f"seed {seed} of recipe {recipe} is damaged in {self.path}, and is run again")

    def forget(self, recipe: str) -> None:
        """Deletes the seeds of `recipe`, which the store now holds."""
        with self._usable():
            gone = (self.session, recipe)
            self._database.execute("delete from seeds where session = ? and recipe = ?", gone)

    def _digest(self, recipe: str, seed: int, outcome: bytes) -> bytes:
        key = f"{self.session}\n{recipe}\n{seed}\n".encode()
        return hashlib.sha256(key + outcome).digest()

    def _move_aside(self) -> None:
        """Renames a damaged file, with what SQLite keeps beside it, and says so."""
        numbers = (Path(f"{self.path}.damaged-{number}") for number in itertools.count(1))
        aside = next(path for path in numbers if not path.exists())
        for end in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{self.path}{end}").rename(f"{aside}{end}")
        self.path.rename(aside)
        self._notice(
            f"{self.path} is damaged and was renamed to {aside.name}; what it held of unfinished "
            "recipes is run again"
        )

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"artifacts: {self.path} must be a SQLite file that can be written, but {error}; "
                "move it away, or set another folder as `artifacts` in conf/default.yaml"
            ) from error


def _is_sound(path: Path) -> bool:
    """Returns whether a file is a SQLite database with nothing wrong in it, or empty."""
    if not path.is_file():
        return True  # a folder: for whoever opens it to refuse
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as database:
            return bool(database.execute("pragma quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # locked, or not to be read: that is no damage
        return True
    except (sqlite3.DatabaseError, ValueError):
        return False


@contextlib.contextmanager
def exclusive_lock(
    path: Path,
    waiting: Callable[[], None] = lambda: None,
    shared: bool = False,
    at_once: bool = False,
) -> Iterator[None]:
    """Lets one process at a time be where `path` is locked; calls `waiting` before it waits.

    With `shared` several may be there that are all `shared`. With `at_once` `StoreError` is raised
    in place of waiting.

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
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if at_once:
                raise StoreError(
                    f"artifacts: {path.with_suffix('')} is damaged, and another sweep uses it; "
                    "wait until that has ended, and run the same command again"
                ) from error
            waiting()
            fcntl.flock(file, kind)
        yield
