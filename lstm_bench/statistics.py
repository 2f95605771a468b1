"""Pure functions from per-seed numbers to estimates with their uncertainty.

Nothing here knows what a recipe is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

RELIABLE = 0.8
"""A recipe solves its task where the whole interval of its solve rate lies at or above this."""


@dataclass(frozen=True)
class Mean:
    """A mean over `n` seeds: standard deviation (ddof 1) and a 95 % interval for the mean.

    `std`, `low` and `high` are NaN where n is too small to say.
    """

    n: int
    mean: float
    std: float
    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """`k` successes of `n`, with the 95 % Wilson score interval for the rate."""

    k: int
    n: int
    rate: float
    low: float
    high: float


def mean_interval(
    values: Sequence[float] | np.ndarray, low: float = -np.inf, high: float = np.inf
) -> Mean:
    """Returns the mean of one value a seed with Student's t interval, clipped to [low, high].

    The interval takes the seeds as independent draws. It is approximate for scores that pile up
    at a bound, and it has no width when all seeds agree: read it beside the solve rate's interval,
    which does. NaN values (diverged seeds) make the result NaN rather than vanish.

    >>> mean_interval([0.8, 0.9, 1.0], high=1.0)
    Mean(n=3, mean=0.9, std=0.1, low=0.6515862..., high=1.0)
    """
    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        return Mean(0, np.nan, np.nan, np.nan, np.nan)
    # Rounded to 12 digits: a sum of equal values must not acquire a spread of 1e-17.
    mean = float(np.round(array.mean(), 12))
    if n == 1:
        return Mean(1, mean, np.nan, np.nan, np.nan)
    std = float(np.round(array.std(ddof=1), 12))
    half = float(stats.t.ppf(0.975, n - 1)) * std / np.sqrt(n)
    return Mean(n, mean, std, float(np.maximum(mean - half, low)), float(min(mean + half, high)))


def solve_rate(solved: Sequence[bool] | np.ndarray) -> Rate:
    """Returns how many seeds solved the task, with Wilson's interval (Wilson 1927).

    >>> solve_rate([True] * 18)
    Rate(k=18, n=18, rate=1.0, low=0.8241..., high=1.0)
    """
    flags = np.asarray(solved, dtype=bool)
    k, n = int(flags.sum()), len(flags)
    if n == 0:
        return Rate(0, 0, np.nan, np.nan, np.nan)
    interval = stats.binomtest(k, n).proportion_ci(0.95, method="wilson")
    return Rate(k, n, k / n, float(interval.low), float(interval.high))


def median_epochs(epochs: Sequence[float | None]) -> float | None:
    """Returns the Kaplan-Meier median of the epochs to solve, or None if half never solved.

    Every seed is censored at the same epoch (the end of training), so the Kaplan-Meier curve falls
    to 1/2 at the middle order statistic, with unsolved seeds counted as later than any other.

    >>> median_epochs([10, 30, None])
    30.0
    >>> median_epochs([10, None]) is None
    True
    """
    times = sorted(np.inf if epoch is None or np.isnan(epoch) else float(epoch) for epoch in epochs)
    if not times:
        return None
    # The smallest time at which at least half have solved; with an even count the two middle
    # times are averaged, as for an uncensored median.
    upper, lower = times[len(times) // 2], times[(len(times) - 1) // 2]
    middle = (upper + lower) / 2
    return None if np.isinf(middle) else middle
