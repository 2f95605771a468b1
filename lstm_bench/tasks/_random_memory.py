"""The task `random_memory`: recall the cue after random symbols, in unseen sequences."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from lstm_bench.seeds import epoch_stream, stream
from lstm_bench.tasks._base import Problem, Sequence, Task

Symbols = tuple[int, ...]


class RandomMemory(Task):
    """Repeat the first symbol, the cue, `lag` steps later; the symbols in between are random.

    ::

        3 1 0 1 -> . . . 3
        4 0 0 2 -> . . . 4

    Only the last step is scored, because random symbols cannot be predicted. As in `memory`, the
    last two of the `alphabet` symbols are the cues, and the others come in between. The score is
    computed on `unseen` sequences. None of them is also a training sequence, so it does not help to
    memorize those. Both cues are equally frequent in the training and the unseen sequences. With
    `new_each_epoch`, every epoch has new training sequences.

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
    new_each_epoch: Literal[True] | None = None

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        # At most half of the possible sequences, so that drawing distinct ones ends soon.
        needed, available = self.train + self.unseen, 2 * (self.alphabet - 2) ** (self.lag - 1)
        if needed > available // 2 and needed > 2:
            raise ValueError(
                f"train + unseen must be at most half of the {available} sequences that alphabet="
                f"{self.alphabet} and lag={self.lag} allow, but got {needed}; use a longer lag, a "
                "larger alphabet, or fewer sequences"
            )
        return self

    def problem(self, seed: int) -> Problem:
        """Returns the sequences for `seed`, all different."""
        rng = stream(seed, "data")
        if self.new_each_epoch:
            unseen = self._draw(rng, self.unseen)
            train = self._draw(epoch_stream(seed, 1), self.train, unseen)
        else:
            drawn = self._draw(rng, self.train + self.unseen)
            train, unseen = drawn[: self.train], drawn[self.train :]
        return Problem(tuple(map(self._sequence, train)), tuple(map(self._sequence, unseen)))

    def epoch_sequences(self, seed: int, epoch: int) -> tuple[Sequence, ...] | None:
        """Returns new sequences for every epoch with `new_each_epoch`; none of them is unseen."""
        if not self.new_each_epoch:
            return None
        unseen = self._draw(stream(seed, "data"), self.unseen)
        train = self._draw(epoch_stream(seed, epoch), self.train, unseen)
        return tuple(map(self._sequence, train))

    def _draw(
        self, rng: np.random.Generator, count: int, excluded: Collection[Symbols] = ()
    ) -> list[Symbols]:
        """Returns the symbols of `count` sequences, all different and none `excluded`."""
        drawn: dict[Symbols, None] = {}
        forbidden = set(excluded)
        while len(drawn) < count:
            cue = self.alphabet - 2 + len(drawn) % 2  # the two cues alternate
            symbols = (cue, *rng.integers(0, self.alphabet - 2, self.lag - 1).tolist())
            if symbols not in forbidden:
                drawn.setdefault(symbols)
        return list(drawn)

    def _sequence(self, symbols: Symbols) -> Sequence:
        sequence = Sequence.next_symbol([*symbols, symbols[0]])
        only_last = np.arange(self.lag) == self.lag - 1
        return Sequence(sequence.inputs, sequence.targets, only_last)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.alphabet)))

    @property
    def chance(self) -> float:
        return 0.5
