"""`random_memory`: recall the cue across random symbols, in sequences never trained on."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from lstm_bench.seeds import stream
from lstm_bench.tasks._base import Problem, Sequence, Task


class RandomMemory(Task):
    """Repeat the first symbol, `lag` steps later; all symbols between are drawn at random.

    ::

        3 1 0 1 -> . . . 3
        4 0 0 2 -> . . . 4

    Only the last step is scored, for no network can forecast a random symbol. As in `memory` the
    last two of `alphabet` symbols are the cues and the others are passed through. The score is of
    `unseen` sequences, none of which is among the `train` ones: strings learnt by heart are worth
    nothing here. Both halves hold as many of one cue as of the other.

    The random variant of Experiment 2 in Hochreiter & Schmidhuber (1997), "Long Short-Term Memory".

    >>> problem = RandomMemory(lag=6).problem(seed=0)
    >>> len(problem.train), len(problem.unseen)
    (100, 100)
    >>> first = problem.train[0]
    >>> print(first.inputs, "->", first.targets[first.scored])
    [3 1 2 2 1 1] -> [3]
    """

    name: ClassVar[str] = "random_memory"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 2, random variant"
    autoregressive: ClassVar[bool] = False
    defaults = {
        "framing": "whole",
        "units": 20,
        "epochs": 100,
        "batch_size": 10,
        "learning_rate": 0.01,
        "shuffle": "sequences",
    }

    alphabet: Annotated[int, Field(ge=3, le=10_000)] = 5
    lag: Annotated[int, Field(ge=2, le=100_000)] = 10
    train: Annotated[int, Field(ge=2, le=100_000, multiple_of=2)] = 100
    unseen: Annotated[int, Field(ge=2, le=100_000, multiple_of=2)] = 100

    @model_validator(mode="after")
    def _enough(self) -> Self:
        # At most half of what there is: then drawing distinct ones ends soon.
        needed, there = self.train + self.unseen, 2 * (self.alphabet - 2) ** (self.lag - 1)
        if needed > there // 2 and needed > 2:
            raise ValueError(
                f"train + unseen must be at most half of the {there} sequences that alphabet="
                f"{self.alphabet} and lag={self.lag} allow, but got {needed}; use a longer lag, a "
                "larger alphabet, or fewer sequences"
            )
        return self

    def problem(self, seed: int) -> Problem:
        """Returns the sequences of `seed`, all different."""
        rng = stream(seed, "data")
        count = self.train + self.unseen
        found: dict[tuple[int, ...], None] = {}
        while len(found) < count:
            cue = self.alphabet - 2 + len(found) % 2  # one cue and the other in turn
            passed = rng.integers(0, self.alphabet - 2, self.lag - 1)
            found.setdefault((cue, *passed.tolist()))
        made = tuple(self._sequence(list(symbols)) for symbols in found)
        return Problem(made[: self.train], made[self.train :])

    def _sequence(self, symbols: list[int]) -> Sequence:
        whole = Sequence.next_symbol([*symbols, symbols[0]])
        last = np.arange(self.lag) == self.lag - 1
        return Sequence(whole.inputs, whole.targets, last)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.alphabet)))

    @property
    def chance(self) -> float:
        return 0.5
