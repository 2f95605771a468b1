"""Every number of a report, as data frames. Pure: nothing is drawn, rounded or worded here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lstm_bench.analysis import ComparisonResult, Family, ReproductionResult
from lstm_bench.results import PREDICTION_COLUMNS, SEED_COLUMNS, Outcome, Row, SweepResult
from lstm_bench.statistics import METRICS, mean_interval

ANSWERS_KEPT = 60
"""Answers of a seed that `predictions.csv` has."""

CURVES_OF_TRIALS = 40
"""Trials whose curves are written out; those of every fixed and every confirmed recipe are."""


def extra_scores(rows: Sequence[Row]) -> list[str]:
    """Returns the accuracies in the seeds' tables besides the usual ones, such as unseen data's."""
    found = {column for row in rows for column in row.outcome.seeds.columns}
    return [column for column in ("seen_accuracy", "unseen_accuracy") if column in found]


def ranking(rows: Sequence[Row]) -> str:
    """Returns what ranks the rows: `skill` where there are naive answers, or `accuracy`."""
    return rows[0].outcome.score if rows else "accuracy"


def metrics(rows: Sequence[Row]) -> list[str]:
    """Returns the metrics that any seeds' table has: those of `metrics.METRICS`, and the skill."""
    found = {column for row in rows for column in row.outcome.seeds.columns}
    known = dict.fromkeys([*(n for each in METRICS.values() for n in each), "skill"])
    return [name for name in known if name in found]


def refused(result: SweepResult) -> pd.DataFrame:
    """Returns one row a configuration that the sweep shows to be refused."""
    return pd.DataFrame([vars(each) for each in result.refused])


def comparison(result: SweepResult) -> pd.DataFrame:
    """Returns one row a recipe: estimates with intervals, cost, published figures, settings.

    Accuracies and rates are shares in [0, 1]; `seconds` are of training, summed over the seeds.
    `epochs_to_solve` is the median over all seeds, empty where half of them never solved it.
    """
    extras, measured = extra_scores(result.rows), metrics(result.rows)
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
            "sequence_accuracy_mean": score(outcome, "sequence_accuracy"),
            "loss_mean": score(outcome, "loss"),
            **{f"{name}_mean": score(outcome, name) for name in [*extras, *measured]},
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


def published(verdicts: Sequence[ReproductionResult]) -> pd.DataFrame:
    """Returns one row a recipe about which something was published: its figures and a verdict."""
    records = []
    for judged in verdicts:
        row, placed, said = judged.row, judged.spread, judged.verdict
        accuracy, rate = row.outcome.accuracy, row.outcome.solve_rate
        records.append(
            {
                "id": row.id,
                "published": row.published,
                "claim": row.claim,
                "published_accuracy": row.published_accuracy,
                "seeds": accuracy.n,
                "accuracy_mean": accuracy.mean,
                "accuracy_std": accuracy.std,
                "accuracy_low": accuracy.low,
                "accuracy_high": accuracy.high,
                "smallest": placed.low if placed else None,
                "largest": placed.high if placed else None,
                "place": placed.place if placed else None,
                "rank_p": placed.p if placed else None,
                "solved": rate.k,
                "solve_rate": rate.rate,
                "solve_rate_low": rate.low,
                "solve_rate_high": rate.high,
                "verdict": said.word if said else None,
                "why": said.why if said else None,
            }
        )
    return pd.DataFrame(records)


def comparisons(compared: Sequence[ComparisonResult]) -> pd.DataFrame:
    """Returns one row a comparison that the sweep asks for: difference and verdict.

    `different_seeds` are those of `to`, where the two rows share none; a median of `inf` epochs is
    later than training lasted.
    """
    records = []
    for each in compared:
        asked, found = each.asked, each.found
        records.append(
            {
                "comparison": each.name,
                "of": asked.of,
                "to": asked.to,
                "measure": asked.measure,
                "claim": asked.claim,
                "seeds": found.n if found else 0,
                "different_seeds": found.others if found else None,
                "median_epochs_of": found.epochs[0] if found and found.epochs else None,
                "median_epochs_to": found.epochs[1] if found and found.epochs else None,
                "difference": found.difference if found else None,
                "std": found.std if found else None,
                "low": found.low if found else None,
                "high": found.high if found else None,
                "p": found.p if found else None,
                "p_holm": each.corrected,
                "margin": asked.negligible,
                "verdict": each.word,
                "more_seeds": each.more,
                "sentence": each.sentence,
            }
        )
    frame = pd.DataFrame(records)
    whole = {"more_seeds": "Int64", "different_seeds": "Int64"}
    return frame.astype(whole) if records else frame


def horizon(families: Sequence[Family]) -> pd.DataFrame:
    """Returns one row a family: where its solve rate falls to one half, with a 95 % interval.

    `inf` and `-inf` say that this is beyond the last value tried, or before the first.
    """
    return pd.DataFrame(
        {
            "family": family.id,
            "axis": family.axis,
            "seeds": family.horizon.n,
            "first": family.horizon.values[0],
            "last": family.horizon.values[-1],
            "half": family.horizon.half,
            "low": family.horizon.low,
            "high": family.horizon.high,
        }
        for family in families
    )


