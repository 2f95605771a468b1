"""Where the table lies in a file: row names, titles, notes below, and faults of the layout."""

import csv

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._table import read_table
from lstm_bench.errors import DataError

ROWS = 40
DAYS = [str(day) for day in pd.period_range("2024-01-01", periods=ROWS, freq="D")]
VALUES = np.round(100 + 20 * np.sin(np.arange(ROWS) / 3) + 0.37 * np.arange(ROWS), 2)


def lines(names, *columns, separator=","):
    rows = zip(*columns, strict=True)
    return "\n".join([names, *(separator.join(map(str, row)) for row in rows)]) + "\n"


def with_comma(values, form="{:.2f}"):
    return [form.format(value).replace(".", ",") for value in values]


CUT = {
    "decimal commas": lines("date,v", DAYS, with_comma(VALUES)),
    "one decimal": lines("t,v", range(1, ROWS + 1), with_comma(VALUES, "{:.1f}")),
    "decimal commas first": lines("v,date", with_comma(VALUES), DAYS),
    "decimal commas beside numbers of the rows": lines("a,v", range(ROWS), with_comma(VALUES)),
    "numbers below zero": lines("date,v", DAYS, with_comma(VALUES - 200)),
    "thousands": lines("date,v", DAYS, [f"{value + 1000:,.2f}" for value in VALUES]),
    "a comma in a text": lines("date,v,city", DAYS, VALUES, ["Berlin, DE"] * ROWS),
    "a comma in a text beside numbers": lines(
        "id,v,city", range(ROWS), VALUES, ["Berlin, DE"] * ROWS
    ),
    "a column without a name": lines("date,v,p", DAYS, VALUES, VALUES / 2, range(ROWS)),
    "quoted dates": lines('"date","v"', [f'"{day}"' for day in DAYS], with_comma(VALUES)),
}


@pytest.mark.parametrize("text", CUT.values(), ids=CUT)
def test_a_comma_too_many_in_each_row_makes_no_row_names(file, text):
    names = text.split("\n")[0].count(",") + 1
    message = f"as row 1, {names}, but row 2 has {names + 1}; correct it .* decimal comma, needs"
    with pytest.raises(DataError, match=message):
        read_table(file(text))


INDEXES = {
    "numbers of rows": range(1, ROWS + 1),
    "numbers of some rows": np.random.default_rng(0).permutation(ROWS),
    "texts": [f"car {n}" for n in range(ROWS)],
    "dates": DAYS,
}


@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("quoted", [True, False])
def test_row_names_of_r_are_no_column_with_a_name(file, index, quoted):
    frame = pd.DataFrame({"v": VALUES, "flag": np.arange(ROWS) % 2, "city": ["x", "y"] * 20},
                         index=pd.Index(INDEXES[index]).astype(str))  # fmt: skip
    if not quoted:
        frame = frame.drop(columns="city")
    how = csv.QUOTE_NONNUMERIC if quoted else csv.QUOTE_NONE
    path = file(frame.to_csv(index_label=False, quoting=how))
    if not quoted and index in ("dates", "numbers of some rows"):
        with pytest.raises(DataError, match="and each column a name"):
            read_table(path)
        return
    table = read_table(path)
    for name in ("v", "flag"):
        assert table.numbers(name).tolist() == frame[name].tolist()
