"""The latest rows of the series of a long file, in place of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._rows import Rows

MIN_SERIES_ROWS = 100
"""Rows that are kept of each of several series, if it has so many."""
ByName = Mapping[str, NDArray[np.intp]]


def latest_rows(rows: Rows, count: int | None) -> Rows:
    """Returns the rows with the latest `count` of all series together; `rows` for None.

    Of several series these are the rows from one time on, or equally many of each if there are no
    times; at least `MIN_SERIES_ROWS` of each series are kept, so there may be more.
    """
    if count is None or count >= sum(map(len, rows.by_series.values())):
        return rows
    return replace(rows, by_series=_latest(rows.by_series, rows.times, count))


def _latest(rows: ByName, times: NDArray[np.generic] | None, count: int) -> ByName:
    """Returns the latest `count` of the `rows` of all series together.

    >>> {name: kept.tolist() for name, kept in _latest({"": np.arange(9)}, None, 2).items()}
    {'': [7, 8]}
    """
    if len(rows) == 1:
        return {name: indices[-count:] for name, indices in rows.items()}
    if times is None:
        length = max(MIN_SERIES_ROWS, count // len(rows))
        return {name: indices[-length:] for name, indices in rows.items()}
    first = np.sort(np.concatenate([times[indices] for indices in rows.values()]))[-count]
    kept = {}
    for name, indices in rows.items():
        later = int((times[indices] >= first).sum())
        kept[name] = indices[-max(later, MIN_SERIES_ROWS) :]
    return kept
