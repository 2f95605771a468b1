"""A recipe as a Python script that only needs Keras and NumPy."""

from lstm_bench.export._script import export_script

__all__ = ["export_script"]
