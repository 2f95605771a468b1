"""Whether two recipes differ, from the seeds that they share: pure functions.

Seed s gives both recipes the same data, initial weights and order, so seeds are compared pair by
pair, and what they have in common drops out of the difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy import stats

from lstm_bench.statistics._estimates import Mean, mean_interval, solve_rate

Measure = Literal["accuracy", "sequence_accuracy", "solve_rate", "loss", "epochs_to_solve"]
DifferenceWord = Literal["real", "not real", "cannot tell yet"]

MARGIN = 0.02
"""Accuracies and rates that differ by less are as good as equal, unless a sweep says otherwise."""
ALPHA = 0.05
POWER = 0.80
ENOUGH = 19
"""Seeds from which an event that none of them shows has at most a chance of 1 in 20 at the next."""
MOST_SEEDS = 1000
"""Beyond so many more seeds, how many exactly is no longer of use."""
RESAMPLES = 9999


@dataclass(frozen=True)
class Comparison:
    """A question that a sweep file asks: how `of` differs from `to`, in which measure."""

    __pydantic_config__: ClassVar[dict[str, object]] = {
        "extra": "forbid",
        "coerce_numbers_to_str": True,
    }

    of: str
    to: str
    measure: Measure = "accuracy"
    claim: str = ""
    margin: float | None = None

    @property
    def negligible(self) -> float | None:
        """The difference that is as good as none.

        None for a loss, which has no natural scale, and for epochs to solve, which have no
        interval.
        """
        if self.measure == "epochs_to_solve":
            return None
        if self.margin is not None or self.measure == "loss":
            return self.margin
        return MARGIN


@dataclass(frozen=True)
class Difference:
    """A difference over `n` shared seeds, with its 95 % interval and two-sided p value.

    `differing` counts the seeds on which the two are not equal; `constant` says that the difference
    is the same on every seed, so that there is no spread to make an interval from. `low`, `high`
    and `p` are NaN where there is none, `n` is too small, or a seed diverged.
    """

    n: int
    difference: float
    std: float
    low: float
    high: float
    p: float
    differing: int
    constant: bool
    others: int | None = None  # seeds of `to`, where the two share none: see `unpaired`
    epochs: tuple[float, float] | None = None  # medians of the epochs to solve: see `survival`
    ahead: float = 0.0  # solved seeds that `of` has more than it would if both were solved as soon
    never: bool = False  # no seed of either is ever solved

    @property
    def fewest(self) -> int:
        """The seeds of the recipe that has fewer."""
        return self.n if self.others is None else min(self.n, self.others)


def paired_mean_difference(
    of: Sequence[float] | np.ndarray, to: Sequence[float] | np.ndarray
) -> Difference:
    """Returns the mean of `of - to`, one value a seed each, with Student's t interval.

    The p value is the larger one of two tests: Student's t, and sign flips of the differences
    (Fisher 1935, section 21; all flips where these are few, `RESAMPLES` seeded ones otherwise). The
    latter holds its level however the scores are distributed, as long as equal recipes are
    exchangeable; scores that pile up at "solved" and "unsolved" make the former alone too bold.

    >>> paired_mean_difference([0.8, 0.9, 1.0, 0.9], [0.7, 0.9, 0.8, 0.8])
    Difference(n=4, difference=0.1, std=0.0816..., low=-0.029..., high=0.229..., p=0.25, ...)
    """
    values = np.asarray(of, dtype=float) - np.asarray(to, dtype=float)
    mean = mean_interval(values)
    constant = bool(mean.n > 1 and mean.std == 0)
    differing = int((np.abs(values) > 1e-12).sum())
    p = math.nan
    if mean.n > 1 and np.isfinite(values).all():
        student = (
            1.0 if differing == 0 else 0.0 if constant else _t_test(mean.mean, mean.std, mean.n)
        )
        p = max(student, _sign_flips(values))
    low, high = _student(mean)
    return Difference(mean.n, mean.mean, mean.std, low, high, p, differing, constant)


def _student(mean: Mean) -> tuple[float, float]:
    """Returns Student's interval, which agrees with the test's p value; NaN without a spread."""
    if not mean.std > 0:
        return math.nan, math.nan
    half = float(stats.t.ppf(1 - ALPHA / 2, mean.n - 1)) * mean.std / math.sqrt(mean.n)
    return mean.mean - half, mean.mean + half


def _t_test(mean: float, std: float, n: int) -> float:
    return float(2 * stats.t.sf(abs(mean) / (std / math.sqrt(n)), n - 1))


def _sign_flips(values: np.ndarray) -> float:
    """Returns how often random signs make the mean as far from 0 as it is."""
    moved = np.round(values[np.abs(values) > 1e-12], 12)
    if not len(moved):
        return 1.0
    if len(moved) == 1:
        return 1.0  # either sign is as far
    test = stats.permutation_test(
        (moved,),
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

    The p value is McNemar's exact one, from the seeds that only one of the two solves. The interval
    is method 10 of Newcombe (1998), Statistics in Medicine 17, 2635-2650: Wilson's intervals of
    both rates, squared and added, with the correlation of the pairs.

    >>> paired_rate_difference([True] * 9 + [False], [True] * 4 + [False] * 6)
    Difference(n=10, difference=0.5, std=..., low=0.08..., high=0.74..., p=0.0625, ...)
    """
    first, second = np.asarray(of, dtype=bool), np.asarray(to, dtype=bool)
    n = len(first)
    if n == 0:
        nan = math.nan
        return Difference(0, nan, nan, nan, nan, nan, 0, False)
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    both = int((first & second).sum())
    low, high = newcombe(both, only_first, only_second, n - both - only_first - only_second)
    values = first.astype(float) - second.astype(float)
    mean = mean_interval(values)
    discordant = only_first + only_second
    p = float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0
    constant = bool(n > 1 and mean.std == 0)
    return Difference(n, mean.mean, mean.std, low, high, p, discordant, constant)


