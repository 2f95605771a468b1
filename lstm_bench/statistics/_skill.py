"""Comparison of a network's errors with those of baselines that need no network.

A network is trained with several seeds and scored on consecutive steps, so two things are left to
chance: the seed, and the part of the data that it happens to be scored on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd

BASELINE_PREFIX = "naive: "
"""Prefix of the columns that hold the baselines' answers in a table of predictions."""
OUTPUT, OUTPUT_UNIT = "output", "unit"
"""Columns of a table of predictions with a row for each of several outputs of a step: the name of
the output, and what its errors are divided by before they are averaged."""
WORST_SKILL = -1.0
"""The skill of an infinite error."""
MAX_BLOCKS = 10
"""The scored steps are cut into at most this many blocks of equal length."""
MIN_BLOCKS = 4
"""With fewer blocks there is no interval and no verdict."""
MIN_BLOCK_STEPS = 5
"""Fewest steps of a block."""

Floats = NDArray[np.float64]
SkillVerdict = Literal["better", "worse", "cannot tell"]


def baseline_names(predictions: pd.DataFrame) -> list[str]:
    """Returns the names of the baselines in a table of predictions; empty if there are none.

    A baseline that some seeds lack, because they were run by an earlier version, is not among them.
    """
    return [
        str(column).removeprefix(BASELINE_PREFIX)
        for column in predictions.columns
        if str(column).startswith(BASELINE_PREFIX) and not predictions[column].isna().any()
    ]


