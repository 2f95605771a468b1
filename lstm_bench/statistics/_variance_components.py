"""Variance components of scores, from crossed and from nested runs.

The components are those of random-effects analyses of variance, estimated from expected mean
squares (Searle, Casella and McCulloch 1992, Variance Components, chapters 3 and 4): unbiased before
negative ones are set to 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

DRAWS = 20_000


@dataclass(frozen=True)
class VarianceComponents:
    """Variances due to the data, the initial weights, the order, and to their interactions.

    `together` is the sum of all interactions: the variance that no source causes alone.
    """

    data: float
    init: float
    order: float
    together: float

    @property
    def total(self) -> float:
        """The variance of a score whose data, weights and order are all drawn anew."""
        return self.data + self.init + self.order + self.together

    @property
    def fractions(self) -> Mapping[str, float]:
        """Each component as a fraction of the total; NaN if nothing varies."""
        return {
            name: part / self.total if self.total else math.nan for name, part in vars(self).items()
        }


def variance_components(scores: np.ndarray) -> VarianceComponents:
    """Returns the components of `scores`, shape (data, init, order), one run per combination.

    A source that changes nothing has a component of 0. Raises ValueError if a source has fewer than
    two values, or a score is not finite.

    >>> scores = np.arange(2)[:, None, None] + np.zeros((2, 3, 4))
    >>> variance_components(scores).fractions
    {'data': 1.0, 'init': 0.0, 'order': 0.0, 'together': 0.0}
    """
    array = np.asarray(scores, dtype=float)
    if array.ndim != 3 or min(array.shape) < 2:
        raise ValueError(f"three sources must have at least 2 values each, but got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("scores must be finite: leave out the values of a source that diverged")
    mean_squares, _, runs = _mean_squares(array)
    # Components below this are rounding errors of the sums.
    negligible = 1e-12 * float(array.var()) + 1e-24 * float((array**2).mean())
    solved = _components(mean_squares, runs)
    parts = {axes: float(part) if part > negligible else 0.0 for axes, part in solved.items()}
    together = sum(part for axes, part in parts.items() if len(axes) > 1)
    return VarianceComponents(parts[0,], parts[1,], parts[2,], together)


Axes = tuple[int, ...]
EFFECTS: tuple[Axes, ...] = tuple(
    axes for size in (1, 2, 3) for axes in itertools.combinations(range(3), size)
)
"""The axes of each effect: of single sources, of pairs, and of all three."""


def _mean_squares(
    array: np.ndarray,
) -> tuple[dict[Axes, float], dict[Axes, int], dict[Axes, float]]:
    """Returns by effect: its mean square, its degrees of freedom, and the runs averaged in it."""
    mean_squares, dfs, runs = dict[Axes, float](), dict[Axes, int](), dict[Axes, float]()
    for axes in EFFECTS:
        effect = array.mean(axis=tuple({0, 1, 2} - set(axes)), keepdims=True)
        for axis in axes:
            effect = effect - effect.mean(axis=axis, keepdims=True)
        dfs[axes] = math.prod(array.shape[axis] - 1 for axis in axes)
        runs[axes] = array.size / effect.size
        mean_squares[axes] = runs[axes] * float((effect**2).sum()) / dfs[axes]
    return mean_squares, dfs, runs


def _components(mean_squares: Mapping[Axes, Any], runs: Mapping[Axes, float]) -> dict[Axes, Any]:
    """Solves the expected mean squares: each is a sum over all effects that contain it."""
    solved = {}
    for axes in EFFECTS:
        wider = [other for other in EFFECTS if set(axes) <= set(other)]
        signed = sum((-1) ** (len(other) - len(axes)) * mean_squares[other] for other in wider)
        solved[axes] = signed / runs[axes]
    return solved


def fraction_intervals(scores: np.ndarray) -> dict[str, tuple[float, float]]:
    """Returns the 95 % interval of each of the fractions of `variance_components`.

    Generalized intervals (Weerahandi 1993, Journal of the American Statistical Association 88,
    899-905): the mean squares are divided by draws of chi squares over their degrees of freedom,
    and the fractions of each draw are computed. For normal effects; four draws of a source are few,
    so they are wide.
    """
    array = np.asarray(scores, dtype=float)
    mean_squares, dfs, runs = _mean_squares(array)
    rng = np.random.default_rng(0)  # equal results give equal reports
    drawn = {
        axes: mean_squares[axes] * dfs[axes] / rng.chisquare(dfs[axes], DRAWS) for axes in EFFECTS
    }
    parts = {axes: np.maximum(part, 0.0) for axes, part in _components(drawn, runs).items()}
    sums = {name: parts[axis,] for axis, name in enumerate(("data", "init", "order"))}
    sums["together"] = sum((part for axes, part in parts.items() if len(axes) > 1), np.zeros(DRAWS))
    total = sum(sums.values(), np.zeros(DRAWS))
    if not (total > 0).all():
        return dict.fromkeys(sums, (math.nan, math.nan))
    ends = {name: np.quantile(part / total, (0.025, 0.975)) for name, part in sums.items()}
    return {name: (float(low), float(high)) for name, (low, high) in ends.items()}


def seed_fraction_interval(groups: np.ndarray) -> tuple[float, float]:
    """Returns the exact 95 % interval of `seed_variance_fraction`, shape (recipes, seeds).

    From the distribution of F (Searle, Casella and McCulloch 1992, section 3.6), for normal
    effects. NaN where nothing varies within recipes.
    """
    recipes, seeds = groups.shape
    if recipes < 2 or seeds < 2:
        return math.nan, math.nan
    within = float(groups.var(axis=1, ddof=1).mean())
    if not within > 0:
        return math.nan, math.nan
    f = seeds * float(groups.mean(axis=1).var(ddof=1)) / within
    df = recipes - 1, recipes * (seeds - 1)
    ends = [max(0.0, (f / float(stats.f.ppf(q, *df)) - 1) / seeds) for q in (0.025, 0.975)]
    return 1 / (1 + ends[0]), 1 / (1 + ends[1])  # ratio of the variances: between / within


def seed_variance_fraction(groups: Sequence[Sequence[float] | np.ndarray]) -> float:
    """Returns the fraction of the variance of single scores that is between seeds, not recipes.

    `groups` has the scores of one recipe each, with any number of seeds. NaN if nothing varies, if
    there are fewer than two recipes, or if no recipe has two seeds.

    >>> seed_variance_fraction([[0.0, 1.0], [0.0, 1.0]])
    1.0
    >>> seed_variance_fraction([[0.2, 0.2], [0.7, 0.7, 0.7]])
    0.0
    """
    arrays = [np.asarray(group, dtype=float) for group in groups if len(group)]
    sizes = np.array([len(array) for array in arrays])
    count, total = len(arrays), int(sizes.sum())
    if count < 2 or total == count:
        return math.nan
    means = np.array([array.mean() for array in arrays])
    grand_mean = float(sizes @ means) / total
    within = sum(float(((a - a.mean()) ** 2).sum()) for a in arrays) / (total - count)
    between = float(sizes @ (means - grand_mean) ** 2) / (count - 1)
    seeds_per_recipe = (total - float((sizes**2).sum()) / total) / (count - 1)
    recipes = max(0.0, (between - within) / seeds_per_recipe)
    whole = within + recipes
    return round(within / whole, 12) if whole > 1e-24 else math.nan
