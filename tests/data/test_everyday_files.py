"""Ordinary files that a rule for unusual ones must leave alone."""

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._series import prepare
from lstm_bench.errors import DataError

ROWS = 60
VALUES = np.round(100 + 20 * np.sin(np.arange(ROWS) / 5), 2)
CHANCE = np.random.default_rng(1)


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "everyday.csv"
        path.write_text(text if isinstance(text, str) else pd.DataFrame(text).to_csv(index=False))
        return prepare(FileOptions(str(path), **options))

    return read


def test_a_constant_year_is_no_time(read):
    data = read({"year": [2024] * ROWS, "x": VALUES[::-1], "v": VALUES}, target="v")
    assert (data.time, len(data.series)) == (None, 1)
    np.testing.assert_array_equal(data.series[0].target, VALUES)
    assert "constant: year" in " ".join(data.notes)


def test_days_that_begin_again_are_refused_for_no_measured_number_beside_them(read):
    for _ in range(20):
        temperature = CHANCE.integers(0, 30, ROWS)
        columns = {"day": [*range(1, 31)] * 2, "temp": temperature, "v": VALUES}
        assert read(columns, target="v").time is None


def test_weeks_that_are_called_kw_are_joined_with_their_years(read):
    weeks = {"Jahr": [2023] * 52 + [2024] * 8, "KW": [*range(1, 53), *range(1, 9)], "v": VALUES}
    times = read(weeks, target="v").series[0].times
    assert (times[0], times[-1]) == ("2023-W01", "2024-W08")


def test_row_numbers_in_quotation_marks_are_those_of_r_whatever_is_beside_them(read):
    rows = [f'"{n + 1}","{n % 7:05d}",{value}' for n, value in enumerate(VALUES)]
    data = read('"zip","v"\n' + "\n".join(rows), target="v")
    np.testing.assert_array_equal(data.series[0].target, VALUES)


def test_dates_in_quotation_marks_may_be_the_row_names_of_r_beside_years(read):
    days = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")
    rows = [f'"{day}",2024,{value}' for day, value in zip(days, VALUES, strict=True)]
    data = read('"year","v"\n' + "\n".join(rows), target="v")
    np.testing.assert_array_equal(data.series[0].target, VALUES)


def test_a_column_of_symbols_of_two_words_is_one_column(read):
    data = read("bus line\n" + "\n".join(f"Line {n % 5}" for n in range(ROWS)))
    assert data.labels == tuple(f"Line {n}" for n in range(5))


def test_a_last_row_is_data_if_its_word_stands_above_too(read):
    places = ["1", "2", "max", "3"] * 14 + ["1", "2", "3", "max"]
    data = read({"place": places, "v": VALUES}, target="v")
    np.testing.assert_array_equal(data.series[0].target, VALUES)


def test_equal_numbers_of_a_time_are_refused_with_the_way_to_keep_their_order(read):
    columns = {"year": np.repeat(np.arange(2000, 2020), 3), "v": VALUES}
    with pytest.raises(DataError, match=r"or set time=none \(--time none\) if the rows are in"):
        read(columns, target="v")