def absolute_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Returns the errors of the network and of each baseline, one row per step.

    Columns: seed, moment, `network`, and one per baseline, under its name. Numbers have their
    absolute error, infinite if the prediction is missing; other values have 1 if wrong, else 0. A
    `moment` orders the steps in time; steps of several sequences may share one. If a step has
    several outputs, its errors are their means, each divided by its unit if there are any.
    """
    import pandas as pd  # takes a third of a second to import

    columns = {"network": "predicted"}
    columns |= {name: BASELINE_PREFIX + name for name in baseline_names(predictions)}
    expected = predictions["expected"]
    table = predictions[["seed", "moment"]].copy()
    for name, column in columns.items():
        if pd.api.types.is_numeric_dtype(expected):
            table[name] = (predictions[column] - expected).abs().fillna(np.inf)
        else:
            table[name] = (predictions[column].astype(str) != expected.astype(str)).astype(float)
    if OUTPUT not in predictions:
        return table
    if OUTPUT_UNIT in predictions:
        table[list(columns)] = table[list(columns)].div(predictions[OUTPUT_UNIT], axis=0)
    table = table.assign(sequence=predictions["sequence"], step=predictions["step"])
    means = table.groupby(["seed", "sequence", "step"], sort=False).mean()
    return means.reset_index()[["seed", "moment", *columns]]


def skill_score(error: float, baseline: float) -> float:
    """Returns the skill of an `error` compared with the error of a `baseline`, from -1 to 1.

    If the network is better, the skill score of forecasting, 1 - error / reference (Murphy 1988,
    Monthly Weather Review 116, eq. 4, there for squared errors): 1 is perfect, 0 as good as the
    baseline. If it is worse, the same with the two errors exchanged and the sign reversed, so that
    of two bad networks the better one has the higher score, and none is below `WORST_SKILL`.

    >>> [skill_score(error, 2.0) for error in (0.5, 2.0, 8.0, 10.0)]
    [0.75, 0.0, -0.75, -0.8]
    """
    if not math.isfinite(error):
        return WORST_SKILL
    if error == baseline:
        return 0.0
    size = 1 - min(error, baseline) / max(error, baseline)  # 1 if the baseline has no answer at all
    return size if error < baseline else -size


@dataclass(frozen=True)
class BaselineComparison:
    """A network's errors compared with those of a baseline, over seeds and steps."""

    baseline: str  # its name
    seeds: int
    steps: int
    network_error: float  # mean over seeds and steps
    baseline_error: float
    difference: float  # the baseline's error minus the network's: above 0 the network is better
    low: float  # 95 % interval, NaN if there are too few steps
    high: float
    p: float

    @property
    def skill(self) -> float:
        """The skill score of the mean errors: see `skill_score`."""
        return skill_score(self.network_error, self.baseline_error)

    @property
    def verdict(self) -> SkillVerdict:
        """`better` or `worse` if the whole interval lies on one side of 0."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "cannot tell"


def compare_with_baseline(table: pd.DataFrame, name: str, overlap: int = 1) -> BaselineComparison:
    """Returns the comparison of the network with the baseline `name`, from `absolute_errors`.

    The errors of several series at one moment are averaged first, because the same events affect
    all of them. The moments are cut into up to `MAX_BLOCKS` consecutive blocks, each longer than
    the `overlap` steps that one forecast shares with the next, and the mean difference of each is
    one observation (Ibragimov & Mueller 2010, Journal of Business & Economic Statistics 28, section
    2: a t test over so few groups is valid although neighbouring steps are correlated). The
    variance of their mean is at least that of a first-order autoregression, which matters if blocks
    are short. The variance due to the seed is added, with the degrees of freedom of Satterthwaite
    (1946). In simulations, equal errors are called different in 1 to 6 % of cases if neighbouring
    steps are correlated by up to 0.5; at 0.8, in up to 11 %: `test_skill` measures this.
    """
    gains = table[name] - table["network"]
    difference, low, high, p = mean_over_steps(gains, table["seed"], table["moment"], overlap)
    seeds = table["seed"].nunique()
    return BaselineComparison(
        baseline=name,
        seeds=seeds,
        steps=len(table) // max(1, seeds),
        network_error=float(table["network"].mean()),
        baseline_error=float(table[name].mean()),
        difference=difference,
        low=low,
        high=high,
        p=p,
    )


def mean_over_steps(
    values: pd.Series, seed: pd.Series, moment: pd.Series, overlap: int = 1
) -> tuple[float, float, float, float]:
    """Returns the mean of `values`, both ends of its 95 % interval, and the p value of a mean of 0.

    There is a value for each seed and step. Over these the interval is that of
    `compare_with_baseline`; it is NaN, as the p value, if there are too few steps.
    """
    by_step = values.groupby(moment, sort=True).mean().to_numpy()
    by_seed = values.groupby(seed).mean().to_numpy()
    mean = float(values.mean()) if len(values) else math.nan
    blocks = block_means(by_step, max(MIN_BLOCK_STEPS, 2 * overlap))
    if len(blocks) < MIN_BLOCKS or not np.isfinite(by_step).all():
        return mean, math.nan, math.nan, math.nan
    return mean, *_interval(mean, blocks, _autoregressive_variance(by_step), by_seed)


def block_means(values: Floats, min_steps: int = MIN_BLOCK_STEPS) -> Floats:
    """Returns the means of up to `MAX_BLOCKS` consecutive blocks of `min_steps` values or more.

    >>> block_means(np.arange(20.0)).tolist()
    [2.0, 7.0, 12.0, 17.0]
    """
    count = max(1, min(MAX_BLOCKS, len(values) // min_steps))
    return np.array([block.mean() for block in np.array_split(values, count) if len(block)])


def _autoregressive_variance(values: Floats) -> float:
    """Returns the variance of the mean of `values` if they are a first-order autoregression."""
    centred = values - values.mean()
    squares = float(centred @ centred)
    if not squares > 0:
        return 0.0
    correlation = min(max(float(centred[1:] @ centred[:-1]) / squares, 0.0), 0.95)
    return squares / (len(values) - 1) * (1 + correlation) / (1 - correlation) / len(values)


def _interval(
    difference: float, blocks: Floats, min_variance: float, by_seed: Floats
) -> tuple[float, float, float]:
    """Returns both ends of the 95 % interval of a mean over blocks and seeds, and the p value."""
    parts = [(max(blocks.var(ddof=1) / len(blocks), min_variance), len(blocks) - 1)]
    if len(by_seed) > 1:
        parts.append((by_seed.var(ddof=1) / len(by_seed), len(by_seed) - 1))
    variance = sum(part for part, _ in parts)
    if not variance > 0:
        return math.nan, math.nan, math.nan
    df = variance**2 / sum(part**2 / count for part, count in parts)
    half_width = float(stats.t.ppf(0.975, df)) * math.sqrt(variance)
    p = 2 * float(stats.t.sf(abs(difference) / math.sqrt(variance), df))
    return difference - half_width, difference + half_width, p


def best_baseline(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Returns the one of `names` with the smallest mean error on the scored steps themselves.

    It is chosen with hindsight, and so is the hardest to beat.
    """
    return str(table[list(names)].mean().idxmin())
