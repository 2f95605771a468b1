"""Differences between two recipes that have no seeds in common: unpaired intervals and tests.

The effect of a seed on both recipes cannot cancel, so this takes more seeds than paired tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from lstm_bench.statistics._estimates import solve_rate
from lstm_bench.statistics._paired import ALPHA, RESAMPLES, SHARE_BOUNDS, Difference
from lstm_bench.statistics._rare_seeds import unpaired_room
from lstm_bench.statistics._superiority import unpaired_superiority


def unpaired_mean_difference(
    of: Sequence[float] | np.ndarray,
    to: Sequence[float] | np.ndarray,
    bounds: tuple[float, float] = SHARE_BOUNDS,
) -> Difference:
    """Returns the difference of two means, with Welch's interval (Welch 1947).

    The p value is the larger one of two tests: Welch's t test, and a permutation test (Fisher
    1935): see `permutation_p_value`. All values lie within `bounds`.

    >>> unpaired_mean_difference([0.8, 0.9, 1.0, 0.9], [0.7, 0.8, 0.6])
    Difference(n=4, difference=0.2, std=0.129..., low=0.0007..., high=0.399..., p=0.114..., ...)
    """
    first, second = np.asarray(of, dtype=float), np.asarray(to, dtype=float)
    if not len(first) or not len(second):
        return _undefined_difference(len(first), len(second))
    difference = float(np.round(first.mean() - second.mean(), 12))
    low, high, p, std = (math.nan,) * 4
    constant = False
    if min(len(first), len(second)) > 1 and np.isfinite([*first, *second]).all():
        std = float(np.round(math.hypot(first.std(ddof=1), second.std(ddof=1)), 12))
        constant = std == 0
        p = permutation_p_value(first, second)
        if not constant:
            parts = np.array([first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)])
            error = math.sqrt(parts.sum())
            df = parts.sum() ** 2 / (parts**2 / [len(first) - 1, len(second) - 1]).sum()
            low, high = map(float, stats.t.interval(1 - ALPHA, df, loc=difference, scale=error))
            p = max(p, float(2 * stats.t.sf(abs(difference) / error, df)))
    n_differing = 0 if constant and difference == 0 else len(first)
    finite = bool(np.isfinite([*first, *second]).all())
    return Difference(
        len(first),
        difference,
        std,
        low,
        high,
        p,
        n_differing,
        constant,
        n_to=len(second),
        room=unpaired_room(first, second, bounds) if finite else None,
        superiority=unpaired_superiority(first, second) if finite else None,
    )


def _undefined_difference(n: int, n_to: int) -> Difference:
    """Returns the difference of recipes of which one has no seeds: every estimate is NaN."""
    nan = math.nan
    return Difference(n, nan, nan, nan, nan, nan, 0, False, n_to=n_to)


def permutation_p_value(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the probability that a random split of all values separates the means as far.

    All splits are counted if there are few, otherwise `RESAMPLES` seeded ones.
    """
    pooled = np.round(np.concatenate([first, second]), 12)
    if np.ptp(pooled) == 0:
        return 1.0
    if min(len(first), len(second)) == 1:  # each value is equally likely to be the single one
        single = pooled[0] if len(first) == 1 else pooled[-1]
        mean = pooled.mean()
        return float((np.abs(pooled - mean) >= abs(single - mean) - 1e-12).mean())
    test = stats.permutation_test(
        (pooled[: len(first)], pooled[len(first) :]),
        lambda one, other, axis: np.mean(one, axis=axis) - np.mean(other, axis=axis),
        permutation_type="independent",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),  # equal results give equal reports
    )
    return float(test.pvalue)


def unpaired_rate_difference(
    of: Sequence[bool] | np.ndarray, to: Sequence[bool] | np.ndarray
) -> Difference:
    """Returns the difference of two solve rates, with Newcombe's interval.

    The p value is that of Boschloo's exact test (1970); the interval is `newcombe_interval`.

    >>> unpaired_rate_difference([True] * 18, [True] * 14 + [False] * 4)
    Difference(n=18, difference=0.22..., std=..., low=0.002..., high=0.452..., p=0.065..., ...)
    """
    first, second = solve_rate(of), solve_rate(to)
    if not first.n or not second.n:
        return _undefined_difference(first.n, second.n)
    low, high = newcombe_interval(first.k, first.n, second.k, second.n)
    table = [[first.k, second.k], [first.n - first.k, second.n - second.k]]  # a column per recipe
    solved = first.k + second.k
    all_equal = solved in (0, first.n + second.n)
    p = 1.0 if all_equal else min(1.0, float(stats.boschloo_exact(table).pvalue))
    variances = [rate.rate * (1 - rate.rate) for rate in (first, second)]
    values = np.asarray(of, dtype=float), np.asarray(to, dtype=float)
    return Difference(
        first.n,
        first.rate - second.rate,
        math.sqrt(sum(variances)),
        low,
        high,
        p,
        0 if all_equal else first.n,
        False,
        n_to=second.n,
        room=unpaired_room(*values, SHARE_BOUNDS),
        exact=True,
        superiority=unpaired_superiority(*values),
    )


def newcombe_interval(k: int, n: int, j: int, m: int) -> tuple[float, float]:
    """Returns Newcombe's interval for k / n - j / m, the difference of two independent rates.

    Method 10 of Newcombe (1998), Statistics in Medicine 17, 873-890: Wilson's intervals of both
    rates, squared and added.

    >>> [round(end, 4) for end in newcombe_interval(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    first = solve_rate([True] * k + [False] * (n - k))
    second = solve_rate([True] * j + [False] * (m - j))
    difference = first.rate - second.rate
    low = difference - math.hypot(first.rate - first.low, second.high - second.rate)
    high = difference + math.hypot(first.high - first.rate, second.rate - second.low)
    return low, high
