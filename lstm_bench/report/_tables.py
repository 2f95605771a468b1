"""Every number of a report, as data frames: unrounded, and without text for readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lstm_bench.analysis import Comparison, Family, Reproduction
from lstm_bench.results import (
    PARTIAL_ACCURACIES,
    PLACE_COLUMNS,
    PREDICTION_COLUMNS,
    SEED_COLUMNS,
    Outcome,
    Row,
    SweepData,
)
from lstm_bench.statistics import METRICS, mean_interval

MAX_PREDICTIONS = 60
"""The predictions per seed in `predictions.csv`."""

MAX_TRIAL_CURVES = 40
"""The trials in `curves.csv`, besides all fixed and confirmed recipes."""


def partial_accuracies(rows: Sequence[Row]) -> list[str]:
    """Returns the columns of the seeds tables with accuracies of a part of the steps.

    They are the steps that need memory, and those of seen and of unseen sequences.
    """
    recorded = {column for row in rows for column in row.outcome.seeds.columns}
    return [column for column in PARTIAL_ACCURACIES if column in recorded]


def ranking_measure(rows: Sequence[Row]) -> str:
    """Returns the measure that ranks the rows: `skill` where there are baselines, or `accuracy`."""
    return rows[0].outcome.score if rows else "accuracy"


def metrics(rows: Sequence[Row]) -> list[str]:
    """Returns the metrics that any seeds table has: of `statistics.METRICS`, and the skill."""
    recorded = {column for row in rows for column in row.outcome.seeds.columns}
    names = dict.fromkeys([*(name for metrics in METRICS.values() for name in metrics), "skill"])
    return [name for name in names if name in recorded]


def refused(result: SweepData) -> pd.DataFrame:
    """Returns one row per configuration that is refused on purpose."""
    return pd.DataFrame([vars(refusal) for refusal in result.refused])


def comparison(result: SweepData) -> pd.DataFrame:
    """Returns one row per recipe: estimates with intervals, cost, published figures, settings.

    Accuracies and rates are shares in [0, 1]; `seconds` are of training, summed over the seeds.
    `epochs_to_solve` is the median over all seeds, empty if half of them never solved the task.
    """
    measured = [*partial_accuracies(result.rows), *metrics(result.rows)]
    keys = dict.fromkeys(key for row in result.rows for key in row.outcome.settings)
    records = []
    for row in result.rows:
        outcome = row.outcome
        accuracy, rate = outcome.accuracy, outcome.solve_rate
        record: dict[str, Any] = {
            "id": row.id,
            "kind": row.role,
            "of": row.of,
            "trial": row.trial,
            "name": outcome.name,
            "digest": outcome.digest,
            "engine": outcome.engine,
            "seeds": accuracy.n,
            "accuracy_mean": accuracy.mean,
            "accuracy_std": accuracy.std,
            "accuracy_low": accuracy.low,
            "accuracy_high": accuracy.high,
            "solved": rate.k,
            "solve_rate": rate.rate,
            "solve_rate_low": rate.low,
            "solve_rate_high": rate.high,
            "epochs_to_solve": outcome.epochs_to_solve,
            "sequence_accuracy_mean": mean_score(outcome, "sequence_accuracy"),
            "loss_mean": mean_score(outcome, "loss"),
            **{f"{name}_mean": mean_score(outcome, name) for name in measured},
            "parameters": outcome.parameters,
            "updates": outcome.updates,
            "multiply_adds": outcome.multiply_adds,
            "seconds": outcome.train_seconds,
            "compile_seconds": outcome.compile_seconds,
            "published": row.published,
            "published_accuracy": row.published_accuracy,
            "note": row.note,
        }
        settings = {f"setting_{key}": outcome.settings.get(key) for key in keys}
        records.append(record | settings)
    frame = pd.DataFrame(records)
    return frame.astype({"trial": "Int64"}) if records else frame


def published(reproductions: Sequence[Reproduction]) -> pd.DataFrame:
    """Returns one row per recipe with a published result: figures and verdict."""
    frame = pd.DataFrame([reproduction.record() for reproduction in reproductions])
    counts = ("published_solved", "published_trials", "sequences_seeds")
    return frame.astype({name: "Int64" for name in counts if name in frame})


def comparisons(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """Returns one row per comparison of the sweep file: difference and verdict.

    `different_seeds` is the number of seeds of `to` if the two rows share none. A median of `inf`
    epochs is later than the last epoch of training.
    """
    frame = pd.DataFrame([comparison.record() for comparison in comparisons])
    names = ("more_seeds", "different_seeds", "more_seeds_low", "more_seeds_high")
    integers = dict.fromkeys(names, "Int64")
    return frame.astype(integers) if len(frame) else frame


def memory_spans(families: Sequence[Family]) -> pd.DataFrame:
    """Returns one row per family: its memory span, with a 95 % interval.

    `inf` means beyond the last value that was run, `-inf` before the first.
    """
    return pd.DataFrame([family.record() for family in families])


def mean_score(outcome: Outcome, column: str) -> float:
    """Returns the mean of a column of the seeds table; NaN if it is missing or holds a NaN."""
    if column not in outcome.seeds:
        return float("nan")
    return mean_interval(outcome.seeds[column].to_numpy(float)).mean


def seeds(result: SweepData) -> pd.DataFrame:
    """Returns one row per recipe and seed, with every column that was recorded."""
    parts = [
        row.outcome.seeds.sort_values("seed").assign(id=row.id, digest=row.outcome.digest)
        for row in result.rows
    ]
    if not parts:
        return pd.DataFrame(columns=["id", "digest", *SEED_COLUMNS])
    frame = pd.concat(parts, ignore_index=True)
    head = ["id", "digest"]
    tail = [column for column in PLACE_COLUMNS if column in frame]
    frame[tail] = frame[tail].fillna("")
    return frame[head + [column for column in frame.columns if column not in head + tail] + tail]


def curves(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns the learning curves of all rows in one table."""
    parts = [row.outcome.learning_curve().assign(id=row.id) for row in rows]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=["id", "epoch"])
    frame = pd.concat(parts, ignore_index=True)
    return frame[["id"] + [column for column in frame.columns if column != "id"]]


