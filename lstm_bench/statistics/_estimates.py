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
SURE = 29
"""Seeds from which 1 in 20 samples, at most, shows nothing of what befalls every tenth seed."""
EDGE = 0.1
"""Scores in this share of their range, next to a bound, may be one mode of two."""
LEAN = 0.7
"""Skewness counts up to this over t / sqrt(n): beyond, few seeds say no more about it."""


@dataclass(frozen=True)
class Mean:
    """A mean over `n` seeds: standard deviation (ddof 1) and a 95 % interval for the mean.

    `std`, `low` and `high` are NaN where n is too small to say: see `mean_interval`.
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
    """Returns the mean of one value a seed with its 95 % interval, clipped to [low, high].

    Student's t after the transformation of Hall (1992), J. R. Stat. Soc. B 54, 221-228, which
    corrects it for the skewness that scores near a bound have; without skewness it is Student's.
    The interval takes the seeds as independent draws. NaN values (diverged seeds) make the result
    NaN rather than vanish.

    There is none where all seeds agree, nor where fewer than `SURE` seeds all lie within `EDGE` of
    the same bound: nearly perfect seeds say nothing of how often one fails, and no method can tell.
    Of the intervals given, with 10 and 30 seeds, 94 to 96 % hold the truth for normal and skewed
    scores, and 95 % or more for solved and unsolved ones (50 and 90 %): `test_calibration`
    measures it. Scores far from the bounds may hide a second mode too, which nothing here notices;
    and a loss of many magnitudes takes more seeds (log-normal, sigma 1: 89 % of 10, 92 % of 30).

    >>> mean_interval([0.8, 0.9, 1.0], high=1.0)
    Mean(n=3, mean=0.9, std=0.1, low=0.6515862..., high=1.0)
    >>> mean_interval([0.95, 1.0, 1.0], low=0.0, high=1.0).low
    nan
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
    if not std > 0 or (n < SURE and _at_an_edge(array, low, high)):
        return Mean(n, mean, std, np.nan, np.nan)
    below, above = _hall((array - mean) / std)
    return Mean(n, mean, std, max(mean - above * std, low), min(mean - below * std, high))


def _at_an_edge(array: np.ndarray, low: float, high: float) -> bool:
    edge = EDGE * (high - low)
    if not np.isfinite(edge):
        return False
    return bool(array.min() > high - edge or array.max() < low + edge)


def _hall(standard: np.ndarray) -> tuple[float, float]:
    """Returns within which (mean - truth) / std lies, from the standardised values' skewness."""
    n = len(standard)
    reach = float(stats.t.ppf(0.975, n - 1) / np.sqrt(n))
    skew = float((standard**3).sum()) * n / ((n - 1) * (n - 2)) if n > 2 else 0.0
    skew = float(np.clip(skew, -LEAN / reach, LEAN / reach))
    if abs(skew) < 1e-6:
        return -reach, reach
    ends = np.cbrt(1 + skew * (np.array([-reach, reach]) - skew / (6 * n))) - 1
    below, above = 3 / skew * ends
    return float(below), float(above)


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
