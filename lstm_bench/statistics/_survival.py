"""How soon a task is solved, where some seeds never solve it: pure functions.

A seed that never solved the task is censored: it is later than its last epoch, and nothing more is
known. So epochs are never averaged over the seeds that did solve it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lstm_bench.statistics._paired import Difference
from lstm_bench.statistics._unpaired import shuffled


@dataclass(frozen=True)
class Times:
    """When each seed solved it, or how long it was watched without: both one value a seed."""

    at: np.ndarray
    solved: np.ndarray

    def censored(self) -> stats.CensoredData:
        """Returns the same as SciPy has it."""
        return stats.CensoredData.right_censored(self.at, ~self.solved)


def times(epochs: Sequence[float | None], last: float) -> Times:
    """Returns epochs to solve, None or NaN for never, as times censored at the last epoch.

    >>> times([10, None, 30], last=100)
    Times(at=array([ 10., 100.,  30.]), solved=array([ True, False,  True]))
    """
    known = np.array([math.nan if epoch is None else epoch for epoch in epochs], dtype=float)
    return Times(np.where(np.isnan(known), last, known), ~np.isnan(known))


def kaplan_meier(found: Times) -> tuple[np.ndarray, np.ndarray]:
    """Returns the times, and the share that is still unsolved after each (Kaplan and Meier 1958).

    >>> at, unsolved = kaplan_meier(times([10, None, 30], last=100))
    >>> at.tolist(), unsolved.round(3).tolist()
    ([10.0, 30.0, 100.0], [0.667, 0.333, 0.333])
    """
    curve = stats.ecdf(found.censored()).sf
    return np.asarray(curve.quantiles, dtype=float), np.asarray(curve.probabilities, dtype=float)


def median(found: Times) -> float:
    """Returns the time at which half have solved it; infinite where fewer than half ever do.

    Where the curve rests on one half, the middle of that part, as for an uncensored median.

    >>> median(times([10, None, 30], last=100)), median(times([10, None, None], last=100))
    (30.0, inf)
    """
    at, unsolved = kaplan_meier(found)
    half = np.round(unsolved - 0.5, 12)
    reached, passed = at[half <= 0], at[half < 0]
    if not len(reached) or not len(passed):
        return math.inf
    return float(reached[0] + passed[0]) / 2


def log_rank(of: Times, to: Times) -> tuple[float, float]:
    """Returns how many more of `of` are solved than if both were solved as soon, and the p value.

    The log-rank test (Mantel 1966) is made for many seeds, so the p value is the larger one of its
    own and that of a permutation test of its scores (Peto and Peto 1972), which is for any number.
    Both take the seeds as independent; where they are shared, that errs on the careful side.

    >>> ahead, p = log_rank(times([5, 6, 7, 8], 50), times([20, 30, None, None], 50))
    >>> round(ahead, 2), round(p, 3)
    (2.54, 0.029)
    """
    scores = _scores(np.concatenate([of.at, to.at]), np.concatenate([of.solved, to.solved]))
    first, second = scores[: len(of.at)], scores[len(of.at) :]
    ahead = float(np.round(first.sum(), 12))
    if ahead == 0:  # none is solved, or both are as soon
        return 0.0, 1.0
    own = float(stats.logrank(of.censored(), to.censored()).pvalue)
    return ahead, max(own, shuffled(first, second))


def _scores(at: np.ndarray, solved: np.ndarray) -> np.ndarray:
    """Returns 1 for a solved seed and 0 for another, less the hazard that it had gone through."""
    moments = np.unique(at[solved])
    watched = (at[:, None] >= moments).sum(axis=0)
    events = ((at[:, None] == moments) & solved[:, None]).sum(axis=0)
    hazard = np.where(at[:, None] >= moments, events / np.maximum(watched, 1), 0.0).sum(axis=1)
    return np.asarray(solved - hazard)


def epochs_difference(
    of: Sequence[float | None],
    to: Sequence[float | None],
    last: tuple[float, float],
    shared: bool = True,
) -> Difference:
    """Returns how two recipes differ in their epochs to solve, one a seed; None or NaN for never.

    `last` has the last epoch of each. The difference is that of the medians, NaN where one of them
    is not reached; it has no interval. `shared` says that both have the same seeds.

    >>> found = epochs_difference([5, 6, 7, 8], [20, 30, None, None], (50, 50))
    >>> found.epochs, found.ahead > 0
    ((6.5, inf), True)
    """
    nan = math.nan
    others = None if shared else len(to)
    if not len(of) or not len(to):  # nothing to compare
        return Difference(len(of), nan, nan, nan, nan, nan, 0, False, others=others)
    first, second = times(of, last[0]), times(to, last[1])
    ahead, p = log_rank(first, second)
    medians = median(first), median(second)
    difference = medians[0] - medians[1] if all(map(math.isfinite, medians)) else nan
    differing = len(of) if ahead else 0
    never = not first.solved.any() and not second.solved.any()
    return Difference(
        len(of), difference, nan, nan, nan, p, differing, False, others, medians, ahead, never
    )
