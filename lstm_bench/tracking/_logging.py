"""An outcome as tags, parameters and metrics of an MLflow run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_bench.results import Outcome, write_outcome
from lstm_bench.safety import disk_errors_reported, temporary_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

CURVE_STEPS = 100
"""The most points of a learning curve that are logged to MLflow; the outcome has more."""


def source_tags(provenance: Mapping[str, str]) -> dict[str, str]:
    """Returns `provenance` as tags; those for which MLflow has columns have its names as well."""
    return {
        "mlflow.source.name": provenance["command"],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": provenance["revision"],
        **provenance,
    }


def seeds_tag(outcome: Outcome) -> str:
    """Returns the seeds of `outcome` as text: all of up to 100, else the number and the range."""
    numbers = outcome.seeds["seed"].tolist()
    if len(numbers) <= 100:
        return ", ".join(map(str, numbers))
    return f"{len(numbers):,} seeds from {numbers[0]} to {numbers[-1]}"


def recipe_params(outcome: Outcome) -> list[Any]:
    """Returns the recipe's settings as MLflow parameters."""
    from mlflow.entities import Param

    return [Param(key, str(value)) for key, value in outcome.settings.items()]


def outcome_metrics(outcome: Outcome) -> list[Any]:
    """Returns MLflow metrics: the aggregates, the values by seed, and the thinned mean curve.

    The step of a value by seed is the seed, that of a point of the curve its epoch. Values that are
    not finite are left out.
    """
    from mlflow.entities import Metric

    accuracy, rate = outcome.accuracy, outcome.solve_rate
    aggregates = {
        "accuracy": accuracy.mean,
        "accuracy_std": accuracy.std,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "solve_rate": rate.rate,
        "solve_rate_low": rate.low,
        "solve_rate_high": rate.high,
        "solved_seeds": rate.k,
        "epochs_to_solve": outcome.epochs_to_solve,
        "parameters": outcome.parameters,
        "updates": outcome.updates,
        "multiply_adds": outcome.multiply_adds,
        "train_seconds": outcome.train_seconds,
        "compile_seconds": outcome.compile_seconds,
    }
    has_skill = "skill" in outcome.seeds
    forecast = [key for key in ("skill", "mae") if has_skill and key in outcome.seeds]
    aggregates |= {key: float(outcome.seeds[key].mean()) for key in forecast}
    points = [(key, value, 0) for key, value in aggregates.items()]
    for _, row in outcome.seeds.iterrows():
        for key in ("accuracy", "loss", "solved", *forecast):
            points.append((f"by_seed/{key}", float(row[key]), int(row["seed"])))
    mean = outcome.curves.groupby("epoch")[["loss", "accuracy"]].mean()
    chosen = np.unique(np.linspace(0, len(mean) - 1, min(len(mean), CURVE_STEPS)).astype(int))
    for epoch, row in mean.iloc[chosen].iterrows():
        points += [(f"curve/{key}", float(row[key]), int(str(epoch))) for key in mean.columns]
    finite = [(k, float(v), s) for k, v, s in points if v is not None and np.isfinite(v)]
    return [Metric(key, value, 0, step) for key, value, step in finite]


def log_outcome(client: MlflowClient, run_id: str, outcome: Outcome) -> None:
    """Writes an outcome to a run and marks the run as finished, which it is only with all of it."""
    metrics, params = outcome_metrics(outcome), recipe_params(outcome)
    client.log_batch(run_id, metrics=metrics, params=params)
    with temporary_folder() as folder:
        with disk_errors_reported():
            write_outcome(outcome, folder)
        client.log_artifacts(run_id, str(folder), "outcome")
    client.set_terminated(run_id, "FINISHED")
