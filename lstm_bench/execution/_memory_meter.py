"""The memory of a worker process: what it shares with no other one, and what it can give back."""

from __future__ import annotations

import contextlib
import ctypes
import math
import time
from collections.abc import Callable


class MemoryMeter:
    """Measures the memory that this process shares with no other process, and releases some."""

    INTERVAL = 0.5  # seconds between two measurements: one takes 20 ms
    RELEASE_INTERVAL = 1.0  # seconds between two releases of free memory: one takes 1 to 15 ms

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self._measured_at = -math.inf
        self._released_at = time.monotonic()
        self._unshared_mb = 0.0
        self._trim: Callable[[int], object] = lambda _: None
        # Compiling frees much memory that glibc would keep. Systems without glibc have no such
        # function: there nothing is released.
        with contextlib.suppress(AttributeError, TypeError, OSError):
            self._trim = ctypes.CDLL(None).malloc_trim

    def release_free_memory(self) -> None:
        """Gives memory that is free back to the system, if that was not done a moment ago."""
        if time.monotonic() - self._released_at > self.RELEASE_INTERVAL:
            self._trim(0)
            self._released_at = time.monotonic()

    def unshared_mb(self) -> float:
        """Returns the MB of the last measurement, made after free memory was released."""
        if time.monotonic() - self._measured_at > self.INTERVAL:
            self._trim(0)
            self._unshared_mb = self._process.memory_full_info().uss / 2**20
            self._measured_at = time.monotonic()
        return self._unshared_mb
