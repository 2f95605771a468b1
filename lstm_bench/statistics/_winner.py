"""The score of the best of several recipes, without the luck of having been chosen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

SPLITS = 500
CHOOSING = 2 / 3
"""The fraction of the seeds that choose the best recipe of a split; the others score it."""


def winner_score(scores: NDArray[np.float64]) -> float:
    """Returns what the best of several recipes scores on seeds that did not choose it.

    `scores` has the shape (recipes, seeds), with the same seeds for all. In each of `SPLITS` random
    splits, two thirds of the seeds choose the recipe with the highest mean, the others score it.
    Two thirds choose a little worse than all seeds, so if one recipe is ahead this may be a little
    low: in simulations 0.1 standard deviations of a seed at most. NaN with fewer than three seeds,
    or where a seed diverged.

    >>> winner_score(np.array([[0.5, 0.6, 0.7], [0.1, 0.1, 0.1]]))
    0.6
    """
    recipes, seeds = scores.shape
    if not recipes or seeds < 3 or not np.isfinite(scores).all():
        return math.nan
    if recipes == 1:
        return float(np.round(scores.mean(), 12))
    rng = np.random.default_rng(0)  # equal results give equal reports
    order = rng.random((SPLITS, seeds)).argsort(axis=1)
    chooses = order < max(1, math.floor(CHOOSING * seeds))  # (splits, seeds)
    # Centred, so that a recipe that is ahead everywhere has exactly its mean: all seeds score
    # equally often on average, not in 500 splits.
    centred = scores - scores.mean(axis=0)
    of_choosing = np.round(centred @ chooses.T / chooses.sum(axis=1), 12)  # (recipes, splits)
    of_others = centred @ ~chooses.T / (~chooses).sum(axis=1)
    best = of_choosing.argmax(axis=0)
    share = np.bincount(best, minlength=recipes) / SPLITS  # how often each one is chosen
    # The mean over all splits of a fixed recipe is its mean over all seeds: only the part that
    # depends on being chosen is estimated from the splits.
    chosen = of_others[best, np.arange(SPLITS)].mean()
    expected = float((of_others.mean(axis=1) * share).sum())
    exact = float((centred.mean(axis=1) * share).sum())
    return float(np.round(scores.mean() + chosen - expected + exact, 12))


def rate_p_value(k: int, n: int, bar: float) -> float:
    """Returns how likely `k` or more of `n` are if the rate is `bar`: the exact binomial test.

    >>> round(rate_p_value(16, 16, 0.8), 4)
    0.0281
    """
    return float(stats.binom.sf(k - 1, n, bar)) if n else math.nan
