"""The column of times of a file, found by its content, or several columns that are joined."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import present_cells
from lstm_bench.data._messages import describe_rows
from lstm_bench.data._table import Table
from lstm_bench.data._time_digits import epoch_times, read_numbers
from lstm_bench.data._time_errors import unread_error
from lstm_bench.data._time_joins import (
    FileTimes,
    clock_values,
    dates_with_clocks,
    from_parts,
    join,
    joined_parts,
    parts_of,
)
from lstm_bench.data._time_names import (
    HINTS,
    NAMES,
    are_numbers_of_times,
    counts,
    have_years,
    is_even,
    is_monotone,
    must_be_times,
    tells_dates_by_name,
    words_of,
)
from lstm_bench.data._time_patterns import Order, directives
from lstm_bench.data._time_reading import (
    Reading,
    TimeFormat,
    Unread,
    as_numbers,
    read_texts,
)
from lstm_bench.errors import DataError


@dataclass(frozen=True)
class TimeOptions:
    """What the user says about the times of a file; None is inferred."""

    columns: str | None = None  # a name, or several with commas
    date_format: str | None = None
    day_first: bool | None = None
    order: Order | None = None  # known from a file that was read before

    def __post_init__(self) -> None:
        """Raises `DataError` unless the pattern is one of `strptime` that can be read."""
        if self.date_format is not None and directives(self.date_format) is None:
            raise DataError(
                "date_format: must be a pattern of strptime with each of %Y %y %m %d %b %B %H %I "
                "%M %S %f %p %z %j %G %V %u %a %A and %q (quarter) at most once, but is "
                f"{self.date_format!r}; write it like %d/%m/%Y %H:%M"
            )

    @property
    def orders(self) -> tuple[Order, ...] | None:
        """The orders of day and month that are allowed; None: all."""
        if self.order is not None:
            return (self.order,)
        if self.day_first is None:
            return None
        return ("dmy",) if self.day_first else ("mdy",)


def requested_columns(table: Table, requested: str) -> tuple[str, ...]:
    """Returns the columns that `time` names: one, or several separated by commas."""
    if requested in table.columns or "," not in requested:
        table.text(requested)  # raises an error if there is none
        return (requested,)
    names = tuple(name.strip() for name in requested.split(","))
    for name in names:
        table.text(name)
    return names


def find_times(
    table: Table, options: TimeOptions, reserved: Collection[str | None]
) -> tuple[FileTimes | None, tuple[str, ...]]:
    """Returns the times of a file, None if it has none, and notes on columns that are not used.

    They are in the columns that the options name. If they name none, of all columns that can be
    read as times, and of those that can be joined to one, those with the most different times are
    taken; numbers whose name and spacing alone say that they are times, if there are none. Columns
    that are `reserved` for another role are not considered.

    Raises `DataError` if the columns that are named, or the only ones that look like times, cannot
    be read.
    """
    requested = options.columns
    if requested is not None:
        if requested == "none" and requested not in table.columns:
            return None, ()
        return read_columns(table, requested_columns(table, requested), options), ()
    single: list[FileTimes] = []
    counted: list[FileTimes] = []
    clocks: list[FileTimes] = []
    unread: dict[str, DataError] = {}
    for name in table.columns:
        if name in reserved:
            continue
        try:
            candidate = _candidate(table, name, options)
        except DataError as error:
            unread[name] = error
            continue
        if candidate is None:
            continue
        if candidate.format.kind == "numbers" and not tells_dates_by_name(name, candidate.values):
            counted.append(candidate)
        else:
            (clocks if candidate.reading.is_clock_alone else single).append(candidate)
    joined = [
        *dates_with_clocks(table, single, clocks, reserved),
        *joined_parts(table, reserved),
    ]
    even = [times for times in clocks if len(np.unique(times.values)) == len(table)]
    candidates = [*_without_parts(single, joined), *joined] or counted
    best = max(candidates, key=lambda f: _preference(table, f), default=None)
    if best is None and unread:
        raise next(iter(unread.values()))
    best = best or next(iter(even), None)
    if best is not None:
        unread = {name: error for name, error in unread.items() if name not in best.columns}
    notes = [f"{name} is not used as time: {_reason(error)}" for name, error in unread.items()]
    if best is None:
        if options.date_format is not None:
            raise DataError(
                f"{table.file}: a column must have times like {options.date_format}, as "
                "date_format says, but none has; give another date_format, or name the column of "
                "times in time"
            )
        notes += _order_notes(table, reserved)
    used = () if best is None else best.columns
    others = [f.name for f in single if f.name not in used and not table.is_numeric(f.name)]
    notes += [f"{times.name} is not used as time: times of day, with no column of dates"
              for times in clocks if times.name not in used and best not in single]  # fmt: skip
    return None if best is None else replace(best, others=tuple(others)), tuple(notes)


def _without_parts(single: Sequence[FileTimes], joined: Sequence[FileTimes]) -> list[FileTimes]:
    """Returns the columns of times that are not, such as weeks, parts of joined ones that tell as
    many times apart; the larger part, such as the year, is one as well."""
    counts = {
        name: len(np.unique(times.values)) for times in joined for name in times.columns[1:]
    }  # fmt: skip
    return [
        times for times in single
        if times.format.kind != "numbers" or times.name not in counts
        or len(np.unique(times.values)) > counts[times.name]
    ]  # fmt: skip


def _preference(table: Table, times: FileTimes) -> tuple[Any, ...]:
    places = list(table.columns)
    return (len(np.unique(times.values)), -len(times.columns), times.format.kind != "numbers",
            -places.index(times.columns[0]))  # fmt: skip


def _reason(error: DataError) -> str:
    return str(error).partition(": ")[2].partition(";")[0]


def _candidate(table: Table, name: str, options: TimeOptions) -> FileTimes | None:
    """Returns a column as times, None if it does not look like times.

    Raises `DataError` if it looks like times and cannot be read.
    """
    hints = words_of(name)
    if table.is_numeric(name) and options.date_format is None:
        cells = table.columns[name]
        if not present_cells(cells).all() and name.lower() not in NAMES:
            return None
        try:
            times = read_column(table, name, options)
        except DataError:
            if hints & HINTS:
                raise
            return None
        if times.format.kind != "numbers":
            first = name == next(iter(table.columns))
            known = bool(hints & HINTS) or (
                is_even(times.values)
                if times.format.kind == "text"
                else first and is_even(times.values) and is_monotone(times.values)
            )
            return times if known else None
        if name.lower() == "t":
            return times if counts(times.values) else None
        known = name.lower() in NAMES or are_numbers_of_times(name, times.values)
        return times if known else None
    cells = table.columns[name][present_cells(table.columns[name])]
    if not len(cells):
        return None
    read = _read_cells(cells, options)
    if isinstance(read, Unread) and table.is_numeric(name) and not hints & HINTS:
        return None  # numbers are not written like the date_format
    if not isinstance(read, Unread) and len(cells) == len(table):
        return FileTimes(name, (name,), read, tuple(f"{name}: {note}" for note in read.notes))
    if isinstance(read, Unread) and read.share < 0.5 and not must_be_times(name, cells):
        return None
    return read_column(table, name, options)


def _order_notes(table: Table, reserved: Collection[str | None]) -> list[str]:
    """Returns notes on columns that may be times: numbers that are in no order, texts of years."""
    notes = []
    for name in table.columns:
        if name in reserved:
            continue
        if not table.is_numeric(name):
            if have_years(table.columns[name]):
                notes.append(f"the texts of {name} hold numbers like years; if they are times, "
                             "write them like 2024-03-31")  # fmt: skip
            continue
        if table.formats[name].ambiguous:
            continue
        values = table.numbers(name)
        if np.isnan(values).any() or (np.diff(values) > 0).all():
            continue
        if len(np.unique(values)) == len(values) and is_even(values):
            falls = bool((np.diff(values) < 0).all())
            how = "fall from row to row" if falls else "are in no order"
            notes.append(
                f"the numbers of {name} are evenly spaced and {how}; if they are times, set "
                f"time={name}"
            )
    return notes


def _read_cells(cells: NDArray[np.object_], options: TimeOptions) -> Reading | Unread:
    return read_texts(cells, options.orders, options.date_format or "")


def _other_order(cells: NDArray[np.object_], options: TimeOptions) -> str:
    """Returns the option by which cells can be read that cannot be read without it, or ""."""
    if options.date_format is not None or options.order is not None:
        return ""
    choices: dict[Order, str] = {"mdy": "day_first=false (--month-first)",
                                 "dmy": "day_first=true (--day-first)"}  # fmt: skip
    for order, option in choices.items():
        if isinstance(read_texts(cells, (order,)), Reading):
            return option
    return ""


def read_column(table: Table, name: str, options: TimeOptions) -> FileTimes:
    """Returns the times of one column.

    Raises `DataError` if a time is missing or cannot be read, or if day and month may be either.
    """
    text = table.text(name)
    missing = np.flatnonzero(~present_cells(text))
    if len(missing):
        raise DataError(
            f"{table.file}: times in {name!r} must not be missing: {describe_rows(missing)}; "
            "fill them in, or leave out these rows"
        )
    if options.date_format is None and table.is_numeric(name):
        numbers = table.numbers(name)
        reading = read_numbers(text, numbers, name, options.orders) or as_numbers(text, numbers)
        if isinstance(reading, Unread):
            raise unread_error(table, name, text, reading, options.date_format)
        return FileTimes(name, (name,), reading, tuple(f"{name}: {n}" for n in reading.notes))
    read = _read_cells(text, options)
    if isinstance(read, Unread):
        raise unread_error(
            table, name, text, read, options.date_format, _other_order(text, options)
        )
    notes = tuple(f"{name}: {note}" for note in read.notes)
    return FileTimes(name, (name,), read, notes)


def read_columns(table: Table, names: Sequence[str], options: TimeOptions) -> FileTimes:
    """Returns the times of the columns that are named, joined if there are several.

    Raises `DataError` if they cannot be read.
    """
    if len(names) == 1:
        return read_column(table, names[0], options)
    parts = parts_of(table, names)
    if options.date_format is None and len(parts) == len(names):
        times = from_parts(table, parts)
        if times is not None:
            return times
    texts = [table.text(name) for name in names]
    missing = np.flatnonzero(~np.logical_and.reduce([present_cells(text) for text in texts]))
    if len(missing):
        raise DataError(
            f"{table.file}: times in {' and '.join(map(repr, names))} must not be missing: "
            f"{describe_rows(missing)}; fill them in, or leave out these rows"
        )
    if options.date_format is None and len(names) == 2:
        clock = clock_values(table, names[1])
        if clock is not None:
            date = read_column(table, names[0], options)
            if date.format.kind == "text":
                return join(table, names, date.reading.wall + clock, date.notes)
    text = np.array([" ".join(cells) for cells in zip(*texts, strict=True)], object)
    read = _read_cells(text, options)
    label = " ".join(names)
    if isinstance(read, Unread):
        raise unread_error(
            table, label, text, read, options.date_format, _other_order(text, options)
        )
    joined = join(table, names, read.wall, tuple(f"{label}: {note}" for note in read.notes))
    return replace(joined, reading=replace(joined.reading, values=read.values))


def read_like(table: Table, time: str, known: TimeFormat | None) -> FileTimes | None:
    """Returns the times of another file, read like those of a file that was read before.

    None if it has none of the columns. Raises `DataError` if only some are there, or if the times
    cannot be read in that way.
    """
    columns = (time,) if known is None else known.columns
    there = [name for name in columns if name in table.columns]
    if not there:
        return None
    if known is None:
        return read_column(table, time, TimeOptions())
    options = TimeOptions(date_format=known.exact or None, order=known.order)
    if len(columns) > 1 or known.kind == "text":
        return read_columns(table, columns, options)
    if known.kind == "epoch":
        text = table.text(time)
        reading = epoch_times(text, known.pattern) if present_cells(text).all() else None
        if reading is None:
            raise DataError(
                f"{table.file}: times in {time!r} must be numbers since 1970, as in the file that "
                "was trained on; write them in that way"
            )
        return FileTimes(time, (time,), reading)
    times = read_column(table, time, options)
    if times.format.kind != "numbers" and table.is_numeric(time):
        return FileTimes(time, (time,), as_numbers(table.text(time), table.numbers(time)))
    return times
