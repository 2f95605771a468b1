"""Samples: the arrays that a network is trained and evaluated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.tasks import Sequence

Encoding = Literal["onehot", "scaled", "raw"]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Samples:
    """N samples of T time steps with F features and M outputs; M is T, or 1 for the last step.

    The training samples come first, then the unseen ones, which are only scored.
    """

    x: Array  # (N, T, F)
    y: Array  # (N, K), or (N, T, K) with an output at every step
    sequence: NDArray[np.int64]  # (N,): the sequence that a sample belongs to
    step: NDArray[np.int64]  # (N, M): the step of that sequence that an output predicts
    scored: NDArray[np.bool_]  # (N, M): False for padding and for steps that do not count
    train_count: int  # number of training samples; the others are unseen
    recall: NDArray[np.bool_] | None = None  # (N, M): scored steps that need memory, if stated
    possible: NDArray[np.bool_] | None = None  # like y: the symbols that can come next, if stated

    def __len__(self) -> int:
        return len(self.x)

    def part(self, unseen: bool) -> Samples:
        """Returns only the training samples, or only the unseen ones."""
        rows = slice(self.train_count, None) if unseen else slice(self.train_count)
        return self.rows(rows, train_count=0 if unseen else self.train_count)

    def rows(self, rows: slice | NDArray[np.integer], train_count: int = 0) -> Samples:
        """Returns the samples at `rows`."""
        return Samples(
            self.x[rows],
            self.y[rows],
            self.sequence[rows],
            self.step[rows],
            self.scored[rows],
            train_count=train_count,
            recall=None if self.recall is None else self.recall[rows],
            possible=None if self.possible is None else self.possible[rows],
        )

    def weights(self, recall_weight: float | None = None) -> Array | None:
        """Returns the weights of the outputs in the loss, (N, M) or (N,) like `y`; None if all 1.

        A scored step has the weight 1, or `recall_weight` if it needs memory; another step has 0.
        """
        weights = self.scored.astype(np.float32)
        if recall_weight is not None and self.recall is not None:
            weights[self.recall] *= np.float32(recall_weight)
        if (weights == 1).all():
            return None
        return weights if self.y.ndim == 3 else weights[:, 0]

    @property
    def evaluated(self) -> NDArray[np.bool_]:
        """Which outputs count in the score, (N, M): the scored ones, of unseen samples if any."""
        unseen = np.arange(len(self)) >= self.train_count
        return self.scored & (unseen if unseen.any() else ~unseen)[:, None]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which outputs are scored outputs of training samples, shape (N, M)."""
        return self.scored & (np.arange(len(self)) < self.train_count)[:, None]


@dataclass(frozen=True)
class Part:
    """The samples of one sequence."""

    number: int
    sequence: Sequence
    shown: NDArray[np.int64]  # (n, T): the steps of the sequence in each sample, -1 for padding
    unseen: bool


def encode(values: NDArray[np.generic], size: int, encoding: Encoding) -> Array:
    """Returns the features of T steps: symbols (T,) as one-hot vectors (T, size) or scaled (T, 1).

    Scaled is index / size. Real values (T, F) are returned unchanged (`raw`).

    >>> encode(np.array([1, 0]), 2, "onehot").tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    >>> encode(np.array([1, 0]), 2, "scaled").tolist()
    [[0.5], [0.0]]
    >>> encode(np.array([[0.1], [0.2]]), 0, "raw").shape
    (2, 1)
    """
    if values.ndim == 2:
        return np.asarray(values, np.float32)
    if encoding == "onehot":
        return np.asarray(np.eye(size, dtype=np.float32)[values])
    return (np.asarray(values, np.float32) / np.float32(size))[:, None]


def mask_at(mask: NDArray[np.bool_] | None, steps: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Returns the values of `mask` (T, ...) at `steps` (n, M); False at negative steps."""
    if mask is None:
        return None
    return mask[steps] & (steps >= 0).reshape(*steps.shape, *[1] * (mask.ndim - 1))


def joined_masks(masks: list[NDArray[np.bool_] | None]) -> NDArray[np.bool_] | None:
    """Returns the masks of all sequences as one; None if no sequence has one."""
    given = [mask for mask in masks if mask is not None]
    return np.concatenate(given) if len(given) == len(masks) else None


def window_of(features: Array, shown: NDArray[np.int64]) -> Array:
    """Returns the features (n, T, F) at the steps `shown` (n, T); zeros at negative steps."""
    padded = np.concatenate([features, np.zeros_like(features[:1])])
    return padded[np.where(shown < 0, len(features), shown)]
