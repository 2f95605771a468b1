"""A bounded cache whose values other processes can take over from files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

try:
    import fcntl
except ImportError:  # not POSIX: two processes may compute the same value, and both are right
    fcntl = None  # type: ignore[assignment]

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SharedCache(Generic[Key, Value]):
    """The latest `size` values that were computed, by key."""

    def __init__(self, name: str, size: int) -> None:
        """`name` begins the names of its files; keys are told apart by their `repr`."""
        self._name = name
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._folder: Path | None = None
        self._lock = threading.RLock()

    def share_in(self, folder: Path) -> None:
        """Keeps values in files of `folder` from now on, also those that are in memory.

        Processes that share the folder compute a value once: one computes it, the others wait.
        The files are pickled, so nobody else may write to the folder.
        """
        with self._lock:
            if folder == self._folder:
                return
            self._folder = folder
            for key, value in self._values.items():
                self._write(self._file(folder, key), value)

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """Returns the value of `key`, which is computed if it is not there."""
        with self._lock:
            if key not in self._values:
                self._values[key] = self._shared_value(key, compute)
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
            return self._values[key]

    def _shared_value(self, key: Key, compute: Callable[[], Value]) -> Value:
        if self._folder is None:
            return compute()
        file = self._file(self._folder, key)
        with _locked(file.with_suffix(".lock")):
            # A file that cannot be read, as its folder is gone or its disk full, is not there.
            with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
                value: Value = pickle.loads(file.read_bytes())
                return value
            computed = compute()
            self._write(file, computed)
            return computed

    def _file(self, folder: Path, key: Key) -> Path:
        return folder / f"{self._name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}"

    def _write(self, file: Path, value: Any) -> None:
        unfinished = file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            unfinished.write_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
            unfinished.replace(file)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Locks a file for this process, as far as it can be; the system unlocks it when it ends."""
    with contextlib.ExitStack() as until_exit:
        with contextlib.suppress(OSError):
            file = until_exit.enter_context(path.open("a"))
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
