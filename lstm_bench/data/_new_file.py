"""Forecasts from another file than the training file of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lstm_bench.data._column_notes import contradiction_notes
from lstm_bench.data._columns import Columns, Series
from lstm_bench.data._messages import list_names
from lstm_bench.data._series import read_like_before
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
        notes.append(
            f"the last {rows} not forecast: the network forecasts {columns.horizon} rows ahead"
        )
    return [note for note in notes if note]
