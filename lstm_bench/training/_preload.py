"""Imported only by the fork server, so that every worker starts with TensorFlow in memory.

This is the one module whose import has an effect, on purpose. It runs no TensorFlow operation, so
TensorFlow has no threads yet and can be forked.
"""

import gc
import importlib
import signal

from lstm_bench.training._backend import start_tensorflow

# Ctrl-C reaches all processes of the terminal, but only the parent process handles it.
signal.signal(signal.SIGINT, signal.SIG_IGN)
start_tensorflow(1)


importlib.import_module("sklearn.metrics")  # computes metrics of every recipe
kernel_calls = importlib.import_module("lstm_bench.training._kernel_calls")
kernel_calls.prepare()

# Workers share this memory; garbage collection would touch, and so copy, every page of it.
gc.collect()
gc.freeze()
