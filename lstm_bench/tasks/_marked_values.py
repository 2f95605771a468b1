"""The common part of the tasks `adding` and `multiplication`: two marked values among many."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lstm_bench.statistics import Kind
from lstm_bench.tasks._base import Sequence
from lstm_bench.tasks._fresh import FreshTask, answered_last

Floats = NDArray[np.floating]


class MarkedValues(FreshTask):
    """Sequences of pairs (value, marker); the target at the end depends on two marked values."""

    kind: ClassVar[Kind] = "regression"
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False
    can_repeat: ClassVar[bool] = False
    tolerance: ClassVar[float] = 0.04
    lowest: ClassVar[float]
    """The lowest value in the variant of 1997; the highest is 1."""
    neutral: ClassVar[float]
    """The first marked value, if the first pair of the sequence is marked (variant of 1997)."""

    variant: Literal["1997", "modern"] = "1997"
    length: Annotated[int, Field(ge=6, le=10_000)] = 100

    @abstractmethod
    def answer(self, first: Floats, second: Floats) -> Floats:
        """Returns the targets (N,) for the marked values (N,) and (N,)."""

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences."""
        rows, half = np.arange(count), self.length // 2
        if self.variant == "modern":
            lengths = np.full(count, self.length)
            values = rng.random((count, self.length))
            first = rng.integers(0, half, count)
            second = rng.integers(half, self.length, count)
            markers = np.zeros_like(values)
        else:
            lengths = rng.integers(self.length, self.length * 11 // 10, count, endpoint=True)
            values = rng.uniform(self.lowest, 1, (count, self.length * 11 // 10))
            first = rng.integers(0, self.first_range, count)
            second = rng.integers(0, half - 1, count)
            second += second >= first  # one of the others
            values[rows, first] = np.where(first * second == 0, self.neutral, values[rows, first])
            markers = np.zeros_like(values)
            markers[:, 0] = markers[rows, lengths - 1] = -1
        markers[rows, first] = markers[rows, second] = 1
        answers = self.answer(values[rows, first], values[rows, second])
        return answered_last(np.stack([values, markers], axis=-1), answers[:, None], lengths)

    @property
    def first_range(self) -> int:
        """The number of pairs of which one is the first marked one, in the variant of 1997."""
        return min(10, self.length // 2)

    @property
    def first_marked_share(self) -> float:
        """The probability that the first pair of a sequence is marked, in the variant of 1997."""
        first = 1 / self.first_range
        return first + (1 - first) / (self.length // 2 - 1)

    @property
    def longest(self) -> int | None:
        return None if self.variant == "modern" else self.length * 11 // 10

    @property
    def labels(self) -> tuple[str, ...]:
        return ()

    @property
    def bar(self) -> float:
        return 0.99