def newcombe(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float]:
    """Returns Newcombe's interval (method 10) for the difference of two paired rates.

    >>> [round(end, 4) for end in newcombe(36, 12, 2, 0)]
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

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))

    difference = (only_first - only_second) / n
    low = difference - reach(first.rate - first.low, second.high - second.rate)
    high = difference + reach(first.high - first.rate, second.rate - second.low)
    return low, high


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p values corrected for how many there are (Holm 1979); NaN stays, and counts not.

    >>> holm([0.01, 0.04, float("nan"), 0.03])
    [0.03, 0.06, nan, 0.06]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    reached = 0.0
    for done, (p, place) in enumerate(known):
        reached = max(reached, min(1.0, (len(known) - done) * p))
        corrected[place] = reached
    return corrected


def difference_word(found: Difference, corrected: float, margin: float | None) -> DifferenceWord:
    """Returns the verdict on a difference, given its p value corrected for all comparisons.

    `real`: it differs from 0. `not real`: its whole interval lies within the margin, and where all
    seeds agree there are at least `ENOUGH` of them.
    """
    if corrected <= ALPHA:
        return "real"
    if found.constant and found.fewest < ENOUGH:
        return "cannot tell yet"
    return "not real" if within_margin(found, margin) else "cannot tell yet"


def within_margin(found: Difference, margin: float | None) -> bool:
    """Tells whether the whole interval, or a difference that never varies, is within the margin."""
    if margin is None:
        return False
    constant = found.constant and math.isnan(found.low)
    low, high = (found.difference, found.difference) if constant else (found.low, found.high)
    return -margin <= low and high <= margin


def seeds_needed(
    found: Difference, margin: float | None, comparisons: int, rate: bool
) -> int | None:
    """Returns about how many more seeds would settle it, at most `MOST_SEEDS`; None if unknown.

    Enough to find the difference seen so far at `POWER`, or to show that it lies within the margin,
    whichever comes first: normal theory, with the standard deviation seen so far.
    """
    if found.fewest < 2 or (math.isnan(found.difference) and found.epochs is None):
        return None
    if found.epochs is not None:
        # The log-rank statistic grows with the root of the seeds.
        z = _z(ALPHA / comparisons) + float(stats.norm.ppf(POWER))
        seen = _z(found.p)
        needed = found.fewest * (z / seen) ** 2 if seen > 0 else math.inf
        return _capped(needed, found.fewest)
    size, std = abs(found.difference), found.std
    if rate and found.differing == 0:
        # Nothing differed yet: the interval shrinks as Wilson's for a rate of 0 does.
        needed = _wilson_seeds(margin) if margin else math.inf
    elif found.constant:
        needed = float(ENOUGH) if size == 0 else 0.0
    else:
        z = _z(ALPHA / comparisons) + float(stats.norm.ppf(POWER))
        needed = (z * std / size) ** 2 if size else math.inf
        if margin is not None and size < margin:
            z = _z(ALPHA) + float(stats.norm.ppf((1 + POWER) / 2))
            needed = min(needed, (z * std / (margin - size)) ** 2)
    if size:  # fewer seeds cannot reach the level, whatever they say
        needed = max(needed, 1 + math.log2(comparisons / ALPHA))
    return _capped(needed, found.fewest)


def _capped(needed: float, had: int) -> int:
    return int(min(max(math.ceil(min(needed, 1e6)) - had, 1), MOST_SEEDS))


def _z(level: float) -> float:
    return float(stats.norm.isf(level / 2))


def _wilson_seeds(margin: float) -> float:
    return _z(ALPHA) ** 2 * (1 - margin) / margin
