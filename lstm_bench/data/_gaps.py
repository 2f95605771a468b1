"""Gaps in the rows of a series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def forward_fill(values: Floats) -> Floats:
    """Returns columns (n, C) with each gap filled by the last value before it.

    Interpolation towards the next value would tell the network what comes next.
    """
    rows = np.arange(len(values))[:, None]
    latest = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.asarray(np.take_along_axis(values, latest, axis=0))
