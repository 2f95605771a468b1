"""Infers facts that a file does not state: the role and kind of each column, and the season."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import (
    FALSE,
    TRUE,
    first_grouped_number,
    is_grouped_number,
    is_missing,
    is_text_gap,
    parse_binary,
    parse_date,
    present_cells,
)
from lstm_bench.data._column_notes import left_out_note, unused_columns
from lstm_bench.data._columns import TargetKind
from lstm_bench.data._messages import list_names, quote_cell
from lstm_bench.data._numbers import several_units
from lstm_bench.data._table import Table, Text, group_rows
from lstm_bench.data._text_columns import text_columns, text_hint, usable_columns
from lstm_bench.data._time_errors import unread_part_error
from lstm_bench.data._time_joins import FileTimes, may_be_part
from lstm_bench.errors import DataError

GROUP_NAMES = frozenset(
    {"group", "series", "series_id", "id", "unit", "unique_id", "station", "store"}
)
"""Names by which a numeric column is recognized as the group, in lower case."""
MAX_SYMBOLS = 1000
MAX_SEASON = 400
MIN_CORRELATION, NOISE_FACTOR = 0.15, 3.0
"""A season needs a mean autocorrelation of 0.15 + 3 / sqrt(3 n), with n pairs of values."""

Floats = NDArray[np.float64]


def infer_target_column(
    requested: str | None, group: str | None, table: Table, times: FileTimes | None
) -> str:
    """Returns the name of the column to forecast: the requested one, or the only candidate."""
    if requested is not None:
        table.text(requested)
        return requested
    if table.value is not None:
        return table.value
    used = () if times is None else times.columns
    candidates = [name for name in table.columns if name != group and name not in used]
    if len(candidates) == 1:
        return candidates[0]
    raise DataError(
        f"{table.file}: target must name the column to forecast; it has "
        f"{list_names(candidates, limit=20)}"
    )


def infer_target_kind(table: Table, target: str) -> TargetKind:
    """Returns `binary` for a column of yes and no, `real` for numbers, otherwise `symbols`.

    Raises `DataError` if at least half of the values are numbers, but not all.
    """
    values = {cell.lower() for cell in table.text(target) if not is_missing(cell)}
    if values <= TRUE | FALSE and values & TRUE and values & FALSE:
        return "binary"
    if table.is_numeric(target):
        return "real"
    numeric = sum(_looks_numeric(cell, table, target) for cell in values)
    if values and 2 * numeric >= len(values):
        table.numbers(target)  # raises an error with the rows of text among the numbers
    return "symbols"


def _looks_numeric(cell: str, table: Table, column: str) -> bool:
    number = table.formats[column].parse([cell])[0]
    return bool(np.isfinite(number)) or is_grouped_number(cell)


def infer_group_column(table: Table, target: str, file_times: FileTimes | None) -> str | None:
    """Returns the first column whose values identify series; None if all rows are in order of time.

    Within a series no time repeats; if no time of the file does, its rows are in order. A numeric
    column needs a name in `GROUP_NAMES`.
    """
    if file_times is None:
        return None
    times = file_times.values
    steps = np.diff(times)
    zero = np.zeros((), steps.dtype)
    if (steps > zero).all() or (steps < zero).all():
        return None
    repeats = len(np.unique(times)) < len(times)
    for name in table.columns:
        has_group_name = name.lower() in GROUP_NAMES
        if name in (target, *file_times.columns) or (table.is_numeric(name) and not has_group_name):
            continue
        groups = group_rows(table.text(name)).values()
        if len(groups) == len(table):
            continue
        if repeats and all(len(np.unique(times[rows])) == len(rows) for rows in groups):
            if may_be_part(table, name):
                raise unread_part_error(table, name, file_times)
            return name
        ordered = [(np.diff(times[rows]) > zero).all() for rows in groups if len(rows) > 1]
        if not repeats and 2 * len(groups) <= len(table) and len(ordered) > 1 and all(ordered):
            return name
    return None


def infer_input_columns(
    requested: tuple[str, ...] | None,
    table: Table,
    kind: TargetKind,
    target: str,
    reserved: set[str | None],
    left_out: Mapping[str, str],
) -> tuple[tuple[str, ...], str]:
    """Returns the input columns besides the target, and a note about the columns left out.

    `left_out` are columns that are not used, with the reasons, unless they are requested.
    """
    left_out = {n: reason for n, reason in left_out.items() if n not in (requested or ())}
    if requested is not None:
        texts = text_columns(table, requested)
        for name in requested:
            if name not in texts:
                table.numbers(name)
            if name in reserved:
                raise DataError(
                    f"{table.file}: columns must name others than target, time and group, but has "
                    f"{name!r}; leave it out"
                )
        repeated = sorted({name for name in requested if requested.count(name) > 1})
        if repeated:
            raise DataError(
                f"{table.file}: columns must name each column once, but repeats {repeated[0]!r}; "
                "leave one out"
            )
        unused = [n for n in table.columns if n not in reserved and n not in requested]
        usable, note = usable_columns(table, requested)
        return usable, note + left_out_note(left_out | dict.fromkeys(unused, "not in columns"))
    candidates = [name for name in table.columns if name not in reserved and name not in left_out]
    if kind == "symbols":
        return (), left_out_note(left_out | dict.fromkeys(candidates, "the target is symbols"))
    reasons = unused_columns(table, candidates, target)
    text = [name for name in candidates if reasons.get(name) == "no numbers"]
    note = left_out_note(reasons | left_out) + text_hint(table, text)
    return tuple(name for name in candidates if name not in reasons), note


def kind_note(table: Table, target: str, kind: TargetKind, symbols: int) -> str:
    """Returns a note on the number of symbols, or on the words that are read as 1 and as 0."""
    if kind == "symbols":
        return f", {symbols} different" + _gap_hint(table.text(target))
    words = sorted(set(table.text(target)) - {"0", "1"})
    yes, no = ([word for word in words if word.lower() in texts] for texts in (TRUE, FALSE))
    return f", 1: {', '.join(yes)}, 0: {', '.join(no) or '0'}" if kind == "binary" and yes else ""


def _gap_hint(text: Text) -> str:
    """Returns a note on symbols that may stand for a gap, "" if all symbols are characters."""
    symbols = {cell for cell in text if cell and not is_text_gap(cell)}
    doubtful = sorted(cell for cell in symbols if is_missing(cell) and cell.strip())
    if not doubtful or all(len(cell) == 1 for cell in symbols):
        return ""
    shown = list_names([quote_cell(cell) for cell in doubtful])
    return f" (if {shown} stands for a gap, set na)"


def parse_target(
    table: Table, target: str, kind: TargetKind, known_labels: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], Floats]:
    """Returns the labels of the symbols, and the target as numbers, NaN where it is missing.

    A symbol's number is its place among the labels. If there are `known_labels`, other symbols
    raise `DataError`. Without them there must be at least two rows for each symbol on average: from
    symbols that occur once nothing can be learned.
    """
    text = table.text(target)
    if kind == "real":
        return (), table.numbers(target)
    if kind == "binary":
        values = parse_binary(text)
        wrong = np.flatnonzero(np.isnan(values) & present_cells(text))
        if len(wrong):
            raise DataError(
                f"{table.file}: target_kind=binary needs 0 and 1, true and false or yes and no, "
                f"but column {target!r} has {text[wrong[0]]!r} in "
                f"{table.describe_rows(wrong)}; use target_kind={infer_target_kind(table, target)}"
            )
        return (), values
    # A blank in quotation marks, none and - are symbols, an empty cell and NA are missing.
    present = [bool(cell) and (cell in known_labels or not is_text_gap(cell)) for cell in text]
    labels = known_labels or tuple(sorted(set(text[present])))
    number = {label: float(place) for place, label in enumerate(labels)}
    unknown = [row for row, cell in enumerate(text) if present[row] and cell not in number]
    if unknown:
        raise DataError(
            f"{table.file}: column {target!r} may hold only the symbols that were trained on, "
            f"{list_names(known_labels)}, but has {text[unknown[0]]!r} in "
            f"{table.describe_rows(unknown)}; leave these rows out"
        )
    count = sum(present)
    if not known_labels and not 2 <= len(labels) <= min(MAX_SYMBOLS, count // 2):
        raise _symbols_error(table, target, labels, count)
    return labels, np.array([number.get(cell, np.nan) for cell in text])


def _symbols_error(table: Table, target: str, labels: tuple[str, ...], count: int) -> DataError:
    """Returns the error of a column with too few or too many symbols for its rows."""
    if not count:
        return DataError(
            f"{table.file}: column {target!r} must have values, but none of its {len(table):,} "
            "rows has one; choose another column"
        )
    if units := several_units(labels):
        shown = " and ".join(map(quote_cell, units))
        return DataError(
            f"{table.file}: column {target!r} must hold numbers in one unit, but has {shown}; "
            "write all in one unit, or choose another column"
        )
    example = first_grouped_number(labels) or labels[0]
    repair = "choose another column"
    if is_grouped_number(example) or table.is_numeric(target):
        repair = "use target_kind=real"
    elif 2 * sum(map(_may_be_number, labels)) > len(labels):
        repair = "if these are numbers, write them like 1234.5, or choose another column"
    elif 2 <= len(labels) <= min(MAX_SYMBOLS, count - 1):
        repair = "give more rows, or choose another column"
    return DataError(
        f"{table.file}: a column of symbols must have 2 to {MAX_SYMBOLS:,} different ones and "
        f"twice as many rows, but {target!r} has {len(labels):,} in {count:,} rows, like "
        f"{quote_cell(example)}; {repair}"
    )


def _may_be_number(cell: str) -> bool:
    """Returns whether a cell has more digits than letters and is no date."""
    return sum(map(str.isdigit, cell)) > sum(map(str.isalpha, cell)) and parse_date(cell) is None


def detect_season(series: Sequence[Floats]) -> tuple[int | None, str]:
    """Returns the season in rows, or None, and a note: the lag at which changes repeat.

    Only the longest series counts. The criterion is the mean autocorrelation of its changes after
    one, two and three seasons, which must be larger than in noise of the same length. Of the peaks
    within a tenth of the largest value, the first is the season.
    """
    changes = np.diff(max(series, key=len))
    count = len(changes)
    max_lag = min(count // 4, MAX_SEASON)
    if max_lag < 2 or np.ptp(changes) == 0:
        return None, ""
    centred = changes - changes.mean()
    power = np.abs(np.fft.rfft(centred, 2 * count)) ** 2
    correlation = np.fft.irfft(power)[:count] / (centred @ centred)
    correlation *= count / (count - np.arange(count))  # there are fewer pairs at larger lags
    lags = np.arange(1, max_lag + 2)
    means = np.mean([correlation[np.minimum(n * lags, count - 1)] for n in (1, 2, 3)], axis=0)
    inner = means[1:-1]  # lags 2 to max_lag
    peaks = 2 + np.flatnonzero((inner >= means[:-2]) & (inner >= means[2:]))
    root_pairs = np.sqrt(3 * np.maximum(count - 3 * peaks, 1))
    threshold = np.maximum(MIN_CORRELATION + NOISE_FACTOR / root_pairs, 0.9 * inner.max())
    seasons = peaks[means[peaks - 1] >= threshold].tolist()
    if not seasons:
        return None, "no season found"
    season = seasons[0]
    text = f"correlate by {means[season - 1]:.2f}"
    return season, f"season of {season} rows (changes one to three seasons apart {text})"
