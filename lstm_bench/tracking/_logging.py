"""An outcome as tags, parameters and metrics of an MLflow run."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_bench.provenance import full_commit
from lstm_bench.results import Outcome, SweepData, measure_mean, write_outcome
from lstm_bench.safety import disk_errors_reported, escape_markdown, temporary_folder
from lstm_bench.tracking._network import log_network

if TYPE_CHECKING:
    from mlflow import MlflowClient

CURVE_STEPS = 100
"""The most points of a learning curve that are logged to MLflow; an outcome has more."""


def source_tags(provenance: Mapping[str, str]) -> dict[str, str]:
    """Returns `provenance` as tags; tags for which MLflow has columns also have its names."""
    return {
        "mlflow.source.name": provenance["command"],
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": full_commit(provenance["revision"]),
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

    The step of a value by seed is the place of the seed, counted from 0. The step of a point of the
    curve is its epoch. Values that are not finite are left out.
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
    for place, (_, row) in enumerate(outcome.seeds.sort_values("seed").iterrows()):
        for key in ("accuracy", "loss", "solved", *forecast):
            points.append((f"by_seed/{key}", float(row[key]), place))
    mean = outcome.curves.groupby("epoch")[["loss", "accuracy"]].mean()
    chosen = np.unique(np.linspace(0, len(mean) - 1, min(len(mean), CURVE_STEPS)).astype(int))
    for epoch, row in mean.iloc[chosen].iterrows():
        points += [(f"curve/{key}", float(row[key]), int(str(epoch))) for key in mean.columns]
    finite = [(k, float(v), s) for k, v, s in points if v is not None and np.isfinite(v)]
    now = int(1000 * time.time())
    return [Metric(key, value, now, step) for key, value, step in finite]


def training_times(outcome: Outcome) -> tuple[int, int]:
    """Returns a start and an end, in milliseconds since the epoch: the end is now.

    The start is earlier by the seconds of training, summed over the seeds. So MLflow shows the
    training time as the duration of a run.
    """
    now = int(1000 * time.time())
    return now - round(1000 * outcome.train_seconds), now


def outcome_note(outcome: Outcome, run_id: str) -> str:
    """Returns the description of a run for MLflow, in Markdown: its results."""
    lines = [
        f"**{escape_markdown(outcome.name)}**",
        "",
        *map(escape_markdown, _summary_lines(outcome)),
    ]
    if outcome.model:
        address = f"runs:/{run_id}/model"
        lines += ["", f"The network of seed {outcome.best_seed}, the best one:"]
        lines += ["", f"    mlflow.keras.load_model({address!r})"]
    return "\n".join(lines)


def _summary_lines(outcome: Outcome) -> list[str]:
    """Returns sentences about the score and the solve rate of an outcome."""
    mean, rate = measure_mean(outcome, outcome.score), outcome.solve_rate
    interval = "" if np.isnan(mean.low) else f" [{100 * mean.low:.1f}, {100 * mean.high:.1f}]"
    score = f"{outcome.score.capitalize()} {100 * mean.mean:.1f} %{interval} over {mean.n} seeds"
    what = "have a skill above 0" if outcome.score == "skill" else "solved the task"
    return [f"{score}; {rate.k} of {rate.n} seeds {what}."]


MAX_ABOUT = 2000
"""Characters of a sweep's `about` in MLflow, which limits the length of a description."""


def sweep_note(result: SweepData) -> str:
    """Returns the description of a sweep for MLflow, in Markdown: its best recipes.

    These are the finalists on fresh seeds, if there are any; else the three recipes with the best
    scores.
    """
    ranked = [row for row in result.rows if row.role == "confirmed"]
    ranked = ranked or [row for row in result.rows if row.role in ("fixed", "trial")]
    ranked = sorted(ranked, key=lambda row: row.outcome.rank())[:3]
    lines = [
        f"**{escape_markdown(result.title or result.name)}**",
        "",
        escape_markdown(result.about[:MAX_ABOUT]),
    ]
    if len({row.outcome.settings["task"] for row in ranked}) == 1:
        kind = "Confirmed on fresh seeds" if ranked[0].role == "confirmed" else "Best so far"
        lines += ["", f"{kind}:", ""]
        for row in ranked:
            description = f"{row.id}: {row.outcome.name}. {_summary_lines(row.outcome)[0]}"
            lines.append(f"- {escape_markdown(description)}")
    counts = {"not finished": result.unfinished, "failed": len(result.failed)}
    shown = [f"{count} {word}" for word, count in counts.items() if count]
    lines += ["", f"{len(result.rows)} recipes" + "".join(f", {word}" for word in shown) + "."]
    return "\n".join(lines).strip()


def dataset_input(outcome: Outcome) -> Any:
    """Returns the data that a recipe was trained on, as an input of an MLflow run.

    This is the name of the user's file, or else the task with its parameters.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    settings = outcome.settings
    keys = list(settings)
    last = keys.index("framing") if "framing" in keys else len(keys)
    task = {key: settings[key] for key in keys[:last]}
    text = json.dumps(task, sort_keys=True, default=str)
    file = settings.get("file") if settings.get("task") == "csv" else None
    name = str(file or settings["task"])
    source = {"uri": name} if file else {"tags": {"mlflow.source.name": name}}
    dataset = Dataset(
        name[:500],
        hashlib.sha256(text.encode()).hexdigest()[:8],
        "local" if file else "code",
        json.dumps(source),
        profile=text[:10_000],
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def log_outcome(
    client: MlflowClient, experiment: str, run_id: str, outcome: Outcome, ended: int
) -> None:
    """Writes an outcome to a run, and marks the run as finished when all of it is written.

    `ended` is the end of the run in milliseconds since the epoch.
    """
    metrics, params = outcome_metrics(outcome), recipe_params(outcome)
    client.log_batch(run_id, metrics=metrics, params=params)
    with temporary_folder() as folder:
        with disk_errors_reported():
            write_outcome(outcome, folder)
        client.log_artifacts(run_id, str(folder), "outcome")
    log_network(client, experiment, run_id, outcome)
    client.log_inputs(run_id, [dataset_input(outcome)])
    client.set_tag(run_id, "mlflow.note.content", outcome_note(outcome, run_id))
    client.set_terminated(run_id, "FINISHED", ended)
