"""The task `ambiguous_pair`: one input symbol with two different targets."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from lstm_bench.tasks._base import Problem, Sequence, Task


class AmbiguousPair(Task):
    """Predict 1, then 2, in a sequence of two steps whose inputs are both 0.

    ::

        0 0 -> 1 2

    A network that sees one step at a time and keeps no state cannot tell the two inputs apart, so
    at most one of its two predictions is right and it never solves the task.

    >>> train = AmbiguousPair().problem(seed=0).train[0]
    >>> print(train.inputs, "->", train.targets)
    [0 0] -> [1 2]
    """

    name: ClassVar[str] = "ambiguous_pair"
    source: ClassVar[str] = "a reader's question to the tutorials: 0 -> 1, 0 -> 2"
    defaults = {
        "framing": "pairs",
        "encoding": "onehot",
        "units": 20,
        "epochs": 300,
        "batch_size": 2,
        "stateful": False,
        "output": "sigmoid",
        "loss": "binary_crossentropy",
    }

    def problem(self, seed: int) -> Problem:
        """Returns a single sequence, the same for every seed."""
        return Problem((Sequence(np.array([0, 0]), np.array([1, 2]), np.ones(2, bool)),))

    @property
    def labels(self) -> tuple[str, ...]:
        return ("0", "1", "2")

    @property
    def chance(self) -> float:
        return 0.5
