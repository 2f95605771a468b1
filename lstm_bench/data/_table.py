"""Reading of a CSV file into named columns of text, which can be parsed as numbers."""

from __future__ import annotations

import codecs
import csv
import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import (
    first_grouped_number,
    is_grouped_number,
    is_missing,
    is_number,
    parse_date,
    parse_numbers,
    present_cells,
)
from lstm_bench.data._messages import describe_rows, list_names, quote_cell
from lstm_bench.errors import DataError, unknown

MAX_ROWS = 1_000_000
"""The text of a cell takes about 60 bytes, so ten columns of this many rows take 0.6 GB."""
MAX_CELLS = 20_000_000
MAX_COLUMNS = 10_000
MAX_LINE_LENGTH = 4_000_000
"""Characters in a line: 400 for each of `MAX_COLUMNS`."""
MAX_NUMBER = 1e30
"""A number that can still be squared in single precision once it is scaled."""
CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")
"""Bytes that do not occur in text."""
NOT_TEXT = (
    "must be a text file, but holds control characters, as pictures, workbooks and archives do; "
    "save the data as CSV in UTF-8"
)

Text = NDArray[np.object_]


@dataclass(frozen=True)
class Table:
    """The cells of a CSV file by column, as text without surrounding spaces."""

    file: str
    digest: str  # of the file's bytes: SHA-256, 16 hexadecimal digits
    columns: Mapping[str, Text]  # name -> (rows,)
    decimal_comma: bool  # whether numbers are written like 3,14

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> Text:
        """Returns a column as text; raises `DataError` if there is no column of that name."""
        if name not in self.columns:
            has_data = any(map(_is_number_or_date, self.columns))
            repair = "; if row 1 is data, put a row of names above it" if has_data else ""
            raise DataError(f"{self.file}: {unknown('column', name, self.columns)}{repair}")
        return self.columns[name]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Returns a column as numbers, NaN where the value is missing.

        Raises `DataError`, with the rows, for text and for numbers that are infinite or too large.
        """
        text = self.text(name)
        values, present = self._parsed(text)
        wrong = np.flatnonzero(np.isnan(values) & present)
        if len(wrong):
            cell = first_grouped_number(text[wrong]) or str(text[wrong[0]])
            repair = "correct these, or choose another column, or target_kind=symbols"
            if cell[:1] == "=":
                repair = "save the file with values in place of formulas"
            elif is_grouped_number(cell):
                repair = "write numbers without thousands separators"
            rule = "has text among its numbers" if len(wrong) < present.sum() else "has no numbers"
            raise DataError(
                f"{self.file}: column {name!r} {rule}, in {describe_rows(wrong)}: "
                f"{quote_cell(cell)}; {repair}"
            )
        too_large = np.flatnonzero(np.abs(values) > MAX_NUMBER)
        if len(too_large):
            raise DataError(
                f"{self.file}: column {name!r} must hold numbers up to {MAX_NUMBER:g}, but "
                f"{describe_rows(too_large, ('holds', 'hold'))} an infinite or a larger one; "
                "correct these rows, or leave the cells empty and set missing=drop or "
                "missing=interpolate"
            )
        return values

    def is_numeric(self, name: str) -> bool:
        """Returns whether all values of a column are finite numbers, and at least one is given."""
        values, present = self._parsed(self.columns[name])
        return bool(present.any() and np.isfinite(values[present]).all())

    def _parsed(self, text: Text) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Returns the cells as numbers, NaN for text, and which cells are not missing."""
        return parse_numbers(text, self.decimal_comma), present_cells(text)


def read_table(file: str) -> Table:
    """Returns the table in a CSV file: UTF-8, with the column names in row 1.

    Cells are separated by commas, semicolons, tabs or vertical bars.

    Raises `DataError` if the file cannot be read or is larger than `MAX_ROWS` or `MAX_CELLS`.
    """
    try:
        status = Path(file).stat()
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: there is no such file, or it cannot be read") from error
    if not Path(file).is_file():
        raise DataError(f"{file}: must be a CSV file, but is a folder or a device")
    return _read(file, status.st_mtime_ns, status.st_size)


def forget_tables() -> None:
    """Frees the memory of all tables that were read; they are read again when they are needed."""
    _read.cache_clear()


