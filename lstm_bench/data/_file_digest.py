"""Facts about a file without its table in memory: its digest and its number of rows."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from lstm_bench.data._table import DEFAULT_READING, Reading
from lstm_bench.data._text_file import read_data
from lstm_bench.errors import DataError


def file_digest(file: str, text: bool = False) -> str:
    """Returns the digest of a file's bytes, which is `Table.digest`; `text` for a plain text.

    Raises `DataError` if the file cannot be read.
    """
    try:
        status = Path(file).stat()
    except (OSError, ValueError):
        return read_data(file, text).digest  # which raises the error
    if not Path(file).is_file():
        return read_data(file, text).digest
    try:
        return _digest(file, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error


def count_rows(file: str, text: bool = False, reading: Reading = DEFAULT_READING) -> int:
    """Returns the number of rows of a file, or of characters of a plain text.

    Raises `DataError` if the file cannot be read.
    """
    return _count_rows(file, text, reading, file_digest(file, text))


@functools.lru_cache(maxsize=64)
def _digest(file: str, modified: int, size: int) -> str:
    with Path(file).open("rb") as binary:
        return hashlib.file_digest(binary, "sha256").hexdigest()[:16]


@functools.lru_cache(maxsize=64)
def _count_rows(file: str, text: bool, reading: Reading, digest: str) -> int:
    return len(read_data(file, text, reading))