def predictions(row: Row) -> pd.DataFrame:
    """Returns the first `MAX_PREDICTIONS` predictions of every seed of `row`, in order.

    The store has all of them.
    """
    first = row.outcome.predictions.groupby("seed", sort=False).head(MAX_PREDICTIONS)
    frame = first.sort_values("seed", kind="stable", ignore_index=True)
    frame.insert(0, "id", row.id)
    return frame


def steps(outcome: Outcome) -> pd.DataFrame:
    """Returns one row per scored step of the best seed, with the predictions of all seeds.

    Columns: sequence, step, input, expected, predicted (by the best seed), correct, right (the
    number of seeds that predicted it correctly), seeds (the number of seeds with the same data; 1
    if the seeds have different data), and answers, a tuple of (prediction, number of seeds), the
    most frequent first.
    """
    frame = outcome.predictions[list(PREDICTION_COLUMNS)].reset_index(drop=True)
    if not same_data(outcome):
        frame = frame[frame["seed"] == outcome.best_seed]
    given = ["sequence", "step", "input", "expected"]
    # A framing may score the same step twice: number the repetitions, so that each keeps a row.
    frame["repetition"] = frame.groupby(["seed", *given], dropna=False).cumcount()
    keys = [*given, "repetition"]
    of_best_seed = frame[frame["seed"] == outcome.best_seed]
    groups = dict(iter(frame.groupby(keys, dropna=False, sort=False)))
    records = []
    for step in of_best_seed.to_dict("records"):
        same = groups.get(tuple(step[key] for key in keys))
        answers = [] if same is None else [str(answer) for answer in same["predicted"]]
        right = int(step["correct"]) if same is None else int(same["correct"].sum())
        counts = count_answers(answers)
        records.append({**step, "right": right, "seeds": len(answers), "answers": counts})
    columns = [*given, "predicted", "correct", "right", "seeds", "answers"]
    return pd.DataFrame(records, columns=columns)


def same_data(outcome: Outcome) -> bool:
    """Returns whether all seeds were scored on the same data."""
    given = outcome.predictions[["sequence", "step", "input", "expected"]]
    parts = [part.to_numpy().tolist() for _, part in given.groupby(outcome.predictions["seed"])]
    return all(part == parts[0] for part in parts)


def several_are_right(outcome: Outcome) -> bool:
    """Returns whether a symbol that was not the next one counts as right somewhere."""
    if "balanced_accuracy" not in outcome.seeds or "expected" not in outcome.predictions:
        return False  # only symbols have a balanced accuracy
    if outcome.seeds["balanced_accuracy"].isna().all():
        return False
    predictions = outcome.predictions
    other = predictions["expected"].astype(str) != predictions["predicted"].astype(str)
    return bool((other & predictions["correct"].astype(bool)).any())


def count_answers(answers: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Returns the distinct answers with their counts, the most frequent first, then by name.

    >>> count_answers(["B", "A", "B"])
    (('B', 2), ('A', 1))
    """
    counts = {answer: answers.count(answer) for answer in set(answers)}
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def shared_and_varying_settings(rows: Sequence[Row]) -> tuple[Mapping[str, Any], list[str]]:
    """Returns the settings that all `rows` share, and the names of those that vary."""
    keys = dict.fromkeys(key for row in rows for key in row.outcome.settings)
    missing = object()
    shared, varying = {}, []
    for key in keys:
        values = [row.outcome.settings.get(key, missing) for row in rows]
        if all(type(value) is type(values[0]) and value == values[0] for value in values):
            shared[key] = values[0]
        else:
            varying.append(key)
    return shared, varying
