"""Series of a CSV file: typed, in order of time, and split into training, validation and test.

What the options leave open is inferred, and reported in `PreparedFile.notes`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._calendar import describe_spacing
from lstm_bench.data._inference import (
    TargetKind,
    detect_season,
    infer_group_column,
    infer_input_columns,
    infer_target_column,
    infer_target_kind,
    kind_note,
    parse_target,
)
from lstm_bench.data._messages import is_or_are, list_names
from lstm_bench.data._rows import Aggregate, Rows, arrange_rows, following_texts
from lstm_bench.data._split import split_rows
from lstm_bench.data._table import Table, read_table
from lstm_bench.data._time_columns import TimeOptions, find_times, read_like
from lstm_bench.data._time_joins import FileTimes
from lstm_bench.data._time_reading import TimeFormat, calendar_times
from lstm_bench.errors import DataError

Missing = Literal["refuse", "drop", "interpolate"]

MIN_ROWS = 20
"""Fewer rows are not enough for a training, a validation and a test part."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FileOptions:
    """The file, and the user's options about how to read it; what is None is inferred."""

    file: str
    target: str | None = None
    columns: tuple[str, ...] | None = None
    time: str | None = None
    group: str | None = None
    kind: TargetKind | None = None
    horizon: int = 1
    season: int | None = None
    missing: Missing = "refuse"
    unseen: float = 0.2
    split: Literal["time", "group"] | None = None
    date_format: str | None = None
    day_first: bool | None = None
    aggregate: Aggregate | None = None


@dataclass(frozen=True)
class Series:
    """The n rows of one series, in the data's units.

    Rows before `validation_start` are the training part, those from there to `test_start` the
    validation part, on which a recipe is chosen, and the others the test part.
    """

    name: str
    target: Floats  # (n,): the value, 0 or 1, or the number of a symbol
    inputs: Floats  # (n, F): the other columns
    observed: NDArray[np.bool_]  # (n,): False where the target was missing
    times: NDArray[np.object_]  # (n,): the time as text, or the row
    time_ranks: NDArray[np.integer]  # (n,): the rank of the time among all times of the file
    validation_start: int
    test_start: int
    following: NDArray[np.object_]  # (horizon,): the next times; (0,) in a file to learn from

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Columns:
    """The role of each column: all that is needed to read another file in the same way."""

    kind: TargetKind
    target: str
    inputs: tuple[str, ...]
    labels: tuple[str, ...]  # of symbols
    time: str | None
    group: str | None
    horizon: int
    missing: Missing
    time_format: TimeFormat | None = None  # how times are written; None if that is not known
    aggregate: Aggregate | None = None


@dataclass(frozen=True, kw_only=True)
class PreparedFile(Columns):
    """The content of a file, read with some options."""

    series: tuple[Series, ...]
    season: int | None
    notes: tuple[str, ...]


def prepare(options: FileOptions) -> PreparedFile:
    """Returns the series of a file; raises `DataError` if the file or an option is wrong."""
    return _prepare(options, read_table(options.file).digest)


