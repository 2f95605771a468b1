"""The task `cumulative_sum`: tell when the sum of the inputs exceeds a threshold."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from lstm_bench.seeds import stream
from lstm_bench.statistics import Kind
from lstm_bench.tasks._base import Problem, Sequence, Task


class CumulativeSum(Task):
    """Predict 1 as soon as the sum of random values in [0, 1] exceeds a quarter of `steps`, else 0.

    ::

        0.7 0.9 0.4 0.8 0.1 0.3 ... -> 0 0 0 1 1 1 ...

    The example has 10 steps, so its threshold is 2.5. Every step has a binary target; the score is
    computed on unseen sequences. A sum can be arbitrarily close to the threshold, so a step
    accuracy of 95 % counts as solved.

    >>> sequence = CumulativeSum().problem(seed=0).train[0]
    >>> sums = sequence.inputs[:, 0].cumsum()
    >>> print((sums > 2.5).astype(int), "->", sequence.targets[:, 0].astype(int))
    [0 0 0 0 1 1 1 1 1 1] -> [0 0 0 0 1 1 1 1 1 1]
    """

    name: ClassVar[str] = "cumulative_sum"
    kind: ClassVar[Kind] = "binary"
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False
    source: ClassVar[str] = "Jason Brownlee, on bidirectional LSTMs for sequence classification"
    defaults = {
        "framing": "whole",
        "units": 20,
        "epochs": 100,
        "batch_size": 10,
        "learning_rate": 0.01,
        "shuffle": "sequences",
    }

    steps: Annotated[int, Field(ge=2, le=1000)] = 10
    train: Annotated[int, Field(ge=1, le=100_000)] = 200
    unseen: Annotated[int, Field(ge=1, le=100_000)] = 200

    def problem(self, seed: int) -> Problem:
        """Returns the sequences for `seed`."""
        shape = (self.train + self.unseen, self.steps, 1)
        values = stream(seed, "data").random(shape)
        targets = (values.cumsum(axis=1) > self.steps / 4).astype(float)
        scored = np.ones(self.steps, bool)
        sequences = tuple(Sequence(x, y, scored) for x, y in zip(values, targets, strict=True))
        return Problem(sequences[: self.train], sequences[self.train :])

    @property
    def labels(self) -> tuple[str, ...]:
        return ()

    @property
    def chance(self) -> float:
        """The larger of the expected shares of 0 and 1, by the Irwin-Hall distribution."""
        below = sum(uniform_sum(self.steps / 4, n) for n in range(1, self.steps + 1)) / self.steps
        return max(below, 1 - below)

    @property
    def bar(self) -> float:
        return 0.95


NORMAL_ABOVE = 20
"""With more summands the normal distribution is exact to within 0.002 (central limit theorem)."""


def uniform_sum(x: float, n: int) -> float:
    """Returns the probability that n uniform values in [0, 1] sum to at most x.

    By the Irwin-Hall distribution (Irwin 1927, Hall 1927).

    >>> uniform_sum(1.0, 2)
    0.5
    """
    if x >= n:
        return 1.0
    if n > NORMAL_ABOVE:  # the terms of the exact sum would cancel one another
        return (1 + math.erf((x - n / 2) / math.sqrt(n / 6))) / 2
    terms = (math.comb(n, k) * (x - k) ** n * (-1.0) ** k for k in range(math.floor(x) + 1))
    return math.fsum(terms) / math.factorial(n)
