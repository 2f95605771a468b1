"""Scores of an outcome on a stretch of data that every seed is scored on, step by step.

On a file of the user's own all seeds forecast the same steps. A mean over seeds says how certain it
is on these steps; only values by step say how certain it is on others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lstm_bench.statistics import (
    StretchMean,
    absolute_errors,
    baseline_names,
    mean_over_steps,
    skill_by_step,
    skill_score,
)

TOLERANCE = 1e-6
"""Skills computed again from the predictions may differ from the stored ones by this much."""


def is_scored_on_stretch(seeds: pd.DataFrame, predictions: pd.DataFrame) -> bool:
    """Returns whether the seeds were all scored on the same steps, next to baselines."""
    columns = ("moment", "expected", "predicted", "correct")
    return (
        "skill" in seeds
        and all(column in predictions for column in columns)
        and set(predictions["seed"]) >= set(seeds["seed"])
        and bool(baseline_names(predictions))
    )


def step_values(seeds: pd.DataFrame, predictions: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Returns the values of `skill`, `accuracy` or `sequence_accuracy` by seed and moment.

    Columns: seed, moment and value. For whole sequences the moment is the sequence. Empty for other
    measures, and where the predictions have not the baseline of the stored skills.
    """
    none = pd.DataFrame({"seed": [], "moment": [], "value": []})
    if measure == "accuracy":
        return predictions[["seed", "moment"]].assign(value=predictions["correct"].astype(float))
    if measure == "sequence_accuracy":
        right = predictions.groupby(["seed", "sequence"])["correct"].min().reset_index()
        return pd.DataFrame(
            {
                "seed": right["seed"],
                "moment": right["sequence"],
                "value": right["correct"].astype(float),
            }
        )
    if measure != "skill":
        return none
    errors = absolute_errors(predictions)
    baseline = _baseline_of_skill(seeds, errors, baseline_names(predictions))
    if not baseline:
        return none
    return errors[["seed", "moment"]].assign(value=skill_by_step(errors, baseline))


def _baseline_of_skill(seeds: pd.DataFrame, errors: pd.DataFrame, names: list[str]) -> str:
    """Returns the baseline from which the stored skills were computed; empty if it is none."""
    stored = seeds.set_index("seed")["skill"]
    means = errors.groupby("seed")[["network", *names]].mean().loc[stored.index]
    for name in names:
        pairs = zip(means["network"], means[name], strict=True)
        again = np.array([skill_score(*map(float, pair)) for pair in pairs])
        if np.abs(again - stored.to_numpy(float)).max() <= TOLERANCE:
            return name
    return ""


def mean_on_stretch(
    seeds: pd.DataFrame, predictions: pd.DataFrame, measure: str, overlap: int, level: float
) -> StretchMean | None:
    """Returns the mean of a measure over seeds and steps; None where its steps are not known."""
    values = step_values(seeds, predictions, measure)
    if not len(values):
        return None
    values = values[values["seed"].isin(seeds["seed"])]
    return mean_over_steps(values["value"], values["seed"], values["moment"], overlap, level)
