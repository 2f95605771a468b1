"""The times that follow the last time of a series."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DATES = ("%Y-%m-%d", "%Y-%m", "%d.%m.%Y", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
         "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")  # fmt: skip
"""Formats of times for which the following times can be computed."""
LATEST_TIMES = 24
"""Number of latest times from which the distance to the next one is computed."""


def following_times(when: NDArray[np.object_], count: int) -> NDArray[np.object_]:
    """Returns the `count` times after `when` as text, if the latest times are evenly spaced.

    Months, quarters and years count as evenly spaced. Returns empty texts for other times.

    >>> following_times(np.array(["2001-11-01", "2001-12-01", "2002-01-01"], object), 2).tolist()
    ['2002-02-01', '2002-03-01']
    >>> following_times(np.array(["row 7", "row 8"], object), 1).tolist()
    ['row 9']
    """
    import pandas as pd  # takes a third of a second to import

    latest = [str(time) for time in when[-LATEST_TIMES:]]
    prefix = "row " if all(time.startswith("row ") for time in latest) else ""
    numbers = pd.to_numeric(pd.Series(latest).str.removeprefix(prefix), errors="coerce").to_numpy()
    steps = np.diff(numbers)
    if len(steps) and np.isfinite(numbers).all() and np.allclose(steps, steps[0]):
        ahead = numbers[-1] + steps[0] * np.arange(1, count + 1)
        return np.array([f"{prefix}{value:.12g}" for value in ahead], object)
    for date_format in DATES:
        dates = pd.to_datetime(pd.Series(latest), format=date_format, errors="coerce", exact=True)
        if dates.isna().any() or len(dates) < 3:
            continue
        if frequency := pd.DatetimeIndex(dates, freq="infer").freq:
            ahead = pd.date_range(dates.iloc[-1], periods=count + 1, freq=frequency)[1:]
            return np.array(ahead.strftime(date_format), object)
    return np.array([""] * count, object)
