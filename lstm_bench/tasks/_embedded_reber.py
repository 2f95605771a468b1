"""The task `embedded_reber`: predict the next symbol of strings of the embedded Reber grammar."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from lstm_bench.seeds import stream
from lstm_bench.tasks._base import Problem, Sequence, Task
from lstm_bench.tasks._reber_grammar import POSSIBLE, SYMBOLS, Ints, best_fixed_share, walk

SHORTEST = 9
"""The number of symbols of the shortest string."""
CHANCE_SEEDS = 16
"""The number of seeds over which the chance is averaged."""

String = tuple[Ints, Ints]  # its symbols, and the grammar's state before each


class EmbeddedReber(Task):
    """Predict the next symbols of strings whose last but one symbol repeats the second.

    ::

        B T B P V V E T -> T B P V V E T E
        B P B T X S E P -> P B T X S E P E

    A string is B, T or P, a string of Reber's grammar (from B to E), the same T or P again, and E.
    Often two symbols can come next, so a step is right if all possible symbols have larger outputs
    than the others. Only the last but one step needs a memory of the second symbol: the column
    `recall_accuracy` is the accuracy of this step.

    As in the paper, there are `train` fixed random strings, in random order in every epoch. Short
    strings are frequent, and may be among them more than once. None of the `unseen` strings is a
    training string, so they are longer than typical strings of the grammar. Only they are scored;
    `seen_accuracy` is the accuracy on the training strings. Strings of more than `longest_string`
    symbols, three in a million by default, are drawn again.

    `overlap=true` is the experiment of the paper, as far as the paper describes it. The `unseen`
    test strings are drawn like the training strings, so short strings are in both sets. Both sets
    are scored, and the task is solved if every symbol of all strings is right.

    Hochreiter & Schmidhuber (1997), Experiment 1; first used by Cleeremans et al. (1989) and Smith
    & Zipser (1989).

    >>> task = EmbeddedReber()
    >>> sequence = task.problem(seed=0).train[0]
    >>> shown = [" ".join(SYMBOLS[i] for i in s) for s in (sequence.inputs, sequence.targets)]
    >>> print(shown[0], "->", shown[1])
    B P B P T V V E P -> P B P T V V E P E
    """

    name: ClassVar[str] = "embedded_reber"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 1"
    defaults = {
        "framing": "whole",
        "units": 20,
        "epochs": 40,
        "batch_size": 16,
        "learning_rate": 0.01,
        "shuffle": "sequences",
    }

    train: Annotated[int, Field(ge=1, le=100_000)] = 256
    unseen: Annotated[int, Field(ge=1, le=100_000)] = 256
    longest_string: Annotated[int, Field(ge=20, le=10_000)] = 50
    overlap: Literal[True] | None = None

    def problem(self, seed: int) -> Problem:
        """Returns the strings for `seed`."""
        train, unseen = self.strings(seed)
        return Problem(tuple(map(_sequence, train)), tuple(map(_sequence, unseen)))

    def strings(self, seed: int) -> tuple[list[String], list[String]]:
        """Returns the strings to train on, and those that are scored.

        These are others that are not among them; with `overlap` they are those to train on and
        others that may be among them.
        """
        rng = stream(seed, "data")
        train = self._draw(rng, self.train)
        if self.overlap:
            return train, train + self._draw(rng, self.unseen)
        known = {symbols.tobytes() for symbols, _ in train}
        unseen: list[String] = []
        while len(unseen) < self.unseen:
            drawn = self._draw(rng, self.unseen)
            unseen += [string for string in drawn if string[0].tobytes() not in known]
        return train, unseen[: self.unseen]

    def _draw(self, rng: np.random.Generator, count: int) -> list[String]:
        strings: list[String] = []
        while len(strings) < count:
            symbols, states = walk(rng, count, self.longest_string + 1)
            lengths = (states[:, 1:] == 0).argmax(axis=1) + 1  # up to where the next string starts
            fits = states[np.arange(count), lengths] == 0
            strings += [
                (symbols[i, : lengths[i]], states[i, : lengths[i]]) for i in np.flatnonzero(fits)
            ]
        return strings[:count]

    @property
    def scores_seen_sequences(self) -> bool:
        return self.overlap is not None

    @property
    def longest(self) -> int:
        return self.longest_string - 1

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(SYMBOLS)

    @property
    def chance(self) -> float:
        """The mean over 16 seeds, because unseen strings are not distributed as the grammar's."""
        return _chance(self)


def _sequence(string: String) -> Sequence:
    symbols, states = string
    possible = POSSIBLE[states[1:]]
    sequence = Sequence(symbols[:-1], symbols[1:], np.ones(len(possible), bool), possible=possible)
    return sequence.recalled_at(-2)


@lru_cache(maxsize=64)
def _chance(task: EmbeddedReber) -> float:
    shares = []
    for seed in range(CHANCE_SEEDS):
        states = np.concatenate([states[1:] for part in task.strings(seed) for _, states in part])
        shares.append(best_fixed_share(np.bincount(states, minlength=len(POSSIBLE))))
    return float(np.mean(shares))
