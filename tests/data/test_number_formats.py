"""Numbers in the formats of people's files, as target and as input; pandas is told the format."""

import io

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._series import prepare
from lstm_bench.data._table import Reading
from lstm_bench.errors import DataError

ROWS = 60
VALUES = np.round(1500 + 1200 * np.sin(np.arange(ROWS) / 3), 2)
DAYS = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")


def grouped(value, mark, decimal):
    return f"{value:,.2f}".translate(str.maketrans({",": mark, ".": decimal}))


def table(cells, separator=",", head=("day", "c", "sales")):
    """Returns a file with these cells in column c, and whole numbers to forecast."""
    rows = [(day, cell, n * n % 17) for n, (day, cell) in enumerate(zip(DAYS, cells, strict=True))]
    return "\n".join(separator.join(map(str, row)) for row in (head, *rows)) + "\n"


def column(path, separator=",", remove=(), **arguments):
    """Returns column c as pandas reads it once units are removed."""
    text = pd.read_csv(path, sep=separator, dtype=str)["c"]
    for mark in remove:
        text = text.str.replace(mark, "", regex=False)
    from_text = "\n".join(["c", *('"' + text + '"')])
    return pd.read_csv(io.StringIO(from_text), **arguments)["c"].to_numpy(float)


WRITTEN = {
    "dollars": (",", lambda v: f'"${v:,.2f}"', ["$"], {"thousands": ","}),
    "percent": (",", lambda v: f"{v / 100:.1f}%", ["%"], {}),
    "thousands commas": (",", lambda v: f'"{v:,.2f}"', [], {"thousands": ","}),
    "whole thousands": (",", lambda v: f'"{v * 1000:,.0f}"', [], {"thousands": ","}),
    "points for thousands": (
        ";", lambda v: grouped(v, ".", ","), [], {"thousands": ".", "decimal": ","}),
    "spaces for thousands": (
        ";", lambda v: grouped(v, " ", ","), [], {"thousands": " ", "decimal": ","}),
    "millions": (",", lambda v: f"{v / 100:.2f}M", ["M"], {}),
    "a code of a currency": (",", lambda v: f"EUR{v:.0f}", ["EUR"], {}),
}  # fmt: skip


@pytest.mark.parametrize("role", ["inferred", "columns", "known"])
@pytest.mark.parametrize("kind", WRITTEN)
def test_inputs_in_any_format_are_numbers(file, kind, role):
    separator, write, remove, arguments = WRITTEN[kind]
    path = file(table(map(write, VALUES), separator))
    given = {} if role == "inferred" else {role: ("c",)}
    prepared = prepare(FileOptions(path, target="sales", **given))
    (series,) = prepared.series
    assert not prepared.categories
    values = series.known if role == "known" else series.inputs
    np.testing.assert_array_equal(values[:, 0], column(path, separator, remove, **arguments))
    assert any(note.startswith("numbers of c are written like") for note in prepared.notes)


def test_a_column_with_points_beside_one_with_commas_is_numbers(file):
    path = file(table([f"{v:.2f};{grouped(v + 1, '', ',')}" for v in VALUES], ";",
                      ("day", "c", "d", "sales")))  # fmt: skip
    prepared = prepare(FileOptions(path, target="sales"))
    assert prepared.inputs == prepared.input_features == ("c", "d")
    assert prepared.series[0].inputs.T.tolist() == [
        VALUES.tolist(),
        np.round(VALUES + 1, 2).tolist(),
    ]


def test_negative_numbers_in_parentheses_are_inputs(file):
    path = file(table([f"({v})" if n % 4 else v for n, v in enumerate(VALUES)]))
    expected = [-v if n % 4 else v for n, v in enumerate(VALUES)]
    (series,) = prepare(FileOptions(path, target="sales")).series
    assert series.inputs[:, 0].tolist() == expected


@pytest.mark.parametrize("role", ["columns", "known"])
def test_an_ambiguous_input_is_refused_as_a_target_is(file, role):
    path = file(table([f'"{n % 8 + 1},{n + 100}"' for n in range(ROWS)]))
    with pytest.raises(DataError, match="column 'c' must show which numbers it holds"):
        CsvTask(file=path, target="sales", **{role: ["c"]}).prepared  # noqa: B018


def test_names_with_a_number_stay_text(file):
    path = file(table([f"SKU{n % 3}" for n in range(ROWS)]))
    prepared = prepare(FileOptions(path, target="sales", columns=("c",)))
    assert prepared.categories == (("c", ("SKU0", "SKU1", "SKU2")),)


SMALL_AND_GROUPED = [f"{900 + n * n % 211:,}" for n in range(ROWS)]  # 900 to 1,110


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_points_beside_integers_are_refused_and_each_repair_reads_them_so(file, separator):
    path = file(table([cell.replace(",", ".") for cell in SMALL_AND_GROUPED], separator))
    with pytest.raises(DataError, match=r"the point in '1.000' may .*--decimal . or --thousands ."):
        prepare(FileOptions(path, target="c"))
    readings = {"decimal": {"decimal": "."}, "thousands": {"thousands": ".", "decimal": ","}}
    for option, arguments in readings.items():
        expected = pd.read_csv(path, sep=separator, **arguments)["c"]
        marks = [{option: "."}, arguments]
        for given in marks:
            (series,) = prepare(FileOptions(path, "c", reading=Reading(**given))).series
            np.testing.assert_array_equal(series.target, expected)


