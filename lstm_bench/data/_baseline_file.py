"""Forecasts a CSV file with a baseline that is fitted to another file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._baselines import baseline_forecasts
from lstm_bench.data._columns import Series
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._label_baselines import predicted_labels
from lstm_bench.data._new_file import file_notes, forecast_end
from lstm_bench.data._sequences import Segment
from lstm_bench.data._series import PreparedFile, read_new_file
from lstm_bench.errors import UserError, unknown

if TYPE_CHECKING:
    import pandas as pd

SMOOTHING = "exponential smoothing"
"""The beginning of the name of a baseline whose states go on from row to row."""
LAGS = re.compile(r"(\d+) rows$")
"""The end of the name of a baseline that uses so many latest rows."""


def forecast_with_baseline(
    task: CsvTask, name: str, file: str, reading: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Returns the forecasts of the baseline `name` of `task` for the series in `file`.

    The baseline is fitted to the part of the task's file that networks learn from, as for a report.
    The table has a row for each row of `file`. Its columns are the name of the series, if there are
    several; the time of the forecast value, under its name in the file (or `row`); `origin`, the
    time of the latest row that is used; and `predicted`, in the units or symbols of the data. With
    one label a sequence there is a row for each sequence: its name and `predicted`.

    Raises `UserError` if there is no such baseline, or if `file` does not match the task's file.
    """
    import pandas as pd

    if task.output_names or task.text:
        rule = "forecast a new file where one value of a table is forecast"
        got = "several values" if task.output_names else "the next character of a text"
        raise UserError(f"--csv: baselines {rule}, but this run forecasts {got}; give a network")
    if task.label_per_sequence:
        return _labels(task, name, file, reading)
    data, sequences = task.prepared, task.file_sequences
    name = task.baseline_names.get(name, name)
    train = sequences.segments[: len(sequences.problem.train)]
    new = read_new_file(data, file, reading)
    if name.startswith(SMOOTHING):
        new = tuple(_from_first_row(data, series, file) for series in new)
    ahead = [Segment(_with_unknown_rows(s, data.horizon), 0, len(s)) for s in new]
    extended = replace(sequences, segments=(*train, *ahead))
    lags_in_name = LAGS.search(name)
    forecasts: dict[str, tuple[NDArray[np.float64], ...]] = {}
    for lags in dict.fromkeys([None, int(lags_in_name[1]) if lags_in_name else None]):
        if name not in forecasts:
            forecasts |= baseline_forecasts(data, extended, task.kind, lags).forecasts
    if name.startswith(SMOOTHING):  # its form may be another if some series are not in the file
        name = next((key for key in forecasts if key.startswith(SMOOTHING)), name)
    if name not in forecasts:
        raise UserError(f"--csv: {unknown('baseline', name, forecasts)}")
    parts = []
    for series, values in zip(new, forecasts[name][len(train) :], strict=True):
        end = forecast_end(data, series)
        times = np.concatenate([series.times, series.ahead, series.following])
        predicted = np.array(data.labels, object)[values.astype(int)] if data.labels else values
        columns: dict[str, Any] = {data.group: series.name} if data.group else {}
        columns |= {
            data.time or "row": times[data.horizon : data.horizon + end],
            "origin": series.times[:end],
        }
        parts.append(pd.DataFrame({**columns, "predicted": predicted[:end]}))
    table = pd.concat(parts, ignore_index=True)
    table.attrs["notes"] = file_notes(data, file, new, reading)
    return table


def _labels(task: CsvTask, name: str, file: str, reading: Mapping[str, Any] | None) -> pd.DataFrame:
    """Returns the labels that a baseline predicts for the sequences in `file`, a row for each."""
    import pandas as pd

    data, sequences = task.prepared, task.file_sequences
    train = [s.series for s in sequences.segments[: len(sequences.problem.train)]]
    new = read_new_file(data, file, reading)
    predictions, _ = predicted_labels(data, train, new)
    if name not in predictions:
        raise UserError(f"--csv: {unknown('baseline', name, predictions)}")
    labels = np.array(data.labels, object)[predictions[name].astype(int)]
    table = pd.DataFrame({str(data.group): [one.name for one in new], "predicted": labels})
    table.attrs["notes"] = file_notes(data, file, new, reading)
    return table


def _from_first_row(data: PreparedFile, series: Series, file: str) -> Series:
    """Returns the series of another file from the first row on that the task's file has of it.

    The states of exponential smoothing go on from there. Raises `UserError` if it is not there.
    """
    trained = {one.name: one for one in data.series}.get(series.name)
    places = [] if trained is None else np.flatnonzero(series.times == trained.times[0]).tolist()
    if not places or trained is None:
        where = f" of {data.group} {series.name!r}" if data.group else ""
        fault = (
            f"{file} has no row {trained.times[0]}{where}"
            if trained is not None
            else (f"it was not fitted to the series{where}, which {file} has")
        )
        raise UserError(
            f"--csv: {SMOOTHING} goes on from the first row that it was fitted to, so the "
            f"file must have it, but {fault}; give the file that was trained on, also with later "
            "rows, or another baseline"
        )
    first = places[0]
    rows = {
        key: getattr(series, key)[first:]
        for key in ("target", "inputs", "observed", "times", "time_ranks", "further", "known")
        if len(getattr(series, key))
    }
    return replace(series, **rows)


def _with_unknown_rows(series: Series, count: int) -> Series:
    """Returns a series with `count` more rows, whose values are not known yet."""
    later = np.full((count, series.inputs.shape[1]), np.nan)
    return replace(
        series,
        target=np.concatenate([series.target, np.full(count, np.nan)]),
        inputs=np.concatenate([series.inputs, later]),
        observed=np.concatenate([series.observed, np.zeros(count, bool)]),
    )
