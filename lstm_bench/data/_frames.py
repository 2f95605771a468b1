"""DataFrames as files of the working folder, so that workers, resuming and forecasts find them."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lstm_bench.data._layout import MAX_ROWS
from lstm_bench.data._typed_files import MAX_CELLS, cell_text, frame_rows
from lstm_bench.errors import DataError

FOLDER = Path("frames")
"""Where DataFrames are written, below the working folder."""


def write_frame(data: Any) -> str:
    """Writes a DataFrame or a Series to a CSV file below the working folder; returns its path.

    The name is made from the content, so the same data give the same file, and a sweep that was
    interrupted finds it again. An index of times, or one with a name, is the first column. Raises
    `DataError` for other objects, for columns of several levels and for too many rows.
    """
    import pandas as pd

    if isinstance(data, pd.Series):
        data = data.to_frame("value" if data.name is None else data.name)
    if not isinstance(data, pd.DataFrame):
        raise DataError(
            f"data: must be a pandas DataFrame or Series, but is {type(data).__name__}; for a "
            "file, give its path as csv"
        )
    if isinstance(data.columns, pd.MultiIndex):
        raise DataError(
            f"data: must have one name a column, but has {data.columns.nlevels} levels of names; "
            "join them, or stack the frame"
        )
    if len(data) > MAX_ROWS or data.size > MAX_CELLS:
        raise DataError(
            f"data: must have at most {MAX_ROWS:,} rows and {MAX_CELLS:,} values, but has "
            f"{len(data):,} rows of {data.shape[1]}; keep fewer"
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    strings = _has_blanks(data)
    for _, row in frame_rows(data):
        (quoted if strings else writer).writerow(row)
    content = text.getvalue().encode()
    path = FOLDER / f"frame-{hashlib.sha256(content).hexdigest()[:12]}.csv"
    if not path.exists() or path.read_bytes() != content:
        _write(path, content)
    return str(path)


def frame_settings(data: Any, given: Mapping[str, Any] = MappingProxyType({})) -> dict[str, str]:
    """Returns the setting `file` for a DataFrame, which is written; nothing for None.

    Raises `DataError` if the other settings, `given`, name a file as well.
    """
    if data is not None and "file" in given:
        raise DataError(
            f"file: stands in place of data, but both are given (file={str(given['file'])!r}); "
            "keep one"
        )
    return {} if data is None else {"file": write_frame(data)}


def _has_blanks(data: Any) -> bool:
    """Returns whether some text is a blank, which is a symbol only in quotation marks."""
    return any(
        cell_text(value).isspace()
        for n in range(data.shape[1])
        if data.dtypes.iloc[n].kind not in "ifbM"
        for value in data.iloc[:, n]
    )


def _write(path: Path, content: bytes) -> None:
    """Writes a file all at once: other processes see none of it, or all."""
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".frame-")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).replace(path)
    except OSError as error:
        raise DataError(
            f"data: is written below the working folder, but {path} cannot be ({error.strerror}); "
            "change to a folder that can be written to"
        ) from error
