"""The tasks `ramp` and `parallel_series`: predict the next value of short series."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lstm_bench.statistics import Kind
from lstm_bench.tasks._base import Problem, Sequence, Task


class _SeriesTask(Task):
    """Ten steps of real values; the target of each step is the next value."""

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
        """The ten targets are 0.1 apart, so a constant is within 0.05 of at most two of them."""
        return 0.2


class Ramp(_SeriesTask):
    """Predict the next value of 0.1, 0.2 ... 1.0, to within 0.05.

    ::

        0.1 0.2 ... 1.0 -> 0.2 0.3 ... 1.1

    >>> Ramp().problem(seed=0).train[0].inputs.shape
    (10, 1)
    >>> print(Ramp().problem(seed=0).train[0].targets[[0, -1], 0], "->", "0.2 and 1.1")
    [0.2 1.1] -> 0.2 and 1.1
    """

    name: ClassVar[str] = "ramp"

    def problem(self, seed: int) -> Problem:
        """Returns a single series, the same for every seed."""
        return self._problem(np.arange(1, 12)[:, None] / 10)


class ParallelSeries(_SeriesTask):
    """Predict the next values of 0.1 ... 1.0 and 1.0 ... 0.1, each to within 0.05.

    ::

        (0.1, 1.0) (0.2, 0.9) ... (1.0, 0.1) -> (0.2, 0.9) (0.3, 0.8) ... (1.1, 0.0)

    >>> sequence = ParallelSeries().problem(seed=0).train[0]
    >>> sequence.inputs.shape
    (10, 2)
    >>> print(sequence.inputs[0], "->", sequence.targets[0])
    [0.1 1. ] -> [0.2 0.9]
    """

    name: ClassVar[str] = "parallel_series"

    def problem(self, seed: int) -> Problem:
        """Returns a single series of two features, the same for every seed."""
        up = np.arange(1, 12) / 10
        return self._problem(np.stack([up, 1.1 - up], axis=1))
