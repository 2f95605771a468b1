"""The task `long_lag`: recall the first or second symbol after a long lag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from lstm_bench.tasks._base import Problem, Sequence, StoppingRule, Task
from lstm_bench.tasks._fresh import FreshTask, answered_last, one_hot

MOST_FURTHER = 100
"""The most elements after `lag` ones in the variant c; one sequence in 40,000 would have more."""


class LongLag(FreshTask):
    """Recall x or y after `lag` other symbols, which are in order, or random.

    ::

        a: y a1 a2 a3 -> a1 a2 a3 y
        b: x a3 a1 a1 -> . . . x
        c: b x a2 a2 a1 a3 e -> . . . . . . x

    `variant=a` is Experiment 2a. It has the two sequences (y, a1 ... a(p-1), y) and
    (x, a1 ... a(p-1), x) with p = `lag`, predicted at every step. An epoch has `train` sequences,
    half of each kind, and there are no unseen ones. The paper chooses one of the two at random each
    time; `shuffle=sequences` shows both equally often.

    `variant=b`, Experiment 2b, has random symbols in between. All steps are trained on; at random
    steps, any of a1 ... a(p-1) may have the largest output. Variants a and b need `update=step` and
    `cells_from` to train as in the paper.

    `variant=c`, Experiment 2c, begins with b and x or y. Then come q = `lag` random elements out of
    p = `distractors` (by default q). Each further element is e with probability 1/10, else random.
    The target at e is x or y. As in the paper, inputs are one-hot vectors over p + 4 symbols
    (b, e, x, y, a1 ...), and targets are the two classes. At most 100 further elements are drawn.
    Samples are large for a large alphabet: with `lag=1000` use, for instance,
    `train=100 unseen=100`.

    Hochreiter & Schmidhuber (1997), Experiment 2.

    >>> for sequence in LongLag(lag=4).problem(seed=0).train[:2]:
    ...     print(sequence.inputs, "->", sequence.targets)
    [3 0 1 2] -> [0 1 2 3]
    [4 0 1 2] -> [0 1 2 4]
    """

    name: ClassVar[str] = "long_lag"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 2"
    defaults = {**FreshTask.defaults, "epochs": 10}

    variant: Literal["a", "b", "c"] = "a"
    lag: Annotated[int, Field(ge=2, le=10_000)] = 100
    distractors: Annotated[int | None, Field(ge=1, le=10_000)] = None

    @classmethod
    def class_for(cls, settings: Mapping[str, Any]) -> type[Task]:
        """Returns the class of a variant: only that of `c` has inputs that are not symbols."""
        has_classes = settings.get("variant", "a") == "c"
        if has_classes is not cls.symbolic:
            return cls
        return _LongLagClasses if has_classes else LongLag

    def __new__(cls, **parameters: Any) -> LongLag:
        """Returns an instance of the class of the variant."""
        return super().__new__(cls.class_for(parameters))  # type: ignore[return-value]

    def problem(self, seed: int) -> Problem:
        """Returns the sequences of the first epoch, and the unseen ones of a random variant."""
        if self.variant == "b":
            return super().problem(seed)
        between = np.broadcast_to(np.arange(self.lag - 1), (self.train, self.lag - 1))
        return Problem(self._sequences(np.arange(self.train) % 2, between))

    def epoch_sequences(self, seed: int, epoch: int) -> tuple[Sequence, ...] | None:
        """Returns new sequences for every epoch of the variant b."""
        return super().epoch_sequences(seed, epoch) if self.variant == "b" else None

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences of the variant b."""
        cues = rng.integers(0, 2, count)
        return self._sequences(cues, rng.integers(0, self.lag - 1, (count, self.lag - 1)))

    def _sequences(self, cues: np.ndarray, between: np.ndarray) -> tuple[Sequence, ...]:
        """Returns the sequences for cues (N,), 0 for x, and the symbols in between (N, p - 1)."""
        cue = self.lag - 1 + cues[:, None]
        symbols = np.concatenate([cue, between, cue], axis=1)
        scored, recall = np.ones(self.lag, bool), np.arange(self.lag) == self.lag - 1
        possible: list[np.ndarray | None] = [None, None]
        if self.variant == "b":
            mask = np.zeros((2, self.lag, self.lag + 1), bool)
            mask[:, :-1, : self.lag - 1] = True
            mask[[0, 1], -1, [self.lag - 1, self.lag]] = True
            possible = list(mask)
        return tuple(
            Sequence(s[:-1], s[1:], scored, False, recall, possible[c])
            for s, c in zip(symbols, cues.tolist(), strict=True)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        return (*(f"a{number}" for number in range(1, self.lag)), "x", "y")

    @property
    def chance(self) -> float:
        return 1 / self.lag if self.variant == "a" else 1 - 1 / self.lag

    @property
    def stopping_rule(self) -> StoppingRule | None:
        """The errors of 10,000 sequences are below 0.25, in the variant b those at their ends.

        In the variant c they are below 0.2.
        """
        return StoppingRule(10_000, tolerance=0.25, last_step=self.variant == "b")


class _LongLagClasses(LongLag):
    __doc__ = LongLag.__doc__
    symbolic: ClassVar[bool] = False
    autoregressive: ClassVar[bool] = False

    def problem(self, seed: int) -> Problem:
        return FreshTask.problem(self, seed)

    def epoch_sequences(self, seed: int, epoch: int) -> tuple[Sequence, ...] | None:
        return FreshTask.epoch_sequences(self, seed, epoch)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences of the variant c."""
        alphabet = 4 + (self.distractors or self.lag)  # b, e, x, y, and the distractors
        further = rng.geometric(0.1, count) - 1
        while (further > MOST_FURTHER).any():
            again = further > MOST_FURTHER
            further[again] = rng.geometric(0.1, int(again.sum())) - 1
        lengths = self.lag + further + 3
        classes = rng.integers(0, 2, count)
        symbols = rng.integers(4, alphabet, (count, int(lengths.max())))
        symbols[:, 0], symbols[:, 1] = 0, 2 + classes
        symbols[np.arange(count), lengths - 1] = 1
        return answered_last(one_hot(symbols, alphabet), classes, lengths)

    @property
    def longest(self) -> int:
        return self.lag + MOST_FURTHER + 3

    @property
    def labels(self) -> tuple[str, ...]:
        return ("x", "y")

    @property
    def chance(self) -> float:
        return 0.5

    @property
    def stopping_rule(self) -> StoppingRule | None:
        return StoppingRule(sequences=10_000, tolerance=0.2)
