"""Numbers in the formats of people's files, as target and as input; pandas is told the format."""

import io

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._series import FileOptions, prepare
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
