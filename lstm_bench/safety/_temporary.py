"""Temporary folders that do not outlive their process by long, however it ends.

Each is locked while its process lives; the system gives the lock back at any end, `kill -9`
included. Whoever makes one first removes those of the same name that nobody holds.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing.util
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lstm_bench.errors import StoreError

try:
    import fcntl
except ImportError:  # not POSIX: nothing is locked, so nothing that is left over is removed
    fcntl = None  # type: ignore[assignment]

PREFIX = "lstm-bench-"
"""How folders in the system's temporary folder begin."""
MARK, MARKED = (
    ".temporary",
    "a temporary folder of lstm-bench, which removes it when nobody uses it\n",
)
"""The file, and its text, by which these folders are known from those of others."""
LONGEST_FOR_SOCKETS = 103 - len("/listener-12345678")
"""Bytes of the path of a folder for sockets: macOS takes 103 in all, Linux 107."""
SHORT = "/tmp"


@contextlib.contextmanager
def temporary_folder_in(place: Path, prefix: str) -> Iterator[Path]:
    """Yields a new empty folder in `place`, called `prefix` and some letters; removes it after use.

    Those that a killed process left there are removed first. Raises `OSError` where `place` cannot
    be written.
    """
    remove_abandoned_folders(place, prefix)
    made, lock = _locked(place, prefix)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yields a new empty folder in the system's temporary folder; removes it after use."""
    with disk_errors_reported():
        made = Path(tempfile.mkdtemp(dir=process_folder()))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def disk_errors_reported() -> Iterator[None]:
    """Turns what a full or unusable temporary folder raises into a `StoreError` that names it."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        place = Path(tempfile.gettempdir())  # in a worker, the folder of the sweep's process
        place = place.parent if place.name.startswith(PREFIX) else place
        raise StoreError(
            f"temporary folder: {place} must have room and be writable, but "
            f"{reason[:1].lower()}{reason[1:]}; free some space there, or set the environment "
            "variable TMPDIR to another folder"
        ) from error


def process_folder() -> Path:
    """Returns this process's own folder in the system's temporary folder, made when first needed.

    It is removed when the process ends. Raises `OSError` where it cannot be made.
    """
    return _process_folder(os.getpid(), tempfile.gettempdir())


def socket_folder() -> Path:
    """Returns a folder of this process for sockets, whose paths must be short.

    It is `process_folder`, or where that has too long a path one in /tmp.
    """
    own = process_folder()
    if len(os.fsencode(own)) <= LONGEST_FOR_SOCKETS:
        return own
    return _process_folder(os.getpid(), SHORT)


@functools.cache
def _process_folder(process: int, place: str) -> Path:
    """Returns the folder of `process` in `place`: one that was forked does not use its parent's."""
    until_exit = contextlib.ExitStack()
    made = until_exit.enter_context(temporary_folder_in(Path(place), PREFIX))
    # Run at the end of workers too, which end without Python's own exit handlers.
    multiprocessing.util.Finalize(None, until_exit.close, exitpriority=-200)
    return made


def _locked(place: Path, prefix: str) -> tuple[Path, int | None]:
    """Returns a new folder, and the descriptor that keeps it locked, where there are locks."""
    while True:
        made = Path(tempfile.mkdtemp(dir=place, prefix=prefix))
        if fcntl is None:
            return made, None
        lock = os.open(made, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (made / MARK).write_text(MARKED)
        except (BlockingIOError, FileNotFoundError):
            os.close(lock)  # another process has taken it for an abandoned one just before
            continue
        except OSError:
            try:  # a file system without locks is no fault
                (made / MARK).write_text(MARKED)
            except OSError:  # but one without room is
                os.close(lock)
                shutil.rmtree(made, ignore_errors=True)
                raise
        return made, lock


def remove_abandoned_folders(place: Path, prefix: str) -> None:
    """Removes the folders in `place` that `folder_in` made with `prefix` and that nobody holds.

    They are known by their names, and by a file in them: a folder of the user's that is called
    alike stays.
    """
    if fcntl is None:
        return
    ours = re.compile(rf"{re.escape(prefix)}[a-z0-9_]{{8}}")
    with contextlib.suppress(OSError):
        for each in os.scandir(place):
            if ours.fullmatch(each.name) and each.is_dir(follow_symlinks=False):
                _remove_if_abandoned(Path(each.path))


def _remove_if_abandoned(path: Path) -> None:
    try:
        if (path / MARK).read_text() != MARKED:
            return
        lock = os.open(path, os.O_RDONLY)
    except (OSError, ValueError):  # not one of ours, or another user's
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # its process lives, or there are no locks here
        pass
    finally:
        os.close(lock)
