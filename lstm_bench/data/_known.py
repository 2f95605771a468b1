"""Columns whose values are known in advance, such as promotions and holidays."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._columns import Columns
from lstm_bench.data._messages import describe_rows, list_names
from lstm_bench.data._table import Table
from lstm_bench.data._text_columns import text_columns, usable_columns
from lstm_bench.errors import DataError


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


def future_note(rows: Sequence[int] | NDArray[np.integer]) -> str:
    """Returns a note about the rows at these indices, which hold known values alone, or ""."""
    if not len(rows):
        return ""
    return f" ({describe_rows(rows, ('holds', 'hold'))} known values alone)"


def known_note(columns: Columns, left_out: str) -> str:
    """Returns a note on the known columns, or ""."""
    horizon = columns.horizon
    rows = "the next row" if horizon == 1 else f"the row {horizon} rows ahead"
    rows = f"the next {horizon} rows" if columns.all_steps else rows
    names = (
        f", those of {rows}: {list_names(columns.known, limit=20)}" if columns.known else ": none"
    )
    return f"known ahead{names}{left_out}" if columns.known or left_out else ""
