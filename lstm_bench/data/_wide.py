"""Wide files, with one series in each column or in each row, as one column of values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import is_missing, is_number, present_cells
from lstm_bench.data._time_patterns import pattern_of
from lstm_bench.data._wide_parts import YEAR, Parts, parts_in_columns
from lstm_bench.errors import DataError

Wide = Literal["auto", "columns", "rows"]
Text = NDArray[np.object_]

VALUE, SERIES, TIME = "value", "series", "time"
"""The names of the columns of values, of series and, of the names in row 1, of times."""


@dataclass(frozen=True)
class Long:
    """The columns of a wide file below one another."""

    columns: dict[str, Text]
    rows: NDArray[np.intp]  # the row of the wide file that each row comes from
    note: str
    left_out: dict[str, str] = field(default_factory=dict)
    value: str = VALUE
    series: str | None = SERIES


def to_long(
    file: str, columns: Mapping[str, Text], is_numeric: Callable[[str], bool], wide: Wide
) -> Long:
    """Returns a wide file with a row for each value; gaps before and after a series are left out.

    In a file with a series in each row, the names of the columns are times or numbers. If they are
    parts of the time of each row, such as the months of a year, the file is one series, unless
    `wide` says otherwise. Raises `DataError` if there are no columns of values, or if rows and
    columns may be times.
    """
    parts = parts_in_columns(file, columns) if wide == "auto" else None
    if parts is not None:
        return _parts_to_long(parts)
    by_row = wide == "rows" or (wide == "auto" and _names_are_times(list(columns)))
    if by_row and wide == "auto":
        _check_rows_are_no_times(file, columns)
    long = (_rows_to_long if by_row else _columns_to_long)(file, columns, is_numeric)
    if not len(long.rows):
        raise DataError(f"{file}: has no values in its columns of numbers; check the file")
    return long


def _parts_to_long(parts: Parts) -> Long:
    long = {TIME: parts.times, VALUE: parts.values}
    if parts.series is not None:
        long = {SERIES: parts.series, **long}
    series = None if parts.series is None else SERIES
    return Long(long, parts.rows, parts.note, dict(parts.left_out), series=series)


def _names_are_times(names: list[str]) -> bool:
    """Returns whether at least two names, and half of them, are dates or numbers."""
    times = [name for name in names if _is_time(name)]
    return len(times) > 1 and 2 * len(times) >= len(names)


def _is_time(name: str) -> bool:
    """Returns whether a name is a time or a number, also behind one letter: d_1, F12."""
    short = name.lstrip("dDtTvVxXyYfFwW").lstrip("_- ")
    return _is_moment(name) or (len(name) - len(short) <= 2 and short.isdecimal())


def _is_moment(name: str) -> bool:
    return is_number(name) or pattern_of(name) is not None


def _check_rows_are_no_times(file: str, columns: Mapping[str, Text]) -> None:
    """Raises `DataError` if the cells before the columns of times are times too."""
    keys = [name for name in columns if not _is_time(name)]
    moments = [
        name
        for name in keys
        if all(YEAR.fullmatch(str(cell)) or pattern_of(str(cell)) for cell in columns[name])
    ]
    texts = [n for n in keys if n not in moments and not all(map(is_number, columns[n]))]
    if moments and not texts:
        raise DataError(
            f"{file}: either the rows or the columns must be times, but both may be: "
            f"{moments[0]!r} has {str(columns[moments[0]][0])!r}, and a column is named "
            f"{next(filter(_is_time, columns))!r}; set wide=columns if each column is a series, or "
            "wide=rows if each row is"
        )


def _columns_to_long(
    file: str, columns: Mapping[str, Text], is_numeric: Callable[[str], bool]
) -> Long:
    """Returns the columns of numbers below one another, with the others repeated."""
    first = next(iter(columns))
    keys = [name for name in columns if not is_numeric(name)]
    years = all(YEAR.fullmatch(str(cell)) for cell in columns[first])
    named = first.lower() in ("year", "t", TIME)
    if first not in keys and (named or years or _counts(columns[first])):
        keys = [first, *keys]
    empty = [n for n in keys if not present_cells(columns[n]).any()]
    values = [name for name in columns if name not in keys]
    if not values:
        raise DataError(
            f"{file}: wide needs columns of numbers, one for each series, but there is none; "
            "leave wide out, or set wide=rows if each row is a series"
        )
    rows = [_span(columns[name]) for name in values]
    if not any(map(len, rows)):
        return Long({}, np.empty(0, np.intp), "")
    every = np.concatenate(rows)
    names = np.repeat(np.array(values, object), [len(part) for part in rows])
    kept = [name for name in keys if name not in empty and name == first]
    left_out = {name: "text" for name in keys if name not in [*kept, *empty]}
    left_out |= dict.fromkeys(empty, "no values")
    long = {name: columns[name][every] for name in kept}
    long |= {
        _free(SERIES, kept): names,
        _free(VALUE, kept): np.concatenate(
            [columns[name][part] for name, part in zip(values, rows, strict=True)]
        ),
    }
    note = f"a wide file: {len(values)} columns as series"
    return Long(long, every, note, left_out, _free(VALUE, kept), _free(SERIES, kept))


def _rows_to_long(
    file: str, columns: Mapping[str, Text], is_numeric: Callable[[str], bool]
) -> Long:
    """Returns the rows below one another; the columns before the times name the series."""
    times = [name for name in columns if _is_time(name)]
    if len(times) < 2:
        raise DataError(
            f"{file}: wide=rows needs columns whose names are times or numbers, but there "
            f"{'is one' if times else 'is none'}; set wide=columns if each column is a series"
        )
    keys = [name for name in columns if name not in times]
    texts = [name for name in keys if not is_numeric(name)] or keys
    count = len(columns[times[0]])
    names = np.array([f"row {n + 2}" for n in range(count)], object)
    for chosen in ([texts[0]] if texts else [], texts):
        joined = [" ".join(str(columns[c][n]) for c in chosen).strip() for n in range(count)]
        if chosen and all(joined) and len(set(joined)) == count:
            names = np.array(joined, object)
            break
    grid = np.stack([columns[name] for name in times], axis=1)  # (series, times)
    spans = [_span(row) for row in grid]
    every = np.repeat(np.arange(count), [len(span) for span in spans])
    if not len(every):
        return Long({}, np.empty(0, np.intp), "")
    places = np.concatenate(spans)
    long = {
        SERIES: names[every],
        TIME: np.array(times, object)[places],
        VALUE: grid[every, places],
    }
    used = "" if not texts else f" by {', '.join(texts)}"
    left_out = {name: "names no series" for name in keys if name not in texts}
    note = f"a wide file: {count} rows as series{used}, {len(times)} columns as times"
    if not all(map(_is_moment, times)):  # d_1, d_2: only an order
        del long[TIME]
    return Long(long, every, note, left_out)


def _span(column: Text) -> NDArray[np.intp]:
    """Returns the rows from the first to the last value of a series."""
    known = [n for n, cell in enumerate(column) if not is_missing(cell)]
    return np.arange(known[0], known[-1] + 1) if known else np.empty(0, np.intp)


def _counts(column: Text) -> bool:
    """Returns whether cells are integers that increase by one step."""
    if not all(str(cell).isdecimal() and len(str(cell)) < 16 for cell in column):
        return False
    steps = np.diff(column.astype(np.int64))
    return len(steps) > 0 and bool((steps == steps[0]).all()) and steps[0] > 0


def _free(name: str, taken: list[str]) -> str:
    return name if name not in taken else f"{name} (wide)"
