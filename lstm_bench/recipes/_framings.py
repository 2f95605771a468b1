"""How sequences become samples of shape `[samples, time steps, features]` with targets.

This table shows the framings of the sequence A B C D, with the targets A->B, B->C, C->D:

==================  =================================================  ==================
framing             samples                                            shape
==================  =================================================  ==================
`pairs`             A->B   B->C   C->D                                 (3, 1, F)
`window` (2)        A B->C   B C->D                                    (2, 2, F)
`feature_window`    AB->C   BC->D                                      (2, 1, 2F)
`prefixes`          - - A->B   - A B->C   A B C->D                     (3, 3, F)
`substrings`        - B->C   A B->C   - A->B  ... at random            (count, max_length, F)
`whole`             A B C->B C D                                       (1, 3, F), every step
`chunks` (1)        A->B   B->C   C->D                                 (3, 1, F), every step
==================  =================================================  ==================

`-` is padding with zeros, on the left. A framing also records the sequence and the step of each
output, so that scores are always computed over the steps of sequences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lstm_bench.recipes._samples import (
    Array,
    Encoding,
    Part,
    Samples,
    encode,
    joined_masks,
    mask_at,
    window_of,
)
from lstm_bench.recipes._whole_samples import whole_samples
from lstm_bench.seeds import stream
from lstm_bench.tasks import Problem, Sequence


class Framing(BaseModel, ABC):
    """A way to turn sequences into samples, with its parameters, as a frozen value."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: ClassVar[str]
    continues: ClassVar[bool] = True
    """Whether each sample continues the previous sample in time, as a stateful network requires."""
    every_step: ClassVar[bool] = False
    """Whether the network has an output at every time step, or only at the last one."""

    @abstractmethod
    def width(self, longest: int) -> int:
        """Returns the time steps of a sample if the longest sequence has `longest` steps."""

    @abstractmethod
    def count(self, length: int) -> int:
        """Returns the number of samples from a sequence of `length` steps; below 1 if too short."""

    @abstractmethod
    def indices(
        self, sequence: Sequence, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        """Returns the steps that each sample shows, (samples, steps shown), -1 for padding.

        Without an output at every step, the target is the target of the last step shown.
        """

    def misfit(self, length: int) -> str:
        """Returns the message for a sequence of `length` steps, which gives no sample."""
        return (
            f"{self.name} must fit into every sequence, but the shortest has {length} steps; "
            "use a smaller window, or framing=pairs"
        )

    def query(self, features: Array, width: int) -> Array:
        """Returns the k inputs (k, T, F) that predict the step after `features` (t, F).

        The inputs are fed one after another. `width` is the T of the training samples. A shorter
        past is padded with zeros on the left, or on the right with an output at every step.
        """
        return window_of(features, np.arange(len(features) - width, len(features))[None])

    def parts(self, problem: Problem, seed: int) -> list[Part]:
        """Returns the samples of each sequence, the unseen sequences last."""
        seen = len(problem.train)
        return [
            Part(number, sequence, self.indices(sequence, stream(seed, "data", number)),
                 unseen=number >= seen)
            for number, sequence in enumerate(problem.sequences)
        ]  # fmt: skip

    def samples(
        self,
        problem: Problem,
        size: int,
        encoding: Encoding,
        seed: int,
        longest: int | None = None,
    ) -> Samples:
        """Returns the samples of all sequences of a problem with an alphabet of `size` symbols.

        They are wide enough for a sequence of `longest` steps, by default the longest one.
        """
        parts = self.parts(problem, seed)
        width = max(part.shown.shape[1] for part in parts)
        if longest is not None:
            width = max(width, self.width(longest))
        x, y, owner, step, scored = [], [], [], [], []
        recall, possible = [], []
        for part in parts:
            sequence, missing = part.sequence, width - part.shown.shape[1]
            # Pad on the left if only the last step has an output, on the right if every step has.
            sides = (0, missing) if self.every_step else (missing, 0)
            shown = np.pad(part.shown, ((0, 0), sides), constant_values=-1)
            target_steps = shown if self.every_step else shown[:, -1:]  # (n, M)
            x.append(self.shape(window_of(encode(sequence.inputs, size, encoding), shown)))
            y.append(window_of(encode(sequence.targets, size, "onehot"), target_steps))  # (n, M, K)
            owner.append(np.full(len(shown), part.number))
            step.append(target_steps)
            scored.append((target_steps >= 0) & sequence.scored[target_steps])
            recall.append(mask_at(sequence.recall, target_steps))
            possible.append(mask_at(sequence.possible, target_steps))
        targets = np.concatenate(y)
        targets = targets if self.every_step else targets[:, 0]
        next_symbols, y_shape = joined_masks(possible), targets.shape
        return Samples(
            np.concatenate(x),
            targets,
            np.concatenate(owner),
            np.concatenate(step),
            np.concatenate(scored),
            train_count=sum(len(part.shown) for part in parts if not part.unseen),
            recall=joined_masks(recall),
            possible=None if next_symbols is None else next_symbols.reshape(y_shape),
        )

    def shape(self, windows: Array) -> Array:
        """Returns windows (n, T, F) in the shape that the network takes; unchanged by default."""
        return windows


class Pairs(Framing):
    """One time step per sample, with one output: (T, 1, F)."""

    name: ClassVar[str] = "pairs"

    def width(self, longest: int) -> int:
        return 1

    def count(self, length: int) -> int:
        return length

    def indices(
        self, sequence: Sequence, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        return np.arange(len(sequence))[:, None]


class Window(Framing):
    """The last `window` steps as time steps: (T - window + 1, window, F).

    >>> Window(window=2).indices(Sequence.next_symbol([0, 1, 2, 3, 4])).tolist()
    [[0, 1], [1, 2], [2, 3]]
    """

    name: ClassVar[str] = "window"
    window: Annotated[int, Field(ge=1, le=10_000)] = 3

    def width(self, longest: int) -> int:
        return self.window

    def count(self, length: int) -> int:
        return length - self.window + 1

    def indices(
        self, sequence: Sequence, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        return np.arange(self.count(len(sequence)))[:, None] + np.arange(self.window)


class FeatureWindow(Window):
    """The last `window` steps as the features of one time step: (n, 1, window * F)."""

    name: ClassVar[str] = "feature_window"

    def width(self, longest: int) -> int:
        return 1

    def shape(self, windows: Array) -> Array:
        return windows.reshape(len(windows), 1, -1)

    def query(self, features: Array, width: int) -> Array:
        return self.shape(super().query(features, self.window))


class Prefixes(Framing):
    """All steps since the start of the sequence, padded on the left: (T, T, F).

    >>> Prefixes().indices(Sequence.next_symbol([0, 1, 2, 3])).tolist()
    [[-1, -1, 0], [-1, 0, 1], [0, 1, 2]]
    """

    name: ClassVar[str] = "prefixes"
    continues: ClassVar[bool] = False

    def width(self, longest: int) -> int:
        return longest

    def count(self, length: int) -> int:
        return length

    def indices(
        self, sequence: Sequence, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        length = len(sequence)
        shown = np.arange(length)[:, None] + np.arange(length) - (length - 1)  # (T, T)
        return np.asarray(np.maximum(shown, -1))


class Substrings(Framing):
    """`substrings` random substrings of 1..`max_length` steps, padded on the left.

    Start and end are drawn as in the tutorial on variable-length input: the start uniformly from
    all steps but the last, then the end uniformly from the lengths that fit. In a cyclic sequence,
    the end is any step, the length is any that fits, and a substring may wrap around. `fresh`
    further substrings are drawn in the same way, and are scored but not trained on. They are new
    draws, but hardly new substrings: 25 steps have only 115 substrings of up to 5 steps, and nearly
    all of them are among 1000 draws.

    >>> letters = Sequence.next_symbol(list(range(10)))
    >>> framing = Substrings(substrings=3, max_length=4)
    >>> shown = framing.indices(letters, np.random.default_rng(0))
    >>> shown.shape, bool((np.diff(shown[shown[:, 0] >= 0]) == 1).all())
    ((3, 4), True)
    """

    name: ClassVar[str] = "substrings"
    continues: ClassVar[bool] = False
    substrings: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    max_length: Annotated[int, Field(ge=1, le=10_000)] = 5
    fresh: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    def width(self, longest: int) -> int:
        return self.max_length

    def count(self, length: int) -> int:
        return self.substrings if length >= 2 else 0

    def indices(
        self, sequence: Sequence, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        return self._draw(sequence, self.substrings, rng or np.random.default_rng())

    def parts(self, problem: Problem, seed: int) -> list[Part]:
        parts = super().parts(problem, seed)
        if not self.fresh:
            return parts
        for number, sequence in enumerate(problem.train):
            shown = self._draw(sequence, self.fresh, stream(seed, "data", number, 1))
            parts.append(Part(number, sequence, shown, unseen=True))
        return parts

    def _draw(self, sequence: Sequence, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        length, steps_before_end = len(sequence), np.arange(self.max_length)[::-1]
        if sequence.cyclic:
            end = rng.integers(0, length, size=count)
            steps = rng.integers(1, min(self.max_length, length), size=count, endpoint=True)
            shown = (end[:, None] - steps_before_end) % length
            return np.where(steps_before_end >= steps[:, None], -1, shown)
        start = rng.integers(0, length - 1, size=count)
        end = rng.integers(start, np.minimum(start + self.max_length, length))
        shown = end[:, None] - steps_before_end  # (n, max_length)
        return np.where(shown < start[:, None], -1, shown)


class Whole(Framing):
    """A whole sequence as one sample, with an output at every step: (1, T, F) -> (1, T, K).

    Shorter sequences are padded on the right with steps that are not scored.
    """

    name: ClassVar[str] = "whole"
    every_step: ClassVar[bool] = True

    def width(self, longest: int) -> int:
        return longest

    def count(self, length: int) -> int:
        return 1

    def indices(
        self, sequence: Sequence, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        return np.arange(len(sequence))[None]

    def samples(
        self,
        problem: Problem,
        size: int,
        encoding: Encoding,
        seed: int,
        longest: int | None = None,
    ) -> Samples:
        return whole_samples(problem, size, encoding, longest)

    def query(self, features: Array, width: int) -> Array:
        shown = np.arange(max(width, len(features)))
        return window_of(features, np.where(shown < len(features), shown, -1)[None])


class Chunks(Framing):
    """A sequence cut into chunks of `chunk` steps, with an output at every step: (n, chunk, F).

    In a stateful network, this is truncated back-propagation through time: the state passes from
    chunk to chunk, but the gradient does not. With layout=streams, sequences are read in parallel.

    >>> Chunks(chunk=2).indices(Sequence.next_symbol([0, 1, 2, 3, 4])).tolist()
    [[0, 1], [2, 3]]
    """

    name: ClassVar[str] = "chunks"
    every_step: ClassVar[bool] = True
    chunk: Annotated[int, Field(ge=1, le=100_000)] = 5

    def width(self, longest: int) -> int:
        return self.chunk

    def count(self, length: int) -> int:
        return length // self.chunk if length % self.chunk == 0 else 0

    def indices(
        self, sequence: Sequence, rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        return np.arange(len(sequence)).reshape(-1, self.chunk)

    def misfit(self, length: int) -> str:
        fits = ", ".join(str(n) for n in range(1, length + 1) if length % n == 0)
        return (
            f"chunks must cut every sequence into equal pieces, but got chunk={self.chunk} for "
            f"{length} steps; use one of {fits}"
        )

    def query(self, features: Array, width: int) -> Array:
        pieces = -(-len(features) // self.chunk)
        shown = np.arange(pieces * self.chunk)
        return window_of(
            features, np.where(shown < len(features), shown, -1).reshape(-1, self.chunk)
        )


FRAMINGS: dict[str, type[Framing]] = {
    framing.name: framing
    for framing in (Pairs, Window, FeatureWindow, Prefixes, Substrings, Whole, Chunks)
}
