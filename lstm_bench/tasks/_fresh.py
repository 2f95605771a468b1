"""The base class of problems that draw new training sequences for every epoch."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lstm_bench.errors import TaskError
from lstm_bench.seeds import epoch_stream, stream
from lstm_bench.tasks._base import Problem, Sequence, Task

ROUNDS = 100
"""How often training sequences that are also unseen ones are replaced before giving up."""


class FreshTask(Task):
    """A problem with `train` new sequences for every epoch, and `unseen` ones for scoring.

    A subclass draws its sequences in `draw`. A training sequence that is also an unseen sequence is
    drawn again.
    """

    defaults = {
        "framing": "whole",
        "units": 20,
        "epochs": 20,
        "batch_size": 20,
        "learning_rate": 0.01,
        "shuffle": "sequences",
    }
    can_repeat: ClassVar[bool] = True
    """Whether two draws can have the same inputs; not so if inputs are real numbers."""

    train: Annotated[int, Field(ge=1, le=100_000)] = 1000
    unseen: Annotated[int, Field(ge=1, le=100_000)] = 1000

    @abstractmethod
    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences."""

    def draw_unseen(self, seed: int) -> tuple[Sequence, ...]:
        """Returns the sequences to be scored on."""
        return self.draw(stream(seed, "data"), self.unseen)

    def draw_train(self, seed: int, epoch: int) -> tuple[Sequence, ...]:
        """Returns the sequences of one epoch; none of them has the inputs of an unseen one."""
        rng = epoch_stream(seed, epoch)
        drawn = self.draw(rng, self.train)
        if not self.can_repeat:
            return drawn
        excluded, sequences = _unseen_inputs(self, seed), list(drawn)
        for _ in range(ROUNDS):
            known = [i for i, s in enumerate(sequences) if s.inputs.tobytes() in excluded]
            if not known:
                return tuple(sequences)
            for index, sequence in zip(known, self.draw(rng, len(known)), strict=True):
                sequences[index] = sequence
        rule = f"{self.name}: training sequences must differ from the {self.unseen} unseen ones"
        raise TaskError(f"{rule}, but hardly any other is left; use longer or fewer sequences")

    def problem(self, seed: int) -> Problem:
        """Returns the sequences of the first epoch and the unseen ones."""
        return _problem(self, seed)

    def epoch_sequences(self, seed: int, epoch: int) -> tuple[Sequence, ...] | None:
        """Returns new sequences for every epoch."""
        return self.draw_train(seed, epoch)


@lru_cache(maxsize=2)  # the rules of a recipe look at the problem of seed 0 several times
def _problem(task: FreshTask, seed: int) -> Problem:
    return Problem(task.draw_train(seed, 1), task.draw_unseen(seed))


@lru_cache(maxsize=16)
def _unseen_inputs(task: FreshTask, seed: int) -> frozenset[bytes]:
    return frozenset(sequence.inputs.tobytes() for sequence in task.draw_unseen(seed))


def one_hot(symbols: NDArray[np.integer], size: int) -> NDArray[np.uint8]:
    """Returns symbols of any shape as vectors of 0 and 1, for inputs that are not symbols.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0, 0, 1],
           [1, 0, 0]], dtype=uint8)
    """
    return np.asarray(np.eye(size, dtype=np.uint8)[symbols])


def answered_last(
    inputs: NDArray[np.generic],
    answers: NDArray[np.generic],
    lengths: NDArray[np.integer],
) -> tuple[Sequence, ...]:
    """Returns N sequences that are scored at their last step only, which has the answer.

    `inputs` (N, T, ...), of which sequence i has the first `lengths[i]` steps; `answers` are
    symbols (N,) or real values (N, K).

    >>> (sequence,) = answered_last(np.array([[4, 5, 6]]), np.array([1]), np.array([2]))
    >>> print(sequence.inputs, "->", sequence.targets, sequence.scored)
    [4 5] -> [0 1] [False  True]
    """
    targets = np.zeros((len(answers), inputs.shape[1], *answers.shape[1:]), answers.dtype)
    targets[np.arange(len(answers)), lengths - 1] = answers
    last = {length: np.arange(length) == length - 1 for length in np.unique(lengths).tolist()}
    return tuple(
        Sequence(x[:length], y[:length], last[length])
        for x, y, length in zip(inputs, targets, lengths.tolist(), strict=True)
    )
