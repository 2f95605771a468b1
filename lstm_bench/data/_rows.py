"""The rows of each series in order of time, with those that the calendar has and the file not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._calendar import MIN_EXACT, days_of_months_after, infer_calendar
from lstm_bench.data._future_rows import future_rows
from lstm_bench.data._messages import list_names
from lstm_bench.data._table import Table, group_rows
from lstm_bench.data._time_joins import FileTimes
from lstm_bench.data._time_reading import calendar_times, write_moments
from lstm_bench.errors import DataError

Aggregate = Literal["mean", "sum", "first", "last"]
MAX_FILLED = 1.0
"""`missing=interpolate` adds at most so many absent moments for each row of the file."""
END = np.datetime64("9999-12-31", "us")
"""Later moments have no text: years have four digits, and a zone may be a day ahead."""
LATEST = 24
"""Rows from which the next times are computed if all rows together are not evenly spaced."""

Floats = NDArray[np.float64]


class Roles(Protocol):
    """What has to be known of the columns of a file: see `Columns`."""

    @property
    def kind(self) -> str: ...
    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def group(self) -> str | None: ...
    @property
    def missing(self) -> str: ...
    @property
    def aggregate(self) -> Aggregate | None: ...
    @property
    def known(self) -> tuple[str, ...]: ...
    @property
    def categories(self) -> tuple[tuple[str, tuple[str, ...]], ...]: ...


@dataclass(frozen=True)
class Rows:
    """The rows of a file, and after them those of absent moments, whose values are missing."""

    values: Floats  # (rows, C): the targets, the inputs and the columns known in advance
    times: NDArray[Any] | None  # (rows,), to be compared
    texts: NDArray[np.object_]  # (rows,): the time as text, or the row
    by_series: Mapping[str, NDArray[np.intp]]  # of each series, in order, as far as they are used
    ahead: Mapping[str, NDArray[np.intp]]  # at the end of each series, with known values alone
    all_by_series: Mapping[str, NDArray[np.intp]]  # also those that are dropped; none is absent
    absent: int  # moments of the calendar that the file has no row for
    merged: int  # rows of the file that were aggregated with an earlier one
    sorted: Literal["", "newest first", "not in order"]  # how the file was, if rows were moved


def arrange_rows(
    table: Table,
    columns: Roles,
    values: Floats,
    times: FileTimes | None,
    new_file: bool = False,
) -> Rows:
    """Returns the rows of each series in order of time, without those that are dropped.

    For a `new_file`, which is read for a trained network, messages do not suggest options: there
    are none. Raises `DataError` if times repeat, or if values or moments are missing and that is to
    be refused.
    """
    count = len(table)
    by_series = group_rows(table.text(columns.group)) if columns.group else {"": np.arange(count)}
    if times is None:
        texts = np.array([f"row {n + 2}" for n in range(count)], object)
        used, ahead = _without_gaps(table, columns, values, by_series, new_file)
        return Rows(values, None, texts, used, ahead, by_series, 0, 0, "")
    order = _order(times.values, by_series)
    by_series = {
        name: rows[np.argsort(times.values[rows], kind="stable")]
        for name, rows in by_series.items()
    }
    values, by_series, merged = _without_repeats(table, columns, values, times, by_series, new_file)
    moments, texts = times.values, times.reading.texts
    complete = dict(by_series)
    absent = _absent_moments(times, by_series)
    total = sum(len(added_moments) for added_moments, _, _ in absent.values())
    if total:
        _check_absent(table, columns, total, absent, new_file)
        names = list(absent)
        added = [absent[name] for name in names]
        starts = np.cumsum([count, *(len(added_moments) for added_moments, _, _ in added)])
        values = np.concatenate([values, np.full((total, values.shape[1]), np.nan)])
        moments = np.concatenate([moments, *(added_moments for added_moments, _, _ in added)])
        texts = np.concatenate([texts, *(np.array(text, object) for _, text, _ in added)])
        for name, start, (added_moments, _, _) in zip(names, starts, added, strict=False):
            rows = np.concatenate([by_series[name], np.arange(start, start + len(added_moments))])
            by_series[name] = rows[np.argsort(moments[rows], kind="stable")]
    used, ahead = _without_gaps(table, columns, values, by_series, new_file)
    return Rows(values, moments, texts, used, ahead, complete, total, merged, order)


def _order(
    values: NDArray[Any], by_series: Mapping[str, NDArray[np.intp]]
) -> Literal["", "newest first", "not in order"]:
    ups = downs = False
    for rows in by_series.values():
        before, after = values[rows[:-1]], values[rows[1:]]
        ups, downs = ups or bool((after > before).any()), downs or bool((after < before).any())
    if not downs:
        return ""
    return "not in order" if ups else "newest first"


def _without_repeats(
    table: Table,
    columns: Roles,
    values: Floats,
    times: FileTimes,
    by_series: Mapping[str, NDArray[np.intp]],
    new_file: bool,
) -> tuple[Floats, dict[str, NDArray[np.intp]], int]:
    """Returns values, rows and the number of rows that were merged with others of their time.

    Raises `DataError` if times of a series repeat and nothing says how to merge them.
    """
    merged, kept = 0, {}
    for name, rows in by_series.items():
        ordered = times.values[rows]
        first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        kept[name] = rows[first]
        if first.all():
            continue
        if columns.aggregate is None:
            raise _repeat_error(table, columns, times, name, np.sort(rows[~first]), new_file)
        if columns.kind != "real" and columns.aggregate in ("mean", "sum"):
            raise DataError(
                f"{table.file}: aggregate={columns.aggregate} is for numbers, but the target is "
                f"{columns.kind}; use aggregate=first or aggregate=last"
            )
        if columns.categories and columns.aggregate in ("mean", "sum"):
            raise DataError(
                f"{table.file}: aggregate={columns.aggregate} is for numbers, but "
                f"{columns.categories[0][0]!r} is text; use aggregate=first or aggregate=last"
            )
        values = values if merged else values.copy()
        merged += int((~first).sum())
        starts = [*np.flatnonzero(first).tolist(), len(rows)]
        for start, end in pairwise(starts):
            if end - start > 1:
                values[rows[start]] = _aggregated(values[rows[start:end]], columns.aggregate)
    return values, kept, merged


def _aggregated(values: Floats, how: Aggregate) -> Floats:
    """Returns (n, C) as one row (C,), of the values that are not missing."""
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    if how in ("mean", "sum"):
        total = np.where(known, values, 0.0).sum(axis=0)
        total = total / np.maximum(counts, 1) if how == "mean" else total
        return np.where(counts > 0, total, np.nan)
    rows = np.argmax(known, axis=0)
    if how == "last":
        rows = len(values) - 1 - np.argmax(known[::-1], axis=0)
    return np.asarray(values[rows, np.arange(values.shape[1])])


def _repeat_error(
    table: Table,
    columns: Roles,
    times: FileTimes,
    name: str,
    rows: NDArray[np.intp],
    new_file: bool,
) -> DataError:
    group = columns.group
    where = f" of {group} {name!r}" if group else ""
    moment = times.reading.texts[rows[0]]
    if new_file:
        hint = "" if group else (
            ", give a file for each series, or train a run on a file with a column of their names"
        )  # fmt: skip
    else:
        hint = ", set aggregate=mean, sum, first or last (--aggregate)"
        if not group:
            hint += ", or name the column that identifies the series as group (--group)"
        if times.format.kind == "numbers":
            hint += ", or set time=none (--time none) if the rows are in order"
    return DataError(
        f"{table.file}: times in {times.name!r}{where} must differ, but "
        f"{table.describe_rows(rows, ('repeats', 'repeat'))} the time of another row ({moment}); "
        f"keep one of them{hint}"
    )


Absent = tuple[NDArray[Any], list[str], NDArray[np.intp]]
"""Moments, their texts, and the row after which each of them is absent."""


def _absent_moments(
    times: FileTimes, by_series: Mapping[str, NDArray[np.intp]]
) -> dict[str, Absent]:
    """Returns the moments that are absent from each series whose calendar is regular."""
    clocks = calendar_times(times.reading)
    on_wall = clocks is not times.values
    absent = {}
    for name, rows in by_series.items():
        calendar = infer_calendar(clocks[rows])
        if calendar is None or not calendar.regular or not calendar.absent:
            continue
        moments = calendar.absent_moments(clocks[rows])
        texts = write_moments(moments, times.format, on_wall, times.reading.texts[rows].tolist())
        after = rows[np.searchsorted(clocks[rows], moments) - 1]
        if on_wall:  # to UTC, with the offset of the row before
            moments = moments + (times.values[after] - clocks[after])
        absent[name] = (moments.astype(times.values.dtype), texts, after)
    return absent


def _check_absent(
    table: Table, columns: Roles, total: int, absent: Mapping[str, Absent], new_file: bool
) -> None:
    if columns.missing == "drop":
        return
    name, (_, texts, after) = next(iter(absent.items()))
    where = f" of {columns.group} {name!r}" if columns.group else ""
    shown = ", ".join(texts[:3]) + (", ..." if len(texts) > 3 else "")
    start = (
        f"{table.file}: no moment may be missing, but {total:,} of the calendar "
        f"{'is' if total == 1 else 'are'} absent, {shown} after "
        f"{table.describe_rows(after[:1])}{where}"
    )
    if columns.missing == "refuse":
        raise DataError(
            f"{start}; add these rows, or train a run with missing=drop or missing=interpolate"
            if new_file
            else f"{start}; set missing=drop to go on without them, or missing=interpolate to have "
            "them filled and not scored"
        )
    if total > MAX_FILLED * len(table):
        raise DataError(
            f"{start}, which is more than the file has rows; correct the times, or "
            + ("train a run with" if new_file else "set")
            + " missing=drop"
        )


def _without_gaps(
    table: Table,
    columns: Roles,
    values: Floats,
    by_series: Mapping[str, NDArray[np.intp]],
    new_file: bool,
) -> tuple[dict[str, NDArray[np.intp]], dict[str, NDArray[np.intp]]]:
    """Returns the rows of each series without those that are dropped, and those that follow.

    Those that follow hold known values alone.
    """
    future = future_rows(values, len(columns.known), by_series.values())
    gaps = np.asarray(np.isnan(values).any(axis=1)) & ~future
    used = np.zeros(len(gaps), bool)
    for rows in by_series.values():
        used[rows] = True
    gaps &= used
    if gaps.any() and columns.missing == "refuse":
        repair = (
            "fill or leave out these rows, or train a run with missing=drop"
            if new_file
            else "set missing=drop to leave these rows out"
        )
        repair += ", or missing=interpolate" if columns.kind == "real" else ""
        names = (*columns.targets, *columns.inputs, *columns.known)
        empty = [n for n, rows in zip(names, np.isnan(values[gaps]).T, strict=True) if rows.any()]
        raise DataError(
            f"{table.file}: no value may be missing, but "
            f"{table.describe_rows(np.flatnonzero(gaps), ('has a gap', 'have gaps'))} in "
            f"{list_names([*map(repr, empty)])}; {repair}"
        )
    if gaps.any() and columns.missing == "interpolate" and columns.kind != "real":
        raise DataError(
            f"{table.file}: missing=interpolate is for numbers, but the target is {columns.kind}; "
            f"{'train a run with' if new_file else 'use'} missing=drop"
        )
    kept = {}
    ahead = {name: rows[future[rows]] for name, rows in by_series.items()}
    for name, all_rows in by_series.items():
        rows = all_rows[~future[all_rows]]
        kept[name] = rows[~gaps[rows]]
        if columns.missing == "interpolate" and len(kept[name]):  # from the first complete row on
            kept[name] = rows[np.flatnonzero(~gaps[rows])[0] :]
    if not new_file and not any(map(len, kept.values())):
        names = (*columns.targets, *columns.inputs, *columns.known)
        counts = np.isnan(values[used & ~future]).sum(axis=0)
        most = int(np.argmax(counts))
        raise DataError(
            f"{table.file}: some row must be complete, but all have gaps, most in {names[most]!r} "
            f"({counts[most]:,} rows); leave columns with many gaps out of columns, or choose "
            "another target"
        )
    return {name: rows for name, rows in kept.items() if len(rows)}, ahead


def following_texts(
    times: FileTimes | None, rows: NDArray[np.intp], count: int
) -> NDArray[np.object_]:
    """Returns the next `count` times after those of some rows, in order, as they are written.

    They are empty texts if the times are not evenly spaced. Without times they are the numbers of
    the rows.
    """
    if times is None:
        steps = np.diff(rows)
        if not len(steps) or (steps != steps[0]).any():
            return np.array([""] * count, object)
        return np.array([f"row {rows[-1] + 2 + steps[0] * (n + 1)}" for n in range(count)], object)
    rows = rows[rows < len(times.values)]  # without absent moments
    clocks = calendar_times(times.reading)
    on_wall = clocks is not times.values
    for latest in (rows, rows[-LATEST:]):
        calendar = infer_calendar(clocks[latest])
        if calendar is None or len(latest) < 3:
            continue
        even = not calendar.uneven and (calendar.whole == 1).mean() >= 0.5
        cycle = None
        if calendar.kind == "days" and calendar.exact < MIN_EXACT:
            cycle = days_of_months_after(clocks[latest], count)
        even &= calendar.exact >= MIN_EXACT
        even |= cycle is not None
        if even or (calendar.has_sessions and not calendar.uneven):
            moments = calendar.following(clocks[latest], count) if cycle is None else cycle
            if np.issubdtype(moments.dtype, np.datetime64):
                moments = moments[moments < END]
            texts = times.reading.texts[latest].tolist()
            written = write_moments(moments, times.format, on_wall, texts)
            return np.array([*written, *[""] * (count - len(written))], object)
    return np.array([""] * count, object)
