"""An outcome as MLflow's tags, parameters and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lstm_bench.results import Outcome

CURVE_STEPS = 100
"""Points of a learning curve that MLflow gets; the Outcome keeps more."""


def source(origin: Mapping[str, str]) -> dict[str, str]:
    """Returns `origin` as tags, with those that MLflow has columns for under its own names too."""
    return {
        "mlflow.source.name": origin["command"],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": origin["revision"],
        **origin,
    }


def seeds(outcome: Outcome) -> str:
    """Returns the seeds of `outcome` as a tag: all of them, or how many from which on."""
    numbers = outcome.seeds["seed"].tolist()
    if len(numbers) <= 100:
        return ", ".join(map(str, numbers))
    return f"{len(numbers):,} seeds from {numbers[0]} to {numbers[-1]}"


def params(outcome: Outcome) -> list[Any]:
    """Returns the recipe's settings."""
    from mlflow.entities import Param

    return [Param(key, str(value)) for key, value in outcome.settings.items()]


def metrics(outcome: Outcome) -> list[Any]:
    """Returns the aggregates, the value of each seed as a step, and the thinned mean curve."""
    from mlflow.entities import Metric

    accuracy, rate = outcome.accuracy, outcome.solve_rate
    single = {
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
    beside = [key for key in ("skill", "mae") if "skill" in outcome.seeds and key in outcome.seeds]
    single |= {key: float(outcome.seeds[key].mean()) for key in beside}
    points = [(key, value, 0) for key, value in single.items()]
    for _, row in outcome.seeds.iterrows():
        for key in ("accuracy", "loss", "solved", *beside):
            points.append((f"by_seed/{key}", float(row[key]), int(row["seed"])))
    mean = outcome.curves.groupby("epoch")[["loss", "accuracy"]].mean()
    chosen = np.unique(np.linspace(0, len(mean) - 1, min(len(mean), CURVE_STEPS)).astype(int))
    for epoch, row in mean.iloc[chosen].iterrows():
        points += [(f"curve/{key}", float(row[key]), int(str(epoch))) for key in mean.columns]
    finite = [(k, float(v), s) for k, v, s in points if v is not None and np.isfinite(v)]
    return [Metric(key, value, 0, step) for key, value, step in finite]
