"""The task `noisy_sequences`: classify a sequence of noise by its first values."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from lstm_bench.seeds import stream
from lstm_bench.statistics import Kind
from lstm_bench.tasks._base import Sequence
from lstm_bench.tasks._fresh import FreshTask, answered_last

NOISE = math.sqrt(0.2)
"""The standard deviation of the noise on the inputs."""
TARGET_NOISE = math.sqrt(0.1)
"""The standard deviation of the noise on the targets in the variant c."""


class NoisySequences(FreshTask):
    """Tell, at the end of a noisy sequence, whether its first `informative` values are +1 or -1.

    ::

        1 1 1 -0.3 0.2 -0.1 0.6 -> . . . . . . 1
        -1 -1 -1 0.4 0.5 -0.4 0.1 -> . . . . . . 0

    Input and output are one real number each. The other values are Gaussian noise of variance 0.2.
    A sequence has `length` to `length` + `length` / 10 steps. `variant=a` is Experiment 3a.
    `variant=b` adds the same noise to the informative values. `variant=c` also has the targets 0.2
    for +1 and 0.8 for -1, with Gaussian noise of variance 0.1 in training; the targets of unseen
    sequences have no noise.

    A sequence is right if its output is off by at most 0.2, or 0.1 with `variant=c`. The task
    counts as solved if all `unseen` sequences are right (the paper's ST1), or with `variant=b` all
    but 5 of 256. The paper tests unseen sequences after training, so it has no rule on the training
    sequences; use `stop_after_solved=0`. For ST2, on the mean error, see the column `mae`.

    Hochreiter & Schmidhuber (1997), Experiment 3.

    >>> for sequence in NoisySequences(length=10).problem(seed=0).train[:2]:
    ...     print(sequence.inputs[:5, 0].round(2), "->", sequence.targets[-1])
    [ 1.    1.    1.    0.22 -0.21] -> [1.]
    [-1.   -1.   -1.    0.63 -0.67] -> [0.]
    """

    name: ClassVar[str] = "noisy_sequences"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 3"
    kind: ClassVar[Kind] = "regression"
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False
    can_repeat: ClassVar[bool] = False

    variant: Literal["a", "b", "c"] = "a"
    length: Annotated[int, Field(ge=2, le=10_000)] = 100
    informative: Annotated[int, Field(ge=1, le=10_000)] = 3
    unseen: Annotated[int, Field(ge=1, le=100_000)] = 256

    @model_validator(mode="after")
    def _check_informative(self) -> Self:
        if self.informative > self.length:
            raise ValueError(
                f"informative must be at most length={self.length}, because the informative values "
                f"are the first ones, but got {self.informative}"
            )
        return self

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences to train on."""
        return self._draw(rng, count, TARGET_NOISE if self.variant == "c" else 0.0)

    def draw_unseen(self, seed: int) -> tuple[Sequence, ...]:
        """Returns the sequences to be scored on, whose targets have no noise."""
        return self._draw(stream(seed, "data"), self.unseen, 0.0)

    def _draw(
        self, rng: np.random.Generator, count: int, target_noise: float
    ) -> tuple[Sequence, ...]:
        second = rng.random(count) < 0.5  # the class whose informative values are -1
        lengths = rng.integers(self.length, self.longest, count, endpoint=True)
        inputs = NOISE * rng.standard_normal((count, self.longest))
        if self.variant == "a":
            inputs[:, : self.informative] = 0
        inputs[:, : self.informative] += np.where(second, -1, 1)[:, None]
        targets = np.where(second, 0.8, 0.2) if self.variant == "c" else np.where(second, 0.0, 1.0)
        targets = targets + target_noise * rng.standard_normal(count)
        return answered_last(inputs[:, :, None], targets[:, None], lengths)

    @property
    def longest(self) -> int:
        return self.length * 11 // 10

    @property
    def tolerance(self) -> float:  # type: ignore[override]
        """How far an output may be off the target without noise."""
        return 0.1 if self.variant == "c" else 0.2

    @property
    def labels(self) -> tuple[str, ...]:
        return ()

    @property
    def chance(self) -> float:
        return 0.5

    @property
    def bar(self) -> float:
        return 251 / 256 if self.variant == "b" else 1.0
