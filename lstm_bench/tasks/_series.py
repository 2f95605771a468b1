"""`ramp` and `parallel_series`: short series of real values, to be continued."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lstm_bench.statistics import Kind
from lstm_bench.tasks._base import Problem, Sequence, Task


class _Series(Task):
    """Ten steps of real values, each asked for the next one."""

    kind: ClassVar[Kind] = "regression"
    symbolic: ClassVar[bool] = False
    source: ClassVar[str] = "Jason Brownlee, on the life cycle of LSTM models in Keras"
    tolerance: ClassVar[float] = 0.05
    defaults = {"framing": "whole", "units": 10, "epochs": 500, "learning_rate": 0.01}

    def _problem(self, values: np.ndarray) -> Problem:  # (T + 1, F)
        return Problem((Sequence(values[:-1], values[1:], np.ones(len(values) - 1, bool)),))

    @property
    def labels(self) -> tuple[str, ...]:
        return ()

    @property
    def chance(self) -> float:
        """The best constant lies half way between two of ten values that are 0.1 apart."""
        return 0.2


class Ramp(_Series):
    """0.1, 0.2 ... 1.0: say the next value, to within 0.05.

    ::

        0.1 0.2 ... 1.0 -> 0.2 0.3 ... 1.1

    >>> Ramp().problem(seed=0).train[0].inputs.shape
    (10, 1)
    >>> print(Ramp().problem(seed=0).train[0].targets[[0, -1], 0], "->", "0.2 and 1.1")
    [0.2 1.1] -> 0.2 and 1.1
    """

    name: ClassVar[str] = "ramp"

    def problem(self, seed: int) -> Problem:
        """Returns the one series; it is the same for every seed."""
        return self._problem(np.arange(1, 12)[:, None] / 10)


class ParallelSeries(_Series):
    """0.1 ... 1.0 beside 1.0 ... 0.1: say the next value of both, each to within 0.05.

    ::

        (0.1, 1.0) (0.2, 0.9) ... (1.0, 0.1) -> (0.2, 0.9) (0.3, 0.8) ... (1.1, 0.0)

    >>> Ramp().problem(seed=0).train[0].inputs.shape, "->", 2, "features:"
    ((10, 1), '->', 2, 'features:')
    >>> ParallelSeries().problem(seed=0).train[0].inputs.shape
    (10, 2)
    """

    name: ClassVar[str] = "parallel_series"

    def problem(self, seed: int) -> Problem:
        """Returns the one series of two features; it is the same for every seed."""
        up = np.arange(1, 12) / 10
        return self._problem(np.stack([up, 1.1 - up], axis=1))
