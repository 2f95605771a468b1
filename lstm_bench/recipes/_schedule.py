"""Which samples make up each batch, and before which batch the state is cleared.

The one place that knows what is legal in that. A schedule depends on the owners of the samples
(which sequence each belongs to) and on four settings; it never sees the data.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.errors import Fault

Layout = Literal["rows", "streams"]
Reset = Literal["sequence", "epoch", "never"]
Shuffle = Literal["none", "samples", "sequences"]
BatchSize = int | Literal["all"]
Indices = NDArray[np.int32]


@dataclass(frozen=True)
class Schedule:
    """The batches of an epoch, for N samples in S sequences.

    `layout="rows"` puts consecutive samples in the rows of a batch, as Keras does with a flat
    array: row i of the next batch is then NOT the successor of row i of this one, unless the batch
    size is 1. `layout="streams"` gives every row a sequence of its own, or its own contiguous part
    of one, so that row i truly continues row i.
    """

    lengths: tuple[int, ...]  # samples of each sequence, in order
    batch_size: int
    stateful: bool
    layout: Layout
    reset: Reset
    shuffle: Shuffle

    @property
    def samples(self) -> int:
        return sum(self.lengths)

    @property
    def batches(self) -> int:
        """Batches, and so training steps, an epoch."""
        return -(-self.samples // self.batch_size)

    def epochs(
        self, rng: np.random.Generator | None, count: int
    ) -> tuple[Indices, NDArray[np.bool_]]:
        """Returns the next `count` epochs: sample indices (count, batches, batch_size), -1 where

        a row is empty, and whether the state is cleared before each batch, (count, batches).
        `rng` is read on from epoch to epoch, so any way of dividing a run into calls gives the
        same order. Without `rng` the order is that of the data, whatever `shuffle` says: the order
        of every evaluation.

        >>> Schedule((2, 2), 2, True, "streams", "sequence", "none").epochs(None, 1)[0].tolist()
        [[[0, 2], [1, 3]]]
        """
        if rng is not None and self.shuffle == "samples":
            order = rng.permuted(np.tile(np.arange(self.samples), (count, 1)), axis=1)
            index = np.full((count, self.batches * self.batch_size), -1, np.int32)
            index[:, : self.samples] = order
            shape = (count, self.batches, self.batch_size)
            return index.reshape(shape), np.zeros(shape[:2], bool)
        if rng is not None and self.shuffle == "sequences":
            index = np.empty((count, self.batches, self.batch_size), np.int32)
            reset = np.empty((count, self.batches), bool)
            for epoch in range(count):
                index[epoch], reset[epoch] = self._arranged(rng.permutation(len(self.lengths)))
            return index, reset
        index, reset = self._arranged(np.arange(len(self.lengths)))
        return np.tile(index, (count, 1, 1)), np.tile(reset, (count, 1))

    def _arranged(self, order: NDArray[np.int64]) -> tuple[Indices, NDArray[np.bool_]]:
        """Returns one epoch, (batches, batch_size) and (batches,), with sequences in `order`."""
        starts = np.cumsum((0, *self.lengths))
        blocks = [np.arange(starts[s], starts[s + 1]) for s in order]
        if self.stateful and self.layout == "streams":
            return self._streams(blocks)
        reset = np.zeros(self.batches, bool)
        if self.stateful and self.reset == "sequence":
            ends = np.cumsum([len(block) for block in blocks])[:-1]
            reset[np.concatenate([[0], ends]) // self.batch_size] = True
        elif self.stateful:
            reset[0] = self.reset == "epoch"
        return self._rows(np.concatenate(blocks)), reset

    def _rows(self, order: NDArray[np.int64]) -> Indices:
        padded = np.full(self.batches * self.batch_size, -1, np.int32)
        padded[: len(order)] = order
        return padded.reshape(self.batches, self.batch_size)

    def _streams(self, blocks: list[NDArray[np.int64]]) -> tuple[Indices, NDArray[np.bool_]]:
        parts = max(1, self.batch_size // len(blocks))  # contiguous parts of each sequence
        streams = np.stack(blocks).reshape(len(blocks) * parts, -1)  # (streams, steps)
        groups = streams.reshape(-1, self.batch_size, streams.shape[1])  # (groups, B, steps)
        index = groups.transpose(0, 2, 1).reshape(-1, self.batch_size).astype(np.int32)
        reset = np.zeros(len(index), bool)
        if self.reset == "sequence":
            reset[:: streams.shape[1]] = True
        reset[0] |= self.reset == "epoch"
        return index, reset


def asking(plan: Schedule, unseen: tuple[int, ...]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Returns an evaluation of a stateful network: the training samples, then the unseen ones.

    Sample indices (batches, batch_size) and whether the state is cleared before each batch. Unseen
    sequences, with `unseen` samples each, are dealt as the training ones are, from a clear state.

    >>> asking(Schedule((2, 2), 2, True, "streams", "never", "none"), (2, 2))[0].tolist()
    [[0, 2], [1, 3], [4, 6], [5, 7]]
    """
    indices, resets = [], []
    for part, first in ((plan, 0), (replace(plan, lengths=unseen), plan.samples)):
        if part.lengths:
            index, reset = (each[0] for each in part.epochs(None, 1))
            reset[0] = True
            indices.append(np.where(index < 0, -1, index + first).astype(np.int32))
            resets.append(reset)
    return np.concatenate(indices), np.concatenate(resets)


