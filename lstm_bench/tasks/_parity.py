"""The task `parity`: tell whether the number of ones is odd, in sequences longer than trained."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from lstm_bench.seeds import stream
from lstm_bench.tasks._base import Sequence
from lstm_bench.tasks._fresh import FreshTask, answered_last


class Parity(FreshTask):
    """Tell, at the end of a sequence of bits, whether the number of ones is odd.

    ::

        0 1 1 1 -> . . . 1
        1 0 1 -> . . 0

    Training sequences have 1 to `length` random bits. Unseen sequences have more: `length` + 1 to
    `unseen_length`. All lengths are equally frequent, as far as the numbers of sequences allow. So
    the score says whether the network has learnt the rule, or only the sequences.

    Only the last step is scored, as in the paper. Targets at every step would make the problem
    easier: each answer would then depend only on one input and the previous answer. Here the
    network must learn to count from the end of the sequence alone.

    Deletang et al. (2022), "Neural networks and the Chomsky hierarchy", with training sequences of
    up to 40 bits and scored sequences of up to 500 bits. Here every epoch has new sequences; the
    paper has new ones for every batch.

    >>> for sequence in Parity(length=4, unseen_length=8).problem(seed=0).train[2:4]:
    ...     print(sequence.inputs, "->", sequence.targets[-1])
    [0 1 0] -> 1
    [0 1 1 0] -> 0
    """

    name: ClassVar[str] = "parity"
    source: ClassVar[str] = "Deletang et al. (2022), Neural networks and the Chomsky hierarchy"
    autoregressive: ClassVar[bool] = False
    can_repeat: ClassVar[bool] = False  # unseen sequences are longer
    defaults = {**FreshTask.defaults, "epochs": 30}

    length: Annotated[int, Field(ge=1, le=10_000)] = 40
    unseen_length: Annotated[int, Field(ge=2, le=10_000)] = 100

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.unseen_length <= self.length:
            raise ValueError(
                f"unseen_length must be more than length={self.length}, because unseen sequences "
                f"are longer than those trained on, but got {self.unseen_length}"
            )
        return self

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Sequence, ...]:
        """Returns `count` random sequences to train on."""
        return _with_parity(rng, 1 + np.arange(count) % self.length)

    def draw_unseen(self, seed: int) -> tuple[Sequence, ...]:
        """Returns the sequences to be scored on, which are longer."""
        longer = np.arange(self.unseen) % (self.unseen_length - self.length)
        return _with_parity(stream(seed, "data"), self.length + 1 + longer)

    @property
    def labels(self) -> tuple[str, ...]:
        return ("0", "1")

    @property
    def chance(self) -> float:
        return 0.5

    @property
    def bar(self) -> float:
        return 0.99


def _with_parity(
    rng: np.random.Generator, lengths: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> tuple[Sequence, ...]:
    """Returns random bits of the given lengths, with their parities."""
    bits = rng.integers(0, 2, (len(lengths), int(lengths.max())))
    shown = np.arange(bits.shape[1]) < lengths[:, None]
    return answered_last(bits, (bits * shown).sum(axis=1) % 2, lengths)
