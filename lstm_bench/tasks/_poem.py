"""The task `poem`: predict the next character of two verses, read in parallel."""

from __future__ import annotations

from typing import ClassVar

from lstm_bench.tasks._base import Problem, Sequence, Task, most_frequent_share

VERSES = ("Jack Sprat\n", "eat no fat\n")
"""A couplet from a nursery rhyme printed in 1639 (John Clarke, Paroemiologia)."""


class Poem(Task):
    """Predict the next character in two verses of ten characters each.

    ::

        J a c k _ S p r a t -> a c k _ S p r a t /
        e a t _ n o _ f a t -> a t _ n o _ f a t /

    By default, the verses are two parallel rows of a batch, with five steps per batch. The state
    passes from the first half of a verse to the second, but the gradient does not (truncated
    back-propagation). One character does not determine the next: `a` has three successors.

    >>> first = Poem().problem(seed=0).train[0]
    >>> "".join(Poem().labels[symbol] for symbol in first.inputs)
    'Jack Sprat'
    """

    name: ClassVar[str] = "poem"
    source: ClassVar[str] = "Philippe Remy, on stateful LSTMs in Keras; the verses are ours"
    defaults = {
        "framing": "chunks",
        "chunk": 5,
        "units": 32,
        "epochs": 200,
        "batch_size": 2,
        "stateful": True,
        "layout": "streams",
        "learning_rate": 0.01,
    }

    def problem(self, seed: int) -> Problem:
        """Returns both verses; they are the same for every seed."""
        labels = self.labels
        return Problem(
            tuple(Sequence.next_symbol([labels.index(char) for char in verse]) for verse in VERSES)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted(set("".join(VERSES))))

    @property
    def chance(self) -> float:
        return most_frequent_share(self.problem(0))
