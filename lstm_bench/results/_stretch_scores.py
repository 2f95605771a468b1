"""Scores of an outcome on a stretch of data that every seed is scored on, step by step.

On a file of the user's own all seeds forecast the same steps. A mean over seeds says how certain it
is on these steps; only values by step say how certain it is on others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lstm_bench.statistics import (
    ORIGIN,
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

    Columns: seed, moment, value, and origin if there are several. For whole sequences the moment is
    the sequence. Empty for other measures, and where the predictions have not the baseline of the
    stored skills.
    """
    none = pd.DataFrame({"seed": [], "moment": [], "value": []})
    origin = [ORIGIN] if ORIGIN in predictions else []
    if measure == "accuracy":
        values = predictions["correct"].astype(float)
        return predictions[["seed", "moment", *origin]].assign(value=values)
    if measure == "sequence_accuracy":
        keys = [*origin, "seed", "sequence"]
        right = predictions.groupby(keys)["correct"].min().reset_index()
        place = right.groupby([*origin, "sequence"]).ngroup() if origin else right["sequence"]
        table = pd.DataFrame({"seed": right["seed"], "moment": place})
        return table.assign(value=right["correct"].astype(float), **right[origin])
    if measure != "skill":
        return none
    errors = absolute_errors(predictions)
    baseline = _baseline_of_skill(seeds, errors, baseline_names(predictions))
    if not baseline:
        return none
    return errors[["seed", "moment", *origin]].assign(value=skill_by_step(errors, baseline))


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


def skill_baseline(seeds: pd.DataFrame, predictions: pd.DataFrame) -> tuple[str, float]:
    """Returns the baseline that skills are measured against, and its mean error; "" if unknown."""
    if "skill" not in seeds or not baseline_names(predictions):
        return "", np.nan
    errors = absolute_errors(predictions)
    name = _baseline_of_skill(seeds, errors, baseline_names(predictions))
    return name, float(errors[name].mean()) if name else np.nan


def mean_on_stretch(
    seeds: pd.DataFrame, predictions: pd.DataFrame, measure: str, overlap: int, level: float
) -> StretchMean | None:
    """Returns the mean of a measure over seeds and steps; None where its steps are not known."""
    values = step_values(seeds, predictions, measure)
    if not len(values):
        return None
    values = values[values["seed"].isin(seeds["seed"])]
    origin = values.get(ORIGIN)
    places = values["value"], values["seed"], values["moment"]
    return mean_over_steps(*places, overlap, level, origin)
