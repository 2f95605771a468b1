"""Temporary folders that are removed after their process ends, however it ends.

A folder is locked while its process runs; the system releases the lock at any end of the process,
`kill -9` included. Before a new folder is created, unlocked ones with the same prefix are removed.
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
except ImportError:  # not POSIX: no folder is locked, so no abandoned one is removed
    fcntl = None  # type: ignore[assignment]

PREFIX = "lstm-bench-"
"""Prefix of the folders in the system's temporary folder."""
MARKER_NAME = ".temporary"
"""A file that marks a folder as one of ours."""
MARKER_TEXT = "a temporary folder of lstm-bench, which removes it when nobody uses it\n"
MAX_SOCKET_FOLDER = 103 - len("/listener-12345678")
"""Longest path of a folder for sockets, in bytes: macOS allows 103 in all, Linux 107."""
SHORT_PLACE = "/tmp"


@contextlib.contextmanager
def temporary_folder_in(place: Path, prefix: str) -> Iterator[Path]:
    """Yields a new empty folder in `place`, named `prefix` and random letters; removed after use.

    Folders that a killed process left there are removed first. Raises `OSError` if `place` is not
    writable.
    """
    remove_abandoned_folders(place, prefix)
    folder, lock = _locked_folder(place, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yields a new empty folder in the system's temporary folder; removed after use."""
    with disk_errors_reported():
        folder = Path(tempfile.mkdtemp(dir=process_folder()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def disk_errors_reported() -> Iterator[None]:
    """Converts the `OSError` of a full or unusable temporary folder to a `StoreError`."""
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
    """Returns the folder of this process in the system's temporary folder.

    It is created when first needed and removed when the process ends. Raises `OSError` if it cannot
    be created.
    """
    return _process_folder(os.getpid(), tempfile.gettempdir())


def socket_folder() -> Path:
    """Returns a folder of this process for sockets, whose paths must be short.

    It is `process_folder`, or a folder in /tmp if the path of that is too long.
    """
    folder = process_folder()
    if len(os.fsencode(folder)) <= MAX_SOCKET_FOLDER:
        return folder
    return _process_folder(os.getpid(), SHORT_PLACE)


@functools.cache
def _process_folder(process: int, place: str) -> Path:
    """Returns the folder of `process` in `place`: a forked process does not use its parent's."""
    until_exit = contextlib.ExitStack()
    folder = until_exit.enter_context(temporary_folder_in(Path(place), PREFIX))
    # Also run at the end of workers, which end without Python's exit handlers.
    multiprocessing.util.Finalize(None, until_exit.close, exitpriority=-200)
    return folder


def _locked_folder(place: Path, prefix: str) -> tuple[Path, int | None]:
    """Returns a new folder, and the file descriptor of its lock if the system has locks."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=place, prefix=prefix))
        if fcntl is None:
            return folder, None
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            (folder / MARKER_NAME).write_text(MARKER_TEXT)
        except (BlockingIOError, FileNotFoundError):
            os.close(lock)  # another process has just treated it as abandoned
            continue
        except OSError:
            try:  # a file system without locks can be used
                (folder / MARKER_NAME).write_text(MARKER_TEXT)
            except OSError:  # but a full one cannot
                os.close(lock)
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return folder, lock


def remove_abandoned_folders(place: Path, prefix: str) -> None:
    """Removes folders of `temporary_folder_in` with this `prefix` that no process uses any more.

    They are recognized by their names and by a file in them: a folder of the user's with a similar
    name stays.
    """
    if fcntl is None:
        return
    pattern = re.compile(rf"{re.escape(prefix)}[a-z0-9_]{{8}}")
    with contextlib.suppress(OSError):
        for entry in os.scandir(place):
            if pattern.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                _remove_if_abandoned(Path(entry.path))


def _remove_if_abandoned(path: Path) -> None:
    try:
        if (path / MARKER_NAME).read_text() != MARKER_TEXT:
            return
        lock = os.open(path, os.O_RDONLY)
    except (OSError, ValueError):  # not one of ours, or another user's
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except OSError:  # its process is running, or the system has no locks
        pass
    finally:
        os.close(lock)
