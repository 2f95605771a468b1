"""`alphabet`: say the next letter."""

from __future__ import annotations

import string
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from lstm_bench.tasks._base import Problem, Sequence, Task


class Alphabet(Task):
    """After each letter of A..Z comes the next one.

    ::

        A B C ... Y -> B C D ... Z

    No memory is needed: the next letter depends on the last one alone. What makes it hard is the
    encoding that the tutorials chose, one number a letter (its index / 26), which 26 classes must
    be read off from. With `wrap`, A follows Z and the sequence goes round.

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
        """Returns the one sequence there is; it is the same for every seed."""
        if not self.wrap:
            return Problem((Sequence.next_symbol(np.arange(self.letters)),))
        letters = np.arange(self.letters)
        every = np.ones(self.letters, bool)
        return Problem((Sequence(letters, np.roll(letters, -1), every, cyclic=True),))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(string.ascii_uppercase[: self.letters])

    @property
    def chance(self) -> float:
        return 1 / (self.letters if self.wrap else self.letters - 1)
