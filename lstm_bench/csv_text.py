"""Data frames as CSV text that a spreadsheet opens without running anything.

A cell that begins with =, +, - or @ is a formula to a spreadsheet, and formulas can start programs
and send cells away. Names, symbols and notes may come from a stranger's file.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20].", re.DOTALL)
"""How text begins that some spreadsheet takes for a formula. A single sign is none."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|-inf")


def as_csv(frame: pd.DataFrame, float_format: str | None = None) -> str:
    """Returns `frame` as CSV text without its index, a line feed at each line's end.

    An apostrophe stands before text that a spreadsheet would take for a formula, in column names
    too; numbers are left alone, as text too. A carriage return becomes a line feed.

    >>> print(as_csv(pd.DataFrame({"id": ["A1", "=cmd()", "-1", "-"], "x": [1, -2, 3, 4]})))
    id,x
    A1,1
    '=cmd(),-2
    -1,3
    -,4
    <BLANKLINE>
    """
    safe = frame.rename(columns=_quoted)
    for name, column in safe.items():
        if not pd.api.types.is_numeric_dtype(column):
            safe[name] = column.map(_quoted, na_action="ignore")
    return safe.to_csv(index=False, lineterminator="\n", float_format=float_format)


def _quoted(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Readers end a row at a carriage return, and pandas does not put one in quotation marks.
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text
