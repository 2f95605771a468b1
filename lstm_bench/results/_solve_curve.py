"""The learning curve of a recipe as the share of its seeds that have solved the task."""

from __future__ import annotations

import pandas as pd

from lstm_bench.results._outcome import Outcome
from lstm_bench.statistics import solve_rate


def solve_curve(outcome: Outcome) -> pd.DataFrame:
    """Returns `Outcome.learning_curve` with the solve rate in place of the accuracy.

    The columns `accuracy_mean`, `accuracy_low` and `accuracy_high` are the share of the seeds that
    have solved the task for good by the epoch, with Wilson's 95 % interval.
    """
    frame, solved = outcome.learning_curve(), outcome.seeds["solved_epoch"].to_numpy(float)
    rates = [solve_rate(solved <= epoch) for epoch in frame["epoch"]]
    for column, name in (("mean", "rate"), ("low", "low"), ("high", "high")):
        frame[f"accuracy_{column}"] = [getattr(rate, name) for rate in rates]
    return frame
