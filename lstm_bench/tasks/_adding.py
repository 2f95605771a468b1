"""The task `adding`: add two marked values of a long sequence."""

from __future__ import annotations

from typing import ClassVar

from lstm_bench.tasks._base import StoppingRule
from lstm_bench.tasks._marked_values import Floats, MarkedValues


class Adding(MarkedValues):
    """Add the two marked values of a random sequence, at its end, to within 0.04.

    ::

        (-0.2, -1) (0.6, 1) (0.9, 0) (-0.4, 1) (0.1, 0) (0.3, -1) -> . . . . . 0.55

    Each step is a pair (value, marker). `variant=1997` is Experiment 4. It has values in [-1, 1],
    and `length` to `length` + `length` / 10 steps. The marker is -1 at the first and the last step,
    1 at one of the first ten steps (value X1) and at one of the first `length` / 2 - 1 others (X2),
    and 0 elsewhere. The target is 0.5 + (X1 + X2) / 4. If the first step is marked, X1 is 0. Then
    we set this value in the inputs too, and the marker of the first step is 1; the paper leaves
    both open.

    `variant=modern` has `length` steps, values in [0, 1], and two markers of 1, one in each half.
    The target is X1 + X2. The constant answer 1 has a mean squared error of 1/6.

    Hochreiter & Schmidhuber (1997), Experiment 4; the modern form as in Arjovsky, Shah & Bengio
    (2016) and Bai, Kolter & Koltun (2018). The papers measure errors. We count the task as solved
    if at most one sequence in a hundred is off.

    >>> sequence = Adding(length=20).problem(seed=0).train[1]
    >>> marked = sequence.inputs[sequence.inputs[:, 1] == 1, 0]
    >>> print(marked.round(2), "->", sequence.targets[-1].round(4))
    [ 0.01 -0.26] -> [0.4369]
    """

    name: ClassVar[str] = "adding"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 4; Arjovsky et al. (2016)"
    lowest: ClassVar[float] = -1.0
    neutral: ClassVar[float] = 0.0

    def answer(self, first: Floats, second: Floats) -> Floats:
        return first + second if self.variant == "modern" else 0.5 + (first + second) / 4

    @property
    def chance(self) -> float:
        """The probability that the target is within 0.04 of its most likely value.

        The sum of two uniform values has a triangular density.
        """
        if self.variant == "modern":
            return 1 - (1 - self.tolerance) ** 2
        width = 4 * self.tolerance  # of X1 + X2, on either side of 0
        uniform, triangular = width, 1 - (1 - width / 2) ** 2
        return uniform * self.first_marked_share + triangular * (1 - self.first_marked_share)

    @property
    def stopping_rule(self) -> StoppingRule | None:
        """None of the last 2,000 sequences is off by 0.04, and their mean error is below 0.01."""
        return StoppingRule(sequences=2000, tolerance=self.tolerance, mean_error=0.01)
