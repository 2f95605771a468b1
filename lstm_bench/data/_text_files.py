"""Rows of a CSV file in UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import codecs
import csv
import functools
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from lstm_bench.errors import DataError

MAX_LINE_LENGTH = 4_000_000
"""Characters in a line: 400 for each of 10,000 columns."""
SAMPLE_LINES = 60
CONTROL_BYTES = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")
"""Bytes that do not occur in text."""
NOT_TEXT = (
    "must be a text file, but holds control characters, as pictures, workbooks and archives do; "
    "save the data as CSV in UTF-8"
)
WESTERN = frozenset("€£¥§©®°±²³µ¼½¾×÷–—‘’“”„…«»·ß´`¨\u00a0")
"""Characters besides letters that make text in Windows-1252 likely."""

Rows = Iterator[tuple[int, list[str]]]
"""Row numbers, from 1 on, and cells; a quoted blank is marked by `mark_blanks`."""


@dataclass(frozen=True)
class TextRows:
    """The rows of a CSV file, and how it is written."""

    rows: Rows
    separator: str
    comment: str  # the latest comment line before the first row, without #
    quoted: bool  # whether the first rows begin with a quotation mark


def text_rows(file: str, text: TextIO) -> TextRows:
    """Returns the rows of a CSV file; raises `DataError` for comments alone."""
    comment, first, skipped = "", "", 0
    lines = _lines(file, text)
    for line in lines:
        if line[:1] != "#" and line.strip():
            first = line
            break
        comment = line[1:].strip() if line[:1] == "#" else comment
        skipped += 1
    if comment and not first:
        raise DataError(f"{file}: holds comments alone; add a row of names and rows of data")
    sample = [first, *itertools.islice(lines, SAMPLE_LINES)] if first else []
    separator = _separator(sample)
    whole = (mark_blanks(line, separator) for line in itertools.chain(sample, lines))
    rows = enumerate(csv.reader(whole, delimiter=separator, strict=True), 1 + skipped)
    quoted = all(line[:1] == '"' for line in sample if line.strip())
    return TextRows(rows, separator, comment, quoted)


def detect_encoding(file: str, raw: BinaryIO) -> tuple[str, str]:
    """Returns the encoding of a text file, and a note unless it is UTF-8.

    Bytes that are not UTF-8 are Windows-1252 if all of them are letters or other usual characters
    there, and none is part of a character in UTF-8. Raises `DataError` for other files.
    """
    start = raw.read(4)
    raw.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and start[2:] != b"\0\0":
        decoder = codecs.getincrementaldecoder("utf-16")()
        try:
            nul = any("\0" in decoder.decode(block) for block in iter(lambda: raw.read(2**20), b""))
            decoder.decode(b"", True)
        except UnicodeDecodeError as error:
            message = "begins like text in UTF-16, but is not; save it as UTF-8"
            raise DataError(f"{file}: {message}") from error
        if nul:
            raise DataError(f"{file}: {NOT_TEXT}")
        raw.seek(0)
        return "utf-16", "text in UTF-16"
    decoder, utf8, multibyte = codecs.getincrementaldecoder("utf-8")(), True, False
    controls, high, wrong = False, Counter[int](), b""
    for block in itertools.chain(iter(lambda: raw.read(2**20), b""), [b""]):
        if b"\0" in block:
            raise DataError(f"{file}: {NOT_TEXT}")
        try:
            if utf8:
                decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            utf8, wrong = False, error.object[error.start : error.start + 1]
        if not block.isascii():
            high.update(byte for byte in block if byte > 127)
            multibyte = multibyte or not block.decode("utf-8", "ignore").isascii()
        controls = controls or bool(CONTROL_BYTES & set(block))
    raw.seek(0)
    if utf8:
        return "utf-8-sig", ""
    letters = bytes(high).decode("cp1252", "replace")
    western = all(c in WESTERN or unicodedata.category(c)[0] == "L" for c in letters)
    if multibyte or controls or not western:
        message = f"must be text in UTF-8, but holds the byte {wrong!r}; save it as UTF-8"
        raise DataError(f"{file}: {NOT_TEXT if controls else message}")
    return "cp1252", "text in Windows-1252 (Latin-1)"


def _lines(file: str, stream: TextIO) -> Iterator[str]:
    """Yields the lines of a file; raises `DataError` before a single line takes all memory."""
    while line := stream.readline(MAX_LINE_LENGTH + 1):
        if len(line) > MAX_LINE_LENGTH:
            raise DataError(
                f"{file}: lines must have at most {MAX_LINE_LENGTH:,} characters, but one has "
                "more; check that this is a CSV file with one row per line"
            )
        yield line


def _separator(sample: list[str]) -> str:
    """Returns the most frequent separator of the first line; a comma, if several are.

    If the first line has none, it may be a title: then that of most of the other lines.
    """
    first = sample[0] if sample else ""
    if any(mark in first for mark in ";\t|,"):
        return max(";\t|,", key=lambda mark: (first.count(mark), mark == ","))
    others = [line for line in sample[1:] if line.strip()]
    for mark in "\t;|":
        if others and 5 * sum(mark in line for line in others) >= 4 * len(others):
            return mark
    return ","


def mark_blanks(line: str, separator: str) -> str:
    """Returns a line in which blanks in quotation marks are between NUL characters.

    `csv` does not say which cells had quotation marks, and a blank without them is a gap.
    """
    if '"' not in line:
        return line
    return _quoted_blank(separator).sub('\\1"\0\\2\0"', line)


@functools.cache
def _quoted_blank(separator: str) -> re.Pattern[str]:
    mark = re.escape(separator)
    return re.compile(rf'(^|(?<={mark}))"([ \t\u00a0]+)"(?=[{mark}\r\n]|$)')