@functools.lru_cache(maxsize=16)
def _prepare(options: FileOptions, digest: str) -> PreparedFile:
    table = read_table(options.file)
    time_options = TimeOptions(options.time, options.date_format, options.day_first)
    reserved = {options.target, options.group, *(options.columns or ())}
    found, unused = find_times(table, time_options, reserved)
    target = infer_target_column(options.target, options.group, table, found)
    kind = options.kind or infer_target_kind(table, target)
    group = options.group or infer_group_column(table, target, found)
    if group is not None:
        table.text(group)
    if group == target:
        raise DataError(f"{table.file}: {target!r} is both target and group; name another column")
    found, unused = _without_cycle(found, group, options, unused)
    time = None if found is None else found.name
    inputs, left_out = infer_input_columns(
        options.columns, table, kind, {target, group, *(() if found is None else found.columns)}
    )
    labels, target_values = parse_target(table, target, kind)
    if options.horizon == 0 and not inputs:
        raise DataError(
            f"{table.file}: horizon=0 predicts {target!r} from the other columns of its row, but "
            "there are none of numbers; use horizon=1"
        )
    columns = Columns(
        kind, target, inputs, labels, time, group, options.horizon, options.missing,
        None if found is None else found.format, options.aggregate,
    )  # fmt: skip
    values = _stack_columns(table, inputs, target_values)
    rows = arrange_rows(table, columns, values, found)
    starts = split_rows(options.split, options.unseen, rows.by_series, rows.times, group)
    series = _build_series(columns, rows, starts)
    _check(options, columns, series)
    season, season_note = options.season, ""
    if season is None and kind != "symbols":
        season, season_note = detect_season([s.target[: s.validation_start] for s in series])
    notes = [
        f"target {target}: {kind}" + kind_note(table, target, kind, len(labels)),
        _rows_note(columns, rows) + " " + _order_note(columns, series, rows, found),
        "inputs: " + ", ".join([*([target] if options.horizon else []), *inputs]) + left_out,
        *([season_note] if season_note else []),
        _split_note(series),
        *(() if found is None else found.notes),
        *unused,
    ]
    return PreparedFile(**vars(columns), series=series, season=season, notes=tuple(notes))


def read_new_file(columns: Columns, file: str) -> tuple[Series, ...]:
    """Returns the series of another file with the same columns; all its rows are test rows.

    If the time column is missing, the rows are taken to be in order. At horizon 0 the target may
    be missing. Raises `DataError` as `prepare` does.
    """
    table = read_table(file)
    if columns.horizon == 0:
        target_values = np.zeros(len(table))
    else:
        _, target_values = parse_target(table, columns.target, columns.kind, columns.labels)
    times = None if columns.time is None else read_like(table, columns.time, columns.time_format)
    values = _stack_columns(table, columns.inputs, target_values)
    rows = arrange_rows(table, columns, values, times, new_file=True)
    following = {
        name: following_texts(times, indices, columns.horizon)
        for name, indices in rows.by_series.items()
    }
    return _build_series(columns, rows, dict.fromkeys(rows.by_series, (0, 0)), following)


def _without_cycle(
    times: FileTimes | None, group: str | None, options: FileOptions, notes: tuple[str, ...]
) -> tuple[FileTimes | None, tuple[str, ...]]:
    """Returns None in place of numbers that come again and again, such as months without years."""
    if times is None or group or options.time is not None or times.format.kind != "numbers":
        return times, notes
    if 2 * len(np.unique(times.values)) > len(times.values):
        return times, notes
    return None, (*notes, f"{times.name} is not used: its numbers repeat, so they order no rows")


def _stack_columns(table: Table, inputs: Sequence[str], target_values: Floats) -> Floats:
    """Returns the target and the input columns as one array, (rows, 1 + F)."""
    return np.column_stack([target_values, *(table.numbers(name) for name in inputs)])


def _build_series(
    columns: Columns,
    rows: Rows,
    starts: Mapping[str, tuple[int, int]],
    following: Mapping[str, NDArray[np.object_]] = MappingProxyType({}),
) -> tuple[Series, ...]:
    ranks = np.arange(len(rows.values))
    if rows.times is not None:
        ranks = np.unique(rows.times, return_inverse=True)[1]
    series = []
    for name, indices in rows.by_series.items():
        observed = ~np.isnan(rows.values[indices, 0])
        filled = forward_fill(rows.values[indices])
        arrays = (filled[:, 0], filled[:, 1:], observed, rows.texts[indices], ranks[indices])
        series.append(Series(name, *arrays, *starts[name], following.get(name, rows.texts[:0])))
    return tuple(series)


def forward_fill(values: Floats) -> Floats:
    """Returns columns (n, C) with each gap filled by the last value before it.

    Interpolation towards the next value would tell the network what comes next.
    """
    rows = np.arange(len(values))[:, None]
    latest = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.asarray(np.take_along_axis(values, latest, axis=0))


