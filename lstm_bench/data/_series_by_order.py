"""Series of a file without times: a column whose values identify them, by the order of the rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import is_missing
from lstm_bench.data._inference import GROUP_NAMES
from lstm_bench.data._table import Table
from lstm_bench.data._time_joins import FileTimes, parts_by_name
from lstm_bench.data._wide_parts import YEAR
from lstm_bench.errors import DataError

MIN_YEAR = 1500
"""Numbers from this one on, in a column of times, are years or moments, and no part of a time."""
MIN_LENGTH = 3
"""Rows of the shortest series that a column without a telling name may identify."""


@dataclass(frozen=True)
class SeriesByOrder:
    """The column that identifies series, the one that counts their rows, and a note."""

    group: str | None = None
    counter: str | None = None
    note: str = ""
    unused: tuple[str, ...] = ()  # a note on a column of times that orders no rows


def series_or_times(
    table: Table,
    times: FileTimes | None,
    reserved: Collection[str | None],
    requested_time: str | None,
    requested_group: str | None,
) -> tuple[SeriesByOrder, FileTimes | None]:
    """Returns the series by the order of the rows if there are no times, and the times otherwise.

    Numbers that come again and again, such as months without years, are no times. They are, and are
    refused later, if they are years, or if series that no column identifies have them in common.
    """
    repeating = requested_time is None and times is not None and _come_again(times)
    if times is not None and not repeating:
        return SeriesByOrder(), times
    series = SeriesByOrder()
    if requested_group is None:
        series = series_by_order(table, reserved, GROUP_NAMES)
    if times is None:
        return series, None
    if series.counter != times.name and _are_moments(table, times, reserved):
        return SeriesByOrder(), times
    _check_order_of_parts(table, reserved)
    note = f"{times.name} is not used as time: its numbers repeat, so they order no rows"
    return replace(series, unused=(note,)), None


def _come_again(times: FileTimes) -> bool:
    different = len(np.unique(times.values)) if times.format.kind == "numbers" else np.inf
    return 2 * different <= len(times.values)


def _are_moments(table: Table, times: FileTimes, reserved: Collection[str | None]) -> bool:
    """Returns whether numbers that repeat are moments of several series, not a part of a time.

    They are if they are years or larger, if they differ among the rows of each value of another
    column that has each of its values several times, or if the values of other columns change where
    they start again, and there alone.
    """
    values = times.values
    if values.min() == values.max():
        return False
    if values.min() >= MIN_YEAR:
        return True
    parts = _parts(table)
    starts = np.flatnonzero(np.diff(values) < 0) + 1
    keys = [np.zeros(len(values), np.intp)]
    for name, column in table.columns.items():
        if name in reserved or name == times.name or name in parts:
            continue
        different, codes = np.unique(column.astype(str), return_inverse=True)
        if len(different) < 2 or 2 * len(different) > len(column):
            continue
        pairs = set(zip(values.tolist(), codes.tolist(), strict=True))
        if len(pairs) == len(values) and _least(column) >= MIN_LENGTH:
            return True
        if np.isin(np.flatnonzero(np.diff(codes)) + 1, starts).all():
            keys.append(codes)
    combined = np.unique(np.stack(keys), axis=1, return_inverse=True)[1].ravel()
    changes = np.flatnonzero(np.diff(combined)) + 1
    return len(keys) > 1 and np.array_equal(changes, starts)


def _parts(table: Table) -> list[str]:
    """Returns the columns that are named as parts of a time, the largest first."""
    by_part = parts_by_name(list(table.columns))
    return [by_part[part] for part in "YqmVjdHMS" if part in by_part]


def _check_order_of_parts(table: Table, reserved: Collection[str | None]) -> None:
    """Raises `DataError` if parts of times, such as year 1 and month 1, say another order."""
    names = [n for n in _parts(table) if n not in reserved and table.is_numeric(n)]
    if len(names) < 2:
        return
    parts = np.stack([table.numbers(name) for name in names])
    order = np.lexsort(parts[::-1])
    wrong = np.flatnonzero(np.diff(order) != 1)
    if not len(wrong) or np.isnan(parts).any() or len(np.unique(parts, axis=1).T) < len(table):
        return
    row = int(order[np.flatnonzero(order != np.arange(len(order)))[0]])
    shown = ", ".join(f"{name} {table.columns[name][row]}" for name in names)
    raise DataError(
        f"{table.file}: {' and '.join(names)} must be times, such as 2015 and 1, or the rows must "
        f"be in their order, but {table.describe_rows([row])} ({shown}) is not in its place; write "
        "years of four digits, sort the rows, or set time=none if they are in order"
    )


def series_by_order(
    table: Table, reserved: Collection[str | None], names: frozenset[str]
) -> SeriesByOrder:
    """Returns the column that identifies the series of a file whose rows have no times.

    Its values are in blocks, one block each, and another column counts from the same number in each
    block, or the name of the column is one of `names`, or it holds text and all blocks have the
    same length. Text or whole numbers in other blocks give a note alone. A column with a telling
    name may also repeat its values in turn. Columns that are `reserved` for another role are not
    considered, and a column of years, or of another part of a time, is not one of series if a
    smaller part, such as the month, counts anew in it.
    """
    parts = _parts(table)
    counters = [name for name in table.columns if name not in reserved and _restarts(table, name)]
    notes: list[str] = []
    texts = 0
    for name, column in table.columns.items():
        if name in reserved or name in counters or any(map(is_missing, column)):
            continue
        has_group_name = name.lower() in names
        if not has_group_name and len(set(column[: MIN_LENGTH * 2])) > MIN_LENGTH:
            continue
        starts = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
        lengths = np.diff(np.append(starts, len(column)))
        count = len(set(column))
        if count < 2 or count * MIN_LENGTH > len(column):
            continue
        in_blocks = len(starts) == count
        for counter in counters:
            is_part = {name, counter} <= set(parts) or _are_years(column[starts])
            if in_blocks and np.array_equal(starts, _starts(table, counter)) and not is_part:
                return SeriesByOrder(name, counter)
        is_text = not table.is_numeric(name)
        if has_group_name and (in_blocks or _least(column) >= MIN_LENGTH):
            return SeriesByOrder(name)
        if in_blocks and is_text and lengths.min() >= MIN_LENGTH:
            if len(set(lengths.tolist())) == 1:
                return SeriesByOrder(name)
            notes.insert(texts, name)
            texts += 1
        elif in_blocks and name not in parts and min(count, lengths.min()) >= MIN_LENGTH:
            notes += [name] if _are_ids(column[starts]) else []
    if notes:
        note = f"the values of {notes[0]} come in blocks; if they are series, set group={notes[0]}"
        return SeriesByOrder(note=note)
    if counters:
        restarts = len(_starts(table, counters[0])) - 1
        times = "once" if restarts == 1 else f"{restarts} times"
        note = f"{counters[0]} starts again {times}; if these are series, name them in a column"
        return SeriesByOrder(note=note + ", and set group to it")
    return SeriesByOrder()


def _are_years(cells: NDArray[np.object_]) -> bool:
    """Returns whether cells are years that follow one another."""
    if not all(YEAR.fullmatch(str(cell)) for cell in cells):
        return False
    return bool((np.diff(cells.astype(int)) == 1).all())


def _are_ids(cells: NDArray[np.object_]) -> bool:
    """Returns whether cells are whole numbers, but no years."""
    return all(str(cell).isdecimal() for cell in cells) and not _are_years(cells)


def _least(column: NDArray[np.object_]) -> int:
    """Returns how often the rarest value occurs."""
    return int(np.unique(column.astype(str), return_counts=True)[1].min())


def _restarts(table: Table, name: str) -> bool:
    """Returns whether a column counts up by one and starts again, at the same number, at times."""
    if not table.is_numeric(name):
        return False
    values = table.numbers(name) if not table.formats[name].ambiguous else np.array([np.nan])
    if np.isnan(values).any() or len(values) < 2 * MIN_LENGTH:
        return False
    starts = np.flatnonzero(np.append(True, np.diff(values) != 1))
    lengths = np.diff(np.append(starts, len(values)))
    return len(starts) > 1 and lengths.min() >= MIN_LENGTH and len(np.unique(values[starts])) == 1


def _starts(table: Table, name: str) -> NDArray[np.intp]:
    return np.flatnonzero(np.append(True, np.diff(table.numbers(name)) != 1))


def blank_note(table: Table, group: str | None) -> str:
    """Returns a note on rows that name no series, "" if all do."""
    count = 0 if group is None else int((table.columns[group] == "").sum())
    if not count:
        return ""
    rows = "1 row, which is a series" if count == 1 else f"{count:,} rows, which are one series"
    return f"{group} is blank in {rows}; if that is wrong, fill it in"
