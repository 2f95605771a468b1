"""The task `memory`: two sequences that differ only in their first and last symbols."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from lstm_bench.tasks._base import Problem, Sequence, Task, most_frequent_share


class Memory(Task):
    """Predict the next symbol; the last one repeats the first, `lag` steps back.

    ::

        3 0 1 2 -> 0 1 2 3
        4 0 1 2 -> 0 1 2 4

    The two sequences differ only in their first and last symbols. So after the `2`, the target can
    only be predicted from a memory of the first symbol, the cue. The last two of the `alphabet`
    symbols are the cues. The others follow in order (again from the first, if `lag` is longer).

    This simplifies Experiment 2 of Hochreiter & Schmidhuber (1997), "Long Short-Term Memory",
    Neural Computation 9(8). There the alphabet has lag + 1 symbols, as here by default.

    >>> for sequence in Memory().problem(seed=0).train:
    ...     print(sequence.inputs, "->", sequence.targets)
    [3 0 1 2] -> [0 1 2 3]
    [4 0 1 2] -> [0 1 2 4]
    >>> Memory(alphabet=4, lag=6).problem(seed=0).train[1].inputs
    array([3, 0, 1, 0, 1, 0])
    """

    name: ClassVar[str] = "memory"
    source: ClassVar[str] = "Hochreiter & Schmidhuber (1997), Experiment 2, simplified"
    defaults = {
        "framing": "pairs",
        "encoding": "onehot",
        "units": 20,
        "epochs": 250,
        "batch_size": 1,
        "stateful": True,
        "output": "sigmoid",
        "loss": "binary_crossentropy",
    }

    alphabet: Annotated[int, Field(ge=3, le=10_000)] = 5
    lag: Annotated[int | None, Field(ge=2, le=100_000)] = None
    symbols: Annotated[tuple[str, ...] | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def _check_symbols(self) -> Self:
        if self.symbols is not None and not (
            len(self.symbols) == len(set(self.symbols)) == self.alphabet
        ):
            raise ValueError(
                f"symbols must name each of the {self.alphabet} symbols of the alphabet once, "
                f"but got {len(self.symbols)} ({len(set(self.symbols))} distinct); "
                "list that many, or set alphabet"
            )
        return self

    @property
    def steps(self) -> int:
        """Number of steps from the cue to its repetition."""
        return self.alphabet - 1 if self.lag is None else self.lag

    def problem(self, seed: int) -> Problem:
        """Returns the two sequences; they are the same for every seed."""
        between = [step % (self.alphabet - 2) for step in range(self.steps - 1)]
        cues = (self.alphabet - 2, self.alphabet - 1)
        sequences = (Sequence.next_symbol([cue, *between, cue]) for cue in cues)
        return Problem(tuple(sequence.recalled_at(-1) for sequence in sequences))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.symbols or tuple(map(str, range(self.alphabet)))

    @property
    def chance(self) -> float:
        return most_frequent_share(self.problem(0))
