"""A file of data as named columns of text, which can be parsed as numbers."""

from __future__ import annotations

import csv
import functools
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import first_grouped_number, is_missing, parse_date, present_cells
from lstm_bench.data._cells import is_number as is_plain_number
from lstm_bench.data._file_formats import open_rows
from lstm_bench.data._layout import lay_out
from lstm_bench.data._messages import describe_rows, list_names, quote_cell
from lstm_bench.data._numbers import (
    Decimal,
    NumberFormat,
    Thousands,
    number_formats,
)
from lstm_bench.data._wide import Wide, to_long
from lstm_bench.errors import DataError, unknown

MAX_NUMBER = 1e30
"""A number that can still be squared in single precision once it is scaled."""

GAP = "NA"
"""A cell that stands for a missing value in any column: an empty one does not in one of text."""

Text = NDArray[np.object_]


@dataclass(frozen=True)
class Reading:
    """The user's options about how the cells of a file are read; what is None is inferred."""

    na: tuple[str, ...] | None = None  # texts that stand for a gap, or COLUMN=TEXT
    decimal: Decimal | None = None
    thousands: Thousands | None = None
    wide: Wide | None = None
    sheet: str | None = None


DEFAULT_READING = Reading()
NUMBER_LIKE = re.compile(r"[^<>]*\d")
"""The start of a cell that is a number with something added, such as ~5 or 12.5 p."""


