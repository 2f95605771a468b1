"""Brings TensorFlow up quietly, on a stated number of cores.

TensorFlow reads its environment once, when it is imported, so everything that must be set is set
here and nowhere else.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator

from lstm_bench.config import XLA_FLAGS


def prepare_environment() -> None:
    """Sets what TensorFlow reads on import; what the user has set already stays."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("XLA_FLAGS", XLA_FLAGS)
    # For processes that import NumPy after this: the fork server must hold no threads at all.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def start_tensorflow(cores: int) -> None:
    """Imports TensorFlow for work on `cores` cores; does nothing where it has run before."""
    prepare_environment()
    with _silent():
        tensorflow = importlib.import_module("tensorflow")
        # It warns of retracing where each recipe of a sweep rightly has a program of its own.
        tensorflow.get_logger().setLevel("ERROR")
        # Refused once TensorFlow has computed anything: then it keeps the threads it has.
        with contextlib.suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(cores)
            tensorflow.config.threading.set_inter_op_parallelism_threads(cores)
    # NumPy only draws weights here: its idle threads would spin on cores that others work on, and
    # the last digits of a QR decomposition would depend on their number.
    importlib.import_module("threadpoolctl").threadpool_limits(1, user_api="blas")


def available_cores() -> int:
    """Returns the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Discards what native code writes to standard error before its log level is in force."""
    sys.stderr.flush()
    kept = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)
