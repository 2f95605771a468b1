"""Where scores vary: shares of variance from crossed and from nested runs. Pure functions.

Components are those of random-effects analyses of variance, from expected mean squares (Searle,
Casella and McCulloch 1992, Variance Components, chapters 3 and 4): unbiased before what falls
below 0 is set to 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Variance components: of the data, the initial weights, the order, and what they do together.

    `together` holds all interactions: what no source does alone.
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
    def shares(self) -> Mapping[str, float]:
        """Each component's share of the total; NaN where nothing varies."""
        return {
            name: part / self.total if self.total else math.nan for name, part in vars(self).items()
        }


def variance_split(scores: np.ndarray) -> Split:
    """Returns the components of `scores` `(data, init, order)`, one run of every combination.

    A source that changes nothing has a component of 0. Raises ValueError where a source has fewer
    than two values, or a score is not finite.

    >>> scores = np.arange(2)[:, None, None] + np.zeros((2, 3, 4))
    >>> variance_split(scores).shares
    {'data': 1.0, 'init': 0.0, 'order': 0.0, 'together': 0.0}
    """
    array = np.asarray(scores, dtype=float)
    if array.ndim != 3 or min(array.shape) < 2:
        raise ValueError(f"three sources must have at least 2 values each, but got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("scores must be finite: leave out the values of a source that diverged")
    # The mean square and the number of runs behind each of its effects, by the axes it is of.
    square, behind = dict[tuple[int, ...], float](), dict[tuple[int, ...], float]()
    subsets = [axes for size in (1, 2, 3) for axes in itertools.combinations(range(3), size)]
    for axes in subsets:
        effect = array.mean(axis=tuple({0, 1, 2} - set(axes)), keepdims=True)
        for axis in axes:
            effect = effect - effect.mean(axis=axis, keepdims=True)
        freedom = math.prod(array.shape[axis] - 1 for axis in axes)
        behind[axes] = array.size / effect.size
        square[axes] = behind[axes] * float((effect**2).sum()) / freedom

    def component(axes: tuple[int, ...]) -> float:
        """Solves the expected mean squares: each holds the components of all that contain it."""
        wider = [other for other in subsets if set(axes) <= set(other)]
        signed = sum((-1) ** (len(other) - len(axes)) * square[other] for other in wider)
        return float(signed / behind[axes])

    nothing = 1e-12 * float(array.var()) + 1e-24 * float((array**2).mean())  # sums leave a residue
    parts = {axes: part if (part := component(axes)) > nothing else 0.0 for axes in subsets}
    together = sum(part for axes, part in parts.items() if len(axes) > 1)
    return Split(parts[0,], parts[1,], parts[2,], together)


def seed_variance_share(groups: Sequence[Sequence[float] | np.ndarray]) -> float:
    """Returns how much of the variance of single scores is between seeds, not between recipes.

    `groups` has one recipe's scores each, of any number of seeds. NaN where nothing varies, with
    fewer than two recipes, or where none has two seeds.

    >>> seed_variance_share([[0.0, 1.0], [0.0, 1.0]])
    1.0
    >>> seed_variance_share([[0.2, 0.2], [0.7, 0.7, 0.7]])
    0.0
    """
    arrays = [np.asarray(group, dtype=float) for group in groups if len(group)]
    sizes = np.array([len(array) for array in arrays])
    count, total = len(arrays), int(sizes.sum())
    if count < 2 or total == count:
        return math.nan
    means = np.array([array.mean() for array in arrays])
    grand = float(sizes @ means) / total
    within = sum(float(((a - a.mean()) ** 2).sum()) for a in arrays) / (total - count)
    between = float(sizes @ (means - grand) ** 2) / (count - 1)
    typical = (total - float((sizes**2).sum()) / total) / (count - 1)  # seeds a recipe
    recipes = max(0.0, (between - within) / typical)
    whole = within + recipes
    return round(within / whole, 12) if whole > 1e-24 else math.nan
