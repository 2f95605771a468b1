"""Imported by the fork server alone, so that every worker starts with TensorFlow in memory.

The one module whose import has an effect: that is what it is for. No operation runs here, so
TensorFlow has no threads yet and can be forked.
"""

import gc
import importlib
import signal

from lstm_bench.training._backend import start_tensorflow

# Ctrl-C reaches every process of the terminal; what it means is for the parent to say.
signal.signal(signal.SIGINT, signal.SIG_IGN)
start_tensorflow(1)


importlib.import_module("sklearn.metrics")  # what every recipe is measured with

# Workers share what is here; a collector that walks through it would copy every page of it.
gc.collect()
gc.freeze()
