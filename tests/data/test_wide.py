"""Wide files whose rows and columns are parts of times, or whose columns are times."""

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._series import prepare
from lstm_bench.data._table import Reading
from lstm_bench.errors import DataError

ENGLISH = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
FRENCH = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."


def grid(times, first, names, base):
    """Returns values, and a frame of them with a row for each of `first`."""
    values = np.round(100 + 20 * np.sin(np.arange(len(times)) / 3), 2)
    frame = pd.DataFrame(values.reshape(len(first), -1), columns=list(names))
    frame.insert(0, base, first)
    return values, frame


def months(names, base="Year"):
    times = pd.period_range("1970-01", "1979-12", freq="M")
    return (times.astype(str), *grid(times, range(1970, 1980), names, base))


def hours(names, first=None, start="2024-01-20", style="%Y-%m-%d %H:%M"):
    times = pd.date_range(start, periods=240, freq="h")
    days = times[::24].strftime(style.partition(" ")[0])
    return (times.strftime(style), *grid(times, days, names, "date"))


GRIDS = {
    "numbers of months": lambda: months(range(1, 13)),
    "letters and numbers": lambda: months([f"M{n:02}" for n in range(1, 13)], "x"),
    "English months": lambda: months(ENGLISH.split()),
    "German months": lambda: months(GERMAN.split(), "Jahr"),
    "French months": lambda: months(FRENCH.split(), "Année"),
    "hours": lambda: hours(range(24)),
    "hours with a letter": lambda: hours([f"H{n:02}" for n in range(24)]),
    "times of day": lambda: hours([f"{n}:00" for n in range(24)], style="%d.%m.%Y %H:%M"),
}


def read(file, frame, wide="auto"):
    path = file(frame.to_csv(index=False))
    return prepare(FileOptions(path, reading=Reading(wide=wide)))


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("kind", GRIDS)
def test_parts_of_times_in_columns_are_one_series(file, kind, newest_first):
    times, values, frame = GRIDS[kind]()
    (series,) = read(file, frame[::-1] if newest_first else frame).series
    assert series.target.tolist() == values.tolist()
    if "of day" not in kind:
        assert series.times.tolist() == times.tolist()
    assert len(read(file, frame, "columns").series) == len(frame.columns) - 1


def test_hours_to_24_end_at_midnight(file):
    _, values, frame = hours(range(1, 25))
    found = read(file, frame)
    assert found.series[0].target.tolist() == values.tolist()
    assert any("every hour, 2024-01-20 01:00 to 2024-01-29 24:00" in note for note in found.notes)


def test_quarters_beside_years_are_one_series(file):
    times = pd.period_range("1970Q1", periods=40, freq="Q")
    values, frame = grid(times, range(1970, 1980), ["Q1", "Q2", "Q3", "Q4"], "year")
    (series,) = read(file, frame).series
    assert series.target.tolist() == values.tolist()
    assert series.times.tolist() == times.astype(str).tolist()


@pytest.mark.parametrize("first", ["%Y-%m", "%b %Y", "%Y%m"])
def test_days_beside_months_are_one_series_without_those_of_no_calendar(file, first):
    days = pd.date_range("2023-01-01", "2023-12-31")
    values = np.round(np.sin(np.arange(365) / 5), 3)
    frame = pd.DataFrame({"month": days.to_period("M"), "day": days.day, "v": values})
    frame = frame.pivot_table("v", "month", "day").reset_index()
    frame["month"] = frame["month"].dt.strftime(first)
    (series,) = read(file, frame).series
    assert series.target.tolist() == values.tolist()
    assert series.times.tolist() == days.strftime("%Y-%m-%d").tolist()
    frame.loc[1, 30] = 1.0
    with pytest.raises(DataError, match="but row 3 has a value for day 30 of 2023-02; leave that"):
        read(file, frame)


def test_parts_of_times_in_rows_are_one_series(file):
    times, values, frame = months(ENGLISH.split())
    turned = frame.set_index("Year").T.rename_axis("Month").reset_index()
    (series,) = read(file, turned).series
    assert series.target.tolist() == values.tolist() and series.times.tolist() == times.tolist()


def test_further_columns_name_the_series_or_are_left_out(file):
    times, values, frame = months(range(1, 13))
    found = read(file, frame.assign(Annual=frame.sum(axis=1)))
    assert found.series[0].target.tolist() == values.tolist()
    assert any("(left out, it is no month: Annual)" in note for note in found.notes)
    both = pd.concat([frame.assign(station=7), (frame + 0).assign(station=9)])
    found = read(file, both[["station", *frame.columns]])
    assert [s.name for s in found.series] == ["7", "9"]
    for series in found.series:
        assert series.target.tolist() == values.tolist() and series.times[0] == times[0]


def test_rows_and_columns_that_may_both_be_times_are_refused(file):
    _, _, frame = hours(range(24))
    with pytest.raises(DataError, match="must be times, but both may be: 'date' has '2024-01-20'"):
        read(file, frame.drop(columns=[3]))
    names = [*ENGLISH.split()[6:], *ENGLISH.split()[:6]]
    with pytest.raises(DataError, match="months must be in the order of the year, but begin with"):
        read(file, months(names)[2])


NAMES = {
    "%-m/%-d/%y": pd.date_range("2020-01-22", periods=40),
    "%b-%y": pd.date_range("2015-01-01", periods=40, freq="MS"),
    "%YM%m": pd.date_range("2015-01-01", periods=40, freq="MS"),
}


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("wide", ["auto", "rows"])
def test_names_of_columns_may_be_times_in_any_format(file, form, wide):
    texts = [f"{day:{form}}" if "-m" not in form else f"{day.month}/{day.day}/{day:%y}"
             for day in NAMES[form]]  # fmt: skip
    values = np.round(np.sin(np.arange(120) / 5), 3).reshape(3, 40)
    frame = pd.DataFrame(values, columns=texts)
    frame.insert(0, "Lat", [1.5, 2.5, 3.5])
    frame.insert(0, "Country", ["Chad", "Mali", "Togo"])
    found = read(file, frame, wide)
    assert [s.name for s in found.series] == ["Chad", "Mali", "Togo"]
    assert [s.target.tolist() for s in found.series] == values.tolist()
    assert found.series[0].times.tolist() == texts
    assert any("names no series: Lat" in note for note in found.notes)
