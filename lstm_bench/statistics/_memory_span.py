"""The value of an axis up to which at least half of the seeds solve a task.

The solve rate is assumed to fall along the axis, with no assumption on the shape: isotonic
regression (Ayer et al. 1955), with straight lines between the values that were tried.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

RESAMPLES = 2000
MIN_SEEDS = 5
"""Fewest seeds for an interval: resampling fewer says too little."""


@dataclass(frozen=True)
class MemorySpan:
    """Where the solve rate over `n` seeds falls to one half, along the `values` of an axis.

    `rates` are the observed solve rates, `fitted` those of the nonincreasing fit. `half` is the
    axis value where the fit is one half: -inf if the fit is below one half from the first value on,
    inf if it is above one half up to the last value, NaN if the rate does not fall. `low` and
    `high` are the ends of a 95 % interval. They are always values that were tried, or infinite as
    `half` is; NaN with fewer than `MIN_SEEDS` seeds.
    """

    n: int
    values: tuple[float, ...]
    rates: tuple[float, ...]
    fitted: tuple[float, ...]
    half: float
    low: float
    high: float


def memory_span(values: Sequence[float], solved: np.ndarray) -> MemorySpan:
    """Returns where the rate of `solved`, booleans of shape (seeds, values), falls to one half.

    `values` must be increasing. If all are above 0 the axis is logarithmic. The interval resamples
    the seeds, each with all its values, because a seed has the same initial weights at every value.
    The curve is known only at the values that were tried, so the interval reaches from the last
    value where a resampled curve is at least one half to the first where it is at most one half.

    >>> span = memory_span([4, 8, 16, 32], np.arange(10)[:, None] < [10, 9, 1, 0])
    >>> round(span.half, 1), span.low, span.high
    (11.3, 8.0, 16.0)
    """
    array = np.asarray(values, dtype=float)
    flags = np.asarray(solved, dtype=float)  # (seeds, values)
    seeds = len(flags)
    axis = np.log2(array) if array[0] > 0 else array
    rates = flags.mean(axis=0)
    fitted = nonincreasing_fit(rates)
    half, low, high = math.nan, math.nan, math.nan
    if not _is_increasing(rates, fitted):
        half = float(_crossing(axis, fitted))
        half = float(2**half) if array[0] > 0 and math.isfinite(half) else half
        if seeds >= MIN_SEEDS:
            low, high = _interval(array, flags)
    return MemorySpan(seeds, _floats(array), _floats(rates), _floats(fitted), half, low, high)


def nonincreasing_fit(rates: np.ndarray) -> np.ndarray:
    """Returns the nonincreasing curves closest to `rates` in least squares, shape (..., values).

    >>> nonincreasing_fit(np.array([1.0, 0.5, 0.75, 0.0])).tolist()
    [1.0, 0.625, 0.625, 0.0]
    """
    fitted = np.apply_along_axis(
        lambda row: isotonic_regression(row, increasing=False).x, -1, rates
    )
    return np.round(fitted, 12)  # rounding errors of sums must not make equal rates differ


def _is_increasing(rates: np.ndarray, fitted: np.ndarray) -> bool:
    """Returns whether a nondecreasing curve is closer to `rates` than the nonincreasing fit."""
    rising = nonincreasing_fit(rates[::-1])[::-1]
    return float(((rates - rising) ** 2).sum()) < float(((rates - fitted) ** 2).sum()) - 1e-9


def _crossing(axis: np.ndarray, fitted: np.ndarray) -> float:
    """Returns where a nonincreasing curve crosses one half; the middle of the part equal to it."""
    if fitted[0] < 0.5:
        return -math.inf
    if fitted[-1] > 0.5:
        return math.inf
    first = int(np.argmax(fitted <= 0.5))
    last = int(np.sum(fitted >= 0.5)) - 1
    if first <= last:  # the curve equals one half at one value or more
        return float(axis[first] + axis[last]) / 2
    fraction = (fitted[last] - 0.5) / (fitted[last] - fitted[first])
    return float(axis[last] + fraction * (axis[first] - axis[last]))


def _interval(values: np.ndarray, flags: np.ndarray) -> tuple[float, float]:
    """Returns the 95 % bootstrap interval of the crossing; `flags` has shape (seeds, values)."""
    seeds = len(flags)
    drawn = np.random.default_rng(0).integers(0, seeds, (RESAMPLES, seeds))
    curves = nonincreasing_fit(flags[drawn].mean(axis=1))  # (resamples, values)
    ends = np.concatenate([[-math.inf], values, [math.inf]])
    lows = ends[np.sum(curves >= 0.5, axis=-1)]
    highs = ends[len(values) + 1 - np.sum(curves <= 0.5, axis=-1)]
    # Where a curve equals one half its two ends are swapped.
    lows, highs = np.minimum(lows, highs), np.maximum(lows, highs)
    low = np.quantile(lows, 0.025, method="lower")
    high = np.quantile(highs, 0.975, method="higher")
    return float(low), float(high)


def _floats(array: np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, array))
