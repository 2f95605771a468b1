"""Data frames as CSV text in which a spreadsheet executes nothing.

A spreadsheet treats a cell that begins with =, +, - or @ as a formula, and formulas can start
programs and send cells away. Names, symbols and notes may come from an untrusted file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20].", re.DOTALL)
"""The beginning of text that some spreadsheet treats as a formula. A sign alone is not one."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|-inf")
SEPARATORS = re.compile("([;\t|])")
"""Characters that separate cells in the spreadsheets of some countries, instead of commas."""


def as_csv(frame: pd.DataFrame, float_format: str | None = None) -> str:
    """Returns `frame` as CSV text without its index, with a line feed at the end of each line.

    Text that a spreadsheet would treat as a formula gets an apostrophe before it, in column names
    too; numbers are unchanged, also in text columns. A carriage return becomes a line feed.

    >>> import pandas as pd
    >>> print(as_csv(pd.DataFrame({"id": ["A1", "=cmd()", "-1", "-"], "x": [1, -2, 3, 4]})))
    id,x
    A1,1
    '=cmd(),-2
    -1,3
    -,4
    <BLANKLINE>
    """
    import pandas as pd  # takes a third of a second to import

    columns = [
        column if pd.api.types.is_numeric_dtype(column) else column.map(_quoted, na_action="ignore")
        for _, column in frame.items()
    ]
    safe = pd.concat(columns, axis=1) if columns else frame
    names = [_quoted(name) for name in frame.columns]
    return safe.to_csv(header=names, index=False, lineterminator="\n", float_format=float_format)


def _quoted(value: Any) -> Any:
    """Returns text with an apostrophe before each formula in it; other values unchanged."""
    if not isinstance(value, str):
        return value
    # Readers end a row at a carriage return, and pandas does not put one in quotation marks.
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(map(_quoted_part, SEPARATORS.split(text)))


def _quoted_part(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text.strip()) else text
