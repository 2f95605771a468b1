"""A plain text as a table: one row for each character."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numpy as np

from lstm_bench.data._layout import MAX_ROWS
from lstm_bench.data._table import DEFAULT_READING, Reading, Table, read_table
from lstm_bench.data._text_files import NOT_TEXT
from lstm_bench.errors import DataError

CHARACTER, POSITION = "character", "position"
"""The columns of the table."""
MIN_CHARACTERS = 2


def read_data(file: str, text: bool, reading: Reading = DEFAULT_READING) -> Table:
    """Returns the table in a file, or the characters of a plain text.

    Raises `DataError` if the file cannot be read.
    """
    if not text:
        return read_table(file, reading)
    try:
        status = Path(file).stat()
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: there is no such file, or it cannot be read") from error
    if not Path(file).is_file():
        raise DataError(f"{file}: must be a text file, but is a folder or a device")
    if status.st_size > 4 * MAX_ROWS + 4:  # bytes of a character in UTF-8, at most
        raise _too_long(file)
    return _read(file, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=8)
def _read(file: str, modified: int, size: int) -> Table:
    try:
        content = Path(file).read_bytes()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start : error.start + 1]
        raise DataError(
            f"{file}: must be text in UTF-8, but holds the byte {byte!r}; save it as UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error
    if "\0" in text:
        raise DataError(f"{file}: {NOT_TEXT}")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MAX_ROWS:
        raise _too_long(file)
    if len(text) < MIN_CHARACTERS:
        raise DataError(f"{file}: a text must have characters, but is empty")
    columns = {
        POSITION: np.array([str(n) for n in range(1, len(text) + 1)], object),
        CHARACTER: np.array(list(text), object),
    }
    lines = np.arange(1, len(text) + 1)
    return Table(file, hashlib.sha256(content).hexdigest()[:16], columns, lines)


def _too_long(file: str) -> DataError:
    return DataError(
        f"{file}: at most {MAX_ROWS:,} characters of a text are read, but it has more; keep a part"
    )
