"""What the text of a cell stands for: nothing, yes or no, a number, a date."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MISSING = {"", "na", "n/a", "nan", "null", "none", "missing", "?", "-", "."}
"""What stands for no number, in small letters."""
TRUE, FALSE = {"1", "true", "yes", "t", "y"}, {"0", "false", "no", "f", "n"}
GROUPED = re.compile(r"[+-]?\d{1,3}([,.' ’\u00a0\u202f]\d{3})+([.,]\d+)?")
"""Numbers with thousands separators, as 1,100.5 or 1.100,5."""
DATE = re.compile(r"\d{4}-\d\d?(-\d\d?([T ]\d\d?:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?)?")
DOTTED = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?!\d)(.*)")


def as_numbers(text: Iterable[str], comma: bool) -> NDArray[np.float64]:
    """Returns cells as numbers, NaN where they are none; `comma` says that 3,14 is one.

    >>> as_numbers(["1", "2,5", "x"], comma=True).tolist()
    [1.0, 2.5, nan]
    """
    read = _comma if comma else _point
    return np.fromiter((read(cell) for cell in text), np.float64)


def _point(cell: str) -> float:
    try:
        return float(cell) if "_" not in cell else np.nan  # Python reads 1_000, nobody writes it
    except ValueError:
        return np.nan


def _comma(cell: str) -> float:
    return _point(cell.replace(",", ".")) if "." not in cell else np.nan


def is_number(cell: str) -> bool:
    """Returns whether a cell is a number, with a point or with a comma."""
    return not np.isnan(_comma(cell.replace(".", ",")))


def grouped(text: Iterable[str]) -> str | None:
    """Returns the first number with thousands separators; None where there is none.

    >>> grouped(["950.5", "1,100.5"])
    '1,100.5'
    """
    return next((str(cell) for cell in text if GROUPED.fullmatch(cell)), None)


def as_date(cell: str) -> str | None:
    """Returns a date, with or without a time, as ISO 8601 writes it; None where it is none.

    >>> as_date("31.1.2010 14:00"), as_date("2010-01-31"), as_date("soon")
    ('2010-01-31 14:00', '2010-01-31', None)
    """
    parts = DOTTED.fullmatch(cell)
    told = f"{parts[3]}-{parts[2]:0>2}-{parts[1]:0>2}{parts[4]}" if parts else cell
    return told if DATE.fullmatch(told) else None