@functools.lru_cache(maxsize=8)
def _read(file: str, modified: int, size: int) -> Table:
    try:
        digest = hashlib.sha256()
        with Path(file).open("rb") as binary:
            while block := binary.read(2**20):
                digest.update(block)
                if b"\0" in block:
                    utf16 = block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
                    message = "must be text in UTF-8, but is in UTF-16; save it as UTF-8"
                    raise DataError(f"{file}: {message if utf16 else NOT_TEXT}")
        with Path(file).open(encoding="utf-8-sig", newline="") as stream:
            separator = _separator(next(_lines(file, stream), ""))
            stream.seek(0)
            reader = csv.reader(_lines(file, stream), delimiter=separator, strict=True)
            names, cells = _columns(file, reader)
    except UnicodeDecodeError as error:
        byte = error.object[error.start : error.start + 1]
        message = f"must be text in UTF-8, but holds the byte {byte!r}; save it as UTF-8"
        message = NOT_TEXT if CONTROL_BYTES & set(error.object) else message
        raise DataError(f"{file}: {message}") from error
    except (OSError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV ({error})") from error
    columns = {name: np.array(column, object) for name, column in zip(names, cells, strict=True)}
    decimal_comma = separator != "," and _has_decimal_comma(columns)
    return Table(file, digest.hexdigest()[:16], columns, decimal_comma)


def _lines(file: str, stream: TextIO) -> Iterator[str]:
    """Yields the lines of a file; raises `DataError` before a single line takes all memory."""
    while line := stream.readline(MAX_LINE_LENGTH + 1):
        if len(line) > MAX_LINE_LENGTH:
            raise DataError(
                f"{file}: lines must have at most {MAX_LINE_LENGTH:,} characters, but one has "
                "more; check that this is a CSV file with one row per line"
            )
        yield line


def _separator(first_line: str) -> str:
    """Returns the most frequent separator of the first line; a comma, if several are."""
    return max(";\t|,", key=lambda mark: (first_line.count(mark), mark == ","))


def _columns(file: str, rows: Iterable[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Returns the column names, and the cells of each column."""
    reader = iter(rows)
    names = [name.strip() for name in next(reader, [])]
    if not any(names):
        raise DataError(f"{file}: is empty; its first row must name the columns")
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"{file}: at most {MAX_COLUMNS:,} columns are read, but it has {len(names):,}; leave "
            "columns out"
        )
    _check_names(file, names)
    columns: list[list[str]] = [[] for _ in names]
    count, blank = 0, 0
    for number, row in enumerate(reader, 2):
        if not row or (len(row) == 1 < len(names) and not row[0].strip()):
            blank += 1  # blank lines between rows are rows of missing values; at the end, nothing
            continue
        count += blank + 1
        if len(row) != len(names):
            raise DataError(
                f"{file}: every row must have as many cells as row 1, {len(names)}, but row "
                f"{number} has {len(row)}; correct it (a cell with the separator in it needs "
                "quotation marks)"
            )
        if count > MAX_ROWS or count * len(names) > MAX_CELLS:
            most = min(MAX_ROWS, MAX_CELLS // len(names))
            raise DataError(
                f"{file}: at most {most:,} rows of {len(names)} columns are read, which take some "
                f"{60 * most * len(names) / 2**30:.1f} GB, but it has more; keep fewer rows, "
                "for example the latest, or leave columns out"
            )
        for column, cell in zip(columns, row, strict=True):
            column += [""] * blank
            column.append(cell.strip())
        blank = 0
    if not count:
        raise DataError(f"{file}: has a row of names and no row of data; add rows of data")
    return names, columns


def _check_names(file: str, names: Sequence[str]) -> None:
    if all(map(_is_number_or_date, names)):
        content = "numbers" if all(map(is_number, names)) else "numbers or dates"
        raise DataError(
            f"{file}: row 1 must name the columns, but holds {content} "
            f"({list_names(names)}); put a row of names above it"
        )
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if "" in names:
        raise DataError(f"{file}: column {names.index('') + 1} has no name; name it in row 1")
    if repeated:
        raise DataError(f"{file}: row 1 names two columns {repeated[0]!r}; rename one")


def _is_number_or_date(cell: str) -> bool:
    return is_number(cell) or parse_date(cell) is not None


def _has_decimal_comma(columns: Mapping[str, Text]) -> bool:
    """Returns whether the file writes numbers with a decimal comma.

    It does if commas occur in a column whose cells, all or most of them, are numbers when a comma
    is read as the decimal point.
    """
    for column in columns.values():
        cells = [cell for cell in column if not is_missing(cell)]
        with_comma = [cell for cell in cells if "," in cell]
        mostly = 2 * np.isfinite(parse_numbers(with_comma, True)).sum() > len(cells)
        if with_comma and (mostly or not np.isnan(parse_numbers(cells, True)).any()):
            return True
    return False


def group_rows(names: Text) -> dict[str, NDArray[np.intp]]:
    """Returns the row indices of each name, in order of first appearance.

    >>> {name: rows.tolist() for name, rows in group_rows(np.array(list("aba"), object)).items()}
    {'a': [0, 2], 'b': [1]}
    """
    rows: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        rows.setdefault(str(name), []).append(index)
    return {name: np.array(indices, np.intp) for name, indices in rows.items()}
