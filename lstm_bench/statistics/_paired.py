"""Differences between two recipes that share their seeds: paired intervals and tests.

Seed s gives both recipes the same data, initial weights and order. So seeds are compared pair by
pair, and the effect of the seed on both recipes cancels in the difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from lstm_bench.statistics._estimates import NEAR_BOUND_SEEDS, Mean, mean_interval, solve_rate
from lstm_bench.statistics._exact_mcnemar import exact_mcnemar
from lstm_bench.statistics._looks import FIRST_LEVEL
from lstm_bench.statistics._rare_seeds import (
    Proviso,
    Room,
    paired_room,
    proviso_of_equal,
    proviso_of_real,
)
from lstm_bench.statistics._superiority import Superiority, paired_superiority

DifferenceVerdict = Literal["real", "not real", "cannot tell yet"]

ALPHA = 0.05
POWER = 0.80
MIN_EQUAL_SEEDS = NEAR_BOUND_SEEDS
"""Fewest seeds that can show that there is no difference: with fewer, more than 1 in 20 samples
miss an event that happens to every tenth seed."""
SHARE_BOUNDS = (0.0, 1.0)
MAX_ADDITIONAL_SEEDS = 1000
"""Recommendations of more seeds stop here: a larger exact number is of no use."""
RESAMPLES = 9999


@dataclass(frozen=True)
class Difference:
    """A difference over `n` shared seeds, with its 95 % interval and two-sided p value.

    `n_differing` counts the seeds on which the two recipes are not equal. `constant` is True if the
    difference is the same on every seed, so that no interval can be estimated from its spread.
    `low`, `high` and `p` are NaN if they are undefined, `n` is too small, or a seed diverged.
    """

    n: int
    difference: float
    std: float
    low: float
    high: float
    p: float
    n_differing: int
    constant: bool
    n_to: int | None = None  # seeds of `to` if the recipes share none: see `_unpaired`
    median_epochs: tuple[float, float] | None = None  # of the epochs to solve: see `_survival`
    excess_solved: float = 0.0  # solved seeds of `of`, minus those expected if both were as fast
    never_solved: bool = False  # no seed of either recipe ever solves the task
    room: Room | None = None  # None where no seed that was not seen can undo a verdict
    exact: bool = False  # the test holds its level whatever rare seeds there are
    superiority: Superiority | None = None  # None for epochs to solve, and where a seed diverged
    step_error: float = 0.0  # standard error due to the scored steps; NaN if they are too few

    @property
    def min_seeds(self) -> int:
        """The number of seeds of the recipe that has fewer."""
        return self.n if self.n_to is None else min(self.n, self.n_to)


def paired_mean_difference(
    of: Sequence[float] | np.ndarray,
    to: Sequence[float] | np.ndarray,
    bounds: tuple[float, float] = SHARE_BOUNDS,
) -> Difference:
    """Returns the mean of `of - to`, one value per seed each, with Student's t interval.

    The p value is the larger one of two tests: Student's t test, and a sign-flip permutation test
    of the differences (Fisher 1935, section 21; all sign patterns if there are few, otherwise
    `RESAMPLES` seeded ones). The permutation test holds its level for any distribution of scores,
    provided that equal recipes are exchangeable. For scores that are either "solved" or "unsolved"
    the t test alone rejects too often. Recipes of equal means of which one fails rarely and badly
    are not exchangeable: see `verdict_proviso`, for which all values lie within `bounds`.

    >>> paired_mean_difference([0.8, 0.9, 1.0, 0.9], [0.7, 0.9, 0.8, 0.8])
    Difference(n=4, difference=0.1, std=0.0816..., low=-0.029..., high=0.229..., p=0.25, ...)
    """
    first, second = np.asarray(of, dtype=float), np.asarray(to, dtype=float)
    values = first - second
    mean = mean_interval(values)
    constant = bool(mean.n > 1 and mean.std == 0)
    n_differing = int((np.abs(values) > 1e-12).sum())
    p = math.nan
    if mean.n > 1 and np.isfinite(values).all():
        if n_differing == 0:
            t_test = 1.0
        else:
            t_test = 0.0 if constant else _t_test(mean.mean, mean.std, mean.n)
        p = max(t_test, _sign_flip_test(values))
    low, high = _t_interval(mean)
    finite = mean.n > 0 and bool(np.isfinite(values).all())
    return Difference(
        mean.n,
        mean.mean,
        mean.std,
        low,
        high,
        p,
        n_differing,
        constant,
        room=paired_room(first, second, bounds, values) if finite else None,
        superiority=paired_superiority(values) if finite else None,
    )


def _t_interval(mean: Mean) -> tuple[float, float]:
    """Returns Student's t interval, consistent with the t test's p value; NaN without a spread."""
    if not mean.std > 0:
        return math.nan, math.nan
    # Multiplied in this order, which `stats.t.interval` changes: stored tables have every digit.
    half = float(stats.t.ppf(1 - ALPHA / 2, mean.n - 1)) * mean.std / math.sqrt(mean.n)
    return mean.mean - half, mean.mean + half


def _t_test(mean: float, std: float, n: int) -> float:
    """Returns the two-sided p value of the one-sample t test against a mean of 0."""
    return float(2 * stats.t.sf(abs(mean) / (std / math.sqrt(n)), n - 1))


def _sign_flip_test(values: np.ndarray) -> float:
    """Returns the probability that random signs put the mean at least as far from 0."""
    nonzero = np.round(values[np.abs(values) > 1e-12], 12)
    if len(nonzero) < 2:  # a single value is equally far from 0 with either sign
        return 1.0
    test = stats.permutation_test(
        (nonzero,),
        lambda sample, axis: np.mean(sample, axis=axis),
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(0),  # equal results give equal reports
    )
    return float(test.pvalue)


def paired_rate_difference(
    of: Sequence[bool] | np.ndarray, to: Sequence[bool] | np.ndarray
) -> Difference:
    """Returns the difference of two solve rates over the same seeds.

    The p value is that of `exact_mcnemar`, from the seeds that only one of the two recipes solves.
    The interval is method 10 of Newcombe (1998), Statistics in Medicine 17, 2635-2650:
    Wilson's intervals of both rates, squared and added, with the correlation of the pairs.

    >>> paired_rate_difference([True] * 9 + [False], [True] * 4 + [False] * 6)
    Difference(n=10, difference=0.5, std=..., low=0.08..., high=0.74..., p=0.0264..., ...)
    """
    first, second = np.asarray(of, dtype=bool), np.asarray(to, dtype=bool)
    n = len(first)
    if n == 0:
        nan = math.nan
        return Difference(0, nan, nan, nan, nan, nan, 0, False)
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    both = int((first & second).sum())
    neither = n - both - only_first - only_second
    low, high = paired_newcombe_interval(both, only_first, only_second, neither)
    values = first.astype(float) - second.astype(float)
    mean = mean_interval(values)
    discordant = only_first + only_second
    p = exact_mcnemar(only_first, only_second, n)
    constant = bool(n > 1 and mean.std == 0)
    return Difference(
        n,
        mean.mean,
        mean.std,
        low,
        high,
        p,
        discordant,
        constant,
        room=paired_room(first.astype(float), second.astype(float), SHARE_BOUNDS, values),
        exact=True,
        superiority=paired_superiority(values),
    )


def paired_newcombe_interval(
    both: int, only_first: int, only_second: int, neither: int
) -> tuple[float, float]:
    """Returns Newcombe's interval (method 10) for the difference of two paired rates.

    >>> [round(end, 4) for end in paired_newcombe_interval(36, 12, 2, 0)]
    [0.0569, 0.3404]
    """
    n = both + only_first + only_second + neither
    a, b = both + only_first, both + only_second
    first = solve_rate([True] * a + [False] * (n - a))
    second = solve_rate([True] * b + [False] * (n - b))
    product: float = both * neither - only_first * only_second
    if product > 0:
        product = max(product - n / 2, 0)  # the method's continuity correction
    margins = math.sqrt(a * (n - a) * b * (n - b))
    phi = product / margins if margins else 0.0

    def half_width(one: float, other: float) -> float:
        return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))

    difference = (only_first - only_second) / n
    low = difference - half_width(first.rate - first.low, second.high - second.rate)
    high = difference + half_width(first.high - first.rate, second.rate - second.low)
    return low, high


def fewest_to_be_real(comparisons: int, level: float = FIRST_LEVEL) -> int:
    """Returns the fewest seeds, or contexts, with which a difference of means can be real.

    With fewer even differences of one sign have too large a p value, 2 / 2^n, for so many
    comparisons.

    >>> fewest_to_be_real(1), fewest_to_be_real(24), fewest_to_be_real(25)
    (6, 10, 11)
    """
    return math.ceil(1 + math.log2(comparisons / level))


def difference_verdict(
    difference: Difference, corrected: float, margin: float | None, level: float = ALPHA
) -> DifferenceVerdict:
    """Returns the verdict on a difference, given its p value corrected for all comparisons.

    `real`: it differs from 0, at a `level` that counts earlier looks: see `look_level`.
    `not real`: its whole interval lies within the margin, or no seed differs at all, and there are
    at least `MIN_EQUAL_SEEDS` seeds. Both may rest on a proviso: see `verdict_proviso`.
    """
    if corrected <= level:
        return "real"
    if difference.min_seeds < MIN_EQUAL_SEEDS:
        return "cannot tell yet"
    return "not real" if within_margin(difference, margin) else "cannot tell yet"


def verdict_proviso(
    difference: Difference, verdict: DifferenceVerdict, margin: float | None
) -> Proviso | None:
    """Returns which rare seeds, not seen so far, would undo a verdict; None if none could.

    Means are as sensitive to a rare seed that fails badly as to many that fail a little. Ten seeds
    without a failure leave possible that a quarter of all seeds fail, and no test can tell.
    """
    room, n = difference.room, difference.min_seeds
    if room is None or n == 0:
        return None
    if verdict == "real" and not difference.exact:
        return proviso_of_real(difference.difference, room, n)
    if verdict == "not real" and margin is not None:
        return proviso_of_equal(difference.difference, margin, room, n)
    return None


def within_margin(difference: Difference, margin: float | None) -> bool:
    """Returns whether the whole interval, or a constant difference, lies within the margin."""
    if margin is None:
        return False
    constant = difference.constant and math.isnan(difference.low)
    value = difference.difference
    counts_steps = difference.step_error != 0  # NaN: it should, but there are too few
    no_seed_differs = difference.n_differing == 0 and value == 0 and not counts_steps
    low, high = (value, value) if constant or no_seed_differs else (difference.low, difference.high)
    return -margin <= low and high <= margin


def seeds_needed(
    difference: Difference, margin: float | None, comparisons: int, level: float = ALPHA
) -> int | None:
    """Returns about how many more seeds would settle the question, or None if that is unknown.

    At most `MAX_ADDITIONAL_SEEDS`. Enough seeds to detect the observed difference with `POWER` at
    the `level` of the next look, or to show that it lies within the margin, whichever needs fewer:
    normal theory, with the observed standard deviation.
    """
    return _more_seeds(difference, margin, comparisons, level, abs(difference.difference))


def seeds_needed_range(
    difference: Difference, margin: float | None, comparisons: int, level: float = ALPHA
) -> tuple[int, int] | None:
    """Returns the ends of `seeds_needed` if the true difference is a standard error off."""
    size = abs(difference.difference)
    central = _more_seeds(difference, margin, comparisons, level, size)
    if central is None or not math.isfinite(size) or not difference.std > 0:
        return None if central is None else (central, central)
    error = difference.std / math.sqrt(difference.min_seeds)
    ends = [
        _more_seeds(difference, margin, comparisons, level, other)
        for other in (max(size - error, 0.0), size + error)
    ]
    counts = [central, *(count for count in ends if count is not None)]
    return min(counts), max(counts)


def _more_seeds(
    difference: Difference, margin: float | None, comparisons: int, level: float, size: float
) -> int | None:
    """Returns `seeds_needed` for a true difference of `size`."""
    n = difference.min_seeds
    if n < 2 or (not math.isfinite(size) and difference.median_epochs is None):
        return None
    if math.isnan(difference.step_error) or (difference.step_error and not difference.n_differing):
        return None  # it takes more steps
    z = _z(level / comparisons) + float(stats.norm.ppf(POWER))
    if difference.median_epochs is not None:
        # The log-rank statistic grows with the square root of the number of seeds.
        observed = _z(difference.p)
        needed = n * (z / observed) ** 2 if observed > 0 else math.inf
        return _additional_seeds(needed, n)
    if difference.n_differing == 0:
        needed = float(MIN_EQUAL_SEEDS) if margin else math.inf
    elif difference.constant:
        needed = 0.0
    else:
        needed = _seeds_to_reach(size, z, difference)
        if margin is not None and size < margin:
            z = _z(ALPHA) + float(stats.norm.ppf((1 + POWER) / 2))
            equal = _seeds_to_reach(margin - size, z, difference)
            needed = min(needed, max(equal, MIN_EQUAL_SEEDS))
        if difference.step_error and math.isinf(needed):
            return None
    if size:  # with fewer seeds no result reaches the level
        needed = max(needed, fewest_to_be_real(comparisons, level))
    return _additional_seeds(needed, n)


def _seeds_to_reach(size: float, z: float, difference: Difference) -> float:
    """Returns with how many seeds `z` standard errors are `size`, infinite if with none."""
    if not size:
        return math.inf
    if not difference.step_error:
        return (z * difference.std / size) ** 2
    left = size**2 - (z * difference.step_error) ** 2  # what steps leave uncertain stays
    return (z * difference.std) ** 2 / left if left > 0 else math.inf


def _additional_seeds(needed: float, n: int) -> int:
    """Returns `needed` minus the `n` seeds run so far, from 1 to `MAX_ADDITIONAL_SEEDS`."""
    return int(min(max(math.ceil(min(needed, 1e6)) - n, 1), MAX_ADDITIONAL_SEEDS))


def _z(level: float) -> float:
    """Returns the normal quantile of a two-sided test at `level`."""
    return float(stats.norm.isf(level / 2))
