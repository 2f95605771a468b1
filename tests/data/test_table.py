"""Reading of CSV files as columns of text, and files that are refused."""

import time

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data import _layout
from lstm_bench.data._table import read_table
from lstm_bench.errors import DataError

ROWS = 40


@pytest.mark.parametrize(
    ("mark", "decimal", "encoding"),
    [
        (",", ".", "utf-8"),
        (";", ",", "utf-8"),
        ("\t", ",", "utf-8-sig"),
        (";", ".", "utf-8-sig"),
        ("|", ".", "utf-8"),
        ("|", ",", "utf-8"),
    ],
)
def test_separators_decimal_commas_and_byte_order_marks_are_read(file, mark, decimal, encoding):
    frame = pd.DataFrame({"day": range(ROWS), "sales": np.linspace(0.5, 9, ROWS).round(3)})
    text = frame.to_csv(index=False, sep=mark, decimal=decimal)
    table = read_table(file(text, encoding=encoding))
    assert list(table.columns) == ["day", "sales"]
    assert table.numbers("sales") == pytest.approx(frame["sales"].to_numpy())


def test_quoted_cells_may_hold_separators_and_line_breaks(file):
    table = read_table(file('name,note\na,"x, y"\nb,"two\nlines"\n'))
    assert table.columns["note"].tolist() == ["x, y", "two\nlines"]


WRONG = {
    "nothing": ("", "is empty"),
    "names alone": ("day,sales\n", "no row of data"),
    "no names": ("1,2\n3,4\n", "must name the columns, but holds numbers"),
    "a name twice": ("a,a\n1,2\n", "two columns 'a'"),
    "a column without a name": ("a,,c\n1,2,3\n", "column 2 has no name"),
    "a short row": ("a,b\n1,2\n3\n", "row 3 has 1"),
    "not UTF-8": (b"a,b\n\x81\x8d,1\n", "UTF-8"),
    "UTF-8 that is damaged": ("a,b\né,1\n".encode() + b"\xff,1\n", "UTF-8"),
    "an open quotation mark": ('a,b\n"1,2\n', "cannot be read as CSV"),
    "null bytes": (b"a,b\n1,\x002\n", "must be a text file, but holds control characters"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "must be a text file"),
    "bytes at random": (b"\x93\xb1,\x05\xf2\n\x11\x8a", "must be a text file"),
    "two bytes a character, unmarked": ("a,b\n1,2\n".encode("utf-16-le"), "control characters"),
    "half of two bytes a character": ("a,b\n1,2\n".encode("utf-16")[:-1], "like text in UTF-16"),
    "a date for a name": ("2010-01-01,9.5\n2010-01-02,9.7\n", "numbers or dates .2010-01-01, 9"),
    "dates with dots, twice the same": ("1.1.2010;5;5\n2.1.2010;6;6\n", "put a row of names above"),
    "no names, and words": ("2010-01-01,9,x\n2010-01-02,7,y\n", "; if row 1 is data, put a row"),
    "a name that is not there": ("a,c\n1,2\n", "known: a, c.$"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_files_that_are_not_tables_are_refused(file, text, message):
    with pytest.raises(DataError, match=message):
        read_table(file(text)).numbers("b")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_table(str(tmp_path / "none.csv"))
    with pytest.raises(DataError, match="is a folder"):
        read_table(str(tmp_path))


def test_a_file_that_is_too_long_is_refused_with_the_limit(file, monkeypatch):
    monkeypatch.setattr(_layout, "MAX_ROWS", 30)
    with pytest.raises(DataError, match=r"at most 30 rows of 3 columns .* GB, but it has more"):
        read_table(file("day,sales,price\n" + "0,1,2\n" * ROWS))


def test_many_columns_are_read_fast_and_too_many_are_refused(file):
    wide = [",".join(f"c{n}" for n in range(10_000)), *[",".join("1" * 10_000)] * 3]
    seconds = []
    for number in range(3):  # the garbage collector may run in one of them
        path = file("\n".join(wide), f"wide{number}.csv")
        before = time.thread_time()
        assert len(read_table(path).columns) == 10_000
        seconds.append(time.thread_time() - before)
    assert min(seconds) < 0.5  # about 0.05 s; counting each name in the list would take 1 s
    with pytest.raises(DataError, match="at most 10,000 columns are read, but it has 10,001"):
        read_table(file(wide[0] + ",x\n" + wide[1] + ",1\n"))
