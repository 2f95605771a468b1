"""The command line: a thin layer over the calls that Python users have."""

from lstm_bench.cli._app import main

__all__ = ["main"]
