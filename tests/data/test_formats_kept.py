"""Numbers of a new file are read as in the file that was trained on; pandas is told how."""

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data import Columns, CsvTask, file_notes, read_new_file
from lstm_bench.errors import DataError


def german(value):
    """Returns a number as 1.234,5."""
    return f"{value:,.1f}".replace(",", "_").replace(".", ",").replace("_", ".")


def write(path, values, form=german):
    lines = [f"{number};{form(value)}" for number, value in enumerate(values)]
    path.write_text("t;x\n" + "\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def columns(tmp_path):
    values = 900 + 400 * np.sin(np.arange(60) / 5)
    file = write(tmp_path / "trained.csv", values)
    prepared = CsvTask(file=file, target="x", time="t").prepared
    by_pandas = pd.read_csv(file, sep=";", decimal=",", thousands=".")["x"]
    np.testing.assert_array_equal(prepared.series[0].target, by_pandas)
    # As they are stored with a result.
    return Columns.restored(prepared.stored)


def test_what_would_be_ambiguous_is_read_as_before(columns, tmp_path):
    file = write(tmp_path / "new.csv", range(1100, 1130), lambda n: f"{n:,}".replace(",", "."))
    (series,) = read_new_file(columns, file)
    by_pandas = pd.read_csv(file, sep=";", decimal=",", thousands=".")["x"]
    np.testing.assert_array_equal(series.target, by_pandas)
    assert series.target.min() == 1100
    assert file_notes(columns, file, [series]) == []


def test_another_way_of_writing_is_read_and_noted(columns, tmp_path):
    file = write(tmp_path / "new.csv", np.arange(30) + 0.25, lambda value: f"{value:.2f}")
    (series,) = read_new_file(columns, file)
    np.testing.assert_array_equal(series.target, pd.read_csv(file, sep=";")["x"])
    (note,) = file_notes(columns, file, [series])
    assert note.startswith("numbers of x are written like 0.25, with a decimal point, not as in")
    assert file_notes(columns, file, [series], {"decimal": "."}) == []


def test_a_comma_in_a_file_like_one_with_points_is_noted(tmp_path):
    values = np.arange(60) % 7 + 0.5
    trained = write(tmp_path / "trained.csv", values, lambda value: f"{value:.1f}")
    columns = CsvTask(file=trained, target="x", time="t").prepared
    assert "numbers" not in columns.stored  # results of plain files are stored as before
    file = write(tmp_path / "new.csv", values, lambda value: f"{value:.1f}".replace(".", ","))
    (series,) = read_new_file(columns, file)
    np.testing.assert_array_equal(series.target, pd.read_csv(file, sep=";", decimal=",")["x"])
    (note,) = file_notes(columns, file, [series])
    assert "like 0,5, decimal mark ',', not as in the file that was trained on" in note


def test_what_the_user_says_comes_first(columns, tmp_path):
    file = write(tmp_path / "new.csv", range(1100, 1130), lambda n: f"{n / 1000:.3f}")
    (series,) = read_new_file(columns, file, {"decimal": "."})
    np.testing.assert_allclose(series.target, np.arange(1100, 1130) / 1000)


def test_text_among_the_numbers_is_refused_as_before(columns, tmp_path):
    file = write(tmp_path / "new.csv", [*range(30)], lambda n: "n.a.x" if n == 7 else f"{n},5")
    with pytest.raises(DataError, match="x"):
        read_new_file(columns, file)
