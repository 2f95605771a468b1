"""Whether rows with one cell more than there are names begin with row names, as those of R do."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_bench.data._cells import is_missing, is_number
from lstm_bench.data._time_patterns import pattern_of

TIME_NAMES = {"time", "date", "datetime", "timestamp", "year", "day", "datum", "ds"}
"""Names of columns, in lower case, whose cells cannot stand under the next name."""
MAX_DECIMALS = 3
"""Digits behind a decimal comma, or of a group of thousands, that a cell may consist of."""


def begin_with_row_names(names: Sequence[str], rows: Sequence[Sequence[str]], quoted: bool) -> bool:
    """Returns whether the first cells of rows name the rows, so that all names are one cell late.

    Otherwise a comma within the cells, such as a decimal comma, may have made one cell more.
    `quoted` says that the names and all rows begin with a quotation mark, as R writes them.

    >>> begin_with_row_names(["n", "x"], [["1", "5", "0.5"], ["2", "4", "0.25"]], False)
    True
    >>> begin_with_row_names(["t", "x"], [["1", "5", "50"], ["2", "4", "05"]], False)
    False
    """
    first = [row[0] for row in rows]
    others = list(zip(*(row[1:] for row in rows), strict=True))
    if len(set(first)) < len(first) or any(map(is_missing, first)):
        return False
    if any(_cut_number(cell) for column in others for cell in column):
        return False
    if any(pattern_of(cell) is not None for cell in first):
        return quoted and not TIME_NAMES & {name.lower() for name in names}
    if quoted:
        return True
    number = [is_number(cell) for cell in first]
    if any(number) and not _consecutive(first):
        return False
    cells = [cell for column in others for cell in column if not is_missing(cell)]
    if not all(map(is_number, cells)):
        return False
    has_points = any("." in cell for cell in cells)
    return has_points or not any(map(_may_be_decimals, others[1:]))


def _cut_number(cell: str) -> bool:
    """Returns whether a cell is the end of a number, such as the 05 of 3,05 or 053.00."""
    return len(cell) > 1 and cell[0] == "0" and cell[1].isdecimal() and is_number(cell)


def _consecutive(cells: Sequence[str]) -> bool:
    if not all(cell.isascii() and cell.isdecimal() and len(cell) < 16 for cell in cells):
        return False
    return [int(cell) - int(cells[0]) for cell in cells] == list(range(len(cells)))


def _may_be_decimals(column: Sequence[str]) -> bool:
    """Returns whether all cells are equally many digits, and few."""
    widths = {len(cell) if cell.isdecimal() else 0 for cell in column}
    return len(widths) == 1 and 0 < max(widths) <= MAX_DECIMALS
