"""`poem`: two verses, read side by side."""

from __future__ import annotations

from typing import ClassVar

from lstm_bench.tasks._base import Problem, Sequence, Task, most_frequent

VERSES = ("Jack Sprat\n", "eat no fat\n")
"""A couplet out of a nursery rhyme that was in print in 1639 (John Clarke, Paroemiologia)."""


class Poem(Task):
    """Say the next character of two verses of ten.

    ::

        J a c k _ S p r a t -> a c k _ S p r a t /
        e a t _ n o _ f a t -> a t _ n o _ f a t /

    By default the verses are two parallel rows, read five steps a batch: the state is handed from
    the first half of a verse to the second, the gradient is not (truncated back-propagation).
    Single characters do not say what follows: an `a` is followed by three others.

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
        names = self.labels
        return Problem(
            tuple(Sequence.next_symbol([names.index(char) for char in verse]) for verse in VERSES)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted(set("".join(VERSES))))

    @property
    def chance(self) -> float:
        return most_frequent(self.problem(0))