@dataclass(frozen=True)
class Table:
    """The cells of a file by column, as text without surrounding spaces."""

    file: str
    digest: str  # of the file's bytes: SHA-256, 16 hexadecimal digits
    columns: Mapping[str, Text]  # name -> (rows,)
    lines: NDArray[np.intp]  # (rows,): the number of each row in the file
    separator: str = ","
    reading: Reading = DEFAULT_READING
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)  # column -> reason
    value: str | None = None  # the column of values, and that of the series, of a wide file
    series: str | None = None
    known_formats: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """The decimal mark and the thousands separator of columns in a file that was read before."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @cached_property
    def formats(self) -> Mapping[str, NumberFormat]:
        """How the numbers of each column are written."""
        cells = {
            name: [cell for cell in column if not is_missing(cell)]
            for name, column in self.columns.items()
        }
        decimal, thousands = self.reading.decimal, self.reading.thousands
        formats = number_formats(cells, self.separator, decimal, thousands)
        if decimal is not None or thousands is not None:
            return formats
        for name, (mark, separator) in self.known_formats.items():
            if name not in formats:
                continue
            like_before = replace(
                formats[name], decimal=mark, thousands=separator, plain=False, ambiguous=False
            )
            if not np.isnan(like_before.parse(cells[name])).any():
                formats[name] = like_before
        return formats

    @cached_property
    def decimal_comma(self) -> bool:
        """Whether numbers of some column are written like 3,14."""
        return any(number_format.decimal == "," for number_format in self.formats.values())

    def describe_rows(
        self, indices: Sequence[int] | NDArray[np.integer], verb: tuple[str, str] | None = None
    ) -> str:
        """Returns rows in words, by their numbers in the file; see `describe_rows`."""
        return describe_rows(self.lines[np.asarray(indices, np.intp)] - 2, verb)

    def text(self, name: str) -> Text:
        """Returns a column as text; raises `DataError` if there is no column of that name."""
        if name in self.left_out and name not in self.columns:
            raise DataError(
                f"{self.file}: column {name!r} is not read, as it holds {self.left_out[name]}; "
                "name another column"
            )
        if name not in self.columns:
            has_data = any(map(_is_number_or_date, self.columns))
            repair = "; if row 1 is data, put a row of names above it" if has_data else ""
            raise DataError(f"{self.file}: {unknown('column', name, self.columns)}{repair}")
        return self.columns[name]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Returns a column as numbers, NaN where the value is missing.

        Raises `DataError`, with the rows, for text, for numbers that are infinite or too large, and
        for a column whose numbers may be read in two ways.
        """
        text = self.text(name)
        values, present = self._parsed(name)
        wrong = np.flatnonzero(np.isnan(values) & present)
        if len(wrong):
            cell = first_grouped_number(text[wrong]) or str(text[wrong[0]])
            repair = "correct these, or choose another column, or target_kind=symbols"
            if gaps := self.gap_hint(name):
                repair = f"{gaps}; otherwise {repair}"
            if cell[:1] == "=":
                repair = "save the file with values in place of formulas"
            elif first_grouped_number([cell]):
                repair = "write all numbers in one way, or set decimal or thousands"
            rule = "has text among its numbers" if len(wrong) < present.sum() else "has no numbers"
            raise DataError(
                f"{self.file}: column {name!r} {rule}, in {self.describe_rows(wrong)}: "
                f"{quote_cell(cell)}; {repair}"
            )
        written = self.formats[name]
        if written.ambiguous:
            mark = next(mark for mark in ",." if mark in written.example)
            name_of_mark = "comma" if mark == "," else "point"
            raise DataError(
                f"{self.file}: column {name!r} must show which numbers it holds, but the "
                f"{name_of_mark} in {quote_cell(written.example)} may be a decimal mark or a "
                f"thousands separator; use --decimal {mark} or --thousands {mark}, in a sweep file "
                f"decimal: {mark!r} or thousands: {mark!r}"
            )
        too_large = np.flatnonzero(np.abs(values) > MAX_NUMBER)
        if len(too_large):
            raise DataError(
                f"{self.file}: column {name!r} must hold numbers up to {MAX_NUMBER:g}, but "
                f"{self.describe_rows(too_large, ('holds', 'hold'))} an infinite or a larger one; "
                f"{_if_gaps([str(text[too_large[0]])])}; otherwise correct these rows"
            )
        return values

    def is_numeric(self, name: str) -> bool:
        """Returns whether all values of a column are finite numbers, and at least one is given."""
        return bool(self._parsed(name)[1].any()) and not len(self.other_rows(name))

    def other_rows(self, name: str) -> NDArray[np.intp]:
        """Returns the rows where a column has a value that is not a finite number."""
        values, present = self._parsed(name)
        return np.flatnonzero(present & ~np.isfinite(values))

    def gap_hint(self, name: str) -> str:
        """Returns how to read the words among a column's numbers as gaps, "" if most are words."""
        rows = self.other_rows(name)
        cells = dict.fromkeys(map(str, self.columns[name][rows]))
        words = [cell for cell in cells if not NUMBER_LIKE.match(cell)]
        few = 2 * len(rows) < self._parsed(name)[1].sum()
        return _if_gaps(words) if words and few else ""

    def _parsed(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Returns the cells as numbers, NaN for text, and which cells are not missing."""
        if name not in self._cache:
            text = self.columns[name]
            self._cache[name] = self.formats[name].parse(text), present_cells(text)
        return self._cache[name]

    @cached_property
    def _cache(self) -> dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
        return {}


def read_table(file: str, reading: Reading = DEFAULT_READING) -> Table:
    """Returns the table in a file: CSV, also in gzip or zip, Parquet, or an Excel workbook.

    The cells of a CSV file are separated by commas, semicolons, tabs or vertical bars.

    Raises `DataError` if the file cannot be read or is too large: see `_layout`.
    """
    try:
        status = Path(file).stat()
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: there is no such file, or it cannot be read") from error
    if not Path(file).is_file():
        raise DataError(f"{file}: must be a CSV file, but is a folder or a device")
    return _read(file, reading, status.st_mtime_ns, status.st_size)


def forget_tables() -> None:
    """Frees the memory of all tables that were read; they are read again when they are needed."""
    _read.cache_clear()


@functools.lru_cache(maxsize=8)
def _read(file: str, reading: Reading, modified: int, size: int) -> Table:
    try:
        with open_rows(file, reading.sheet) as source:
            layout = lay_out(file, source)
    except (OSError, csv.Error, zipfile.BadZipFile) as error:
        raise DataError(f"{file}: cannot be read as CSV ({error})") from error
    columns = {
        name: np.array(column, object)
        for name, column in zip(layout.names, layout.columns, strict=True)
    }
    table = Table(
        file,
        source.digest,
        columns,
        np.array(layout.lines, np.intp),
        source.separator,
        reading,
        (*source.notes, *layout.notes),
        layout.left_out,
    )
    table = _without_na(table) if reading.na else table
    if reading.wide is None:
        return table
    long = to_long(file, table.columns, table.is_numeric, reading.wide)
    return replace(
        table,
        columns=long.columns,
        lines=table.lines[long.rows],
        notes=(*table.notes, long.note),
        left_out=dict(table.left_out) | long.left_out,
        value=long.value,
        series=long.series,
    )


def _without_na(table: Table) -> Table:
    """Returns a table with the texts of `Reading.na` as gaps.

    A number stands for all cells with its value: -200 also for -200.0.
    """
    na, everywhere = table.reading.na or (), []
    of_column: dict[str, list[str]] = {}
    for entry in na:
        name, equals, text = entry.partition("=")
        if equals and name in table.columns:
            of_column.setdefault(name, []).append(text)
        elif equals and name:
            raise DataError(f"{table.file}: na: {unknown('column', name, table.columns)}")
        else:
            everywhere.append(entry)
    columns = dict(table.columns)
    for name, cells in table.columns.items():
        texts = {*everywhere, *of_column.get(name, ())}
        numbers = {value for value in map(_as_number, texts) if value is not None}
        matches = np.array([cell in texts for cell in cells], bool)
        if numbers:
            values = table.formats[name].parse(cells)
            matches |= np.isin(values, list(numbers))
        if matches.any():
            columns[name] = np.where(matches, GAP, cells).astype(object)
    return replace(table, columns=columns)


def _as_number(text: str) -> float | None:
    return float(text.replace(",", ".")) if is_plain_number(text) else None


def _is_number_or_date(cell: str) -> bool:
    return is_plain_number(cell) or parse_date(cell) is not None


def _if_gaps(cells: Sequence[str]) -> str:
    """Returns how to read these texts as gaps.

    >>> _if_gaps(["nil"]), _if_gaps(["M", "T"])
    ("if 'nil' stands for a gap, set na='nil' (--na)", "if 'M', 'T' stand for gaps, set na (--na)")
    """
    shown = list_names([f"'{cell}'" for cell in cells])
    if len(cells) > 1:
        return f"if {shown} stand for gaps, set na (--na)"
    return f"if {shown} stands for a gap, set na={shown} (--na)"


def na_entries(value: object) -> object:
    """Returns what stands for a gap as texts: from a text, a number, a list, or by column.

    >>> na_entries(-200), na_entries([-200, "x"]), na_entries({"CO": [-200, -1]})
    (('-200',), ('-200', 'x'), ('CO=-200', 'CO=-1'))
    """
    if isinstance(value, Mapping):
        entries = [(n, v if isinstance(v, list | tuple) else [v]) for n, v in value.items()]
        return tuple(f"{name}={entry}" for name, listed in entries for entry in listed)
    listed = value if isinstance(value, list | tuple) else [value]
    plain = all(isinstance(entry, str | int | float) for entry in listed)
    return tuple(map(str, listed)) if plain else value


def group_rows(names: Text) -> dict[str, NDArray[np.intp]]:
    """Returns the row indices of each name, in order of first appearance.

    >>> {name: rows.tolist() for name, rows in group_rows(np.array(list("aba"), object)).items()}
    {'a': [0, 2], 'b': [1]}
    """
    rows: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        rows.setdefault(str(name), []).append(index)
    return {name: np.array(indices, np.intp) for name, indices in rows.items()}
