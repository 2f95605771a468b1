"""Split conformal forecast intervals: their width from calibration errors, and their coverage.

Lei, G'Sell, Rinaldo, Tibshirani & Wasserman (2018), Distribution-free predictive inference for
regression, JASA 113, algorithm 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lstm_bench.statistics._estimates import solve_rate
from lstm_bench.statistics._stretch import mean_over_steps

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (80, 95)
"""The nominal coverages of forecast intervals, in percent."""

Floats = NDArray[np.float64]


def conformal_half_width(errors: Floats, level: int) -> float:
    """Returns the half-width of intervals that cover `level` percent, from calibration errors.

    `errors` (S, n) are the absolute errors of S seeds on the n calibration rows. With one seed it
    is the ceil((n + 1) level / 100)-th smallest error. With several, it is the same quantile of all
    errors together, so that seeds do not count as further rows. Infinite if n is too small: below
    4 rows for 80 %, and 19 for 95 %.

    >>> conformal_half_width(np.arange(1.0, 20.0)[None], 95)
    19.0
    >>> conformal_half_width(np.arange(1.0, 19.0)[None], 95)
    inf
    """
    seeds, rows = errors.shape
    rank = -(-(rows + 1) * level // 100)
    if rank > rows or not rows:
        return math.inf
    return float(np.sort(errors, axis=None)[rank * seeds - 1])


@dataclass(frozen=True)
class Coverage:
    """The share of steps that lie in their intervals, with two 95 % intervals for it."""

    level: int  # the nominal coverage, in percent
    steps: int
    share: float  # mean over seeds and steps
    binomial: tuple[float, float]  # Wilson's, as if the steps were independent
    blocks: tuple[float, float]  # over seeds and blocks of adjacent steps; NaN with too few

    @property
    def verdict(self) -> str:
        """`below` or `above` the nominal coverage if it is outside both intervals, else `agrees`.

        `cannot tell` if there are too few steps for blocks: Wilson's interval alone takes steps
        that are alike for independent ones.
        """
        if math.isnan(self.blocks[0]):
            return "cannot tell"
        nominal, ends = self.level / 100, [self.binomial, self.blocks]
        if all(high < nominal for _, high in ends):
            return "below"
        return "above" if all(low > nominal for low, _ in ends) else "agrees"


def measured_coverage(
    covered: pd.Series,
    seed: pd.Series,
    moment: pd.Series,
    level: int,
    overlap: int = 1,
    origin: pd.Series | None = None,
) -> Coverage:
    """Returns the coverage of intervals from one flag for each seed and step, (N,) each.

    `moment` orders the steps in time; `overlap` is the number of steps that one forecast shares
    with the next. `origin` is the number of the origin of each, if there are several.
    """
    steps = len(covered) // max(1, seed.nunique())
    share = float(covered.mean()) if len(covered) else math.nan
    rate = solve_rate(np.arange(steps) < round(share * steps)) if steps else solve_rate([])
    mean = mean_over_steps(covered.astype(float), seed, moment, overlap, origin=origin)
    low, high = mean.low, mean.high
    blocks = (max(low, 0.0), min(high, 1.0)) if not math.isnan(low) else (low, high)
    return Coverage(level, steps, share, (rate.low, rate.high), blocks)
