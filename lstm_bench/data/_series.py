"""Series of a CSV file: typed, in order of time, and split into training, validation and test.

What the options leave open is inferred, and reported in `PreparedFile.notes`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._columns import Columns, Missing, Series, TargetKind, scored_steps
from lstm_bench.data._inference import (
    detect_season,
    infer_group_column,
    infer_input_columns,
    infer_target_column,
    infer_target_kind,
    infer_time_column,
    kind_note,
)
from lstm_bench.data._known import check_known, future_note, future_rows, known_note
from lstm_bench.data._messages import describe_rows, is_or_are, list_names
from lstm_bench.data._split import split_rows
from lstm_bench.data._table import Table, group_rows
from lstm_bench.data._targets import check_outputs, listed_targets, parse_targets, steps_note
from lstm_bench.data._text_columns import (
    all_categories,
    categories_of_rows,
    category_numbers,
    one_hot,
    unseen_note,
)
from lstm_bench.data._text_file import read_data
from lstm_bench.data._times import describe_spacing, parse_times
from lstm_bench.errors import DataError

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
    known: tuple[str, ...] | None = None
    all_steps: bool | None = None
    text: bool | None = None


@dataclass(frozen=True)
class PreparedFile(Columns):
    """The content of a file, read with some options."""

    series: tuple[Series, ...]
    season: int | None
    notes: tuple[str, ...]


def prepare(options: FileOptions) -> PreparedFile:
    """Returns the series of a file; raises `DataError` if the file or an option is wrong."""
    return _prepare(options, read_data(options.file, bool(options.text)).digest)


@functools.lru_cache(maxsize=16)
def _prepare(options: FileOptions, digest: str) -> PreparedFile:
    table = read_data(options.file, bool(options.text))
    listed = listed_targets(table, options.target)
    reserved = {*listed, options.group, *(options.columns or ()), *(options.known or ())}
    time = infer_time_column(options.time, table, reserved)
    target = infer_target_column(next(iter(listed), None), options.group, table, time)
    targets = (target, *listed[1:])
    kind = options.kind or infer_target_kind(table, target)
    times = None if time is None else parse_times(table, time)
    group = options.group or infer_group_column(table, target, time, times)
    if group is not None:
        table.text(group)
    if group in targets:
        raise DataError(f"{table.file}: {group!r} is both target and group; name another column")
    check_outputs(table, targets, kind, options.horizon, bool(options.all_steps))
    known, known_left_out = options.known or (), ""
    roles = {*targets, time, group}
    if known:
        known, known_left_out = check_known(known, table, options.horizon, options.columns, roles)
    inputs, left_out = infer_input_columns(
        options.columns, table, kind, roles | {*(options.known or ())}
    )
    if options.horizon == 0 and not inputs:
        raise DataError(
            f"{table.file}: horizon=0 predicts {target!r} from the other columns of its row, but "
            "there are none of numbers; use horizon=1"
        )
    columns = Columns(
        kind, target, inputs, (), time, group, options.horizon, options.missing,
        text=bool(options.text),
        further=targets[1:], all_steps=bool(options.all_steps),
        known=known, categories=all_categories(table, [*inputs, *known]),
    )  # fmt: skip
    labels, target_values = parse_targets(table, columns)
    columns = replace(columns, labels=labels)
    values = _stack_columns(table, columns, target_values)
    rows = _rows_of_series(table, columns, values, times)
    starts = split_rows(options.split, options.unseen, rows, times, group)
    if columns.categories:  # those of the rows to learn from
        train = np.concatenate([indices[: starts[name][0]] for name, indices in rows.items()])
        columns = replace(columns, categories=categories_of_rows(columns, values, train))
        values = _stack_columns(table, columns, target_values)
    series = _build_series(table, columns, values, times, rows, starts)
    _check(options, columns, series)
    season, season_note = options.season, ""
    if season is None and kind != "symbols":
        season, season_note = detect_season([s.target[: s.validation_start] for s in series])
    notes = [
        f"target {', '.join(targets)}: {kind}" + kind_note(table, target, kind, len(labels)),
        steps_note(columns),
        _rows_note(table, columns, values, rows) + " " + _order_note(table, columns, series, times),
        "inputs: " + ", ".join([*(targets if options.horizon else ()), *inputs]) + left_out,
        known_note(columns, known_left_out),
        unseen_note(table, columns),
        season_note,
        _split_note(series),
    ]
    return PreparedFile(
        **vars(columns), series=series, season=season, notes=tuple(filter(None, notes))
    )


def read_new_file(columns: Columns, file: str) -> tuple[Series, ...]:
    """Returns the series of another file with the same columns; all its rows are test rows.

    If the time column is missing, the rows are taken to be in order. At horizon 0 the target may
    be missing. Raises `DataError` as `prepare` does.
    """
    table = read_data(file, columns.text)
    if columns.horizon == 0:
        target_values = np.zeros((len(table), len(columns.targets)))
    else:
        _, target_values = parse_targets(table, columns, columns.labels)
    time = columns.time if columns.time in table.columns else None
    times = None if time is None else parse_times(table, time)
    values = _stack_columns(table, columns, target_values)
    rows = _rows_of_series(table, columns, values, times, new_file=True)
    return _build_series(table, columns, values, times, rows, dict.fromkeys(rows, (0, 0)))


def _stack_columns(table: Table, columns: Columns, target_values: Floats) -> Floats:
    """Returns the targets, the input columns and the known ones as one array, (rows, J + C).

    The values of text are their numbers among the categories.
    """
    texts = dict(columns.categories)
    others = [
        category_numbers(table, name, texts[name]) if name in texts else table.numbers(name)
        for name in (*columns.inputs, *columns.known)
    ]
    return np.column_stack([target_values, *others])


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
    groups = _rows_by_group(table, columns.group)
    future = future_rows(values, len(columns.known), groups.values())
    gaps = np.isnan(values).any(axis=1) & ~future
    if gaps.any() and columns.missing == "refuse":
        repair = (
            "fill or leave out these rows, or train a run with missing=drop or missing=interpolate"
            if new_file
            else "set missing=drop to leave these rows out, or missing=interpolate"
        )
        raise DataError(
            f"{table.file}: no value may be missing, but "
            f"{describe_rows(np.flatnonzero(gaps), ('has a gap', 'have gaps'))}; {repair}"
        )
    if gaps.any() and columns.missing == "interpolate" and columns.kind != "real":
        raise DataError(
            f"{table.file}: missing=interpolate is for numbers, but the target is {columns.kind}; "
            f"{'train a run with' if new_file else 'use'} missing=drop"
        )
    rows = {}
    for name, indices in groups.items():
        if times is not None:
            _check_order(table, columns, name, times[indices], indices, new_file)
        indices = indices[~future[indices]]
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
    groups = _rows_by_group(table, columns.group)
    future = future_rows(values, len(columns.known), groups.values())
    count, categories = len(columns.targets), dict(columns.categories)
    first_known = count + len(columns.inputs)
    series = []
    for name, indices in rows.items():
        observed = np.asarray(~np.isnan(values[indices, :count]).any(axis=1))
        filled = forward_fill(values[indices])
        inputs = one_hot(filled[:, count:first_known], columns.inputs, categories)
        ahead = groups[name][future[groups[name]]]
        known = np.concatenate([filled[:, first_known:], values[ahead, first_known:]])
        arrays = (filled[:, 0], inputs, observed, texts[indices], ranks[indices])
        series.append(
            Series(
                name,
                *arrays,
                *starts[name],
                further=filled[:, 1:count],
                known=one_hot(known, columns.known, categories),
                ahead=texts[ahead],
            )
        )
    return tuple(series)


def forward_fill(values: Floats) -> Floats:
    """Returns columns (n, C) with each gap filled by the last value before it.

    Interpolation towards the next value would tell the network what comes next.
    """
    rows = np.arange(len(values))[:, None]
    latest = np.maximum.accumulate(np.where(np.isnan(values), 0, rows), axis=0)
    return np.asarray(np.take_along_axis(values, latest, axis=0))


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
            f"{describe_rows(repeated, ('repeats', 'repeat'))} the time of the row before; keep "
            f"one of them{hint}"
        )
    early = rows[1:][np.less(times[1:], times[:-1])]
    if len(early):
        raise DataError(
            f"{table.file}: rows{where} must be in order of {time!r}, but the time of "
            f"{describe_rows(early)} is before that of the row before; sort the file{hint}"
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
            int(scored_steps(columns, s, 0, end - options.horizon, start).sum())
            for s, start, end in bounds
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
    names = [*columns.targets, *columns.input_features, *columns.known_features]
    learnt = np.concatenate([
        np.column_stack([s.targets, s.inputs, s.known[: len(s)]])[: s.validation_start]
        for s in series
    ])  # fmt: skip
    for number, (name, values) in enumerate(zip(names, learnt.T, strict=True)):
        if not len(values) or np.ptp(values) > 0:
            continue
        value = f"{values[0]:g}"
        is_known = number >= len(columns.targets) + len(columns.input_features)
        option = "known" if is_known else "columns"
        effect, repair = "it cannot improve a forecast", f"leave it out of {option}"
        if options.columns is None and not is_known:
            repair = "list the columns to use as inputs in columns, columns=[] for none"
        if number < len(columns.targets):
            effect, repair = "nothing can be learnt from it", "choose another target"
            value = columns.labels[int(values[0])] if columns.labels else value
        raise DataError(
            f"{options.file}: column {name!r} is constant ({value} in the part to learn from), so "
            f"{effect}; {repair}"
        )


def _rows_note(
    table: Table, columns: Columns, values: Floats, rows: Mapping[str, NDArray[np.intp]]
) -> str:
    count = sum(map(len, rows.values()))
    future = future_rows(values, len(columns.known), _rows_by_group(table, columns.group).values())
    dropped = len(values) - count - int(future.sum())
    filled = sum(int(np.isnan(values[indices]).sum()) for indices in rows.values())
    gaps = [f"{dropped:,} with gaps dropped"] * (dropped > 0)
    gaps += [f"{filled:,} value{'s' * (filled > 1)} filled"] * (filled > 0)
    groups = f"{len(rows)} series by {columns.group}, " if columns.group else ""
    text = f"{groups}{count:,} rows" + (f" ({', '.join(gaps)})" if gaps else "")
    return text + future_note(future)


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
