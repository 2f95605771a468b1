"""One outcome from the outcomes of a recipe that is trained anew at several origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lstm_bench.recipes import Recipe
from lstm_bench.results import Outcome
from lstm_bench.statistics import (
    METRICS,
    ORIGIN,
    OUTPUT_UNIT,
    absolute_errors,
    accuracy,
    best_baseline,
    compute_metrics,
    sequence_accuracy,
    skill_score,
)


def join_origins(recipe: Recipe, parts: Sequence[Outcome]) -> Outcome:
    """Returns the outcome of one seed of `recipe` over all its origins, from one for each.

    The predictions are those of all origins, with their number in the column `origin`, from 1. The
    scores are computed from all of them together, but for the loss, the accuracy on the training
    data and the metrics of classes, which are means over the origins, the latter weighted by steps.
    The network and the learning curve are those of the last origin, which has the most data to
    learn from; its seconds, weight updates and multiply-adds are those of all.
    """
    if len(parts) == 1:
        return parts[0]
    numbered = [part.predictions.assign(**{ORIGIN: k}) for k, part in enumerate(parts, 1)]
    predictions = pd.concat(numbered, ignore_index=True)
    return replace(
        parts[-1],
        settings=recipe.settings,
        digest=recipe.digest,
        name=recipe.name,
        seeds=pd.DataFrame([_scores(recipe, parts, predictions)]),
        predictions=predictions,
        updates=sum(part.updates for part in parts),
        multiply_adds=sum(part.multiply_adds for part in parts),
        compile_seconds=sum(part.compile_seconds for part in parts),
    )


def _scores(recipe: Recipe, parts: Sequence[Outcome], predictions: pd.DataFrame) -> dict[str, Any]:
    """Returns the scores of a seed over all origins."""
    last = {str(key): value for key, value in parts[-1].seeds.iloc[0].items()}
    tables = pd.concat([part.seeds for part in parts], ignore_index=True)
    steps = [len(part.predictions) for part in parts]
    correct = predictions["correct"].to_numpy(bool)
    counted = np.ones(len(predictions), bool)
    sequence = predictions.groupby([ORIGIN, "sequence"]).ngroup().to_numpy()
    score = float(accuracy(correct, counted))
    row = last | {
        "seed": int(last["seed"]),
        "loss": float(tables["loss"].mean()),
        "accuracy": score,
        "sequence_accuracy": float(sequence_accuracy(correct, counted, sequence)),
        "seconds": float(tables["seconds"].sum()),
    }
    if "seen_accuracy" in tables:
        row["seen_accuracy"] = float(tables["seen_accuracy"].mean())
    if "unseen_accuracy" in tables:
        row["unseen_accuracy"] = score
    for metric in METRICS[recipe.task.kind]:
        if metric in tables:
            row[metric] = float(np.average(tables[metric], weights=steps))
    if recipe.task.kind == "regression":
        unit = predictions.get(OUTPUT_UNIT, 1.0)
        values = (predictions[name] / unit for name in ("predicted", "expected"))
        outputs, targets = (value.to_numpy(float)[:, None] for value in values)
        row |= compute_metrics(outputs, targets, "regression")
    errors = absolute_errors(predictions)
    baseline = errors[best_baseline(errors, list(recipe.task.baselines()))]
    skill = skill_score(float(errors["network"].mean()), float(baseline.mean()))
    return row | {"skill": skill, "solved": skill > 0, "solved_epoch": np.nan}
