"""A CSV file as named columns of text, or of numbers.

Rows are numbered as a spreadsheet numbers them: the row of names is row 1.
"""

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

from lstm_bench.data._cells import GROUPED, MISSING, as_date, as_numbers, grouped, is_number
from lstm_bench.errors import UserError, unknown

MOST_ROWS = 1_000_000
"""Rows that are read: the text of a cell takes some 60 bytes, so ten columns of these 0.6 GB."""
MOST_CELLS = 20_000_000
MOST_COLUMNS = 10_000
LONGEST_LINE = 4_000_000
"""Characters of a line that are read: 400 for each of `MOST_COLUMNS`."""
LARGEST = 1e30
"""What single precision can still square when it is scaled."""
CONTROL = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")
"""Bytes of no text."""
NO_TEXT = (
    "must be a text file, but holds control characters, as pictures, workbooks and archives do; "
    "save the data as CSV in UTF-8"
)
LISTED = 5
"""Rows that a message names."""

Text = NDArray[np.object_]


class DataError(UserError):
    """A file of data, or what is asked of it, is wrong."""


@dataclass(frozen=True)
class Table:
    """The cells of a CSV file, by column, as stripped text."""

    file: str
    digest: str  # of the file's bytes: SHA-256, 16 hexadecimal digits
    columns: Mapping[str, Text]  # (rows,) each
    comma: bool  # whether numbers are written 3,14

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> Text:
        """Returns a column; raises `DataError` where there is none of that name."""
        if name not in self.columns:
            data = any(map(_is_data, self.columns))
            repair = "; if row 1 is data, put a row of names above it" if data else ""
            raise DataError(f"{self.file}: {unknown('column', name, self.columns)}{repair}")
        return self.columns[name]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Returns a column of numbers, NaN where one is missing.

        Raises `DataError` with the rows where there is something else, or an infinite number.
        """
        text = self.text(name)
        values = as_numbers(text, self.comma)
        given = np.array([cell.lower() not in MISSING for cell in text], bool)
        strange = np.flatnonzero(np.isnan(values) & given)
        if len(strange):
            shown = grouped(text[strange]) or str(text[strange[0]])
            repair = "correct these, or choose another column, or target_kind=symbols"
            if shown[:1] == "=":
                repair = "save the file with values in place of formulas"
            elif GROUPED.fullmatch(shown):
                repair = "write numbers without thousands separators"
            rule = "has text among its numbers" if len(strange) < given.sum() else "has no numbers"
            raise DataError(
                f"{self.file}: column {name!r} {rule}, in {rows(strange)}: {_cut(shown)!r}"
                f"; {repair}"
            )
        infinite = np.flatnonzero(np.abs(values) > LARGEST)
        if len(infinite):
            raise DataError(
                f"{self.file}: column {name!r} must hold numbers up to {LARGEST:g}, but "
                f"{rows(infinite, ('holds', 'hold'))} an infinite or a larger one; correct these "
                "rows, or leave the cells empty and set missing=drop or missing=interpolate"
            )
        return values

    def is_numeric(self, name: str) -> bool:
        """Returns whether a column holds numbers and nothing else, and at least one."""
        values = as_numbers(self.columns[name], self.comma)
        given = np.array([cell.lower() not in MISSING for cell in self.columns[name]], bool)
        return bool(given.any() and np.isfinite(values[given]).all())


def rows(places: Sequence[int] | NDArray[np.integer], verb: tuple[str, str] | None = None) -> str:
    """Returns the rows at `places` (from 0, the names not counted) in words.

    With a `verb`, for one row and for several, what they do.

    >>> rows([0, 3]), rows(list(range(9)))
    ('rows 2 and 5', 'rows 2, 3, 4, 5, 6 and 4 more')
    >>> rows([7], ("has", "have")), rows([0, 3], ("has", "have"))
    ('row 9 has', 'rows 2 and 5 have')
    """
    numbers = [str(int(place) + 2) for place in places]
    does = "" if verb is None else f" {verb[len(numbers) > 1]}"
    if len(numbers) == 1:
        return f"row {numbers[0]}{does}"
    if len(numbers) > LISTED:
        return f"rows {', '.join(numbers[:LISTED])} and {len(numbers) - LISTED} more{does}"
    return f"rows {', '.join(numbers[:-1])} and {numbers[-1]}{does}"


def read(file: str) -> Table:
    """Returns the table in a CSV file: UTF-8, names in row 1.

    With commas, semicolons, tabs or upright bars between the cells.

    Raises `DataError` where there is none, or where it is larger than `MOST_ROWS` or `MOST_CELLS`.
    """
    try:
        known = Path(file).stat()
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: there is no such file, or it cannot be read") from error
    if not Path(file).is_file():
        raise DataError(f"{file}: must be a CSV file, but is a folder or a device")
    return _read(file, known.st_mtime_ns, known.st_size)


@functools.lru_cache(maxsize=8)
def _read(file: str, modified: int, size: int) -> Table:
    try:
        digest = hashlib.sha256()
        with Path(file).open("rb") as raw:
            while block := raw.read(2**20):
                digest.update(block)
                if b"\0" in block:
                    wide = block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
                    other = "must be text in UTF-8, but is in UTF-16; save it as UTF-8"
                    raise DataError(f"{file}: {other if wide else NO_TEXT}")
        with Path(file).open(encoding="utf-8-sig", newline="") as lines:
            separator = _separator(next(_bounded(file, lines), ""))
            lines.seek(0)
            rows_ = csv.reader(_bounded(file, lines), delimiter=separator, strict=True)
            names, cells = _cells(file, rows_)
    except UnicodeDecodeError as error:
        shown = error.object[error.start : error.start + 1]
        message = f"must be text in UTF-8, but holds the byte {shown!r}; save it as UTF-8"
        message = NO_TEXT if CONTROL & set(error.object) else message
        raise DataError(f"{file}: {message}") from error
    except (OSError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV ({error})") from error
    columns = {name: np.array(column, object) for name, column in zip(names, cells, strict=True)}
    comma = separator != "," and _decimal_comma(columns)
    return Table(file, digest.hexdigest()[:16], columns, comma)


def _bounded(file: str, lines: TextIO) -> Iterator[str]:
    """Yields the lines of a file; raises `DataError` before one takes all memory."""
    while line := lines.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise DataError(
                f"{file}: lines must have at most {LONGEST_LINE:,} characters, but one has more; "
                "is this a CSV file, with a row a line?"
            )
        yield line


def _separator(first: str) -> str:
    return max(";\t|,", key=lambda mark: (first.count(mark), mark == ","))


def _cells(file: str, lines: Iterable[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Returns the names, and the cells column by column."""
    reader = iter(lines)
    names = [name.strip() for name in next(reader, [])]
    if not any(names):
        raise DataError(f"{file}: is empty; its first row must name the columns")
    if len(names) > MOST_COLUMNS:
        raise DataError(
            f"{file}: at most {MOST_COLUMNS:,} columns are read, but it has {len(names):,}; leave "
            "columns out"
        )
    _check_names(file, names)
    columns: list[list[str]] = [[] for _ in names]
    count, blank = 0, 0
    for number, line in enumerate(reader, 2):
        if not line or (len(line) == 1 < len(names) and not line[0].strip()):
            blank += 1  # an empty last line is no row; one between rows is a missing one
            continue
        count += blank + 1
        if len(line) != len(names):
            raise DataError(
                f"{file}: every row must have as many cells as row 1, {len(names)}, but row "
                f"{number} has {len(line)}; correct it (a cell with the separator in it wants "
                "quotation marks)"
            )
        if count > MOST_ROWS or count * len(names) > MOST_CELLS:
            most = min(MOST_ROWS, MOST_CELLS // len(names))
            raise DataError(
                f"{file}: at most {most:,} rows of {len(names)} columns are read, which take some "
                f"{60 * most * len(names) / 2**30:.1f} GB, but it has more; keep fewer rows, "
                "say the latest, or leave columns out"
            )
        for column, cell in zip(columns, line, strict=True):
            column += [""] * blank
            column.append(cell.strip())
        blank = 0
    if not count:
        raise DataError(f"{file}: has a row of names and no row of data")
    return names, columns


def _check_names(file: str, names: Sequence[str]) -> None:
    if all(map(_is_data, names)):
        held = "numbers" if all(map(is_number, names)) else "numbers or dates"
        raise DataError(
            f"{file}: row 1 must name the columns, but holds {held} "
            f"({', '.join(names[:LISTED])}); put a row of names above it"
        )
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if "" in names:
        place = names.index("") + 1
        raise DataError(f"{file}: column {place} has no name; name it in row 1")
    if twice:
        raise DataError(f"{file}: row 1 names two columns {twice[0]!r}; rename one")


def _is_data(name: str) -> bool:
    return is_number(name) or as_date(name) is not None


def _decimal_comma(columns: Mapping[str, Text]) -> bool:
    """Returns whether some column is numbers, all or most, only if a comma is a decimal point."""
    for column in columns.values():
        given = [cell for cell in column if cell.lower() not in MISSING]
        commas = [cell for cell in given if "," in cell]
        most = 2 * np.isfinite(as_numbers(commas, True)).sum() > len(given)
        if commas and (most or not np.isnan(as_numbers(given, True)).any()):
            return True
    return False


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def runs(names: Text) -> dict[str, NDArray[np.intp]]:
    """Returns the rows of each name, in order of first appearance.

    >>> {name: places.tolist() for name, places in runs(np.array(list("aba"), object)).items()}
    {'a': [0, 2], 'b': [1]}
    """
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        found.setdefault(str(name), []).append(place)
    return {name: np.array(places, np.intp) for name, places in found.items()}
