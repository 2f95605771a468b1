"""The task `copy`: recall ten symbols, in order, after many blanks."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from lstm_bench.tasks._base import Sequence
from lstm_bench.tasks._fresh import FreshTask


class Copy(FreshTask):
    """Recall `copied` symbols in order, once a delimiter is shown after `blanks` steps.

    ::

        3 1 2 _ _ _ : _ _ _ -> _ _ _ _ _ _ _ 3 1 2

    The inputs are `copied` random symbols out of `symbols`, `blanks` - 1 blanks, the delimiter and
    `copied` blanks; the targets are `blanks` + `copied` blanks and then the symbols again. The
    example has 3 symbols to copy, and `blanks=4`. All steps are scored, as in the paper: without
    memory, the best cross-entropy is `copied` ln `symbols` / (`blanks` + 2 `copied`), which is
    10 ln 8 / (T + 20) for the published sizes. The column `recall_accuracy` is the accuracy of the
    recalled symbols alone. We count the task as solved if at most one in a hundred is wrong.

    Arjovsky, Shah & Bengio (2016), "Unitary evolution recurrent neural networks", after Experiment
    2 of Hochreiter & Schmidhuber (1997); also in Bai, Kolter & Koltun (2018) with T = 1000, and in
    Tallec & Ollivier (2018) with T = 500 and 2000.

    >>> task = Copy(copied=3, blanks=4)
    >>> sequence = task.problem(seed=0).train[0]
    >>> shown = ["".join(task.labels[i] for i in s) for s in (sequence.inputs, sequence.targets)]
    >>> print(shown[0], "->", shown[1])
    460___:___ -> _______460
    """

    name: ClassVar[str] = "copy"
    source: ClassVar[str] = "Arjovsky, Shah & Bengio (2016), Unitary evolution RNNs"
    autoregressive: ClassVar[bool] = False
    defaults = {**FreshTask.defaults, "units": 32}

    blanks: Annotated[int, Field(ge=1, le=100_000)] = 20
    copied: Annotated[int, Field(ge=1, le=1000)] = 10
    symbols: Annotated[int, Field(ge=2, le=1000)] = 8

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences."""
        blank, delimiter = self.symbols, self.symbols + 1
        length = self.blanks + 2 * self.copied
        symbols = rng.integers(0, self.symbols, (count, self.copied))
        inputs, targets = np.full((2, count, length), blank)
        inputs[:, : self.copied] = symbols
        inputs[:, -self.copied - 1] = delimiter
        targets[:, -self.copied :] = symbols
        scored, recall = np.ones(length, bool), np.arange(length) >= length - self.copied
        return tuple(
            Sequence(x, y, scored, recall=recall) for x, y in zip(inputs, targets, strict=True)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        return (*map(str, range(self.symbols)), "_", ":")

    @property
    def chance(self) -> float:
        """The share of blanks among the targets, or of a symbol where that is more."""
        blanks, symbols = self.blanks + self.copied, self.copied / self.symbols
        return max(blanks, symbols) / (blanks + self.copied)

    @property
    def bar(self) -> float:
        return 1 - 0.01 * self.copied / (self.blanks + 2 * self.copied)