def rates(family: Family) -> pd.DataFrame:
    """Returns one row a value of the family's axis: solved seeds, Wilson's interval, fitted rate.

    The counts are over each row's own seeds, the fitted curve over those that all of them share.
    """
    counted = [row.outcome.solve_rate for row in family.rows]
    return pd.DataFrame(
        {
            "family": family.id,
            "axis": family.axis,
            "value": family.horizon.values,
            "id": [row.id for row in family.rows],
            "solved": [rate.k for rate in counted],
            "seeds": [rate.n for rate in counted],
            "solve_rate": [rate.rate for rate in counted],
            "solve_rate_low": [rate.low for rate in counted],
            "solve_rate_high": [rate.high for rate in counted],
            "fitted": family.horizon.fitted,
        }
    )


def score(outcome: Outcome, column: str) -> float:
    """Returns the mean of a column of the seeds' table; NaN if it is not there or holds a NaN."""
    if column not in outcome.seeds:
        return float("nan")
    return mean_interval(outcome.seeds[column].to_numpy(float)).mean


def seeds(result: SweepResult) -> pd.DataFrame:
    """Returns one row a recipe and seed, with every column that was recorded."""
    parts = [
        row.outcome.seeds.sort_values("seed").assign(id=row.id, digest=row.outcome.digest)
        for row in result.rows
    ]
    if not parts:
        return pd.DataFrame(columns=["id", "digest", *SEED_COLUMNS])
    frame = pd.concat(parts, ignore_index=True)
    head = ["id", "digest"]
    return frame[head + [column for column in frame.columns if column not in head]]


def bands(outcome: Outcome) -> pd.DataFrame:
    """Returns the learning curve over the seeds: one row an epoch that was kept.

    Columns: epoch, seeds, and mean, low (smallest) and high (largest) of loss and of accuracy.
    Where one seed's value is not finite the mean and band are NaN: a diverged seed must not vanish.
    """
    curves = outcome.curves.replace([np.inf, -np.inf], np.nan)
    groups = curves.groupby("epoch", sort=True)
    columns: dict[str, Any] = {"seeds": groups["seed"].nunique()}
    for measure in ("loss", "accuracy"):
        values = groups[measure]
        columns[f"{measure}_mean"] = values.mean(skipna=False)
        columns[f"{measure}_low"] = values.min(skipna=False)
        columns[f"{measure}_high"] = values.max(skipna=False)
    return pd.DataFrame(columns).reset_index()


def curves(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns `bands` of the rows, one below the other."""
    parts = [bands(row.outcome).assign(id=row.id) for row in rows]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=["id", "epoch"])
    frame = pd.concat(parts, ignore_index=True)
    return frame[["id"] + [column for column in frame.columns if column != "id"]]


def predictions(row: Row) -> pd.DataFrame:
    """Returns the first `ANSWERS_KEPT` answers of every seed of `row`, in the order asked.

    The store has all of them.
    """
    first = row.outcome.predictions.groupby("seed", sort=False).head(ANSWERS_KEPT)
    frame = first.sort_values("seed", kind="stable", ignore_index=True)
    frame.insert(0, "id", row.id)
    return frame


def steps(outcome: Outcome) -> pd.DataFrame:
    """Returns one row a scored step of the best seed, with what the other seeds said there.

    Columns: sequence, step, input, expected, predicted (by the best seed), correct, right (seeds
    that had it right), seeds (that were asked the same; only this one where each seed has data of
    its own), and answers, a tuple of (answer, seeds that gave it), most frequent first.
    """
    frame = outcome.predictions[list(PREDICTION_COLUMNS)].reset_index(drop=True)
    if not asked_alike(outcome):
        frame = frame[frame["seed"] == outcome.best_seed]
    asked = ["sequence", "step", "input", "expected"]
    # A framing may ask the same step twice: count the askings, so that each keeps a row.
    frame["asking"] = frame.groupby(["seed", *asked], dropna=False).cumcount()
    keys = [*asked, "asking"]
    own = frame[frame["seed"] == outcome.best_seed]
    groups = dict(iter(frame.groupby(keys, dropna=False, sort=False)))
    records = []
    for item in own.to_dict("records"):
        same = groups.get(tuple(item[key] for key in keys))
        given = [] if same is None else [str(answer) for answer in same["predicted"]]
        right = int(item["correct"]) if same is None else int(same["correct"].sum())
        records.append({**item, "right": right, "seeds": len(given), "answers": tally(given)})
    columns = [*asked, "predicted", "correct", "right", "seeds", "answers"]
    return pd.DataFrame(records, columns=columns)


def asked_alike(outcome: Outcome) -> bool:
    """Returns whether all seeds were asked the very same: whether they have the same data."""
    asked = outcome.predictions[["sequence", "step", "input", "expected"]]
    parts = [part.to_numpy().tolist() for _, part in asked.groupby(outcome.predictions["seed"])]
    return all(part == parts[0] for part in parts)


def tally(answers: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Returns each answer with how often it was given, most frequent first, then by name.

    >>> tally(["B", "A", "B"])
    (('B', 2), ('A', 1))
    """
    counts = {answer: answers.count(answer) for answer in set(answers)}
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def settings(rows: Sequence[Row]) -> tuple[Mapping[str, Any], list[str]]:
    """Returns the settings that all `rows` share, and the names of those that vary."""
    keys = dict.fromkeys(key for row in rows for key in row.outcome.settings)
    absent = object()
    shared, varying = {}, []
    for key in keys:
        values = [row.outcome.settings.get(key, absent) for row in rows]
        if all(type(value) is type(values[0]) and value == values[0] for value in values):
            shared[key] = values[0]
        else:
            varying.append(key)
    return shared, varying
