"""How far along an axis at least half of the seeds still solve a task: pure functions.

The solve rate is taken to fall along the axis, and to do so in no particular shape: isotonic
regression (Ayer et al. 1955), with straight lines between the values that were tried.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
FEWEST = 5
"""Seeds below which resampling them says too little for an interval."""


@dataclass(frozen=True)
class MemorySpan:
    """Where the solve rate over `n` seeds falls to one half, along the `values` of an axis.

    `rates` are those observed, `fitted` those of the falling curve. `half` is -inf where the rate
    is below one half from the first value on, inf where it is above to the last, NaN where it does
    not fall at all. `low` and `high` are the ends of a 95 % interval, always values that were
    tried, or infinite likewise; NaN with fewer than `FEWEST` seeds.
    """

    n: int
    values: tuple[float, ...]
    rates: tuple[float, ...]
    fitted: tuple[float, ...]
    half: float
    low: float
    high: float


def memory_span(values: Sequence[float], solved: np.ndarray) -> MemorySpan:
    """Returns where the rate of `solved`, booleans `[seeds, values]`, falls to one half.

    `values` must rise. Where all are above 0 the axis is logarithmic. The interval resamples the
    seeds, each with all its values, because seed s has the same weights at every value. A curve is
    known only at the values that were tried, so the interval reaches from the last value at which
    a resampled curve is at least one half to the first at which it is at most that.

    >>> found = memory_span([4, 8, 16, 32], np.arange(10)[:, None] < [10, 9, 1, 0])
    >>> round(found.half, 1), found.low, found.high
    (11.3, 8.0, 16.0)
    """
    array = np.asarray(values, dtype=float)
    flags = np.asarray(solved, dtype=float)  # (seeds, values)
    seeds = len(flags)
    place = np.log2(array) if array[0] > 0 else array
    rates = flags.mean(axis=0)
    fitted = falling(rates)
    half, low, high = math.nan, math.nan, math.nan
    if not _rises(rates, fitted):
        half = float(_crossing(place, fitted))
        half = float(2**half) if array[0] > 0 and math.isfinite(half) else half
        if seeds >= FEWEST:
            low, high = _interval(array, flags)
    return MemorySpan(seeds, _floats(array), _floats(rates), _floats(fitted), half, low, high)


def falling(rates: np.ndarray) -> np.ndarray:
    """Returns the curve that never rises and is nearest to `rates` `[..., values]`, each alike.

    By the max-min formula, which takes any number of curves at once (Robertson, Wright and Dykstra
    1988, section 1.4).

    >>> falling(np.array([1.0, 0.5, 0.75, 0.0])).tolist()
    [1.0, 0.625, 0.625, 0.0]
    """
    count = rates.shape[-1]
    sums = np.concatenate([np.zeros((*rates.shape[:-1], 1)), np.cumsum(rates, axis=-1)], axis=-1)
    fitted = np.full(rates.shape, np.inf)
    for place in range(count):
        for start in range(place + 1):
            means = [
                (sums[..., end + 1] - sums[..., start]) / (end + 1 - start)
                for end in range(place, count)
            ]
            fitted[..., place] = np.minimum(fitted[..., place], np.max(means, axis=0))
    return np.round(fitted, 12)  # sums must not part what is equal


def _rises(rates: np.ndarray, fitted: np.ndarray) -> bool:
    """Tells whether a curve that never falls is nearer to `rates` than one that never rises."""
    rising = falling(rates[::-1])[::-1]
    return float(((rates - rising) ** 2).sum()) < float(((rates - fitted) ** 2).sum()) - 1e-9


def _crossing(place: np.ndarray, fitted: np.ndarray) -> float:
    """Returns where one falling curve crosses one half: the middle, where it rests there."""
    if fitted[0] < 0.5:
        return -math.inf
    if fitted[-1] > 0.5:
        return math.inf
    first = int(np.argmax(fitted <= 0.5))
    last = int(np.sum(fitted >= 0.5)) - 1
    if first <= last:  # rests on one half, or touches it
        return float(place[first] + place[last]) / 2
    share = (fitted[last] - 0.5) / (fitted[last] - fitted[first])
    return float(place[last] + share * (place[first] - place[last]))


def _interval(values: np.ndarray, flags: np.ndarray) -> tuple[float, float]:
    seeds = len(flags)
    drawn = np.random.default_rng(0).integers(0, seeds, (RESAMPLES, seeds))
    curves = falling(flags[drawn].mean(axis=1))  # (resamples, values)
    ends = np.concatenate([[-math.inf], values, [math.inf]])
    lows = ends[np.sum(curves >= 0.5, axis=-1)]
    highs = ends[len(values) + 1 - np.sum(curves <= 0.5, axis=-1)]
    # A curve that touches one half has its ends the other way round.
    lows, highs = np.minimum(lows, highs), np.maximum(lows, highs)
    low = np.quantile(lows, 0.025, method="lower")
    high = np.quantile(highs, 0.975, method="higher")
    return float(low), float(high)


def _floats(array: np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, array))
