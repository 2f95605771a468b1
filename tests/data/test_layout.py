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
    "thousands beside another number": lines(
        "when,v,p", DAYS, [f"{v + 1200:,.2f}" for v in VALUES], VALUES
    ),
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
    if not quoted and index == "numbers of some rows":
        with pytest.raises(DataError, match="and each column a name"):
            read_table(path)
        return
    table = read_table(path)
    for name in ("v", "flag"):
        assert table.numbers(name).tolist() == frame[name].tolist()


PLAIN = lines("date,v", DAYS, VALUES)
META = "Station,Berlin\nLat,52.5\nLon,13.4\n\n"
SHAPES = {
    "three marks of the end of a line": PLAIN.replace("\n", "\r\r\n"),
    "blank lines between the rows": PLAIN.replace("\n", "\n\n").replace("v\n\n", "v\n", 1),
    "Markdown": "| date | v |\n|:---|---:|\n" + "".join(
        f"| {day} | {value} |\n" for day, value in zip(DAYS, VALUES, strict=True)),
    "names and values of a station": META + PLAIN,
    "a mean and a maximum": PLAIN + f"Average,{VALUES.mean()}\nMax,{VALUES.max()}\n",
    "a grand total": PLAIN + f"Grand Total,{VALUES.sum()}\n",
    "a source with a comma": PLAIN + "\nSource: Eurostat, 2024\n",
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_what_is_no_row_of_the_table_is_left_out_with_a_note(file, text):
    table = read_table(file(text))
    assert table.columns["date"].tolist() == DAYS
    assert table.numbers("v").tolist() == VALUES.tolist()
    assert any("left out" in note for note in table.notes)


def test_a_blank_row_among_others_is_a_gap(file):
    rows = PLAIN.split("\n")
    rows[5] = ""
    assert len(read_table(file("\n".join(rows)))) == ROWS
    assert read_table(file("x\n\n1\n\n2\n\n3\n")).columns["x"].tolist() == ["", "1", "", "2", "",
                                                                           "3"]  # fmt: skip


def test_words_below_words_are_data(file):
    table = read_table(file(lines("kind,v", [f"kind {n}" for n in range(ROWS)], VALUES) + "max,7"))
    assert table.columns["kind"][-1] == "max"


SEPARATED = {"spaces": " ", "colons": ":", "carets": "^", "tildes": "~", "control characters": "\1"}


@pytest.mark.parametrize("name", SEPARATED)
def test_other_separators_are_refused_by_name(file, name):
    text = lines(f"day{SEPARATED[name]}v", DAYS, VALUES, separator=SEPARATED[name])
    with pytest.raises(DataError, match=f"must be separated by commas, .* and {name} seem to"):
        read_table(file(text))


def test_rows_in_quotation_marks_as_a_whole_are_refused(file):
    quoted = "\n".join(f'"{line}"' for line in PLAIN.split())
    with pytest.raises(DataError, match="row 1 is one cell, 'date,v'; remove the quotation marks"):
        read_table(file(quoted))


def test_one_column_of_texts_numbers_or_times_is_a_table(file):
    clocks = [f"{day} 10:00" for day in DAYS]
    for name, cells in (
        ("a word", ["a b", "c d"] * 9),
        ("a time", clocks),
        ("sold kg", ["5 kg"] * 9),
    ):
        assert list(read_table(file("\n".join([name, *cells]))).columns) == [name]


OTHERS = {
    "JSON": '[{"date": "2024-01-01", "v": 1}, {"date": "2024-01-02", "v": 2}]',
    "a web page or XML": "<!DOCTYPE html>\n<table><tr><td>1</td></tr></table>",
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_of_text_are_refused_by_name(file, name):
    with pytest.raises(DataError, match=f"must be a CSV file, but is {name}; save the table"):
        read_table(file(OTHERS[name]))


NAMELESS = {
    "dates, a text and numbers": lines(f"{DAYS[0]},Berlin,5", DAYS, ["Berlin"] * ROWS, VALUES),
    "dates and texts": lines(f"{DAYS[0]},warm", DAYS, ["cold"] * ROWS),
    "a text and numbers": lines("Berlin,5.5", ["Berlin", "Paris"] * 20, VALUES),
}


@pytest.mark.parametrize("text", NAMELESS.values(), ids=NAMELESS)
def test_data_in_the_row_of_names_is_refused(file, text):
    with pytest.raises(DataError, match="row 1 must name the columns, but holds numbers or dates"):
        read_table(file(text))


def test_years_and_dates_may_be_names(file):
    for names in ("country,1970,1971", f"country,{DAYS[0]},{DAYS[1]}"):
        path = file(lines(names, ["Chad", "Mali", "Togo"], [1, 2, 3], [4, 5, 7]))
        assert list(read_table(path).columns) == names.split(",")


@pytest.mark.parametrize("mark", ["", '"'])
def test_row_names_of_r_may_stand_beside_dates(file, mark):
    text = lines("date,v", [f"{mark}{n}{mark}" for n in range(1, ROWS + 1)], DAYS, VALUES)
    table = read_table(file(text))
    assert table.columns["date"].tolist() == DAYS and table.numbers("v").tolist() == VALUES.tolist()
