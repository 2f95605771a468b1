"""The share of the variance that a setting explains alone, with a test and an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Floats = NDArray[np.float64]

PERMUTATIONS = 999
MAX_GROUPS = 4
"""Values of a number are grouped into at most this many groups of equal size."""
LARGE = 1e4
GROUP_SIZE = 4
"""Fewest trials of a group of numbers."""


@dataclass(frozen=True)
class ExplainedVariance:
    """The fraction of the variance between the groups of a setting, with its 95 % interval.

    `p` is corrected for the choice among all settings. NaN if the setting has one group only.
    """

    low: float
    high: float
    p: float


def value_groups(positions: Sequence[float], categories: bool) -> NDArray[np.int64]:
    """Returns the group of each value (N,): one per category, or groups of numbers of equal size.

    >>> value_groups([0.1, 0.9, 0.4, 0.2, 0.5, 0.7, 0.3, 0.8], categories=False).tolist()
    [0, 1, 0, 0, 1, 1, 0, 1]
    """
    values = np.asarray(positions, float)
    distinct, codes = np.unique(values, return_inverse=True)
    count = max(2, min(MAX_GROUPS, len(values) // GROUP_SIZE))
    if categories or len(distinct) <= count:
        return codes.astype(np.int64)
    edges = np.quantile(values, np.arange(1, count) / count)
    return np.searchsorted(edges, values, side="left").astype(np.int64)


def explained_variances(
    groups: Sequence[NDArray[np.int64]], scores: NDArray[np.float64]
) -> list[ExplainedVariance]:
    """Returns for each setting how much of the variance of `scores` (N,) its `groups` explain.

    The p value is the share of permutations of the scores in which any setting is as improbable, by
    an F test, as this one (Westfall and Young 1993, the step with the smallest p value): it holds
    for any scores, and allows for naming the best of all settings. The interval is that of the
    noncentral F distribution (Steiger 2004, Psychological Methods 9, 164-182), for independent
    normal errors. It is of the whole variance, that of seeds included.
    """
    n = len(scores)
    rng = np.random.default_rng(0)  # equal results give equal reports
    orders = np.array([np.arange(n), *(rng.permutation(n) for _ in range(PERMUTATIONS))])
    drawn = scores[orders]  # (1 + permutations, trials)
    logs = np.array([_log_p(codes, drawn) for codes in groups])  # (settings, 1 + permutations)
    if not len(logs):
        return []
    smallest = np.nanmin(np.where(np.isnan(logs), 0.0, logs), axis=0)
    shares = []
    for codes, log_p in zip(groups, logs, strict=True):
        if math.isnan(log_p[0]):
            shares.append(ExplainedVariance(math.nan, math.nan, math.nan))
            continue
        p = float((smallest <= log_p[0] + 1e-9).mean())  # the trials as they are count as one
        shares.append(ExplainedVariance(*_interval(codes, scores), p))
    return shares


def _f_values(codes: NDArray[np.int64], drawn: NDArray[np.float64]) -> tuple[Floats, int, int]:
    """Returns the F value of each row of `drawn`, and both degrees of freedom."""
    counts = np.bincount(codes)
    present = np.flatnonzero(counts)
    indicator = (codes[:, None] == present).astype(float)  # (trials, groups)
    centred = drawn - drawn.mean(axis=1, keepdims=True)
    means = centred @ indicator / counts[present]
    between = (means**2 * counts[present]).sum(axis=1)
    within = np.maximum((centred**2).sum(axis=1) - between, 0.0)
    df = len(present) - 1, len(codes) - len(present)
    with np.errstate(divide="ignore", invalid="ignore"):
        return between / df[0] / (within / df[1]) if min(df) else np.full(len(drawn), np.nan), *df


def _log_p(codes: NDArray[np.int64], drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    f_values, *df = _f_values(codes, drawn)
    return np.asarray(stats.f.logsf(f_values, *df) if min(df) > 0 else f_values)


def _interval(codes: NDArray[np.int64], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Returns both ends of the 95 % interval of the fraction of variance between groups."""
    f_values, df1, df2 = _f_values(codes, scores[None])
    f, n = float(f_values[0]), len(scores)
    if not math.isfinite(f):
        return 1.0, 1.0
    if f * df1 > LARGE:  # the noncentral part is all but constant, and its distribution overflows
        ends = [f * df1 * float(stats.chi2.ppf(q, df2)) / df2 for q in (0.025, 0.975)]
        return ends[0] / (ends[0] + n), ends[1] / (ends[1] + n)

    def fraction(level: float) -> float:
        def excess(noncentrality: float) -> float:
            below = stats.ncf.cdf(f, df1, df2, noncentrality)
            return float(below) - level

        if stats.f.cdf(f, df1, df2) <= level:
            return 0.0
        upper = 10.0 + 4 * f * df1
        while excess(upper) > 0 and upper < 1e6:
            upper *= 2
        noncentrality = float(optimize.brentq(excess, 1e-9, upper))
        return noncentrality / (noncentrality + n)

    return fraction(0.975), fraction(0.025)
