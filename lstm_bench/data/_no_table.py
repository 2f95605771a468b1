"""Refuses files that are no table of named columns: other separators, no names, JSON, pages."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lstm_bench.data._cells import is_missing, is_number, parse_date
from lstm_bench.data._messages import list_names, quote_cell
from lstm_bench.data._numbers import looks_like_number
from lstm_bench.data._time_patterns import pattern_of
from lstm_bench.errors import DataError

MARKS = {
    "commas": ",", "semicolons": ";", "tabs": "\t", "vertical bars": r"\|", "spaces": r"\s+",
    "colons": ":", "carets": r"\^", "tildes": "~", "control characters": "[\x01-\x08\x1c-\x1f]",
}  # fmt: skip
"""Marks between cells, as regular expressions."""
OTHER_FORMATS = {
    "JSON": re.compile(rb'\s*(\[\s*[\[{]|\{\s*("|$))'),
    "a web page or XML": re.compile(rb"\s*<(!doctype|html|\?xml|table|!--)", re.IGNORECASE),
}
"""How a file of another format begins."""


def refuse_other_formats(file: str, head: bytes) -> None:
    """Raises `DataError` for a file that begins like JSON or a page."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    for name, beginning in OTHER_FORMATS.items():
        if beginning.match(text):
            raise DataError(
                f"{file}: must be a CSV file, but is {name}; save the table in it as CSV, for "
                "example with pandas"
            )


def refuse_one_cell(file: str, number: int, names: Sequence[str], rows: Sequence[Sequence[str]],
                    quoted: bool) -> None:  # fmt: skip
    """Raises `DataError` if the only cell of each row holds several, between other marks."""
    cells = [row[0] for row in rows if len(row) == 1 and row[0]]
    if len(names) != 1 or len(cells) < 3:
        return
    for name, mark in MARKS.items():
        parts = [re.split(mark, cell.strip()) for cell in (names[0], *cells)]
        width = len(parts[0])
        alike = [row for row in parts[1:] if len(row) == width]
        if width < 2 or not all(parts[0]) or 10 * len(alike) < 9 * len(cells):
            continue
        single = [cell for cell in cells if looks_like_number(cell) or pattern_of(cell)]
        columns = list(zip(*alike, strict=True))
        numeric = any(all(map(is_number, column)) for column in columns)
        word = any(len({*column}) == 1 and not is_number(column[0]) for column in columns)
        if 2 * len(single) > len(cells) or not numeric or word:  # a word, as in Line 1 and Line 2
            continue
        shown = quote_cell(names[0])
        if quoted:
            raise DataError(
                f"{file}: a row must not be in quotation marks as a whole, but row {number} is one "
                f"cell, {shown}; remove the quotation marks around the rows"
            )
        raise DataError(
            f"{file}: cells must be separated by commas, semicolons, tabs or vertical bars, but "
            f"row {number} is one cell, {shown}, and {name} seem to separate it; write commas in "
            "their place"
        )


def refuse_data_for_names(
    file: str, number: int, names: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Raises `DataError` if the row of names holds numbers and dates as the rows below do."""
    if not any(names):
        raise DataError(f"{file}: is empty; its first row must name the columns")
    below = [row for row in rows if len(row) == len(names)]
    dates = texts = 0
    for place, name in enumerate(names):
        cells = [row[place] for row in below if not is_missing(row[place])]
        if is_number(name):
            continue
        if len(cells) > 2 and re.search(r"\d", name):  # the name last: thousands take long
            dates += all(pattern_of(cell) is not None for cell in [*cells, name])
        texts += cells.count(name) > 1
    data = sum(map(is_data, names))
    if data == len(names) or dates or (data and texts):
        content = "numbers or dates" if dates or not all(map(is_number, names)) else "numbers"
        raise DataError(
            f"{file}: row {number} must name the columns, but holds {content} "
            f"({list_names(names)}); put a row of names above it"
        )


def is_data(cell: str) -> bool:
    """Returns whether a cell is a number or a date."""
    return is_number(cell) or parse_date(cell) is not None
