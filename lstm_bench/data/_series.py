"""Series of a CSV file: typed, in order of time, and split into training, validation and test.

What the options leave open is inferred, and reported in `PreparedFile.notes`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._column_notes import left_out_note, number_notes, varied_columns
from lstm_bench.data._gaps import forward_fill
from lstm_bench.data._inference import (
    GROUP_NAMES,
    TargetKind,
    detect_season,
    infer_group_column,
    infer_input_columns,
    infer_target_column,
    infer_target_kind,
    infer_time_column,
    kind_note,
    parse_target,
)
from lstm_bench.data._messages import is_or_are, list_names
from lstm_bench.data._series_by_order import SeriesByOrder, series_by_order
from lstm_bench.data._split import fewest_steps, long_series, split_rows
from lstm_bench.data._table import DEFAULT_READING, Reading, Table, group_rows, read_table
from lstm_bench.data._times import describe_spacing, parse_times
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
    reading: Reading = DEFAULT_READING
    shortest: int | None = None


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
    reading: Reading = DEFAULT_READING


@dataclass(frozen=True, kw_only=True)
class PreparedFile(Columns):
    """The content of a file, read with some options."""

    series: tuple[Series, ...]
    season: int | None
    notes: tuple[str, ...]


def prepare(options: FileOptions) -> PreparedFile:
    """Returns the series of a file; raises `DataError` if the file or an option is wrong."""
    return _prepare(options, read_table(options.file, options.reading).digest)


@functools.lru_cache(maxsize=16)
def _prepare(options: FileOptions, digest: str) -> PreparedFile:
    table = read_table(options.file, options.reading)
    reserved = {options.target, options.group, *(options.columns or ())}
    time = infer_time_column(options.time, table, reserved)
    target = infer_target_column(options.target, options.group, table, time)
    kind = options.kind or infer_target_kind(table, target)
    times = None if time is None else parse_times(table, time)
    group = options.group or table.series or infer_group_column(table, target, time, times)
    left_out, by_order = dict(table.left_out), SeriesByOrder()
    if options.group == "none" and "none" not in table.columns:
        group = None
    elif group is None and times is None:
        by_order = series_by_order(table, target, GROUP_NAMES)
        group = by_order.group
        if by_order.counter is not None:
            left_out[by_order.counter] = f"it counts the rows of each {group}"
    if group is not None:
        table.text(group)
    if group == target:
        raise DataError(f"{table.file}: {target!r} is both target and group; name another column")
    inputs, out_note = infer_input_columns(
        options.columns, table, kind, target, {target, time, group}, left_out
    )
    labels, target_values = parse_target(table, target, kind)
    reading = replace(options.reading, sheet=None)
    columns = Columns(
        kind, target, inputs, labels, time, group, options.horizon, options.missing, reading
    )
    values = _stack_columns(table, inputs, target_values)
    rows = _rows_of_series(table, columns, values, times)
    starts = split_rows(options.split, options.unseen, rows, times, group)
    series = _build_series(table, columns, values, times, rows, starts)
    short_note = ""
    if options.shortest is not None:
        kept, short_note = long_series(
            options.file, sequence_steps(series, options.horizon), options.shortest
        )
        series = tuple(s for s in series if s.name in kept)
    if options.columns is None:
        columns, series, constant_note = _leave_out_constant(columns, series)
        out_note += constant_note
    if options.horizon == 0 and not columns.inputs:
        raise DataError(
            f"{table.file}: horizon=0 predicts {target!r} from the other columns of its row, but "
            f"there are none of numbers; use horizon=1{out_note}"
        )
    _check(options, columns, series)
    season, season_note = options.season, ""
    if season is None and kind != "symbols":
        season, season_note = detect_season([s.target[: s.validation_start] for s in series])
    notes = [
        f"target {target}: {kind}" + kind_note(table, target, kind, len(labels)),
        _rows_note(columns, values, rows) + " " + _order_note(table, columns, series, times),
        "inputs: "
        + (", ".join([*([target] if options.horizon else []), *columns.inputs]) + out_note),
        *([season_note] if season_note else []),
        _split_note(series),
        *filter(None, [short_note, by_order.note]),
        *table.notes,
        *number_notes(table, [target, *columns.inputs] if kind == "real" else columns.inputs),
    ]
    return PreparedFile(**vars(columns), series=series, season=season, notes=tuple(notes))


def read_new_file(
    columns: Columns, file: str, reading: Mapping[str, Any] | None = None
) -> tuple[Series, ...]:
    """Returns the series of another file with the same columns; all its rows are test rows.

    `reading` are fields of `Reading` that differ from those of the file that was trained on.
    If the time column is missing, the rows are taken to be in order. At horizon 0 the target may
    be missing. Raises `DataError` as `prepare` does.
    """
    table = read_table(file, replace(columns.reading, **(reading or {})))
    if columns.horizon == 0:
        target_values = np.zeros(len(table))
    else:
        _, target_values = parse_target(table, columns.target, columns.kind, columns.labels)
    time = columns.time if columns.time in table.columns else None
    times = None if time is None else parse_times(table, time)
    values = _stack_columns(table, columns.inputs, target_values)
    rows = _rows_of_series(table, columns, values, times, new_file=True)
    return _build_series(table, columns, values, times, rows, dict.fromkeys(rows, (0, 0)))


def _stack_columns(table: Table, inputs: Sequence[str], target_values: Floats) -> Floats:
    """Returns the target and the input columns as one array, (rows, 1 + F)."""
    return np.column_stack([target_values, *(table.numbers(name) for name in inputs)])


def _rows_of_series(
    table: Table,
    columns: Columns,
    values: Floats,
    times: NDArray[np.generic] | None,
    new_file: bool = False,
) -> dict[str, NDArray[np.intp]]:
    """Returns the row indices of each series, in order, without the rows that are dropped.

    For a `new_file`, which is read for a trained network, messages do not suggest options: there
    are none.
    """
    gaps = np.asarray(np.isnan(values).any(axis=1))
    if gaps.any() and columns.missing == "refuse":
        repair = (
            "fill or leave out these rows, or train a run with missing=drop or missing=interpolate"
            if new_file
            else "set missing=drop to leave these rows out, or missing=interpolate"
        )
        raise DataError(
            f"{table.file}: no value may be missing, but "
            f"{table.describe_rows(np.flatnonzero(gaps), ('has a gap', 'have gaps'))}; {repair}"
        )
    if gaps.any() and columns.missing == "interpolate" and columns.kind != "real":
        raise DataError(
            f"{table.file}: missing=interpolate is for numbers, but the target is {columns.kind}; "
            f"{'train a run with' if new_file else 'use'} missing=drop"
        )
    rows = {}
    for name, indices in _rows_by_group(table, columns.group).items():
        if times is not None:
            _check_order(table, columns, name, times[indices], indices, new_file)
        rows[name] = indices[~gaps[indices]]
        if columns.missing == "interpolate" and len(rows[name]):  # from the first complete row on
            rows[name] = indices[np.flatnonzero(~gaps[indices])[0] :]
    return {name: indices for name, indices in rows.items() if len(indices)}


def _rows_by_group(table: Table, group: str | None) -> dict[str, NDArray[np.intp]]:
    return group_rows(table.text(group)) if group else {"": np.arange(len(table))}


def _build_series(
    table: Table,
    columns: Columns,
    values: Floats,
    times: NDArray[np.generic] | None,
    rows: Mapping[str, NDArray[np.intp]],
    starts: Mapping[str, tuple[int, int]],
) -> tuple[Series, ...]:
    if times is not None and columns.time is not None:
        texts, ranks = table.text(columns.time), np.unique(times, return_inverse=True)[1]
    else:
        texts = np.array([f"row {n + 2}" for n in range(len(table))], object)
        ranks = np.arange(len(table))
    series = []
    for name, indices in rows.items():
        observed = ~np.isnan(values[indices, 0])
        filled = forward_fill(values[indices])
        arrays = (filled[:, 0], filled[:, 1:], observed, texts[indices], ranks[indices])
        series.append(Series(name, *arrays, *starts[name]))
    return tuple(series)


def _check_order(
    table: Table,
    columns: Columns,
    name: str,
    times: NDArray[np.generic],
    rows: NDArray[np.intp],
    new_file: bool,
) -> None:
    """Raises `DataError` unless the times of one series increase."""
    time, group = columns.time, columns.group
    where = f" of {group} {name!r}" if group else ""
    hint = (
        ", or give a file for each series, or train a run on a file with a column of their names"
        if new_file
        else ", or name the column that identifies the series as group"
    ) * (not group)
    repeated = rows[1:][times[1:] == times[:-1]]
    if len(repeated):
        raise DataError(
            f"{table.file}: times in {time!r}{where} must differ, but "
            f"{table.describe_rows(repeated, ('repeats', 'repeat'))} the time of the row before; "
            f"keep one of them{hint}"
        )
    early = rows[1:][np.less(times[1:], times[:-1])]
    if len(early):
        raise DataError(
            f"{table.file}: rows{where} must be in order of {time!r}, but the time of "
            f"{table.describe_rows(early)} is before that of the row before; sort the file{hint}"
        )


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
        if number == 0:
            effect, repair = "nothing can be learnt from it", "choose another target"
            value = columns.labels[int(values[0])] if columns.labels else value
        raise DataError(
            f"{options.file}: column {name!r} is constant ({value} in the part to learn from), so "
            f"{effect}; {repair}"
        )


def _leave_out_constant(
    columns: Columns, series: tuple[Series, ...]
) -> tuple[Columns, tuple[Series, ...], str]:
    """Returns columns and series without inputs that are constant in the training part, and a note.

    An input is constant in the training part if it never changes before the validation part.
    """
    varied = varied_columns([s.inputs[: s.validation_start] for s in series])
    names = np.array(columns.inputs, object)
    columns = replace(columns, inputs=tuple(names[varied]))
    series = tuple(replace(s, inputs=s.inputs[:, varied]) for s in series)
    reasons = dict.fromkeys(names[~varied], "constant in the part to learn from")
    return columns, series, left_out_note(reasons)


def sequence_steps(series: Sequence[Series], horizon: int) -> dict[str, int]:
    """Returns the fewest steps of a sequence of each series; see `fewest_steps`."""
    return {s.name: fewest_steps(s.validation_start, s.test_start, len(s), horizon) for s in series}


def _rows_note(columns: Columns, values: Floats, rows: Mapping[str, NDArray[np.intp]]) -> str:
    count = sum(map(len, rows.values()))
    dropped = len(values) - count
    filled = sum(int(np.isnan(values[indices]).sum()) for indices in rows.values())
    gaps = [f"{dropped:,} with gaps dropped"] * (dropped > 0)
    gaps += [f"{filled:,} value{'s' * (filled > 1)} filled"] * (filled > 0)
    groups = f"{len(rows)} series by {columns.group}, " if columns.group else ""
    return f"{groups}{count:,} rows" + (f" ({', '.join(gaps)})" if gaps else "")


def _order_note(
    table: Table, columns: Columns, series: Sequence[Series], times: NDArray[np.generic] | None
) -> str:
    if times is None:
        return "in the order of the file"
    spacing = describe_spacing(times[i] for i in _rows_by_group(table, columns.group).values())
    first = min(series, key=lambda s: int(s.time_ranks[0])).times[0]
    last = max(series, key=lambda s: int(s.time_ranks[-1])).times[-1]
    return f"in the order of {columns.time}, {spacing}, {first} to {last}"


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
