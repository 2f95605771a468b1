"""How a sequence becomes samples: `[samples, time steps, features]` and targets.

All framings side by side, on the sequence A B C D (which asks A->B, B->C, C->D):

==================  =================================================  ==================
framing             samples                                            shape
==================  =================================================  ==================
`pairs`             A->B   B->C   C->D                                 (3, 1, F)
`window` (2)        A B->C   B C->D                                    (2, 2, F)
`feature_window`    AB->C   BC->D                                      (2, 1, 2F)
`prefixes`          - - A->B   - A B->C   A B C->D                     (3, 3, F)
`substrings`        - B->C   A B->C   - A->B  ... at random            (count, max_length, F)
`whole`             A B C->B C D                                       (1, 3, F), every step
==================  =================================================  ==================

`-` is padding with zeros, on the left. A framing also says which sequence and which step each
answer belongs to, so that a score is always a score of steps of sequences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from lstm_bench.seeds import stream
from lstm_bench.tasks.base import Sequence

Encoding = Literal["onehot", "scaled"]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Samples:
    """N samples of T steps with F features, answering M steps each (1, or T for `whole`)."""

    x: Array  # (N, T, F)
    y: Array  # (N, K), or (N, T, K) with an output at every step
    sequence: NDArray[np.int64]  # (N,): the sequence that a sample belongs to
    step: NDArray[np.int64]  # (N, M): the step of that sequence that an answer is for
    scored: NDArray[np.bool_]  # (N, M): False for padding and for steps that do not count

    def __len__(self) -> int:
        return len(self.x)


def encode(symbols: NDArray[np.generic], size: int, encoding: Encoding) -> Array:
    """Returns the features of `symbols` (T,): (T, size) one-hot, or (T, 1) as index / size.

    >>> encode(np.array([1, 0]), 2, "onehot").tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    >>> encode(np.array([1, 0]), 2, "scaled").tolist()
    [[0.5], [0.0]]
    """
    if encoding == "onehot":
        return np.asarray(np.eye(size, dtype=np.float32)[symbols])
    return (np.asarray(symbols, np.float32) / np.float32(size))[:, None]


class Framing(BaseModel, ABC):
    """How sequences become samples, as a frozen value with its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: ClassVar[str]
    continues: ClassVar[bool] = True
    """Whether each sample goes on in time from the one before: what a kept state needs."""
    every_step: ClassVar[bool] = False
    """Whether the network answers at every time step, or only at the last one."""

    @abstractmethod
    def count(self, length: int) -> int:
        """Returns the number of samples from a sequence of `length` steps; below 1 if too short."""

    @abstractmethod
    def indices(self, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Returns which steps each sample shows: (samples, steps shown), -1 for padding.

        The last step shown is the one whose target is asked for.
        """

    def query(self, features: Array, width: int) -> Array:
        """Returns the (1, T, F) input that asks what follows `features` (t, F), seen so far.

        `width` is the T of the training samples; a shorter past is padded with zeros on the left.
        """
        return window_of(features, np.arange(len(features) - width, len(features))[None])

    def samples(
        self, sequences: Items[Sequence], size: int, encoding: Encoding, seed: int
    ) -> Samples:
        """Returns the samples of `sequences` over an alphabet of `size` symbols."""
        each = [
            self.indices(len(sequence), stream(seed, "data", number))  # (n, T)
            for number, sequence in enumerate(sequences)
        ]
        width = max(shown.shape[1] for shown in each)
        x, y, owner, step, scored = [], [], [], [], []
        for number, (sequence, shown) in enumerate(zip(sequences, each, strict=True)):
            shown = np.pad(shown, ((0, 0), (width - shown.shape[1], 0)), constant_values=-1)
            asked = shown[:, -1]
            x.append(self.shape(window_of(encode(sequence.inputs, size, encoding), shown)))
            y.append(encode(sequence.targets, size, "onehot")[asked])
            owner.append(np.full(len(shown), number))
            step.append(asked[:, None])
            scored.append(sequence.scored[asked][:, None])
        return Samples(*map(np.concatenate, (x, y, owner, step, scored)))

    def shape(self, windows: Array) -> Array:
        """Returns (n, T, F) windows in the shape the network sees; here unchanged."""
        return windows


def window_of(features: Array, shown: NDArray[np.int64]) -> Array:
    """Returns `features` (t, F) at the steps `shown` (n, T): (n, T, F), zeros where negative."""
    padded = np.concatenate([features, np.zeros_like(features[:1])])
    return padded[np.where(shown < 0, len(features), shown)]


class Pairs(Framing):
    """One step in, one answer out: (T, 1, F)."""

    name: ClassVar[str] = "pairs"

    def count(self, length: int) -> int:
        return length

    def indices(self, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return np.arange(length)[:, None]


class Window(Framing):
    """The last `window` steps as time steps: (T - window + 1, window, F).

    >>> Window(window=2).indices(4, None).tolist()
    [[0, 1], [1, 2], [2, 3]]
    """

    name: ClassVar[str] = "window"
    window: Annotated[int, Field(ge=1, le=10_000)] = 3

    def count(self, length: int) -> int:
        return length - self.window + 1

    def indices(self, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return np.arange(self.count(length))[:, None] + np.arange(self.window)


class FeatureWindow(Window):
    """The last `window` steps side by side as features of one time step: (n, 1, window * F)."""

    name: ClassVar[str] = "feature_window"

    def shape(self, windows: Array) -> Array:
        return windows.reshape(len(windows), 1, -1)

    def query(self, features: Array, width: int) -> Array:
        return self.shape(super().query(features, self.window))


class Prefixes(Framing):
    """Everything since the start of the sequence, padded on the left: (T, T, F).

    >>> Prefixes().indices(3, None).tolist()
    [[-1, -1, 0], [-1, 0, 1], [0, 1, 2]]
    """

    name: ClassVar[str] = "prefixes"
    continues: ClassVar[bool] = False

    def count(self, length: int) -> int:
        return length

    def indices(self, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
        shown = np.arange(length)[:, None] + np.arange(length) - (length - 1)  # (T, T)
        return np.asarray(np.maximum(shown, -1))


class Substrings(Framing):
    """`count` random substrings of 1..`max_length` steps, padded on the left.

    Start and end are drawn as the tutorial on variable-length input draws them: the start
    uniformly from all steps but the last, then the end uniformly from the lengths that fit.

    >>> shown = Substrings(substrings=3, max_length=4).indices(9, np.random.default_rng(0))
    >>> shown.shape, bool((np.diff(shown[shown[:, 0] >= 0]) == 1).all())
    ((3, 4), True)
    """

    name: ClassVar[str] = "substrings"
    continues: ClassVar[bool] = False
    substrings: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    max_length: Annotated[int, Field(ge=1, le=10_000)] = 5

    def count(self, length: int) -> int:
        return self.substrings if length >= 2 else 0

    def indices(self, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
        start = rng.integers(0, length - 1, size=self.substrings)
        end = rng.integers(start, np.minimum(start + self.max_length, length))
        shown = end[:, None] - np.arange(self.max_length)[::-1]  # (n, max_length)
        return np.where(shown < start[:, None], -1, shown)


class Whole(Framing):
    """A whole sequence as one sample that answers at every step: (1, T, F) -> (1, T, K).

    Sequences of unequal length are padded on the right, with steps that do not count.
    """

    name: ClassVar[str] = "whole"
    every_step: ClassVar[bool] = True

    def count(self, length: int) -> int:
        return 1

    def indices(self, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return np.arange(length)[None]

    def query(self, features: Array, width: int) -> Array:
        shown = np.arange(max(width, len(features)))
        return window_of(features, np.where(shown < len(features), shown, -1)[None])

    def samples(
        self, sequences: Items[Sequence], size: int, encoding: Encoding, seed: int
    ) -> Samples:
        steps = max(map(len, sequences))
        shown = [np.where(np.arange(steps) < len(s), np.arange(steps), -1) for s in sequences]
        pairs = list(zip(sequences, shown, strict=True))
        inputs = [window_of(encode(s.inputs, size, encoding), at[None]) for s, at in pairs]
        targets = [window_of(encode(s.targets, size, "onehot"), at[None]) for s, at in pairs]
        return Samples(
            x=np.concatenate(inputs),  # (S, T, F)
            y=np.concatenate(targets),  # (S, T, K)
            sequence=np.arange(len(sequences)),
            step=np.stack([at for _, at in pairs]),
            scored=np.stack([np.where(at < 0, False, s.scored[at]) for s, at in pairs]),
        )


FRAMINGS: dict[str, type[Framing]] = {
    framing.name: framing for framing in (Pairs, Window, FeatureWindow, Prefixes, Substrings, Whole)
}
