"""Wording of error messages and notes about a CSV file: rows, names and cells.

Rows are numbered as in a spreadsheet: the row of column names is row 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_LISTED = 5
"""Rows or names that a message lists."""
MAX_CELL_LENGTH = 40
"""Characters of a cell that a message shows."""


def describe_rows(
    indices: Sequence[int] | NDArray[np.integer], verb: tuple[str, str] | None = None
) -> str:
    """Returns the rows at `indices` in words; index 0 is the first row below the column names.

    If a `verb` is given, in the singular and the plural, the fitting form follows.

    >>> describe_rows([0, 3]), describe_rows(list(range(9)))
    ('rows 2 and 5', 'rows 2, 3, 4, 5, 6 and 4 more')
    >>> describe_rows([7], ("has", "have")), describe_rows([0, 3], ("has", "have"))
    ('row 9 has', 'rows 2 and 5 have')
    """
    numbers = [str(int(index) + 2) for index in indices]
    ending = "" if verb is None else f" {verb[len(numbers) > 1]}"
    if len(numbers) == 1:
        return f"row {numbers[0]}{ending}"
    if len(numbers) > MAX_LISTED:
        more = len(numbers) - MAX_LISTED
        return f"rows {', '.join(numbers[:MAX_LISTED])} and {more} more{ending}"
    return f"rows {', '.join(numbers[:-1])} and {numbers[-1]}{ending}"


def list_names(names: Sequence[str], limit: int = MAX_LISTED) -> str:
    """Returns the first names, separated by commas, with dots if there are more than `limit`.

    >>> list_names(["a", "b"]), list_names(list("abcdef"))
    ('a, b', 'a, b, c, d, e, ...')
    """
    return ", ".join(names[:limit]) + ", ..." * (len(names) > limit)


def quote_cell(text: str) -> str:
    """Returns the text of a cell in quotation marks, shortened if it is long."""
    short = text if len(text) <= MAX_CELL_LENGTH else text[: MAX_CELL_LENGTH - 1] + "…"
    return repr(short)


def is_or_are(count: int) -> str:
    """Returns "is 1", "are 2" and so on."""
    return "is 1" if count == 1 else f"are {count}"
