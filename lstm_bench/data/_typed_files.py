"""Rows of files whose cells have types: Parquet, Excel workbooks, and DataFrames."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from lstm_bench.data._text_files import Rows
from lstm_bench.errors import DataError, unknown

MAX_CELLS = 20_000_000


def cell_text(value: Any) -> str:
    """Returns a value of a typed file as the text of a cell, "" for a missing one.

    >>> cell_text(1.0), cell_text(True), cell_text(datetime.datetime(2024, 1, 31)), cell_text(None)
    ('1.0', 'true', '2024-01-31', '')
    """
    if value is None or value is np.nan:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    if isinstance(value, datetime.datetime):
        text = value.isoformat(" ")
        return text.removesuffix(" 00:00:00")
    if isinstance(value, datetime.timedelta):
        return repr(value.total_seconds())
    text = str(value)
    return "" if text in ("NaT", "<NA>", "nan") else text


def parquet_rows(file: str) -> Rows:
    """Yields the names and the rows of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    try:
        parquet = pyarrow.parquet.ParquetFile(file)
        rows, columns = parquet.metadata.num_rows, len(parquet.schema_arrow.names)
        if rows * columns > MAX_CELLS:
            raise DataError(
                f"{file}: at most {MAX_CELLS:,} cells are read, but it has {rows:,} rows of "
                f"{columns} columns; keep fewer rows, or leave columns out"
            )
        frame = parquet.read().to_pandas()
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        raise DataError(f"{file}: cannot be read as Parquet ({error})") from error
    return frame_rows(frame)


def frame_rows(frame: Any) -> Rows:
    """Yields the names and the rows of a DataFrame; an index of names or times comes first."""
    import pandas as pd

    index = frame.index
    if not isinstance(index, pd.RangeIndex) and (
        any(name is not None for name in index.names)
        or isinstance(index, pd.DatetimeIndex | pd.PeriodIndex)
    ):
        fallback = "time" if index.nlevels == 1 else "level"
        names = [name if name is not None else fallback for name in index.names]
        taken = set(map(str, frame.columns))
        names = [f"index_{name}" if str(name) in taken else name for name in names]
        frame = frame.set_axis(index.set_names(names), axis=0).reset_index()
    names = [str(name) for name in frame.columns]
    columns = [[cell_text(value) for value in frame.iloc[:, n]] for n in range(len(names))]
    return iter(enumerate([names, *map(list, zip(*columns, strict=True))], 1))


def excel_rows(file: str, sheet: str | None) -> tuple[Rows, str]:
    """Returns the rows of a sheet of a workbook, and a note about which."""
    try:
        import openpyxl
    except ImportError as error:
        raise DataError(
            f"{file}: an Excel workbook needs the package openpyxl, which is not installed; "
            "pip install 'lstm-bench[excel]', or save the sheet as CSV"
        ) from error
    try:
        # A stream, as a path must end in .xlsx; the warnings are about styles and extensions.
        with Path(file).open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            names = [page.title for page in book.worksheets]
            if sheet is not None and sheet not in names:
                raise DataError(f"{file}: {unknown('sheet', sheet, names)}")
            page = book[sheet if sheet is not None else names[0]]
            rows, cells = [], 0
            for number, row in enumerate(page.iter_rows(values_only=True), 1):
                cells += len(row)
                if cells > MAX_CELLS:
                    raise DataError(
                        f"{file}: at most {MAX_CELLS:,} cells are read; keep fewer rows"
                    )
                rows.append((number, [cell_text(value) for value in row]))
            book.close()
    except DataError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged file makes it stumble over
        raise DataError(f"{file}: cannot be read as an Excel workbook ({error})") from error
    while rows and not any(rows[0][1]):
        rows.pop(0)
    width = max((n + 1 for _, row in rows for n, cell in enumerate(row) if cell), default=0)
    filled = [(number, (row + [""] * width)[:width]) for number, row in rows]
    others = f" of {len(names)}; set sheet for another" if len(names) > 1 else ""
    return iter(filled), f"sheet {page.title}{others}"
