"""Notes on the rows of a file: their number, their order, and their split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lstm_bench.data._calendar import describe_spacing
from lstm_bench.data._columns import Columns, Series
from lstm_bench.data._known import future_note
from lstm_bench.data._messages import list_names
from lstm_bench.data._rows import Rows
from lstm_bench.data._time_joins import FileTimes
from lstm_bench.data._time_reading import calendar_times


def rows_note(columns: Columns, rows: Rows, kept: Rows) -> str:
    """Returns how many of the `rows` there are, how many were dropped or filled, and are `kept`."""
    count = sum(map(len, rows.by_series.values()))
    file_rows = len(rows.values) - rows.absent
    used = sum(int((indices < file_rows).sum()) for indices in rows.by_series.values())
    ahead = np.sort(np.concatenate([*rows.ahead.values()])) if rows.ahead else np.empty(0, int)
    dropped = sum(int((i < file_rows).sum()) for i in rows.all_by_series.values()) - used
    dropped -= len(ahead)
    filled = sum(
        int(np.isnan(rows.values[indices[indices < file_rows]]).sum())
        for indices in rows.by_series.values()
    )
    absent = count - used
    gaps = [f"{rows.merged:,} merged by aggregate={columns.aggregate}"] * (rows.merged > 0)
    gaps += [f"{dropped:,} with gaps dropped"] * (dropped > 0)
    gaps += [f"{filled:,} value{'s' * (filled > 1)} filled"] * (filled > 0)
    gaps += [f"{absent:,} absent from the file, filled and not scored"] * (absent > 0)
    groups = f"{len(rows.by_series)} series by {columns.group}, " if columns.group else ""
    shown = f" ({', '.join(gaps)})" if gaps else ""
    note = f"{groups}{count:,} rows{shown}{future_note(ahead)}"
    latest = sum(map(len, kept.by_series.values()))
    return note if latest == count else f"the latest {latest:,} rows of {note}"


def order_note(
    columns: Columns, series: Sequence[Series], rows: Rows, times: FileTimes | None
) -> str:
    """Returns which column the rows are in order of, how far apart they are, and their ends."""
    if times is None:
        return "in the order of the file"
    clocks = calendar_times(times.reading)
    file_rows = len(clocks)
    spacing = describe_spacing(clocks[i[i < file_rows]] for i in rows.all_by_series.values())
    first = min(series, key=lambda s: int(s.time_ranks[0])).times[0]
    last = max(series, key=lambda s: int(s.time_ranks[-1])).times[-1]
    moved = f" (in the file: {rows.sorted})" if rows.sorted else ""
    return f"in the order of {columns.time}{moved}, {spacing}, {first} to {last}"


def split_note(series: Sequence[Series]) -> str:
    """Returns the numbers of rows in the training, validation and test sets."""
    train = sum(s.validation_start for s in series)
    validation = sum(s.test_start - s.validation_start for s in series)
    test = sum(len(s) - s.test_start for s in series)
    held_out = [s.name for s in series if s.test_start == 0]
    note = f" (series {list_names(held_out)})" if held_out else ""
    return f"training set: {train:,} rows, validation set: {validation:,}, test set: {test:,}{note}"