def test_the_thousands_separator_holds_for_columns_without_short_integers_too(file):
    cells = [f"{1940 + n * n % 17:,}".replace(",", ".") for n in range(ROWS)]
    ungrouped = [cell.replace(".", "") if n % 9 == 4 else cell for n, cell in enumerate(cells)]
    for written in (cells, ungrouped):
        path = file(table(written))
        prepared = prepare(FileOptions(path, "c", reading=Reading(thousands=".")))
        expected = [1940 + n * n % 17 for n in range(ROWS)]
        assert prepared.series[0].target.tolist() == expected
        assert "numbers of c are written like 1.940, thousands separator '.'" in str(prepared.notes)


def test_marks_that_a_column_contradicts_are_not_applied_to_it_and_this_is_told(file):
    cells = [f"{v:.1f};{grouped(v, '', ',')}" for v in VALUES]
    path = file(table(cells, ";", ("day", "c", "d", "sales")))
    frame = pd.read_csv(path, sep=";")
    for given, not_as in (({"decimal": ","}, "decimal=','"), ({"thousands": "."}, "thousands='.'")):
        prepared = prepare(FileOptions(path, target="sales", reading=Reading(**given)))
        assert prepared.input_features == ("c", "d")
        inputs = prepared.series[0].inputs
        np.testing.assert_array_equal(inputs[:, 0], frame["c"])
        np.testing.assert_array_equal(inputs[:, 1], frame["d"].str.replace(",", ".").astype(float))
        assert f"numbers of c are written like 1500.0, not with {not_as}" in prepared.notes


ORDINARY = {
    "three decimals": [f"{12 + n * n % 17 / 16:.3f}" for n in range(ROWS)],
    "three decimals below 1": [f"{n * n % 17 / 16:.3f}" if n % 9 else 7 for n in range(ROWS)],
    "thirds": [f"{1 + n * n % 7 / 3:.3f}".removesuffix(".000") for n in range(ROWS)],
    "none or some": ["0" if n % 4 else f"{1 + n * n % 17 / 18:.3f}" for n in range(ROWS)],
    "large integers beside them": ["996", "1234.500", *["1.002"] * (ROWS - 2)],
}


@pytest.mark.parametrize("kind", ORDINARY)
def test_three_decimals_in_a_file_with_commas_stay_decimals(file, kind):
    path = file(table(ORDINARY[kind]))
    prepared = prepare(FileOptions(path, target="c"))
    np.testing.assert_array_equal(prepared.series[0].target, pd.read_csv(path)["c"])
    doubt = any("read as a decimal mark; if it" in note for note in prepared.notes)
    assert doubt == (kind in ("thirds", "none or some"))


def test_a_point_in_all_numbers_of_a_file_with_semicolons_is_told(file):
    path = file(table([f"{3 + n * n % 17 / 16:.3f}" for n in range(ROWS)], ";"))
    prepared = prepare(FileOptions(path, target="c"))
    np.testing.assert_array_equal(prepared.series[0].target, pd.read_csv(path, sep=";")["c"])
    note = "the point in 3.000 of c is read as a decimal mark; if it separates thousands, set"
    assert f"{note} thousands='.'" in prepared.notes


NO_NUMBERS = {
    "percent or not": ([f"{v}%" if n % 3 else v for n, v in enumerate(VALUES)],
                       "must hold numbers in one unit, but has '[0-9.]+%?' and '[0-9.]+%?'; write"),
    "two units": ([f"{v} {'MWh' if n % 2 else 'kWh'}" for n, v in enumerate(VALUES)],
                  "in one unit, but has '.* kWh' and '.* MWh'; write all in one unit"),
    "underscores": ([f"{v * 100:_.0f}" for v in VALUES],
                    "if these are numbers, write them like 1234.5"),
    "a word before them": ([f'"Rs. {v:,.2f}"' for v in VALUES],
                           "if these are numbers, write them like 1234.5"),
    "halves": ([f"{v:.0f}½" for v in VALUES], "'.*½'; if these are numbers, write them"),
    "nothing": (["NaN"] * ROWS, "must have values, but none of its 60 rows has one"),
    "dates": (DAYS, "'2024-01-01'; choose another column"),
    "codes": ([f"shop{n}" for n in range(ROWS)], "'shop0'; choose another column"),
    "few rows": ([f"word {n // 1.5:.0f}" for n in range(ROWS)], "; give more rows, or choose"),
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_columns_that_are_no_numbers_are_refused_with_what_may_be_wrong(file, kind):
    cells, message = NO_NUMBERS[kind]
    with pytest.raises(DataError, match=message):
        prepare(FileOptions(file(table(cells)), "c"))
