"""Forecasts from another file than the training file of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstm_bench.data._column_notes import contradiction_notes
from lstm_bench.data._columns import Columns, Series
from lstm_bench.data._messages import list_names
from lstm_bench.data._series import read_like_before
from lstm_bench.data._table import Table
from lstm_bench.data._text_columns import unseen_note


def forecast_end(columns: Columns, series: Series) -> int:
    """Returns the row of a series up to which values can be forecast.

    It is the end of the series, or earlier if the file does not hold the known values of the rows
    to be forecast.
    """
    if not columns.known:
        return len(series)
    return min(len(series), max(0, len(series.known) - columns.horizon))


def file_notes(
    columns: Columns, file: str, series: Sequence[Series], reading: Mapping[str, Any] | None = None
) -> list[str]:
    """Returns what of a file is not forecast or not used for a forecast, and why."""
    missing = max((len(one) - forecast_end(columns, one) for one in series), default=0)
    table = read_like_before(columns, file, reading)
    read = [*(columns.targets if columns.kind == "real" else ()), *columns.inputs, *columns.known]
    notes = [unseen_note(table, columns)]
    if not {"decimal", "thousands"} & (reading or {}).keys():
        notes += contradiction_notes(table, read, columns.numbers)
    known = list_names(columns.known)
    if missing:
        rows = "the last row is" if missing == 1 else f"the last {missing} rows are"
        ahead = "of the next row" if columns.horizon == 1 else f"{columns.horizon} rows ahead"
        notes.append(
            f"{rows} not followed by a forecast, which needs the values {ahead} of {known}; add "
            f"the rows to be forecast at the end of the file, with {known} filled in and "
            f"{columns.target} empty"
        )
    unused = max((len(one.ahead) - columns.horizon for one in series), default=0)
    if unused > 0:
        rows = "row is" if unused == 1 else f"{unused} rows are"
        ahead = "1 row" if columns.horizon == 1 else f"{columns.horizon} rows"
        notes.append(f"the last {rows} not forecast: the network forecasts {ahead} ahead")
    notes += [_order_note(columns, table), _filled_note(columns, series)]
    return [note for note in notes if note]


def _order_note(columns: Columns, table: Table) -> str:
    """Returns a note on a file without the time column that the training file has, or ""."""
    format_ = columns.time_format
    names = (columns.time,) if format_ is None else format_.columns
    if columns.time is None or any(name in table.columns for name in names):
        return ""
    return (
        f"the file has no column {columns.time!r}, which holds the times of the training file: its "
        "rows are taken to be in order of time, and are called by their number"
    )


def _filled_note(columns: Columns, series: Sequence[Series]) -> str:
    """Returns a note on the rows without a target from which values are forecast, or ""."""
    if columns.label_per_sequence:
        return ""
    filled: list[str] = []
    for one in series:
        end = forecast_end(columns, one)
        filled += map(str, one.times[:end][~one.observed[:end]])
    if not filled:
        return ""
    rows = "1 row has" if len(filled) == 1 else f"{len(filled)} rows have"
    return (
        f"{rows} no value of {list_names(columns.targets)}, so forecasts with that origin start "
        f"from the latest value before it: {list_names(filled)}"
    )
