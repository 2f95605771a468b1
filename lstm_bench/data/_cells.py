"""Parsing of CSV cells: missing values, yes and no, numbers and dates.

This module alone decides which texts are read as what. Cells arrive here without surrounding
spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

MISSING = {
    "", "na", "n/a", "nan", "null", "none", "missing", "?", "-", ".", "<na>", "nat", "n.a.", "--",
    "---", "..", "#n/a", "#n/a n/a", "#na", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan",
    "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!",
}  # fmt: skip
"""Texts that stand for a missing value, in lower case: those of pandas, and errors of Excel."""
TEXT_GAPS = {
    "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "<NA>", "NaT", "#N/A", "#NA",
    "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!",
    "#NAME?", "#NULL!",
}  # fmt: skip
"""Those of them that stand for a missing value in text too, where none, - and Na may be values."""
TRUE, FALSE = {"1", "true", "yes", "t", "y"}, {"0", "false", "no", "f", "n"}
"""Texts of a binary column, in lower case."""
GROUPED_NUMBER = re.compile(r"[+-]?\d{1,3}([,.' ’\u00a0\u202f]\d{3})+([.,]\d+)?")
"""Numbers with thousands separators, such as 1,100.5 or 1.100,5: recognized, but not read."""
ISO_DATE = re.compile(
    r"\d{4}-\d\d?(-\d\d?([T ]\d\d?:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?)?"
)
DOTTED_DATE = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?!\d)(.*)")
"""Day, month, year and the rest of the text, such as 31.12.2024 14:00."""


def is_missing(cell: str) -> bool:
    """Returns whether a cell stands for a missing value; so does a blank in quotation marks."""
    return cell.strip().lower() in MISSING


def is_text_gap(cell: str) -> bool:
    """Returns whether a cell of a column of text stands for a missing value; an empty one may not.

    >>> is_text_gap("NA"), is_text_gap("none"), is_text_gap("-"), is_text_gap("")
    (True, False, False, False)
    """
    return cell.strip() in TEXT_GAPS


def present_cells(cells: Iterable[str]) -> NDArray[np.bool_]:
    """Returns a mask of the cells that are not missing.

    >>> present_cells(["1", "", "NA", "x"]).tolist()
    [True, False, False, True]
    """
    return np.array([not is_missing(cell) for cell in cells], bool)


def parse_binary(cells: Iterable[str]) -> NDArray[np.float64]:
    """Returns 1 for a yes, 0 for a no and NaN for every other cell.

    >>> parse_binary(["Yes", "false", "", "2"]).tolist()
    [1.0, 0.0, nan, nan]
    """
    lower = (cell.lower() for cell in cells)
    return np.array([1.0 if c in TRUE else 0.0 if c in FALSE else np.nan for c in lower])


def parse_numbers(cells: Iterable[str], decimal_comma: bool) -> NDArray[np.float64]:
    """Returns cells as numbers, NaN for every other cell.

    With a `decimal_comma`, 3,14 is a number and 3.14 is not.

    >>> parse_numbers(["1", "2,5", "x"], decimal_comma=True).tolist()
    [1.0, 2.5, nan]
    """
    parse = _parse_with_comma if decimal_comma else plain_number
    return np.fromiter((parse(cell) for cell in cells), np.float64)


def plain_number(cell: str) -> float:
    """Returns a cell with a number as Python writes it, NaN for every other cell."""
    try:
        return float(cell) if "_" not in cell else np.nan  # 1_000 is Python's notation, not data
    except ValueError:
        return np.nan


def _parse_with_comma(cell: str) -> float:
    return plain_number(cell.replace(",", ".")) if "." not in cell else np.nan


def is_number(cell: str) -> bool:
    """Returns whether a cell is a number, with a decimal point or a decimal comma."""
    return not np.isnan(_parse_with_comma(cell.replace(".", ",")))


def is_grouped_number(cell: str) -> bool:
    """Returns whether a cell is a number with thousands separators."""
    return GROUPED_NUMBER.fullmatch(cell) is not None


def first_grouped_number(cells: Iterable[str]) -> str | None:
    """Returns the first number with thousands separators, or None.

    >>> first_grouped_number(["950.5", "1,100.5"])
    '1,100.5'
    """
    return next((str(cell) for cell in cells if is_grouped_number(cell)), None)


def parse_date(cell: str) -> str | None:
    """Returns a date, with or without a time of day, in ISO 8601 format; None for another cell.

    The format is checked, the calendar is not.

    >>> parse_date("31.1.2010 14:00"), parse_date("2010-01-31"), parse_date("soon")
    ('2010-01-31 14:00', '2010-01-31', None)
    """
    dotted = DOTTED_DATE.fullmatch(cell)
    iso = f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}{dotted[4]}" if dotted else cell
    return iso if ISO_DATE.fullmatch(iso) else None
