"""The task `temporal_order`: tell the order of two or three symbols far apart."""

from __future__ import annotations

import itertools
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from lstm_bench.tasks._base import Sequence, StoppingRule
from lstm_bench.tasks._fresh import FreshTask, answered_last, one_hot

ALPHABET = "EBabcdXY"
"""The input symbols: start, end, four distractors, and the two relevant ones."""


class TemporalOrder(FreshTask):
    """Classify a sequence, at its end, by the order of the relevant symbols X and Y in it.

    ::

        E b X a c d Y a B -> . . . . . . . . XY
        E c Y d d a X b B -> . . . . . . . . YX

    With `symbols=2`, Experiment 6a, the classes are XX, XY, YX and YY. With `symbols=3`, Experiment
    6b, they are XXX, XXY ... YYY. A sequence begins with E and ends with B. Each relevant symbol is
    at a random step within a range; all other steps are distractors a, b, c, d. With the published
    `length` of 100, there are 100 to 110 steps. The ranges are 10..20 and 50..60, or 10..20, 33..43
    and 66..76, counted from E at step 0. For other lengths they grow in proportion.

    As in the paper, the inputs are one-hot vectors over the 8 symbols, because the targets are the
    4 or 8 classes. We count the task as solved if at most one sequence in a hundred is wrong.

    Hochreiter & Schmidhuber (1997), Experiments 6a and 6b.

    >>> task = TemporalOrder(length=10)
    >>> sequence = task.problem(seed=0).train[0]
    >>> symbols = "".join(ALPHABET[i] for i in sequence.inputs.argmax(axis=1))
    >>> print(symbols, "->", task.labels[sequence.targets[-1]])
    EaXaccXaaB -> XX
    """

    name: ClassVar[str] = "temporal_order"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 6"
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False

    symbols: Literal[2, 3] = 2
    length: Annotated[int, Field(ge=10, le=10_000)] = 100

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The first and the last step at which each relevant symbol can stand.

        >>> TemporalOrder(symbols=3).ranges
        ((10, 20), (33, 43), (66, 76))
        """
        starts = (10, 50) if self.symbols == 2 else (10, 33, 66)
        steps = [self.length * start // 100 for start in starts]
        return tuple((step, step + self.length // 10) for step in steps)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences."""
        rows, longest = np.arange(count), self.longest
        lengths = rng.integers(self.length, longest, count, endpoint=True)
        inputs = rng.integers(2, 6, (count, longest))
        relevant = rng.integers(0, 2, (count, self.symbols))
        for number, (low, high) in enumerate(self.ranges):
            inputs[rows, rng.integers(low, high, count, endpoint=True)] = 6 + relevant[:, number]
        inputs[:, 0] = 0
        inputs[rows, lengths - 1] = 1
        classes = relevant @ (1 << np.arange(self.symbols)[::-1])
        return answered_last(one_hot(inputs, len(ALPHABET)), classes, lengths)

    @property
    def longest(self) -> int:
        return self.length * 11 // 10

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map("".join, itertools.product("XY", repeat=self.symbols)))

    @property
    def chance(self) -> float:
        return 1 / len(self.labels)

    @property
    def bar(self) -> float:
        return 0.99

    @property
    def stopping_rule(self) -> StoppingRule | None:
        """All outputs of the last 2,000 sequences within 0.3, and their mean error below 0.1."""
        return StoppingRule(sequences=2000, tolerance=0.3, mean_error=0.1)
