"""Outcomes made by hand: the one place in the tests that fills in all fields of an `Outcome`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lstm_bench.results import Outcome
from lstm_bench.results._columns import CURVE_COLUMNS, PREDICTION_COLUMNS


def build_outcome(
    accuracy: Iterable[float],
    seeds: Iterable[int] | pd.DataFrame | None = None,
    columns: Mapping[str, Any] | None = None,
    curves: Iterable[tuple[Any, ...]] | pd.DataFrame = (),
    predictions: Iterable[tuple[Any, ...]] | pd.DataFrame = (),
    **fields: Any,
) -> Outcome:
    """Returns an outcome with one accuracy per seed; a seed with 1 has solved the task.

    `seeds` are their numbers, or the whole table. `columns` replace columns of this table or are
    further ones. `curves` and `predictions` are these tables or their rows. `fields` are fields of
    `Outcome` in place of those here.
    """
    defaults: dict[str, Any] = {
        "settings": {"task": "memory", "units": 20, "epochs": 30},
        "digest": "0" * 12,
        "name": "lstm(20), pairs",
        "engine": "keras",
        "seeds": _seeds_table(accuracy, seeds, columns or {}),
        "curves": _frame(curves, CURVE_COLUMNS),
        "predictions": _frame(predictions, PREDICTION_COLUMNS),
        "parameters": 2185,
        "updates": 2000,
        "multiply_adds": 6_000_000,
        "compile_seconds": 0.3,
    }
    return Outcome(**defaults | fields)


def _seeds_table(
    accuracy: Iterable[float],
    seeds: Iterable[int] | pd.DataFrame | None,
    columns: Mapping[str, Any],
) -> pd.DataFrame:
    if isinstance(seeds, pd.DataFrame):
        return seeds
    scores = np.asarray(list(accuracy), float)
    solved = scores == 1
    table = {
        "seed": range(len(scores)) if seeds is None else list(seeds),
        "loss": np.linspace(0.1, 0.2, len(scores)),
        "accuracy": scores,
        "sequence_accuracy": solved.astype(float),
        "solved": solved,
        "solved_epoch": np.where(solved, 20.0, np.nan),
        "seconds": 0.5,
    }
    return pd.DataFrame(table).assign(**columns)


def _frame(
    rows: Iterable[tuple[Any, ...]] | pd.DataFrame, columns: tuple[str, ...]
) -> pd.DataFrame:
    if isinstance(rows, pd.DataFrame):
        return rows
    return pd.DataFrame(list(rows), columns=list(columns))
