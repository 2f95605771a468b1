"""The task `echo`: repeat the symbol of some steps ago."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from lstm_bench.seeds import stream
from lstm_bench.tasks._base import Problem, Sequence, Task


class Echo(Task):
    """Repeat the symbol of `delay` steps ago, at every step of a random sequence.

    ::

        2 0 1 1 3 -> . . 2 0 1        (delay 2)

    The first `delay` steps have nothing to echo and are not scored. The network must remember
    `delay` symbols, which change at every step. The score is computed on `unseen` sequences; none
    of them is also a training sequence.

    >>> sequence = Echo(delay=2, steps=6).problem(seed=0).train[0]
    >>> print(sequence.inputs, "->", sequence.targets[sequence.scored])
    [2 2 3 1 2 1] -> [2 2 3 1]
    """

    name: ClassVar[str] = "echo"
    source: ClassVar[str] = "Jason Brownlee, tutorials on LSTMs with Python (echo random integers)"
    autoregressive: ClassVar[bool] = False
    defaults = {
        "framing": "whole",
        "units": 20,
        "epochs": 200,
        "batch_size": 10,
        "learning_rate": 0.01,
        "shuffle": "sequences",
    }

    alphabet: Annotated[int, Field(ge=2, le=10_000)] = 4
    delay: Annotated[int, Field(ge=1, le=10_000)] = 2
    steps: Annotated[int, Field(ge=2, le=100_000)] = 20
    train: Annotated[int, Field(ge=1, le=100_000)] = 50
    unseen: Annotated[int, Field(ge=1, le=100_000)] = 50

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.delay >= self.steps:
            raise ValueError(
                f"delay must be less than the {self.steps} steps of a sequence, but got "
                f"{self.delay}; use a shorter delay, or more steps"
            )
        needed, available = self.train + self.unseen, self.alphabet**self.steps
        if needed > available // 2:
            raise ValueError(
                f"train + unseen must be at most half of the {available} sequences that alphabet="
                f"{self.alphabet} and steps={self.steps} allow, but got {needed}; use more steps, "
                "a larger alphabet, or fewer sequences"
            )
        return self

    def problem(self, seed: int) -> Problem:
        """Returns the sequences for `seed`, all different."""
        rng, count = stream(seed, "data"), self.train + self.unseen
        drawn: dict[bytes, np.ndarray] = {}
        while len(drawn) < count:
            row = rng.integers(0, self.alphabet, self.steps)
            drawn.setdefault(row.tobytes(), row)
        scored = np.arange(self.steps) >= self.delay
        sequences = tuple(Sequence(row, np.roll(row, self.delay), scored) for row in drawn.values())
        return Problem(sequences[: self.train], sequences[self.train :])

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.alphabet)))

    @property
    def chance(self) -> float:
        return 1 / self.alphabet
