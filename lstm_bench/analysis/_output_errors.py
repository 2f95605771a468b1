"""The errors of each output of a network that forecasts several values at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_bench.statistics import BASELINE_PREFIX, OUTPUT, baseline_names, skill_score

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OutputErrors:
    """The errors of one output, in its units: a step of a path, or one of several targets."""

    output: str
    mae: float  # mean absolute error, over seeds and steps
    rmse: float
    baseline: str  # the one with the smallest mean absolute error for this output
    baseline_mae: float
    baseline_rmse: float

    @property
    def skill(self) -> float:
        """The skill score of the mean absolute errors: see `skill_score`."""
        return skill_score(self.mae, self.baseline_mae)

    def record(self) -> dict[str, Any]:
        """Returns a flat row."""
        return {**vars(self), "skill": self.skill}


def output_errors(predictions: pd.DataFrame) -> tuple[OutputErrors, ...]:
    """Returns the errors of each output in a table of predictions; empty if there is only one."""
    if OUTPUT not in predictions:
        return ()
    names, results = baseline_names(predictions), []
    for output, rows in predictions.groupby(OUTPUT, sort=False):
        expected = rows["expected"]
        network = (rows["predicted"] - expected).fillna(np.inf)
        baselines = {name: rows[BASELINE_PREFIX + name] - expected for name in names}
        best = min(names, key=lambda name: float(baselines[name].abs().mean()))
        mae, rmse = _mae_and_rmse(network)
        results.append(OutputErrors(str(output), mae, rmse, best, *_mae_and_rmse(baselines[best])))
    return tuple(results)


def _mae_and_rmse(errors: pd.Series) -> tuple[float, float]:
    return float(errors.abs().mean()), float(np.sqrt((errors**2).mean()))
