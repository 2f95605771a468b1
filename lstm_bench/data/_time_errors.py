"""Messages about a column of times that cannot be read: the rule, the rows and the repair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import parse_numbers
from lstm_bench.data._messages import describe_rows, quote_cell
from lstm_bench.data._table import Table
from lstm_bench.data._time_joins import FileTimes
from lstm_bench.data._time_reading import Unread
from lstm_bench.errors import DataError

EXAMPLES = "2024-03-31, 31.03.2024, Mar 31 2024 or 2024-03-31 14:00"


def unread_error(
    table: Table, name: str, text: NDArray[np.object_], read: Unread, date_format: str | None,
    option: str = "",
) -> DataError:  # fmt: skip
    """Returns the error for a column that cannot be read as times: the rule, rows and repair.

    `option` is one by which all its cells can be read.
    """
    rows = read.rows
    start = f"{table.file}: times in {name!r}"
    if read.reason == "order":
        return DataError(
            f"{start} can be read as {' or '.join(read.texts)}; set day_first=true or "
            "day_first=false (--day-first, --month-first), or date_format"
        )
    if read.reason == "zones":
        return DataError(
            f"{start} must all have a time zone or none, but "
            f"{describe_rows(rows, ('differs', 'differ'))} from the others; write all of them "
            "in one way"
        )
    cell = quote_cell(str(text[rows[0]]))
    if read.reason == "century":
        return DataError(
            f"{start} must show their century, but years of two digits such as {cell} may be of "
            "1900 to 1999 or of 2000 to 2099; write years with four digits"
        )
    if read.reason == "year":
        repair = "write dates with a year"
        if read.texts:
            repair += f", or set date_format={read.texts[0]} (--date-format) if it is a year"
        return DataError(
            f"{start} must have a year, but the number in {cell} may be a day of the month; "
            + repair
        )
    if read.reason == "calendar":
        repair = "correct these" + (", or give another date_format" if date_format else "")
        if option:
            repair = f"set {option}, by which all can be read, or correct these"
        return DataError(
            f"{start} must be in the calendar, but "
            f"{describe_rows(rows, ('has', 'have days like'))} {cell}; {repair}"
        )
    if date_format is not None:
        return DataError(
            f"{start} must be written like {date_format}, as date_format says, but "
            f"{describe_rows(rows, ('has', 'have text like'))} {cell}; correct these, or give "
            "another date_format"
        )
    if read.share < 0.5:  # mostly not dates: perhaps the column is meant to be numbers
        not_numbers = np.flatnonzero(np.isnan(parse_numbers(text, table.decimal_comma)))
        rows = not_numbers if 0 < len(not_numbers) < len(rows) else rows
        cell = quote_cell(str(text[rows[0]]))
    return DataError(
        f"{start} must be numbers or dates like {EXAMPLES}, but "
        f"{describe_rows(rows, ('has', 'have text like'))} {cell}; write them in one of these "
        "ways, give their pattern as date_format (--date-format), set time to another column, or "
        "time=none if the rows are in order"
    )


def unread_part_error(table: Table, name: str, times: FileTimes) -> DataError:
    """Returns the error for a column that tells rows of one time apart and is no name of series."""
    cell = quote_cell(str(table.columns[name][0]))
    return DataError(
        f"{table.file}: times in {times.name!r} must differ, but repeat, and {name!r} looks like a "
        f"part of them that cannot be joined ({table.describe_rows([0], ('has', 'have'))} {cell}); "
        f"write both as one column like 2024-03-31 14:00, or set group={name} (--group) if these "
        "are names of series"
    )
