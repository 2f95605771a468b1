"""Kinds of times that are easily misread: each is read as pandas does, or refused."""

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._series import FileOptions, prepare, read_new_file
from lstm_bench.errors import DataError

COUNT = 60


def wave(count=COUNT):
    n = np.arange(count)
    return np.round(10 + 3 * np.sin(2 * np.pi * n / 12) + n % 5 / 10, 2)


class Read:
    """What is read of columns of text, and of the numbers y."""

    def __init__(self, file, columns, rows=None, **options):
        count = len(next(iter(columns.values())))
        frame = pd.DataFrame({**columns, "y": wave(count)})
        frame = frame if rows is None else frame.iloc[rows]
        path = file(frame.to_csv(index=False))
        self.prepared = prepare(FileOptions(path, **{"target": "y", **options}))
        self.series = self.prepared.series[0]
        self.notes = self.prepared.notes
        self.next = read_new_file(self.prepared, path)[0].following.tolist()


SHUFFLED = np.random.default_rng(0).permutation(COUNT)
ORDERS = pytest.mark.parametrize("rows", [None, np.arange(COUNT)[::-1], SHUFFLED],
                                 ids=["in order", "newest first", "shuffled"])  # fmt: skip


@pytest.mark.parametrize("wrong", ["YYYY-MM-DD", "%Q", "dd.mm.yyyy"])
@pytest.mark.parametrize("options", [{}, {"time": "when"}])
def test_a_date_format_that_is_no_pattern_is_refused_whether_or_not_time_is_named(
    file, wrong, options
):
    when = pd.date_range("2023-01-01", periods=COUNT)
    with pytest.raises(DataError, match=r"must be a pattern of strptime .* write it like"):
        Read(file, {"when": when}, date_format=wrong, **options)


@pytest.mark.parametrize("last", ["9999-12-31", "9999-12-31 23:00", "9999-12-31 23:00-05:00"])
def test_the_last_day_that_has_a_date_is_followed_by_no_time(file, last):
    when = pd.bdate_range("2024-01-01", periods=COUNT - 1)
    texts = when.strftime("%Y-%m-%d" + last[10:].replace("23:00", "10:00")).tolist()
    found = Read(file, {"when": [*texts, last]})
    assert found.series.times.tolist() == [*texts, last] and found.next == [""]


def test_the_end_of_the_last_day_that_has_a_date_is_in_no_calendar(file):
    texts = pd.date_range("2024-01-01", periods=COUNT - 1).strftime("%Y-%m-%d %H:%M").tolist()
    with pytest.raises(DataError, match="must be in the calendar, but row 61 has '9999-12-31 24"):
        Read(file, {"when": [*texts, "9999-12-31 24:00"]})
