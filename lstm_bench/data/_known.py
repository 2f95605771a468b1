"""Columns whose values are known in advance, such as promotions and holidays."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._columns import Columns
from lstm_bench.data._messages import describe_rows, list_names
from lstm_bench.data._table import Table
from lstm_bench.data._text_columns import text_columns, usable_columns
from lstm_bench.errors import DataError

Floats = NDArray[np.float64]


def check_known(
    known: tuple[str, ...],
    table: Table,
    horizon: int,
    columns: tuple[str, ...] | None,
    reserved: Collection[str | None],
) -> tuple[tuple[str, ...], str]:
    """Returns the known columns that are used, and a note about those left out.

    Raises `DataError` for columns that do not exist or have another role.
    """
    if horizon == 0:
        raise DataError(
            f"{table.file}: known needs a horizon of at least 1, but horizon is 0, where the other "
            "columns of the row to be predicted are inputs already; name them in columns"
        )
    texts = text_columns(table, known)
    for name in known:
        if name not in texts:
            table.numbers(name)
        if name in reserved or name in (columns or ()) or known.count(name) > 1:
            roles = "target, time, group and columns"
            raise DataError(
                f"{table.file}: known must name each column once, and others than {roles}, but has "
                f"{name!r}; leave it out"
            )
    return usable_columns(table, known)


def future_rows(
    values: Floats, known: int, groups: Iterable[NDArray[np.intp]]
) -> NDArray[np.bool_]:
    """Returns a mask of the rows at the end of each series that hold known values alone.

    `values` (rows, C) have the `known` columns last; `groups` are the row indices of each series.

    >>> values = np.array([[1.0, 5.0], [np.nan, 6.0], [2.0, 7.0], [np.nan, 8.0]])
    >>> future_rows(values, 1, [np.arange(4)]).tolist()
    [False, False, False, True]
    """
    mask = np.zeros(len(values), bool)
    if not known:
        return mask
    gaps = np.isnan(values)
    future = np.asarray(gaps[:, :-known].all(axis=1) & ~gaps[:, -known:].any(axis=1))
    for rows in groups:
        others = np.flatnonzero(~future[rows])
        mask[rows[others[-1] + 1 if len(others) else 0 :]] = True
    return mask


def future_note(mask: NDArray[np.bool_]) -> str:
    """Returns a note about rows with known values alone, or ""."""
    if not mask.any():
        return ""
    rows = describe_rows(np.flatnonzero(mask), ("holds", "hold"))
    return f" ({rows} known values alone)"


def known_note(columns: Columns, left_out: str) -> str:
    """Returns a note on the known columns, or ""."""
    horizon = columns.horizon
    rows = "the next row" if horizon == 1 else f"the row {horizon} rows ahead"
    rows = f"the next {horizon} rows" if columns.all_steps else rows
    names = (
        f", those of {rows}: {list_names(columns.known, limit=20)}" if columns.known else ": none"
    )
    return f"known ahead{names}{left_out}" if columns.known or left_out else ""
