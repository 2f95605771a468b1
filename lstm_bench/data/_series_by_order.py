"""Series of a file without times: a column whose values identify them, by the order of the rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import is_missing
from lstm_bench.data._table import Table

MIN_LENGTH = 3
"""Rows of the shortest series that a column without a telling name may identify."""


@dataclass(frozen=True)
class SeriesByOrder:
    """The column that identifies series, the one that counts their rows, and a note."""

    group: str | None = None
    counter: str | None = None
    note: str = ""


def series_by_order(
    table: Table, reserved: Collection[str | None], names: frozenset[str]
) -> SeriesByOrder:
    """Returns the column that identifies the series of a file whose rows have no times.

    Its values are in blocks, one block each, and another column counts from the same number in each
    block, or the name of the column is one of `names`, or it holds text and all blocks have the
    same length. Text in other blocks gives a note alone. A column with a telling name may also
    repeat its values in turn. Columns that are `reserved` for another role are not considered.
    """
    counters = [name for name in table.columns if name not in reserved and _restarts(table, name)]
    notes = []
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
            if in_blocks and np.array_equal(starts, _starts(table, counter)):
                return SeriesByOrder(name, counter)
        is_text = not table.is_numeric(name)
        if has_group_name and (in_blocks or _least(column) >= MIN_LENGTH):
            return SeriesByOrder(name)
        if in_blocks and is_text and lengths.min() >= MIN_LENGTH:
            if len(set(lengths.tolist())) == 1:
                return SeriesByOrder(name)
            notes.append(name)
    if notes:
        note = f"the values of {notes[0]} come in blocks; if they are series, set group={notes[0]}"
        return SeriesByOrder(note=note)
    if counters:
        restarts = len(_starts(table, counters[0])) - 1
        times = "once" if restarts == 1 else f"{restarts} times"
        note = f"{counters[0]} starts again {times}; if these are series, name them in a column"
        return SeriesByOrder(note=note + ", and set group to it")
    return SeriesByOrder()


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
