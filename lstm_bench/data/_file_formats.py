"""Opens a file of data: text, plain or compressed, Parquet, or an Excel workbook."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lstm_bench.data._no_table import refuse_other_formats
from lstm_bench.data._text_files import Rows, detect_encoding, text_rows
from lstm_bench.data._typed_files import excel_rows, parquet_rows
from lstm_bench.errors import DataError

MAX_UNPACKED = 2**29
"""Bytes of a compressed file once it is unpacked."""
OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True)
class Source:
    """A file that has been opened: its rows, its digest and how it was read."""

    digest: str  # of the file's bytes: SHA-256, 16 hexadecimal digits
    rows: Rows
    separator: str  # "," for files whose numbers are typed
    comment: str  # the latest comment line before the first row, without #
    notes: tuple[str, ...]
    quoted: bool = False  # whether the first rows begin with a quotation mark


@contextlib.contextmanager
def open_rows(file: str, sheet: str | None) -> Iterator[Source]:
    """Opens a file for its rows; raises `DataError` if it cannot be read or is too large."""
    digest = hashlib.sha256()
    with Path(file).open("rb") as binary:
        head = binary.read(8)
        binary.seek(0)
        while block := binary.read(2**20):
            digest.update(block)
    key = digest.hexdigest()[:16]
    if head[:4] == b"PAR1":
        _refuse_sheet(file, sheet)
        yield Source(key, parquet_rows(file), ",", "", ("a Parquet file",))
        return
    if head == OLD_EXCEL:
        raise DataError(f"{file}: must not be an old workbook (.xls); save it as .xlsx or CSV")
    if head[:4] == b"PK\x03\x04" and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            _check_unpacked(file, sum(member.file_size for member in archive.infolist()))
            if "[Content_Types].xml" in archive.namelist():
                rows, note = excel_rows(file, sheet)
                yield Source(key, rows, ",", "", (note,))
                return
            content, note = _member(file, archive)
        _refuse_sheet(file, sheet)
        with _text_source(file, key, io.BytesIO(content), note) as source:
            yield source
        return
    _refuse_sheet(file, sheet)
    if head[:2] == b"\x1f\x8b":
        try:
            with gzip.open(file) as stream:
                content = stream.read(MAX_UNPACKED + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{file}: cannot be unpacked ({error}); make it again") from error
        _check_unpacked(file, len(content))
        with _text_source(file, key, io.BytesIO(content)) as source:
            yield source
        return
    with Path(file).open("rb") as binary, _text_source(file, key, binary) as source:
        yield source


@contextlib.contextmanager
def _text_source(file: str, digest: str, binary: BinaryIO, note: str = "") -> Iterator[Source]:
    refuse_other_formats(file, binary.read(100))
    binary.seek(0)
    encoding, encoding_note = detect_encoding(file, binary)
    with io.TextIOWrapper(binary, encoding, newline="") as text:
        rows = text_rows(file, text)
        notes = tuple(filter(None, [note, encoding_note]))
        yield Source(digest, rows.rows, rows.separator, rows.comment, notes, rows.quoted)


def _refuse_sheet(file: str, sheet: str | None) -> None:
    if sheet is not None:
        raise DataError(f"{file}: sheet is for Excel workbooks, and this is none; leave it out")


def _check_unpacked(file: str, size: int) -> None:
    if size > MAX_UNPACKED:
        raise DataError(
            f"{file}: compressed files may hold up to {MAX_UNPACKED / 2**20:.0f} MB, but this one "
            "holds more; unpack it, or keep fewer rows"
        )


def _member(file: str, archive: zipfile.ZipFile) -> tuple[bytes, str]:
    """Returns the content of the only file in an archive, and a note with its name."""
    members = [m for m in archive.infolist() if not m.is_dir() and "__MACOSX/" not in m.filename]
    if len(members) != 1:
        raise DataError(
            f"{file}: an archive must hold one file, but holds {len(members)}; unpack it, and name "
            "the file to read"
        )
    try:
        with archive.open(members[0]) as stream:
            content = stream.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, ValueError) as error:
        raise DataError(f"{file}: cannot be unpacked ({error}); make it again") from error
    _check_unpacked(file, len(content))
    return content, f"{members[0].filename} in the archive"
