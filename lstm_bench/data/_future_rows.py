"""The rows at the end of a file that hold values known in advance, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def future_rows(
    values: Floats, known: int, groups: Iterable[NDArray[np.intp]]
) -> NDArray[np.bool_]:
    """Returns a mask of the rows at the end of each series that hold known values alone.

    `values` (rows, C) have the `known` columns last; `groups` are the row indices of each series.

    >>> values = np.array([[1.0, 5.0], [np.nan, 6.0], [2.0, 7.0], [np.nan, 8.0]])
    >>> future_rows(values, 1, [np.arange(4)]).tolist()
    [False, False, False, True]
    """
    mask = np.zeros(len(values), bool)
    if not known:
        return mask
    gaps = np.isnan(values)
    future = np.asarray(gaps[:, :-known].all(axis=1) & ~gaps[:, -known:].any(axis=1))
    for rows in groups:
        others = np.flatnonzero(~future[rows])
        mask[rows[others[-1] + 1 if len(others) else 0 :]] = True
    return mask
