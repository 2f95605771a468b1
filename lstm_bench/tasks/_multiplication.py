"""The task `multiplication`: multiply two marked values of a long sequence."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field

from lstm_bench.tasks._base import StoppingRule
from lstm_bench.tasks._marked_values import Floats, MarkedValues


class Multiplication(MarkedValues):
    """Multiply the two marked values of a random sequence, at its end, to within 0.04.

    ::

        (0.2, -1) (0.6, 1) (0.9, 0) (0.4, 1) (0.1, 0) (0.3, -1) -> . . . . . 0.24

    Like `adding`, but with values in [0, 1] and the target X1 * X2. With `variant=1997`, X1 is 1 if
    the first step is marked. The published rule ends training once fewer than `misses_below` of the
    last 2,000 sequences are off by 0.04; the paper reports 140 and 13.

    Hochreiter & Schmidhuber (1997), Experiment 5. `variant=modern` was not published: it has the
    markers and the length of the modern adding problem.

    >>> sequence = Multiplication(length=20).problem(seed=0).train[1]
    >>> marked = sequence.inputs[sequence.inputs[:, 1] == 1, 0]
    >>> print(marked.round(2), "->", sequence.targets[-1].round(2))
    [0.51 0.37] -> [0.19]
    """

    name: ClassVar[str] = "multiplication"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 5"
    lowest: ClassVar[float] = 0.0
    neutral: ClassVar[float] = 1.0

    misses_below: Annotated[int, Field(ge=1, le=2000)] = 140

    def answer(self, first: Floats, second: Floats) -> Floats:
        return first * second

    @property
    def chance(self) -> float:
        """The probability that the target is below 0.08; small products are the most likely.

        A product of two uniform values is at most z with probability z (1 - ln z).
        """
        width = 2 * self.tolerance
        product = width * (1 - math.log(width))
        if self.variant == "modern":
            return product
        return width * self.first_marked_share + product * (1 - self.first_marked_share)

    @property
    def stopping_rule(self) -> StoppingRule | None:
        """Fewer than `misses_below` of the last 2,000 sequences are off by 0.04."""
        return StoppingRule(2000, self.tolerance, misses=self.misses_below - 1)
