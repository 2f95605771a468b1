"""Files of several series whose times repeat, parts of times, and what is told about columns."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._series import prepare
from lstm_bench.errors import DataError

YEARS = range(2000, 2015)


def panel(time="year", moments=YEARS, **keys):
    """Returns a row for each moment of each combination of keys, one series after the other."""
    rows = list(itertools.product(*keys.values(), moments))
    values = np.round(100 + 20 * np.sin(np.arange(len(rows)) / 3), 2)
    return pd.DataFrame(rows, columns=[*keys, time]).assign(v=values)


def read(file, frame, **options):
    return prepare(FileOptions(file(frame.to_csv(index=False)), target="v", **options))


SHARED = {
    "years of two keys": panel(country=["DE", "FR"], sex=["m", "f"]),
    "weeks of two keys": panel("week", range(1, 16), country=["DE", "FR"], sex=["m", "f"]),
    "years alone": panel(code=[1, 2, 3, 4]).drop(columns="code"),
    "years of codes": panel(code=[4, 8, 12, 20]).sort_values("year", kind="stable"),
    "weeks of items": panel("week", YEARS, item=[4, 8, 12]).sort_values("week", kind="stable"),
    "days of items": panel("day", range(1, 16), item=[4, 8, 12]).sort_values("day"),
    "shuffled years": panel(country=["DE", "FR"], sex=["m", "f"]).sample(frac=1, random_state=1),
}


@pytest.mark.parametrize("frame", SHARED.values(), ids=SHARED)
def test_times_that_several_series_share_are_refused_as_dates_are(file, frame):
    message = "times in '(year|week|day)' must differ, .* name the column that identifies"
    with pytest.raises(DataError, match=message):
        read(file, frame)


def test_years_that_start_again_with_a_code_are_series(file):
    frame = panel(code=[4, 8, 12, 20])
    found = read(file, frame)
    assert [s.name for s in found.series] == ["4", "8", "12", "20"]
    for series in found.series:
        expected = frame.loc[frame["code"] == int(series.name), "v"]
        assert series.target.tolist() == expected.tolist()


MONTHS = pd.period_range("2015-01", periods=60, freq="M")
VALUES = np.round(100 + 20 * np.sin(np.arange(60) / 3), 2)


@pytest.mark.parametrize("order", ["in order", "shuffled"])
@pytest.mark.parametrize(
    ("names", "years"),
    [(("annee", "mois"), 0), (("anno", "mese"), 0), (("year", "month"), 2000)],
    ids=["French", "Italian", "two digits"],
)
def test_years_and_months_are_one_series(file, order, names, years):
    frame = pd.DataFrame({names[0]: MONTHS.year - years, names[1]: MONTHS.month, "v": VALUES})
    moved = frame if order == "in order" else frame.sample(frac=1, random_state=1)
    (series,) = read(file, moved).series
    assert series.target.tolist() == VALUES.tolist()
    assert series.times.tolist() == MONTHS.astype(str).tolist()


@pytest.mark.parametrize(("first", "expected"), [("1966", "1966"), ("1998", "1998")])
def test_two_digits_are_years_close_to_one_another(file, first, expected):
    months = pd.period_range(first, periods=60, freq="M")
    frame = pd.DataFrame({"year": months.year % 100, "month": months.month, "v": VALUES})
    frame["year"] = [f"{year:02}" for year in frame["year"]]
    (series,) = read(file, frame).series
    assert series.times[0] == f"{expected}-01" and series.target.tolist() == VALUES.tolist()


PARTS = {
    "days and hours": pd.DataFrame({"day": np.arange(60) // 24 + 1, "hour": np.arange(60) % 24}),
    "years of a project": pd.DataFrame({"year": MONTHS.year - 2014, "month": MONTHS.month}),
    "names that say nothing": pd.DataFrame({"vuosi": MONTHS.year, "osa": MONTHS.month}),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_parts_of_times_are_no_series(file, parts):
    frame = parts.assign(v=VALUES)
    (series,) = read(file, frame).series
    assert series.target.tolist() == VALUES.tolist()
    if "vuosi" not in frame:
        with pytest.raises(DataError, match="or the rows must be in their order, but row "):
            read(file, frame.sample(frac=1, random_state=1))
        read(file, frame.sample(frac=1, random_state=1), time="none")


def test_numbers_in_blocks_may_be_series_and_a_note_says_so(file):
    frame = pd.DataFrame({"engine": np.repeat([1, 2, 3], 20), "setting": VALUES / 2, "v": VALUES})
    note = "the values of engine come in blocks; if they are series, set group=engine"
    assert note in read(file, frame).notes
    uneven = frame.assign(engine=np.repeat([1, 2, 3], [2, 20, 38]))
    assert not any("blocks" in told for told in read(file, uneven).notes)


def test_rows_without_a_name_of_a_series_are_told(file):
    days = pd.period_range("2024-01-01", periods=30, freq="D").astype(str)
    frame = pd.DataFrame({"shop": ["A"] * 30 + [""] * 30, "day": [*days, *days], "v": VALUES})
    found = read(file, frame)
    assert [s.name for s in found.series] == ["A", ""]
    note = "shop is blank in 30 rows, which are one series; if that is wrong, fill it in"
    assert note in found.notes


def test_a_gap_is_named_with_its_column(file):
    frame = pd.DataFrame({"t": range(60), "a": VALUES / 3, "b": VALUES / 2, "v": VALUES})
    frame.loc[5, "a"] = frame.loc[7, "v"] = np.nan
    message = "no value may be missing, but rows 7 and 9 have gaps in 'v', 'a'; set missing=drop"
    with pytest.raises(DataError, match=message):
        read(file, frame)


@pytest.mark.parametrize("missing", ["drop", "interpolate"])
def test_a_file_without_a_complete_row_is_refused(file, missing):
    frame = pd.DataFrame({"t": range(60), "a": VALUES / 3, "v": VALUES})
    frame.loc[:30, "a"], frame.loc[29:, "v"] = np.nan, np.nan
    with pytest.raises(DataError, match=r"all have gaps, most in '[av]' \(31 rows\); leave"):
        read(file, frame, missing=missing)


def test_a_second_column_of_times_is_left_out_as_such(file):
    days = pd.date_range("2024-01-20", periods=60)
    later = days + pd.Timedelta(days=1)
    frame = pd.DataFrame({"created": days, "updated": later, "v": VALUES})
    found = read(file, frame)
    assert found.time == "created"
    assert "inputs: v (left out, times, beside those of created: updated)" in found.notes


def test_a_name_in_other_letters_is_suggested(file):
    with pytest.raises(DataError, match="no column 'v'; did you mean 'V'"):
        read(file, pd.DataFrame({"t": range(60), "V": VALUES}))
