"""Ctrl-C that is never lost.

Python raises KeyboardInterrupt in whatever code happens to run. In a finalizer or in the callback
of a weak reference it is only printed and then dropped, and a sweep would go on for hours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

MESSAGE = b"\ninterrupted: ending, which may take some seconds; Ctrl-C again ends at once\n\n"
"""Printed at once, because the interrupted code may take seconds to end."""


@contextlib.contextmanager
def record_interrupts() -> Iterator[Callable[[], None]]:
    """Yields a function that raises KeyboardInterrupt if Ctrl-C was pressed since the start.

    Ctrl-C also raises KeyboardInterrupt at once, as usual, and prints `MESSAGE`. Outside the main
    thread, or if the program has another handler, nothing changes, and the function does nothing.
    """
    interrupted = threading.Event()

    def handler(number: int, frame: FrameType | None) -> None:
        if not interrupted.is_set():
            with contextlib.suppress(OSError):  # nobody reads it
                os.write(2, MESSAGE)  # not by a stream, which may be in use at this moment
        interrupted.set()
        signal.default_int_handler(number, frame)

    def raise_if_interrupted() -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt

    install = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if install:
        signal.signal(signal.SIGINT, handler)
    try:
        yield raise_if_interrupted
    finally:
        if install:
            signal.signal(signal.SIGINT, signal.default_int_handler)
