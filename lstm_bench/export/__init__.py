"""A recipe as a Python script that needs Keras and NumPy alone."""

from lstm_bench.export._script import script

__all__ = ["script"]