def faults(
    lengths: tuple[int, ...],
    batch_size: BatchSize,
    stateful: bool,
    layout: Layout,
    reset: Reset,
    shuffle: Shuffle,
    continues: bool,
    recurrent: bool,
) -> list[Fault]:
    """Returns every rule that the settings break: empty if they are legal.

    `lengths` are the samples of each sequence; `continues` says whether the framing's samples go
    on from one another in time; `recurrent` whether the network has a state at all.
    """
    found = []
    total = sum(lengths)
    size = total if batch_size == "all" else batch_size
    if size > total:
        found.append(
            Fault("batch_size", f"there are {total} samples, but got {size}; use {total} or 'all'")
        )
    if shuffle == "sequences" and len(lengths) == 1:
        found.append(
            Fault(
                "shuffle",
                "'sequences' changes the places of whole sequences, but there is only one; "
                "use 'none', or 'samples' with stateful=false",
            )
        )
    if not stateful:
        return found
    if not recurrent:
        found.append(
            Fault("stateful", "this network keeps no state between steps; use stateful=false")
        )
    if not continues:
        found.append(
            Fault(
                "stateful",
                "a kept state means something only where each sample goes on from the one before, "
                "and this framing's samples do not; use stateful=false, or framing pairs, window, "
                "feature_window or whole",
            )
        )
    if shuffle == "samples":
        found.append(
            Fault(
                "shuffle",
                "a stateful network must see samples in the order of time, but got 'samples'; "
                "use 'none' or 'sequences', or stateful=false",
            )
        )
    if size <= total and not _fits(lengths, size, layout, reset):
        found.append(Fault("batch_size", _misfit(lengths, size, layout, reset)))
    return found


def _fits(lengths: tuple[int, ...], size: int, layout: Layout, reset: Reset) -> bool:
    if layout == "rows":
        return all(n % size == 0 for n in (lengths if reset == "sequence" else (sum(lengths),)))
    if len(set(lengths)) > 1:
        return False
    if size <= len(lengths):
        return len(lengths) % size == 0
    return size % len(lengths) == 0 and lengths[0] % (size // len(lengths)) == 0


def _misfit(lengths: tuple[int, ...], size: int, layout: Layout, reset: Reset) -> str:
    if layout == "streams" and len(set(lengths)) > 1:
        return (
            "layout 'streams' runs sequences side by side, so they must have equal numbers of "
            f"samples, but got {sorted(set(lengths))}; use layout=rows"
        )
    sizes = (n for n in range(1, sum(lengths) + 1) if _fits(lengths, n, layout, reset))
    fits = list(itertools.islice(sizes, 13))
    shown = ", ".join(map(str, fits[:12])) + (", ..." if len(fits) > 12 else "")
    if layout == "streams":
        rule = f"every row must be given as many of the {len(lengths)} sequences, or parts of them"
    elif reset == "sequence":
        rule = f"a batch must end where its sequence ends (samples each: {sorted(set(lengths))})"
    else:
        rule = f"every batch must have the same number of rows ({sum(lengths)} samples)"
    return (
        f"in a stateful network row i of a batch continues row i of the batch before, so {rule}, "
        f"but {size} leaves a row without an heir; sizes that fit: {shown}"
    )
