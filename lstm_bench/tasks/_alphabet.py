"""The task `alphabet`: predict the next letter."""

from __future__ import annotations

import string
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from lstm_bench.tasks._base import Problem, Sequence, Task


class Alphabet(Task):
    """Predict the next letter of the alphabet, A to Z.

    ::

        A B C ... Y -> B C D ... Z

    No memory is needed: the next letter depends only on the current one. The task is hard because
    of the encoding in the tutorials: a letter is a single number (its index / 26), from which the
    network must tell 26 classes apart. With `wrap`, A follows Z and the sequence is cyclic.

    >>> train = Alphabet(letters=4).problem(seed=0).train[0]
    >>> print(train.inputs, "->", train.targets)
    [0 1 2] -> [1 2 3]
    >>> Alphabet(letters=4, wrap=True).problem(seed=0).train[0].targets
    array([1, 2, 3, 0])
    """

    name: ClassVar[str] = "alphabet"
    source: ClassVar[str] = "Jason Brownlee, tutorials on stateful LSTMs in Keras"
    defaults = {
        "framing": "pairs",
        "encoding": "scaled",
        "units": 32,
        "epochs": 500,
        "batch_size": 1,
        "stateful": False,
        "shuffle": "samples",
    }

    letters: Annotated[int, Field(ge=3, le=26)] = 26
    wrap: bool = False

    def problem(self, seed: int) -> Problem:
        """Returns a single sequence, the same for every seed."""
        letters = np.arange(self.letters)
        if not self.wrap:
            return Problem((Sequence.next_symbol(letters),))
        scored = np.ones(self.letters, bool)
        return Problem((Sequence(letters, np.roll(letters, -1), scored, cyclic=True),))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(string.ascii_uppercase[: self.letters])

    @property
    def chance(self) -> float:
        return 1 / (self.letters if self.wrap else self.letters - 1)
