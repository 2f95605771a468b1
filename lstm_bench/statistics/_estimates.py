"""Estimates with their uncertainty, computed from one value per seed.

Pure functions on arrays: nothing in this module knows what a recipe is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

RELIABLE_RATE = 0.8
"""A recipe solves its task if the whole interval of its solve rate is at or above this rate."""
NEAR_BOUND_SEEDS = 29
"""With this many seeds at most 1 in 20 samples misses an event that happens to every tenth seed."""
NEAR_BOUND = 0.1
"""Scores closer to a bound than this fraction of their range may be one of two modes."""
MAX_SKEWNESS = 0.7
"""Skewness counts up to this value divided by t / sqrt(n); few seeds cannot estimate more."""


@dataclass(frozen=True)
class Mean:
    """A mean over `n` seeds: standard deviation (ddof 1) and a 95 % interval for the mean.

    `std`, `low` and `high` are NaN if n is too small: see `mean_interval`. `why` is another reason
    for no interval.
    """

    n: int
    mean: float
    std: float
    low: float
    high: float
    why: str = field(default="", repr=False)


@dataclass(frozen=True)
class Rate:
    """`k` successes in `n` trials, with the 95 % Wilson score interval for the rate."""

    k: int
    n: int
    rate: float
    low: float
    high: float


def mean_interval(
    values: Sequence[float] | np.ndarray,
    low: float = -np.inf,
    high: float = np.inf,
    level: float = 0.05,
) -> Mean:
    """Returns the mean of `values`, one per seed, with its 95 % interval clipped to [low, high].

    The confidence is 1 - `level`.

    The interval is Student's t after the transformation of Hall (1992), J. R. Stat. Soc. B 54,
    221-228, which corrects for the skewness of scores near a bound; without skewness it is
    Student's t interval. The seeds are treated as independent draws. NaN values (diverged seeds)
    are not dropped: they make the result NaN.

    The interval is NaN if all seeds agree, or if fewer than `NEAR_BOUND_SEEDS` seeds all lie within
    `NEAR_BOUND` of the same bound: nearly perfect seeds do not show how often a seed fails, and no
    method can tell. With 10 and 30 seeds, 94 to 96 % of the intervals contain the true mean for
    normal and skewed scores, and 95 % or more for scores of solved and unsolved seeds (50 and 90 %
    solved): `test_calibration` measures this. Scores far from the bounds may also have a second
    mode, which is not detected; and a loss that spans orders of magnitude needs more seeds
    (log-normal, sigma 1: 89 % with 10 seeds, 92 % with 30).

    >>> mean_interval([0.8, 0.9, 1.0], high=1.0)
    Mean(n=3, mean=0.9, std=0.1, low=0.6515862..., high=1.0)
    >>> mean_interval([0.95, 1.0, 1.0], low=0.0, high=1.0).low
    nan
    """
    array = np.asarray(values, dtype=float)
    n = len(array)
    if n == 0:
        return Mean(0, np.nan, np.nan, np.nan, np.nan)
    # Rounded to 12 digits, so that summing equal values does not give a spread of 1e-17.
    mean = float(np.round(array.mean(), 12))
    if n == 1:
        return Mean(1, mean, np.nan, np.nan, np.nan)
    std = float(np.round(array.std(ddof=1), 12))
    if not std > 0 or (n < NEAR_BOUND_SEEDS and _all_near_bound(array, low, high)):
        return Mean(n, mean, std, np.nan, np.nan)
    lower, upper = _hall_quantiles((array - mean) / std, level)
    return Mean(n, mean, std, max(mean - upper * std, low), min(mean - lower * std, high))


def _all_near_bound(array: np.ndarray, low: float, high: float) -> bool:
    """Returns whether all values lie within `NEAR_BOUND` of the same finite bound."""
    width = NEAR_BOUND * (high - low)
    if not np.isfinite(width):
        return False
    return bool(array.min() > high - width or array.max() < low + width)


def _hall_quantiles(standardized: np.ndarray, level: float) -> tuple[float, float]:
    """Returns both quantiles of (mean - true mean) / std, corrected for skewness."""
    n = len(standardized)
    t_bound = float(stats.t.ppf(1 - level / 2, n - 1) / np.sqrt(n))
    skew = float((standardized**3).sum()) * n / ((n - 1) * (n - 2)) if n > 2 else 0.0
    skew = float(np.clip(skew, -MAX_SKEWNESS / t_bound, MAX_SKEWNESS / t_bound))
    if abs(skew) < 1e-6:
        return -t_bound, t_bound
    roots = np.cbrt(1 + skew * (np.array([-t_bound, t_bound]) - skew / (6 * n))) - 1
    lower, upper = 3 / skew * roots
    return float(lower), float(upper)


def solve_rate(solved: Sequence[bool] | np.ndarray, level: float = 0.05) -> Rate:
    """Returns the fraction of seeds that solved the task, with Wilson's interval (Wilson 1927).

    The confidence is 1 - `level`.

    >>> solve_rate([True] * 18)
    Rate(k=18, n=18, rate=1.0, low=0.8241..., high=1.0)
    """
    flags = np.asarray(solved, dtype=bool)
    k, n = int(flags.sum()), len(flags)
    if n == 0:
        return Rate(0, 0, np.nan, np.nan, np.nan)
    return Rate(k, n, k / n, *wilson_interval(k, n, level))


def wilson_interval(k: int, n: int, level: float = 0.05) -> tuple[float, float]:
    """Returns both ends of Wilson's score interval of a rate, for `k` of `n`."""
    interval = stats.binomtest(k, n).proportion_ci(1 - level, method="wilson")
    return float(interval.low), float(interval.high)


def median_epochs(epochs: Sequence[float | None]) -> float | None:
    """Returns the Kaplan-Meier median of the epochs to solve, or None if half never solved.

    Every seed is censored at the same epoch (the end of training), so the Kaplan-Meier curve falls
    to 1/2 at the middle order statistic, where unsolved seeds count as later than all others.

    >>> median_epochs([10, 30, None])
    30.0
    >>> median_epochs([10, None]) is None
    True
    """
    times = sorted(np.inf if epoch is None or np.isnan(epoch) else float(epoch) for epoch in epochs)
    if not times:
        return None
    # The smallest time at which at least half have solved. For an even count the two middle times
    # are averaged, as in a median without censoring.
    upper, lower = times[len(times) // 2], times[(len(times) - 1) // 2]
    median = (upper + lower) / 2
    return None if np.isinf(median) else median
