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

from lstm_bench.statistics._stretch import mean_over_steps

if TYPE_CHECKING:
    import pandas as pd

BASELINE_PREFIX = "naive: "
"""Prefix of the columns that hold the baselines' answers in a table of predictions."""
OUTPUT, OUTPUT_UNIT = "output", "unit"
"""Columns of a table of predictions with a row for each of several outputs of a step: the name of
the output, and what its errors are divided by before they are averaged."""
ORIGIN = "origin"
"""Column of a table of predictions with the number of the origin, if there are several: where the
data end that the network and the baselines of these steps learned from."""
WORST_SKILL = -1.0
"""The skill of an infinite error."""
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

    Columns: seed, moment, `origin` if there are several, `network`, and one per baseline, under its
    name. Numbers have their
    absolute error, infinite if the prediction is missing; other values have 1 if wrong, else 0. A
    `moment` orders the steps in time; steps of several sequences may share one. If a step has
    several outputs, its errors are their means, each divided by its unit if there are any.
    """
    import pandas as pd  # takes a third of a second to import

    keys = ["seed", "moment", *([ORIGIN] if ORIGIN in predictions else [])]
    columns = {"network": "predicted"}
    columns |= {name: BASELINE_PREFIX + name for name in baseline_names(predictions)}
    expected = predictions["expected"]
    table = predictions[keys].copy()
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
    step = [key for key in (ORIGIN, "seed", "sequence", "step") if key in table]
    means = table.groupby(step, sort=False).mean()
    return means.reset_index()[[*keys, *columns]]


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
    all of them. The interval and the p value are those of `stretch_mean`. In simulations, equal
    errors are called different in 1 to 5 % of cases, also where neighbouring steps are correlated
    by 0.8: `test_skill` and `test_stretch` measure this.
    """
    gains = table[name] - table["network"]
    origin = table.get(ORIGIN)
    gain = mean_over_steps(gains, table["seed"], table["moment"], overlap, origin=origin)
    seeds = table["seed"].nunique()
    return BaselineComparison(
        baseline=name,
        seeds=seeds,
        steps=len(table) // max(1, seeds),
        network_error=float(table["network"].mean()),
        baseline_error=float(table[name].mean()),
        difference=gain.mean,
        low=gain.low,
        high=gain.high,
        p=gain.p,
    )


def skill_by_step(errors: pd.DataFrame, name: str) -> pd.Series:
    """Returns a skill for each row of `absolute_errors`, of which the means by seed are skills.

    A seed's skill is a function of two mean errors, so each step has a share in it: the skill plus
    its derivatives by both errors times how far the step's errors are from the means (the delta
    method). So `mean_over_steps` gives an interval of the mean skill. NaN where an error is
    infinite.
    """
    means = errors.groupby("seed")[["network", name]].transform("mean")
    network, baseline = means["network"].to_numpy(float), means[name].to_numpy(float)
    skill = [skill_score(*pair) for pair in zip(network, baseline, strict=True)]
    larger = np.maximum(network, baseline)  # skill is +- (1 - smaller / larger)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_network = -np.where(network < baseline, 1.0, baseline / network) / larger
        by_baseline = np.where(network < baseline, network / baseline, 1.0) / larger
        shares = by_network * (errors["network"].to_numpy(float) - network)
        shares += by_baseline * (errors[name].to_numpy(float) - baseline)
    values: pd.Series = errors["network"] * 0 + skill + np.where(larger > 0, shares, 0.0)
    return values


def best_baseline(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Returns the one of `names` with the smallest mean error on the scored steps themselves.

    It is chosen with hindsight, and so is the hardest to beat.
    """
    return str(table[list(names)].mean().idxmin())