def _check(options: FileOptions, columns: Columns, series: Sequence[Series]) -> None:
    """Raises `DataError` if there are too few rows in a part, or if a column is constant."""
    count = sum(map(len, series))
    if count < MIN_ROWS:
        raise DataError(
            f"{options.file}: there must be at least {MIN_ROWS} rows to learn from and to be "
            f"scored on, but there {is_or_are(count)}; give more data"
        )
    parts = {
        "validation": [(s, s.validation_start, s.test_start) for s in series],
        "test": [(s, s.test_start, len(s)) for s in series],
    }
    for part, bounds in parts.items():
        train = sum(max(0, start - options.horizon) for _, start, _ in bounds)
        scored = sum(
            int(s.observed[max(start, options.horizon) : end].sum()) for s, start, end in bounds
        )
        if train < MIN_ROWS // 4:
            raise DataError(
                f"{options.file}: there must be {MIN_ROWS // 4} or more steps to learn from "
                f"before the {part} part, but at most {train} "
                f"{'step is' if train == 1 else 'steps are'} left to learn from, with "
                f"horizon={options.horizon} (rows ahead) and unseen={options.unseen} (a share of "
                "the rows for the validation part, and again for the test part); make these "
                "smaller, or give longer series"
            )
        if not scored:
            raise DataError(
                f"{options.file}: there must be steps to be scored on, but the {part} part has "
                f"none with a known {columns.target!r}, with horizon={options.horizon} and "
                f"unseen={options.unseen}; give more rows at the end, or a smaller horizon"
            )
    for number, name in enumerate([columns.target, *columns.inputs]):
        values = np.concatenate([
            s.inputs[: s.validation_start, number - 1] if number else s.target[: s.validation_start]
            for s in series
        ])  # fmt: skip
        if not len(values) or np.ptp(values) > 0:
            continue
        value = f"{values[0]:g}"
        effect, repair = "it cannot improve a forecast", "leave it out of columns"
        if options.columns is None:
            repair = "list the columns to use as inputs in columns, columns=[] for none"
        if number == 0:
            effect, repair = "nothing can be learnt from it", "choose another target"
            value = columns.labels[int(values[0])] if columns.labels else value
        raise DataError(
            f"{options.file}: column {name!r} is constant ({value} in the part to learn from), so "
            f"{effect}; {repair}"
        )


def _rows_note(columns: Columns, rows: Rows) -> str:
    count = sum(map(len, rows.by_series.values()))
    file_rows = len(rows.values) - rows.absent
    used = sum(int((indices < file_rows).sum()) for indices in rows.by_series.values())
    dropped = sum(int((i < file_rows).sum()) for i in rows.all_by_series.values()) - used
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
    return f"{groups}{count:,} rows" + (f" ({', '.join(gaps)})" if gaps else "")


def _order_note(
    columns: Columns, series: Sequence[Series], rows: Rows, times: FileTimes | None
) -> str:
    if times is None:
        return "in the order of the file"
    clocks = calendar_times(times.reading)
    file_rows = len(clocks)
    spacing = describe_spacing(clocks[i[i < file_rows]] for i in rows.all_by_series.values())
    first = min(series, key=lambda s: int(s.time_ranks[0])).times[0]
    last = max(series, key=lambda s: int(s.time_ranks[-1])).times[-1]
    moved = f" (in the file: {rows.sorted})" if rows.sorted else ""
    return f"in the order of {columns.time}{moved}, {spacing}, {first} to {last}"


def _split_note(series: Sequence[Series]) -> str:
    train = sum(s.validation_start for s in series)
    validation = sum(s.test_start - s.validation_start for s in series)
    test = sum(len(s) - s.test_start for s in series)
    held_out = [s.name for s in series if s.test_start == 0]
    note = f" (series {list_names(held_out)})" if held_out else ""
    return (
        f"{train:,} rows to learn from, {validation:,} to choose a recipe on, "
        f"{test:,} to be scored on{note}"
    )
