"""Which samples form each batch, and before which batches the state is cleared.

This is the one place that knows which schedules are valid. A schedule depends on the number of
samples of each sequence and on the batch settings; it never sees the data.
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
    """The batches of an epoch for N samples in S sequences.

    `layout="rows"` puts consecutive samples in the rows of a batch, as Keras does with a flat
    array: row i of the next batch is then NOT the successor of row i of this one, unless the batch
    size is 1. `layout="streams"` assigns to each row one sequence, or one contiguous part of a
    sequence, so that row i of the next batch continues row i of this one.
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
        """The number of batches, and so of training steps, in an epoch."""
        return -(-self.samples // self.batch_size)

    def epochs(
        self, rng: np.random.Generator | None, count: int
    ) -> tuple[Indices, NDArray[np.bool_]]:
        """Returns the batches and resets of the next `count` epochs.

        Sample indices (count, batches, batch_size), -1 for an empty row, and whether the state is
        cleared before each batch (count, batches). `rng` is drawn from epoch after epoch, so the
        order is the same however a run is divided into calls. Without `rng` the order is that of
        the data, whatever `shuffle` is; evaluations use this order.

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
                order = rng.permutation(len(self.lengths))
                index[epoch], reset[epoch] = self._arrange(order)
            return index, reset
        index, reset = self._arrange(np.arange(len(self.lengths)))
        return np.tile(index, (count, 1, 1)), np.tile(reset, (count, 1))

    def _arrange(self, order: NDArray[np.int64]) -> tuple[Indices, NDArray[np.bool_]]:
        """Returns the batches (batches, batch_size) and resets (batches,) of one epoch.

        The sequences are taken in `order`.
        """
        starts = np.cumsum((0, *self.lengths))
        blocks = [np.arange(starts[s], starts[s + 1]) for s in order]
        if self.stateful and self.layout == "streams":
            return self._in_streams(blocks)
        reset = np.zeros(self.batches, bool)
        if self.stateful and self.reset == "sequence":
            ends = np.cumsum([len(block) for block in blocks])[:-1]
            reset[np.concatenate([[0], ends]) // self.batch_size] = True
        elif self.stateful:
            reset[0] = self.reset == "epoch"
        return self._in_rows(np.concatenate(blocks)), reset

    def _in_rows(self, order: NDArray[np.int64]) -> Indices:
        padded = np.full(self.batches * self.batch_size, -1, np.int32)
        padded[: len(order)] = order
        return padded.reshape(self.batches, self.batch_size)

    def _in_streams(self, blocks: list[NDArray[np.int64]]) -> tuple[Indices, NDArray[np.bool_]]:
        parts = max(1, self.batch_size // len(blocks))  # contiguous parts of each sequence
        streams = np.stack(blocks).reshape(len(blocks) * parts, -1)  # (streams, steps)
        groups = streams.reshape(-1, self.batch_size, streams.shape[1])  # (groups, B, steps)
        index = groups.transpose(0, 2, 1).reshape(-1, self.batch_size).astype(np.int32)
        reset = np.zeros(len(index), bool)
        if self.reset == "sequence":
            reset[:: streams.shape[1]] = True
        reset[0] |= self.reset == "epoch"
        return index, reset


def stateful_evaluation_batches(
    schedule: Schedule, unseen: tuple[int, ...]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Returns the batches of an evaluation: the training samples, then the unseen ones.

    Sample indices (batches, batch_size) and whether the state is cleared before each batch.
    `unseen` is the number of samples of each unseen sequence. Unseen sequences are arranged like
    the training sequences, and start from a cleared state.

    >>> schedule = Schedule((2, 2), 2, True, "streams", "never", "none")
    >>> stateful_evaluation_batches(schedule, (2, 2))[0].tolist()
    [[0, 2], [1, 3], [4, 6], [5, 7]]
    """
    indices, resets = [], []
    for part, first in ((schedule, 0), (replace(schedule, lengths=unseen), schedule.samples)):
        if part.lengths:
            (index,), (reset,) = part.epochs(None, 1)
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
    others: tuple[int, ...] = (),
) -> list[Fault]:
    """Returns a fault for each rule that the settings break; empty if they are valid.

    `lengths` are the samples of each sequence. A stateful network also runs over `others`, so the
    batch sizes that a message offers fit both. `continues` tells whether each sample of the
    framing continues the one before in time, `recurrent` whether the network has a state at all.
    """
    broken = []
    total = sum(lengths)
    size = total if batch_size == "all" else batch_size
    if size > total:
        repair = f"use {total} or 'all'"
        if stateful and others:
            repair = _fitting_sizes(lengths, others, layout, reset)
        broken.append(Fault("batch_size", f"there are {total} samples, but got {size}; {repair}"))
    if shuffle == "sequences" and len(lengths) == 1:
        broken.append(
            Fault(
                "shuffle",
                "'sequences' changes the order of whole sequences, but there is only one; "
                "use 'none', or 'samples' with stateful=false",
            )
        )
    if not stateful:
        return broken
    if not recurrent:
        broken.append(
            Fault("stateful", "this network keeps no state between steps; use stateful=false")
        )
    if not continues:
        broken.append(
            Fault(
                "stateful",
                "a kept state needs samples that continue the sample before, but this framing's "
                "samples do not; use stateful=false, or framing pairs, window, feature_window or "
                "whole",
            )
        )
    if shuffle == "samples":
        broken.append(
            Fault(
                "shuffle",
                "a stateful network must see samples in the order of time, but got 'samples'; "
                "use 'none' or 'sequences', or stateful=false",
            )
        )
    if size <= total and not _fits(lengths, size, layout, reset):
        broken.append(Fault("batch_size", _misfit(lengths, others, size, layout, reset)))
    return broken


