"""Rankings of recipes over several tasks: profiles, interquartile means, mean ranks and tests.

Scores are arrays of shape (recipes, tasks, seeds), comparable between tasks: 0 at chance, 1 at the
ceiling of the task. The seeds of a task are independent draws. Sources: Agarwal et al. (2021), Deep
Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS; Demšar (2006), Statistical
Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 1-30.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

RESAMPLES = 2000
TRIM = 0.25
"""The share of the runs that an interquartile mean leaves out at each end."""
DIGITS = 12
"""Scores are rounded to so many digits, so that rounding errors break no tie."""


@dataclass(frozen=True)
class Bootstrapped:
    """An estimate with the ends of its 95 % bootstrap interval.

    The ends are NaN with one seed per task, and where no resample differs from the estimate: seeds
    that never differ do not show how much others would.
    """

    estimate: float
    low: float
    high: float


def performance_profile(scores: Floats, thresholds: Floats) -> Floats:
    """Returns the share of runs with a score above each threshold, shape (..., thresholds).

    `scores` have shape (..., tasks, seeds). This is the run-score distribution of Agarwal et al.
    (2021), section 4.2.

    >>> performance_profile(np.array([[0.2, 0.8], [1.0, 1.0]]), np.array([0.0, 0.5, 1.0]))
    array([1.  , 0.75, 0.  ])
    """
    runs = np.sort(_runs(scores), axis=-1)
    limits = np.round(thresholds, DIGITS)
    above = [np.sum(runs > limit, axis=-1) for limit in limits]
    return np.asarray(np.stack(above, axis=-1) / runs.shape[-1])


def profile_band(
    scores: Floats, thresholds: Floats, resamples: int = RESAMPLES
) -> tuple[Floats, Floats]:
    """Returns the pointwise 95 % bootstrap band of a profile: low and high, (thresholds,) each.

    `scores` have shape (tasks, seeds). NaN with one seed per task.
    """
    if scores.shape[1] < 2:
        return np.full(len(thresholds), np.nan), np.full(len(thresholds), np.nan)
    drawn = _resample(scores, resamples, np.random.default_rng(0))
    profiles = performance_profile(drawn, thresholds)
    low, high = np.quantile(profiles, (0.025, 0.975), axis=0)
    return low, high


def interquartile_mean(scores: Floats) -> Floats:
    """Returns the mean of the middle half of the runs, shape (...).

    `scores` have shape (..., tasks, seeds). All runs of all tasks are pooled, and a quarter of
    them, rounded down, is left out at each end (Agarwal et al. 2021, section 4.3).

    >>> float(interquartile_mean(np.array([[0.0, 0.5], [0.7, 1.0]])))
    0.6
    """
    runs = np.sort(_runs(scores), axis=-1)
    cut = int(TRIM * runs.shape[-1])
    return np.asarray(np.round(runs[..., cut : runs.shape[-1] - cut].mean(axis=-1), DIGITS))


def interquartile_mean_interval(scores: Floats, resamples: int = RESAMPLES) -> Bootstrapped:
    """Returns the interquartile mean of `scores` (tasks, seeds) with its bootstrap interval.

    The seeds are resampled within each task, the tasks are not: the interval is about further seeds
    on these tasks. It is the percentile interval. With 3, 5, 10 and 30 seeds on 5 tasks, about 85,
    90, 92 and 95 % of the intervals contain the true value: `test_ranking` measures this.
    """
    estimate = float(interquartile_mean(scores))
    if scores.shape[1] < 2:
        return Bootstrapped(estimate, math.nan, math.nan)
    drawn = _resample(scores, resamples, np.random.default_rng(0))
    return _percentile_interval(estimate, interquartile_mean(drawn))


def probability_of_improvement(of: Floats, to: Floats) -> float:
    """Returns how likely a run of one recipe beats a run of another, on a task drawn at random.

    The mean over the tasks of P(of > to) + P(of = to) / 2, over all pairs of runs: the statistic of
    Mann and Whitney (1947) divided by its maximum. Both arrays have shape (tasks, seeds).

    >>> probability_of_improvement(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]]))
    0.875
    """
    return float(np.round(_wins(of, to).mean(), DIGITS))


def improvement_intervals(scores: Floats, resamples: int = RESAMPLES) -> tuple[Bootstrapped, ...]:
    """Returns the probability of improvement of each pair of recipes, with its 95 % interval.

    `scores` have shape (recipes, tasks, seeds); the pairs are in the order of
    `itertools.combinations`, the earlier recipe over the later one. The seeds of each recipe are
    resampled within each task, independently of the other recipe, as in Agarwal et al. (2021).
    Where the scores of a seed in both recipes rise and fall together, the interval is too wide
    rather than too narrow.
    """
    recipes, tasks, seeds = scores.shape
    rng, equal = np.random.default_rng(0), np.full(seeds, 1 / seeds)
    # How often a resample has each seed, for the two recipes of a pair: (tasks, resamples, seeds).
    first, second = (rng.multinomial(seeds, equal, (tasks, resamples)) / seeds for _ in range(2))
    parts = []
    for of, to in itertools.combinations(range(recipes), 2):
        wins = _wins(scores[of], scores[to])
        estimate = float(np.round(wins.mean(), DIGITS))
        if seeds < 2:
            parts.append(Bootstrapped(estimate, math.nan, math.nan))
            continue
        # The share of wins in a resample is a weighted mean over the pairs of runs.
        drawn = np.einsum("trs,trs->r", first @ wins, second) / tasks
        parts.append(_percentile_interval(estimate, np.round(drawn, DIGITS)))
    return tuple(parts)


def task_ranks(scores: Floats) -> Floats:
    """Returns the rank of each recipe on each task by its mean score; rank 1 is the best.

    `scores` have shape (recipes, tasks, seeds), the ranks (recipes, tasks). Equal means share the
    mean of their ranks.

    >>> task_ranks(np.array([[[1.0]], [[0.5]], [[1.0]]])).ravel()
    array([1.5, 3. , 1.5])
    """
    means = np.round(np.asarray(scores, float).mean(axis=2), DIGITS)
    return np.asarray(stats.rankdata(-means, axis=0), float)


def friedman_test(ranks: Floats) -> tuple[float, float]:
    """Returns Friedman's chi-squared, corrected for ties, and its p value; tasks are the blocks.

    `ranks` have shape (recipes, tasks). The null hypothesis is that all recipes rank alike. The
    distribution is approximate with up to 10 tasks or 5 recipes (Demšar 2006, section 3.2.2). Both
    are NaN with one recipe, and if all recipes tie on every task.
    """
    recipes, tasks = ranks.shape
    expected = (recipes + 1) / 2
    # For ranks 1, 2, ..., k the variance is k (k + 1) / 12; ties lower it.
    variance = ((ranks - expected) ** 2).sum() / (tasks * max(recipes - 1, 1))
    if recipes < 2 or not variance > 0:
        return math.nan, math.nan
    between = tasks * ((ranks.mean(axis=1) - expected) ** 2).sum()
    statistic = float(np.round(between / variance, DIGITS))
    return statistic, float(stats.chi2.sf(statistic, recipes - 1))


def critical_difference(recipes: int, tasks: int, alpha: float = 0.05) -> float:
    """Returns the difference of two mean ranks that is significant, by Nemenyi's test.

    It holds for all pairs of recipes at once: CD = q sqrt(k (k + 1) / (6 N)) for k recipes and N
    tasks (Demšar 2006, section 3.2.2), with q the quantile of the studentised range over sqrt(2).

    >>> round(critical_difference(4, 14), 3)
    1.254
    """
    quantile = float(stats.studentized_range.ppf(1 - alpha, recipes, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(recipes * (recipes + 1) / (6 * tasks))


def fewest_tasks(recipes: int, alpha: float = 0.05) -> int:
    """Returns the fewest tasks with which a difference of mean ranks can be significant.

    Two mean ranks differ by at most k - 1, if one recipe is always the best and one the worst.

    >>> fewest_tasks(2), fewest_tasks(3), fewest_tasks(5)
    (4, 3, 3)
    """
    return math.ceil((critical_difference(recipes, 1, alpha) / (recipes - 1)) ** 2 - 1e-9)


def _runs(scores: Floats) -> Floats:
    """Returns the scores of all runs of all tasks, shape (..., tasks x seeds)."""
    array = np.round(np.asarray(scores, float), DIGITS)
    return array.reshape(*array.shape[:-2], -1)


def _resample(scores: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """Returns scores (tasks, seeds) resampled within each task: (resamples, tasks, seeds)."""
    tasks, seeds = scores.shape
    drawn = rng.integers(0, seeds, (resamples, tasks, seeds))
    return np.asarray(scores, float)[np.arange(tasks)[:, None], drawn]


def _wins(of: Floats, to: Floats) -> Floats:
    """Returns 1 where a run beats another one, 1/2 where they tie: (tasks, seeds, seeds of to)."""
    first, second = (np.round(np.asarray(scores, float), DIGITS) for scores in (of, to))
    pairs = first[:, :, None], second[:, None, :]
    return np.greater(*pairs) + np.equal(*pairs) / 2


def _percentile_interval(estimate: float, drawn: Floats) -> Bootstrapped:
    if np.all(drawn == estimate):
        return Bootstrapped(estimate, math.nan, math.nan)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Bootstrapped(estimate, float(low), float(high))
