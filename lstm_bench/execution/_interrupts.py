"""Ctrl-C that is never lost.

Python raises KeyboardInterrupt wherever it happens to be. Where that is a finalizer or a callback
of a weak reference, it is printed and forgotten, and a sweep would go on for hours.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def remembered() -> Iterator[Callable[[], None]]:
    """Yields a function that raises KeyboardInterrupt if Ctrl-C has come in the meantime.

    Ctrl-C goes on raising at once as well. In a thread, or where somebody has a handler of their
    own, that is left alone and the function does nothing.
    """
    came = threading.Event()

    def handler(number: int, frame: FrameType | None) -> None:
        came.set()
        signal.default_int_handler(number, frame)

    def check() -> None:
        if came.is_set():
            raise KeyboardInterrupt

    mine = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if mine:
        signal.signal(signal.SIGINT, handler)
    try:
        yield check
    finally:
        if mine:
            signal.signal(signal.SIGINT, signal.default_int_handler)
