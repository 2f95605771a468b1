"""The process that has TensorFlow loaded, and from which worker processes are forked."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing.context import BaseContext
from typing import Any

from lstm_bench.training import prepare_environment


def process_context() -> Any:
    """Returns the start method of processes: if possible, a fork server with TensorFlow loaded."""
    prepare_environment()
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context: BaseContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lstm_bench.training._preload"])
    return context


def start_fork_server(context: Any) -> None:
    """Makes the fork server import TensorFlow in the background."""
    if context.get_start_method() == "forkserver":
        multiprocessing.forkserver.ensure_running()


def end_fork_server() -> None:
    """Ends the fork server, which would otherwise go on importing after this process has ended."""
    process = getattr(vars(multiprocessing.forkserver)["_forkserver"], "_forkserver_pid", None)
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@contextlib.contextmanager
def main_script_hidden() -> Iterator[None]:
    """Hides the main script while a process starts, which would otherwise run it again."""
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {}
    for name in ("__file__", "__spec__"):
        if name in vars(main):
            hidden[name] = main.__dict__.pop(name)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__dict__.update(hidden)
