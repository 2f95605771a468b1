"""Means over seeds and over a stretch of consecutive steps, on which all seeds are scored.

Two things are left to chance: the seed, and the stretch of data. More seeds make only the first
part smaller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lstm_bench.statistics._estimates import Rate, wilson_interval

if TYPE_CHECKING:
    import pandas as pd

MAX_BLOCKS = 10
"""The scored steps are cut into at most this many blocks of equal length."""
MIN_BLOCKS = 4
"""With fewer blocks there is no interval and no verdict."""
MIN_BLOCK_STEPS = 5
"""Fewest steps of a block."""
BLOCK_TIMES = 4.5
"""A block has at least this many times the steps over which neighbours are correlated."""
MAX_CORRELATION = 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StretchMean:
    """A mean over seeds and steps, with its interval and the p value of a mean of 0.

    `step_error` is the standard error that steps cause, and `step_half_width` that of an interval
    that counts steps only. All are NaN if there are too few steps, or if nothing varies.
    """

    mean: float
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    step_error: float = math.nan
    step_half_width: float = math.nan


def stretch_mean(
    by_step: Floats,
    by_seed: Sequence[Floats],
    overlap: int = 1,
    level: float = 0.05,
    mean: float | None = None,
    origins: NDArray[np.integer] | None = None,
) -> StretchMean:
    """Returns the `mean` of the values `by_step`, means over seeds in the order of time.

    `by_seed` are the means over steps; where two groups of seeds are compared that share none, one
    array for each. The steps are cut into up to `MAX_BLOCKS` consecutive blocks, each longer than
    the `overlap` steps that one forecast shares with the next, and `BLOCK_TIMES` longer than the
    correlation of a first-order autoregression. The mean of each is one observation (Ibragimov &
    Mueller 2010, Journal of Business & Economic Statistics 28, section 2: a t test over so few
    groups is valid although neighbouring steps are correlated). The variance of their mean is at
    least that of the autoregression, which matters if blocks are short. The variance due to the
    seeds is added, with the degrees of freedom of Satterthwaite (1946). The interval has the
    confidence 1 - `level`.

    If networks and baselines were fitted anew at several origins (rolling-origin evaluation:
    Tashman 2000, International Journal of Forecasting 16, 437-450), `origins` are those of the
    steps. Each origin is then a block, with networks of its own: what all seeds have in common at
    one origin counts as one observation, however many steps and seeds there are.
    """
    if mean is None:
        mean = float(by_step.mean()) if len(by_step) else math.nan
    finite = bool(np.isfinite(by_step).all())
    numbers = np.unique(origins) if origins is not None else np.empty(0, int)
    fewest = MIN_BLOCKS * max(MIN_BLOCK_STEPS, 2 * overlap)
    if not finite or (len(by_step) < fewest and len(numbers) < 2):
        return StretchMean(mean)
    correlation = _correlation(by_step)
    times = (1 + correlation) / (1 - correlation)
    if len(numbers) > 1:
        blocks = np.array([by_step[origins == number].mean() for number in numbers])
    else:
        longest = len(by_step) // MIN_BLOCKS
        shortest = max(MIN_BLOCK_STEPS, 2 * overlap, math.ceil(BLOCK_TIMES * times))
        blocks = block_means(by_step, min(shortest, longest))
    autoregressive = float(by_step.var(ddof=1)) * times / len(by_step)
    step_variance = max(float(blocks.var(ddof=1)) / len(blocks), autoregressive)
    parts = [(step_variance, len(blocks) - 1)]
    parts += [(float(s.var(ddof=1)) / len(s), len(s) - 1) for s in by_seed if len(s) > 1]
    variance = sum(part for part, _ in parts)
    if not variance > 0:
        return StretchMean(mean)
    df = variance**2 / sum(part**2 / count for part, count in parts)
    half_width = float(stats.t.ppf(1 - level / 2, df)) * math.sqrt(variance)
    step_error = math.sqrt(step_variance)
    return StretchMean(
        mean,
        mean - half_width,
        mean + half_width,
        2 * float(stats.t.sf(abs(mean) / math.sqrt(variance), df)),
        step_error,
        float(stats.t.ppf(1 - level / 2, len(blocks) - 1)) * step_error,
    )


def _correlation(values: Floats) -> float:
    """Returns the correlation of neighbours, corrected for its bias (Kendall 1954), from 0 on."""
    centred = values - values.mean()
    squares = float(centred @ centred)
    n = len(values)
    if not squares > 0 or n < 4:
        return 0.0
    corrected = (n * float(centred[1:] @ centred[:-1]) / squares + 1) / (n - 3)
    return min(max(corrected, 0.0), MAX_CORRELATION)


def block_means(values: Floats, min_steps: int = MIN_BLOCK_STEPS) -> Floats:
    """Returns the means of up to `MAX_BLOCKS` consecutive blocks of `min_steps` values or more.

    >>> block_means(np.arange(20.0)).tolist()
    [2.0, 7.0, 12.0, 17.0]
    """
    count = max(1, min(MAX_BLOCKS, len(values) // min_steps))
    return np.array([block.mean() for block in np.array_split(values, count) if len(block)])


def mean_over_steps(
    values: pd.Series,
    seed: pd.Series,
    moment: pd.Series,
    overlap: int = 1,
    level: float = 0.05,
    origin: pd.Series | None = None,
) -> StretchMean:
    """Returns the mean of `values`, one for each seed and step: see `stretch_mean`.

    Those of several series at one moment are averaged first, because the same events affect all.
    `origin` is the number of the origin of each, if there are several.
    """
    by_step = values.groupby(moment, sort=True).mean().to_numpy(float)
    origins = None if origin is None else origin.groupby(moment, sort=True).first().to_numpy(int)
    by_seed = values.groupby(seed).mean().to_numpy(float)
    mean = float(values.mean()) if len(values) else math.nan  # moments may differ in their values
    return stretch_mean(by_step, [by_seed], overlap, level, mean, origins)


def positive_rate(by_seed: Floats, step_half_width: float, level: float = 0.05) -> Rate:
    """Returns how many seeds have a value above 0, with an interval that counts steps too.

    Another stretch moves the values of all seeds together, by up to `step_half_width`. So the
    interval reaches from the lower end of Wilson's interval if all values were that much lower to
    the upper end if all were that much higher. NaN where the width is.

    >>> positive_rate(np.array([0.1, 0.2, 0.3]), 0.15)
    Rate(k=3, n=3, rate=1.0, low=0.2076..., high=1.0)
    """
    n, k = len(by_seed), int((by_seed > 0).sum())
    if not n or math.isnan(step_half_width):
        return Rate(k, n, k / n if n else math.nan, math.nan, math.nan)
    low = wilson_interval(int((by_seed > step_half_width).sum()), n, level)[0]
    high = wilson_interval(int((by_seed > -step_half_width).sum()), n, level)[1]
    return Rate(k, n, k / n, low, high)