def _fits(lengths: tuple[int, ...], size: int, layout: Layout, reset: Reset) -> bool:
    if layout == "rows":
        return all(n % size == 0 for n in (lengths if reset == "sequence" else (sum(lengths),)))
    if len(set(lengths)) > 1:
        return False
    if size <= len(lengths):
        return len(lengths) % size == 0
    return size % len(lengths) == 0 and lengths[0] % (size // len(lengths)) == 0


def _misfit(
    lengths: tuple[int, ...], others: tuple[int, ...], size: int, layout: Layout, reset: Reset
) -> str:
    if layout == "streams" and len(set(lengths)) > 1:
        return (
            "layout 'streams' runs sequences in parallel, so they must have equal numbers of "
            f"samples, but got {sorted(set(lengths))}; use layout=rows"
        )
    if layout == "streams":
        rule = f"all rows must get equally many of the {len(lengths)} sequences, or equal parts"
    elif reset == "sequence":
        counts = sorted(set(lengths))
        rule = f"a batch must end where its sequence ends (samples per sequence: {counts})"
    else:
        rule = f"every batch must have the same number of rows ({sum(lengths)} samples)"
    return (
        f"in a stateful network row i of a batch continues row i of the batch before, so {rule}, "
        f"but batch size {size} leaves rows that nothing continues; "
        + _fitting_sizes(lengths, others, layout, reset)
    )


def _fitting_sizes(
    lengths: tuple[int, ...], others: tuple[int, ...], layout: Layout, reset: Reset
) -> str:
    """Returns the batch sizes that fit sequences of `lengths`, and `others` as well, in words."""
    parts = [part for part in (lengths, others) if part]
    sizes = (
        n
        for n in range(1, min(map(sum, parts)) + 1)
        if all(_fits(part, n, layout, reset) for part in parts)
    )
    fitting = list(itertools.islice(sizes, 13))
    if not fitting:
        return "no size fits both the training and the unseen sequences; use layout=rows"
    listed = ", ".join(map(str, fitting[:12])) + (", ..." if len(fitting) > 12 else "")
    both = ", training and unseen sequences together" if others else ""
    return f"sizes that fit{both}: {listed}"
