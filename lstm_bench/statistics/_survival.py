"""Epochs to solve a task, compared between recipes although some seeds never solve it.

A seed that never solved the task is censored: its time to solve is later than its last epoch, and
nothing more is known. So epochs are never averaged over only the seeds that solved it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lstm_bench.statistics._paired import Difference
from lstm_bench.statistics._unpaired import permutation_p_value


@dataclass(frozen=True)
class SolveTimes:
    """The epoch at which each seed solved the task, or up to which it was observed unsolved.

    Both arrays have one value per seed; `solved` is False where the seed is censored.
    """

    epoch: np.ndarray
    solved: np.ndarray

    def censored(self) -> stats.CensoredData:
        """Returns the times as SciPy's right-censored data."""
        return stats.CensoredData.right_censored(self.epoch, ~self.solved)


def solve_times(epochs: Sequence[float | None], last: float) -> SolveTimes:
    """Returns epochs to solve as times that are censored at epoch `last` where None or NaN.

    >>> solve_times([10, None, 30], last=100)
    SolveTimes(epoch=array([ 10., 100.,  30.]), solved=array([ True, False,  True]))
    """
    array = np.array([math.nan if epoch is None else epoch for epoch in epochs], dtype=float)
    return SolveTimes(np.where(np.isnan(array), last, array), ~np.isnan(array))


def kaplan_meier(times: SolveTimes) -> tuple[np.ndarray, np.ndarray]:
    """Returns the epochs, and the fraction still unsolved after each (Kaplan and Meier 1958).

    >>> epochs, unsolved = kaplan_meier(solve_times([10, None, 30], last=100))
    >>> epochs.tolist(), unsolved.round(3).tolist()
    ([10.0, 30.0, 100.0], [0.667, 0.333, 0.333])
    """
    curve = stats.ecdf(times.censored()).sf
    return np.asarray(curve.quantiles, dtype=float), np.asarray(curve.probabilities, dtype=float)


def median_time(times: SolveTimes) -> float:
    """Returns the epoch at which half of the seeds have solved it; infinite if fewer ever do.

    Where the curve is flat at one half, the middle of that part, as in a median without censoring.

    >>> median_time(solve_times([10, None, 30], last=100))
    30.0
    >>> median_time(solve_times([10, None, None], last=100))
    inf
    """
    epochs, unsolved = kaplan_meier(times)
    excess = np.round(unsolved - 0.5, 12)
    reached, passed = epochs[excess <= 0], epochs[excess < 0]
    if not len(reached) or not len(passed):
        return math.inf
    return float(reached[0] + passed[0]) / 2


def log_rank(of: SolveTimes, to: SolveTimes) -> tuple[float, float]:
    """Returns the solved seeds of `of` minus those expected if both were as fast, and the p value.

    The log-rank test (Mantel 1966) is asymptotic, so the p value is the larger one of its own and
    that of a permutation test of its scores (Peto and Peto 1972), which is valid for any number of
    seeds. Both treat the seeds as independent; for shared seeds that is conservative.

    >>> excess, p = log_rank(solve_times([5, 6, 7, 8], 50), solve_times([20, 30, None, None], 50))
    >>> round(excess, 2), round(p, 3)
    (2.54, 0.029)
    """
    epochs, solved = np.concatenate([of.epoch, to.epoch]), np.concatenate([of.solved, to.solved])
    scores = _log_rank_scores(epochs, solved)
    first, second = scores[: len(of.epoch)], scores[len(of.epoch) :]
    excess = float(np.round(first.sum(), 12))
    if excess == 0:  # no seed is solved, or both recipes are equally fast
        return 0.0, 1.0
    asymptotic = float(stats.logrank(of.censored(), to.censored()).pvalue)
    return excess, max(asymptotic, permutation_p_value(first, second))


def _log_rank_scores(epochs: np.ndarray, solved: np.ndarray) -> np.ndarray:
    """Returns 1 for a solved and 0 for an unsolved seed, minus its cumulative hazard."""
    events = np.unique(epochs[solved])
    at_risk = (epochs[:, None] >= events).sum(axis=0)
    counts = ((epochs[:, None] == events) & solved[:, None]).sum(axis=0)
    hazard = np.where(epochs[:, None] >= events, counts / np.maximum(at_risk, 1), 0.0).sum(axis=1)
    return np.asarray(solved - hazard)


def epochs_difference(
    of: Sequence[float | None],
    to: Sequence[float | None],
    last: tuple[float, float],
    shared: bool = True,
) -> Difference:
    """Returns the difference of two recipes' epochs to solve, one per seed; None or NaN for never.

    `last` is the last epoch of each recipe. The difference is that of the medians, NaN if one of
    them is not reached; it has no interval. `shared` says that both recipes have the same seeds.

    >>> difference = epochs_difference([5, 6, 7, 8], [20, 30, None, None], (50, 50))
    >>> difference.median_epochs, difference.excess_solved > 0
    ((6.5, inf), True)
    """
    nan = math.nan
    n_to = None if shared else len(to)
    if not len(of) or not len(to):  # nothing to compare
        return Difference(len(of), nan, nan, nan, nan, nan, 0, False, n_to=n_to)
    first, second = solve_times(of, last[0]), solve_times(to, last[1])
    excess, p = log_rank(first, second)
    medians = median_time(first), median_time(second)
    return Difference(
        n=len(of),
        difference=medians[0] - medians[1] if all(map(math.isfinite, medians)) else nan,
        std=nan,
        low=nan,
        high=nan,
        p=p,
        n_differing=len(of) if excess else 0,
        constant=False,
        n_to=n_to,
        median_epochs=medians,
        excess_solved=excess,
        never_solved=not first.solved.any() and not second.solved.any(),
    )
