"""A queue of writes to a store, which a thread carries out while the sweep goes on."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class _Write:
    call: Callable[[], object]
    done: Callable[[], None]


class WriteQueue:
    """Carries out writes in their order, in a separate thread, until one fails.

    The thread ends with the process, even in the middle of a write: as if the process was killed.
    """

    def __init__(self, check: Callable[[], None] = lambda: None) -> None:
        """`check` is called with every `poll`; an exception from it ends the queue."""
        self._check = check
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._failed = False
        self._put, self._ended = 0, 0
        self._thread: threading.Thread | None = None

    def put(self, write: Callable[[], object], done: Callable[[], None] = lambda: None) -> None:
        """Calls `write` in the thread, and later `done` in `poll`; nothing after a failure."""
        if self._failed:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True, name="store writer")
            self._thread.start()
        self._put += 1
        self._writes.put(_Write(write, done))

    @property
    def waiting(self) -> int:
        """The number of writes that have not ended."""
        return 0 if self._failed else self._put - self._ended

    @property
    def failed(self) -> bool:
        """Whether a write has failed, so that nothing more is written."""
        return self._failed

    def poll(self) -> None:
        """Calls `done` for all writes that have ended; raises the error of the first failure."""
        while not self._answers.empty():
            self._answers.get()()
        if self._failed:
            return
        try:
            if self._error is not None:
                raise self._error
            if self.waiting:
                self._check()
        except BaseException:
            self._failed = True
            raise

    def wait(self, seconds: float = float("inf"), tick: Callable[[], None] = lambda: None) -> bool:
        """Polls until all writes have ended, for at most `seconds`; returns whether they have.

        `tick` is called meanwhile.
        """
        deadline = time.monotonic() + seconds
        while True:
            ended = not self.waiting  # before polling, which then sees the last answer
            self.poll()
            if ended or time.monotonic() >= deadline:
                return not self.waiting
            tick()
            time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Ends the thread once everything has been written."""
        self._writes.put(None)

    def _run(self) -> None:
        while (write := self._writes.get()) is not None:
            try:
                if self._error is None:
                    write.call()
                    self._answers.put(write.done)
            except BaseException as error:
                self._error = error
            self._ended += 1
