"""The task `continual_reber`: embedded Reber strings without an end."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from lstm_bench.tasks._base import Sequence
from lstm_bench.tasks._fresh import FreshTask
from lstm_bench.tasks._reber_grammar import (
    NEXT,
    POSSIBLE,
    RECALL,
    SYMBOLS,
    best_fixed_share,
    walk,
)


class ContinualReber(FreshTask):
    """Predict the next symbols of a stream of embedded Reber strings, one after another.

    ::

        B T B P V V E T E B P B T ... -> T B P V V E T E B P B T X ...

    The task is like `embedded_reber`, but no input says where a string ends, and the network is not
    reset there: it must learn to forget. A stream has `length` steps. It starts with a new string,
    and may end within one. All streams are new in every epoch. The column `recall_accuracy` is the
    accuracy of the steps that need a memory of the second symbol of their string.

    Gers, Schmidhuber & Cummins (2000), "Learning to forget". In the paper, a training stream ends
    with the first wrong prediction, or after 1,000,000 symbols, and a solution is tested on ten
    streams of 100,000 symbols. Both depend on the network, so here all streams have the same
    length. As in the paper, only a perfect solution counts as solved.

    >>> sequence = ContinualReber(length=24).problem(seed=0).train[0]
    >>> shown = ["".join(SYMBOLS[i] for i in s) for s in (sequence.inputs, sequence.targets)]
    >>> print(shown[0], "->", shown[1])
    BTBPVVETEBPBTXSEPEBTBPTV -> TBPVVETEBPBTXSEPEBTBPTVP
    """

    name: ClassVar[str] = "continual_reber"
    source: ClassVar[str] = "Gers, Schmidhuber & Cummins (2000), Learning to forget"

    length: Annotated[int, Field(ge=10, le=1_000_000)] = 100

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random streams."""
        symbols, states = walk(rng, count, self.length + 1)
        possible, recall = POSSIBLE[states[:, 1:]], RECALL[states[:, 1:]]
        scored = np.ones(self.length, bool)
        rows = zip(symbols, recall, possible, strict=True)
        return tuple(Sequence(s[:-1], s[1:], scored, False, r, p) for s, r, p in rows)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(SYMBOLS)

    @property
    def chance(self) -> float:
        """From the probability of every state of the grammar at each step."""
        state, visits = np.eye(len(NEXT))[0], np.zeros(len(NEXT))
        for _ in range(self.length):
            state = np.asarray(np.bincount(NEXT.ravel(), np.repeat(state / 2, 2), len(NEXT)))
            visits += state
        return best_fixed_share(visits)
