"""After which epochs a network is evaluated on all samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHARE = 0.1
"""Largest cost of an evaluation, as a share of an epoch's training, to come after every epoch."""
SPACING = 0.05
"""Otherwise the largest share of the epochs so far that pass until the next evaluation.

So an epoch from which a task stays solved is too late by one part in twenty at the most, unless it
was not solved for a while between two evaluations: then the epoch may be too early."""
SMALL_STEP = 50_000
"""Multiply-adds of a training step that take no longer than all else in it."""


def default_distance(share: float) -> int | None:
    """Returns 1 where an evaluation's `share` of the cost of an epoch is at most SHARE, else None.

    1 means after every epoch, None as often as SPACING demands.
    """
    return 1 if share <= SHARE else None


def evaluated_epochs(epochs: int, every: int | None) -> NDArray[np.int64]:
    """Returns the evaluated epochs, from 1, in order; the last one of `epochs` is among them.

    They are each `every`-th, or without it those that SPACING demands.

    >>> evaluated_epochs(10, 4)
    array([ 4,  8, 10])
    >>> evaluated_epochs(60, None)[-12:]
    array([39, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60])
    """
    if every is not None:
        chosen = list(range(every, epochs + 1, every))
    else:
        chosen, epoch = [], 1
        while epoch <= epochs:
            chosen.append(epoch)
            epoch = max(epoch + 1, int(epoch * (1 + SPACING)))
    if not chosen or chosen[-1] != epochs:
        chosen.append(epochs)
    return np.array(chosen)


def evaluation_share(samples: int, batches: int, batch_size: int, multiply_adds: float) -> float:
    """Returns about how much an evaluation of all `samples` costs as a share of an epoch.

    `multiply_adds` are those of the forward pass of one sample; a training step takes three times
    as many, and for all else as long as SMALL_STEP of them.
    """
    step = SMALL_STEP + 3 * batch_size * multiply_adds
    return samples * multiply_adds / (batches * step)
