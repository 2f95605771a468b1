"""What is known of a file without its table in memory: its digest and its number of rows."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from lstm_bench.data._table import read_table


def file_digest(file: str) -> str:
    """Returns the digest of a file's bytes, which is `Table.digest`.

    Raises `DataError` if the file cannot be read.
    """
    if not Path(file).is_file():
        return read_table(file).digest  # which raises the error
    status = Path(file).stat()
    return _digest(file, status.st_mtime_ns, status.st_size)


def count_rows(file: str) -> int:
    """Returns the number of rows of a CSV file; raises `DataError` if it cannot be read."""
    return _count_rows(file, file_digest(file))


@functools.lru_cache(maxsize=64)
def _digest(file: str, modified: int, size: int) -> str:
    with Path(file).open("rb") as binary:
        return hashlib.file_digest(binary, "sha256").hexdigest()[:16]


@functools.lru_cache(maxsize=64)
def _count_rows(file: str, digest: str) -> int:
    return len(read_table(file))
