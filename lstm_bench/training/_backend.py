"""Starts TensorFlow quietly, on a given number of cores.

TensorFlow reads its environment once, when it is imported, so all of it is set in this module.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator

from lstm_bench.config import XLA_FLAGS


def prepare_environment() -> None:
    """Sets the variables that TensorFlow reads on import, except those that are already set."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)
    # For processes that import NumPy later: the fork server must have no threads at all.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def start_tensorflow(cores: int) -> None:
    """Imports TensorFlow and limits it to `cores` threads, unless it has computed already."""
    prepare_environment()
    with _silent():
        tensorflow = importlib.import_module("tensorflow")
        # It warns about retracing, but each recipe of a sweep needs a program of its own.
        tensorflow.get_logger().setLevel("ERROR")
        # A RuntimeError means that TensorFlow has computed already; then it keeps its threads.
        with contextlib.suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(cores)
            tensorflow.config.threading.set_inter_op_parallelism_threads(cores)
    # NumPy only draws weights. More threads would spin idly on cores that others use, and the
    # last digits of a QR decomposition would depend on their number.
    importlib.import_module("threadpoolctl").threadpool_limits(1, user_api="blas")


def available_cores() -> int:
    """Returns the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Discards what native code writes to standard error before its log level takes effect."""
    sys.stderr.flush()
    original = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(sink)
