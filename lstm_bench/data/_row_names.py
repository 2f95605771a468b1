"""Whether rows with one cell more than there are names begin with row names, as those of R do."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_bench.data._cells import is_missing, is_number
from lstm_bench.data._time_patterns import pattern_of

DATE_NAMES = {"date", "datetime", "timestamp", "datum", "ds"}
TIME_NAMES = DATE_NAMES | {"time", "year", "month", "week", "day", "hour", "quarter", "period", "t",
                           "ts", "dt", "when", "jahr", "monat", "tag", "zeit"}  # fmt: skip
"""Names of columns, in lower case, that hold times: those of row names stand one place too far."""
PART_NAMES = {"year", "month", "week", "day", "hour", "quarter", "jahr", "monat", "tag"}
"""Those of them that may stand beside row names that are dates."""
MAX_DECIMALS = 3
"""Digits behind a decimal comma that a cell may consist of."""


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
    if quoted and _consecutive(first):
        return True
    if any(_cut_number(cell) for column in others for cell in column):
        return False
    lower = [name.lower() for name in names]
    for name, column in zip(lower, others, strict=True):
        if name in DATE_NAMES and not all(is_missing(c) or _is_time(c) for c in column):
            return False
    if any(map(_is_time, first)) and (TIME_NAMES - (PART_NAMES if quoted else set())) & set(lower):
        return False
    if quoted:
        return True
    if any(map(is_number, first)) and not _consecutive(first):
        return False
    cells = [cell for column in others for cell in column if not is_missing(cell)]
    if not all(is_number(cell) or _is_time(cell) for cell in cells):
        return False
    if any("." in cell and is_number(cell) for cell in cells):  # so no comma is a decimal one
        return not any(map(_may_be_groups, others, others[1:]))
    return not any(map(_is_time, first)) and not any(map(_may_be_decimals, others[1:]))


def _is_time(cell: str) -> bool:
    return pattern_of(cell) is not None


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


def _may_be_groups(column: Sequence[str], following: Sequence[str]) -> bool:
    """Returns whether two columns may be thousands and the three digits behind them."""
    return all(cell.lstrip("-").isdecimal() for cell in column) and all(
        len(cell.partition(".")[0]) == 3 for cell in following
    )
