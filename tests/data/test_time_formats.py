"""Ways of writing times: read as pandas reads them with the format given, and written again."""

import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.data._rows import following_texts
from lstm_bench.data._table import Table
from lstm_bench.data._time_columns import TimeOptions, find_times, read_column
from lstm_bench.data._time_joins import FileTimes
from lstm_bench.data._time_patterns import directives, pattern_of
from lstm_bench.errors import DataError

HOURS, DAYS = ("2023-12-29 21:00", "h"), ("2023-12-05", "D")
MONTHS, QUARTERS, YEARS = ("1998-10-01", "MS"), ("1959-04-01", "QS"), ("1969-01-01", "YS")

FORMATS = [  # a format of strptime, and the times that are written in it
    ("%Y-%m-%d", DAYS), ("%Y/%m/%d", DAYS), ("%Y.%m.%d", DAYS), ("%Y%m%d", DAYS),
    ("%d.%m.%Y", DAYS), ("%d.%m.%y", DAYS), ("%d-%m-%Y", DAYS), ("%d/%m/%Y", DAYS),
    ("%m/%d/%Y", DAYS), ("%m-%d-%Y", DAYS), ("%d/%m/%y", DAYS), ("%m/%d/%y", DAYS),
    ("%d %m %Y", DAYS), ("%Y %m %d", DAYS), ("%b %d %Y", DAYS), ("%b %d, %Y", DAYS),
    ("%B %d, %Y", DAYS), ("%d %B %Y", DAYS), ("%d %b %Y", DAYS), ("%d-%b-%Y", DAYS),
    ("%d-%b-%y", DAYS), ("%d%b%Y", DAYS), ("%d. %B %Y", DAYS), ("%b. %d, %Y", DAYS),
    ("%Y-%b-%d", DAYS), ("%Y %B %d", DAYS), ("%A, %d %B %Y", DAYS), ("%a %d/%m/%Y", DAYS),
    ("%a, %b %d, %Y", DAYS), ("%Y-%j", DAYS), ("%G-W%V-%u", DAYS), ("%d of %B %Y", DAYS),
    ("%Y-%m", MONTHS), ("%Y/%m", MONTHS), ("%m/%Y", MONTHS), ("%m-%Y", MONTHS),
    ("%b %Y", MONTHS), ("%B %Y", MONTHS), ("%b-%Y", MONTHS), ("%b-%y", MONTHS),
    ("%Y %b", MONTHS), ("%Y-%b", MONTHS), ("%B, %Y", MONTHS), ("%Y-%m-%d", MONTHS),
    ("%m/%d/%Y", MONTHS), ("%d/%m/%Y", MONTHS), ("%m/%d/%y", MONTHS), ("%Y%m", MONTHS),
    ("%d.%m.%Y", ("1998-10-31", "ME")), ("%Y-%m-%d", ("1998-10-31", "ME")),
    ("%m/%d/%Y", QUARTERS), ("%b %Y", QUARTERS), ("%d/%m/%Y", YEARS), ("%Y-%m-%d", YEARS),
    ("%Y-%m-%d", ("2023-12-01", "W")), ("%Y-%m-%d %H:%M", HOURS), ("%Y-%m-%d %H:%M:%S", HOURS),
    ("%Y-%m-%dT%H:%M", HOURS), ("%Y-%m-%dT%H:%M:%S", HOURS), ("%Y-%m-%dT%H:%M:%SZ", HOURS),
    ("%Y-%m-%d %H:%M:%S.000", HOURS), ("%Y-%m-%dT%H:%M:%S.%f", HOURS), ("%Y-%m-%d %H", HOURS),
    ("%d.%m.%Y %H:%M", HOURS), ("%d/%m/%Y %H:%M", HOURS), ("%m/%d/%Y %H:%M", HOURS),
    ("%m/%d/%Y %I:%M %p", HOURS), ("%d/%m/%y %I:%M:%S %p", HOURS), ("%Y-%m-%d %I:%M%p", HOURS),
    ("%m/%d/%Y, %I:%M %p", HOURS), ("%d-%b-%y %H:%M", HOURS), ("%b %d, %Y %I:%M %p", HOURS),
    ("%Y%m%d%H", HOURS), ("%Y%m%d%H%M", HOURS), ("%Y%m%d%H%M%S", HOURS), ("%Y%m%dT%H%M%S", HOURS),
    ("%Y%m%d %H%M", HOURS), ("%Y%m%d %H:%M", HOURS), ("%d/%b/%Y:%H:%M:%S", HOURS),
    ("%a %b %d %H:%M:%S %Y", HOURS), ("%Y-%m-%d_%H:%M", HOURS), ("%d/%b/%Y:%H:%M:%S +0100", HOURS),
    ("%Y-%m-%d %H:%M:%S+00:00", HOURS), ("%Y-%m-%d %H:%M UTC", HOURS),
    ("%a, %d %b %Y %H:%M:%S GMT", HOURS), ("%Y-%m-%dT%H:%M:%S.%fZ", ("2024-01-01", "250ms")),
    ("%Y-%m-%d %H:%M:%S.%f", ("2024-02-28 23:59:59", "10ms")), ("%m/%d/%Y %H:%M:%S",
                                                            ("2024-02-28 23:59", "s")),
]  # fmt: skip


def table_of(**columns):
    return Table(
        "data.csv", "", {name: np.array(cells, object) for name, cells in columns.items()}, False
    )


def found_in(**columns):
    return find_times(table_of(**columns), TimeOptions(), set())


def expected_times(texts, written):
    """What pandas reads with the format given; an offset at the end is taken off."""
    parsed = pd.to_datetime(list(texts), format=written.replace("+0100", "%z"), utc=True)
    return parsed.tz_localize(None).to_numpy().astype("M8[us]").tolist()


@pytest.mark.parametrize(("written", "times"), FORMATS, ids=[f"{w} {t[1]}" for w, t in FORMATS])
def test_times_are_read_as_pandas_reads_them_and_the_next_is_written_alike(written, times):
    when = pd.date_range(times[0], periods=62, freq=times[1])
    texts = when.strftime(written).tolist()
    found, notes = found_in(value=["1"] * 60, x=texts[:60])
    assert found.name == "x" and not notes
    assert found.values.tolist() == expected_times(texts[:60], written)
    assert following_texts(found, np.arange(60), 2).tolist() == texts[60:]


@pytest.mark.parametrize(("written", "times"), FORMATS[4:14], ids=[w for w, _ in FORMATS[4:14]])
def test_days_and_months_without_zeros_are_read_and_written_alike(written, times):
    def unpadded(time):
        fields = {"%d": time.day, "%m": time.month}
        text = time.strftime(written.replace("%d", "<d>").replace("%m", "<m>"))
        return text.replace("<d>", str(fields["%d"])).replace("<m>", str(fields["%m"]))

    when = pd.date_range(times[0], periods=62, freq=times[1])
    texts = [unpadded(time) for time in when]
    found, _ = found_in(x=texts[:60])
    assert found.values.tolist() == when[:60].to_numpy().astype("M8[us]").tolist()
    assert following_texts(found, np.arange(60), 2).tolist() == texts[60:]


@pytest.mark.parametrize(("cells", "following", "first"), [
    (["1959Q1", "1959Q2", "1959Q3"], "1959Q4", "1959-01-01"),
    (["Q3 1959", "Q4 1959", "Q1 1960"], "Q2 1960", "1959-07-01"),
    (["1959-Q3", "1959-Q4", "1960-Q1"], "1960-Q2", "1959-07-01"),
    (["3Q59", "4Q59", "1Q60"], "2Q60", "2059-07-01"),
    (["1999M11", "1999M12", "2000M01"], "2000M02", "1999-11-01"),
    (["1999H1", "1999H2", "2000H1"], "2000H2", "1999-01-01"),
    (["2019-W51", "2019-W52", "2020-W01"], "2020-W02", "2019-12-16"),
    (["2019W51", "2019W52", "2020W01"], "2020W02", "2019-12-16"),
    (["JAN-09", "FEB-09", "MAR-09"], "APR-09", "2009-01-01"),
    (["May 2020", "June 2020", "July 2020"], "August 2020", "2020-05-01"),
    (["1st Jan 2020", "2nd Jan 2020", "3rd Jan 2020"], "4th Jan 2020", "2020-01-01"),
    (["1.1.2024 9:00", "1.1.2024 10:00", "1.1.2024 11:00"], "1.1.2024 12:00", "2024-01-01T09:00"),
    (["1/1/24 11 pm", "1/2/24 12 am", "1/2/24 1 am"], "1/2/24 2 am", None),
    (["2024-01-01 22:00", "2024-01-01 23:00", "2024-01-01 24:00"], "2024-01-02 01:00",
     "2024-01-01T22:00"),
    (["2024-01-01", "2024-01-01 12:00:00", "2024-01-02"], "2024-01-02 12:00:00", "2024-01-01"),
    (["2024-01-31", "2024-02-29", "2024-03-31"], "2024-04-30", "2024-01-31"),
    (["2024-01-30", "2024-02-29", "2024-03-30"], "2024-04-30", "2024-01-30"),
    (["2020-11-15", "2020-12-15", "2021-01-15"], "2021-02-15", "2020-11-15"),
    (["1577836800", "1577840400", "1577844000"], "1577847600", "2020-01-01"),
    (["1577836800000", "1577836800250", "1577836800500"], "1577836800750", "2020-01-01"),
    (["1577836800000000", "1577836801000000", "1577836802000000"], "1577836803000000",
     "2020-01-01"),
    (["1577836800000000000", "1577836801000000000", "1577836802000000000"],
     "1577836803000000000", "2020-01-01"),
    (["1577836800.5", "1577836801.0", "1577836801.5"], "1577836802.0", "2020-01-01T00:00:00.5"),
    (["2024-01-01T00:00+01:00[Europe/Berlin]", "2024-01-02T00:00+01:00[Europe/Berlin]",
      "2024-01-03T00:00+01:00[Europe/Berlin]"], "2024-01-04T00:00+01:00[Europe/Berlin]",
     "2023-12-31T23:00"),
    (["2024-01-01 00:00 EST", "2024-01-01 01:00 EST", "2024-01-01 02:00 EST"],
     "2024-01-01 03:00 EST", "2024-01-01T05:00"),
    (["2024-01-01 00:00 CET", "2024-01-01 01:00 CET", "2024-01-01 02:00 CET"],
     "2024-01-01 03:00 CET", "2023-12-31T23:00"),
    (["10:00", "10:15", "10:30"], "10:45", None),
    (["1990", "1991", "1992"], "1993", None),
    (["0.5", "1", "1.5"], "2", None),
    (["1958.2027", "1958.2877", "1958.3727"], "1958.4577", None),
    (["2020-01-01", "2020-01-02", "2020-01-05"], "2020-01-06", "2020-01-01"),
    (["2020-01-01", "2020-01-02", "2020-01-03 07:11"], "", "2020-01-01"),
    (["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11",
      "2024-01-12", "2024-01-15", "2024-01-16", "2024-01-17", "2024-01-18", "2024-01-19"],
     "2024-01-22", "2024-01-04"),
    (["1/2/2024", "1/2/2025"], "", None),
])  # fmt: skip
def test_the_next_time_is_written_like_the_others(cells, following, first):
    if cells[0] == "1/1/24 11 pm":
        table, options = table_of(year=cells), TimeOptions(day_first=False)
        found = find_times(table, options, set())[0]
    elif cells[0] == "1/2/2024":
        found = find_times(table_of(year=cells), TimeOptions(day_first=True), set())[0]
    else:
        found, _ = found_in(year=cells)
    if first is not None:
        assert found.values[0] == np.datetime64(first, "us")
    assert following_texts(found, np.arange(len(cells)), 1).tolist() == [following]


@pytest.mark.parametrize("text", ["soon", "1-Jan", "12", "A12-2024", "3/4", "v1.2 2024", "10.0.1",
                                  "route 66", "hello 12", "T", "", "%Y-24", "9 %"])  # fmt: skip
def test_what_is_no_time_is_not_read_as_one(text):
    assert pattern_of(text) is None


@pytest.mark.parametrize("cells", [
    ["31.2.2024", "1.3.2024"], ["2024-02-30", "2024-03-01"], ["2024-13-01", "2024-12-01"],
    ["32/12/2024", "01/12/2024"], ["2024-01-01 25:00", "2024-01-01 23:00"],
    ["2024-01-01 10:61", "2024-01-01 23:00"], ["13:00 PM", "01:00 PM"],
    ["2019-W54", "2019-W52"], ["30 Feb 2020", "1 Mar 2020"], ["0/5/2024", "1/5/2024"],
    ["2024-01-01 24:30", "2024-01-01 23:00"], ["2023-366", "2023-365"],
])  # fmt: skip
def test_times_that_are_in_no_calendar_are_refused(cells):
    with pytest.raises(DataError, match="must be in the calendar, but row 2 has"):
        read_column(table_of(x=cells), "x", TimeOptions())


def test_a_date_that_may_be_read_in_two_ways_needs_a_word_of_the_user():
    cells = [f"01/02/{year}" for year in range(1980, 2010)]
    table = table_of(x=cells)
    message = (
        r"day, month, year \(01/02/1980 is 1980-02-01\) or "
        r"month, day, year \(01/02/1980 is 1980-01-02\); set day_first"
    )
    with pytest.raises(DataError, match=message):
        read_column(table, "x", TimeOptions())
    for options, date in [
        (TimeOptions(day_first=True), "1980-02-01"), (TimeOptions(day_first=False), "1980-01-02"),
        (TimeOptions(date_format="%d/%m/%Y"), "1980-02-01"),
        (TimeOptions(date_format="%m/%d/%Y"), "1980-01-02"),
    ]:  # fmt: skip
        assert read_column(table, "x", options).values[0] == np.datetime64(date)


def test_the_order_of_day_and_month_that_leaves_even_steps_is_taken_and_noted():
    when = pd.date_range("2000-01-01", periods=40, freq="MS")
    for written, order in (("%m/%d/%Y", "month, day, year"), ("%d/%m/%Y", "day, month, year")):
        found, _ = found_in(x=when.strftime(written).tolist())
        assert found.values.tolist() == when.to_numpy().astype("M8[us]").tolist()
        assert found.notes == (f"x: read as {order}, in which they are evenly spaced",)


@pytest.mark.parametrize("wrong", ["%Q", "day", "%Y %Y", "%d%%%"])
def test_a_date_format_that_cannot_be_read_is_refused(wrong):
    with pytest.raises(DataError, match="date_format: must be a pattern of strptime"):
        read_column(table_of(x=["2024-01-01"]), "x", TimeOptions(date_format=wrong))


def test_a_date_format_that_cells_do_not_follow_is_refused():
    with pytest.raises(DataError, match=r"written like %Y-%m-%d, as date_format says, but row 3"):
        read_column(
            table_of(x=["2024-01-01", "1.1.2024"]), "x", TimeOptions(date_format="%Y-%m-%d")
        )


def test_offsets_that_change_with_summer_time_are_read_and_written_as_in_their_zone():
    for freq, start in (("h", "2024-03-29"), ("D", "2024-03-01"), ("h", "2024-10-25")):
        when = pd.date_range(start, periods=102, freq=freq, tz="Europe/Berlin")
        texts = [time.isoformat() for time in when]
        found, _ = found_in(when=texts[:100])
        utc = when[:100].tz_convert("UTC").tz_localize(None)
        assert found.values.tolist() == utc.to_numpy().astype("M8[us]").tolist()
        assert found.notes == ("when: offsets from UTC differ as in Europe/Berlin",)
        assert following_texts(found, np.arange(100), 2).tolist() == texts[100:]


def test_the_next_offset_is_that_of_the_zone_even_where_it_changes_then():
    when = pd.date_range("2023-09-01", "2024-03-31 04:00", freq="h", tz="Europe/Berlin")
    texts = [time.isoformat(sep=" ") for time in when]
    found, _ = found_in(when=texts[:-2])
    assert texts[-2].endswith("03:00:00+02:00") and texts[-3].endswith("01:00:00+01:00")
    assert following_texts(found, np.arange(len(texts) - 2), 2).tolist() == texts[-2:]


def test_offsets_of_no_known_zone_are_read_and_the_last_one_is_written():
    texts = [f"2024-01-{n + 1:02}T00:00{'Z' if n % 2 else '+02:00'}" for n in range(30)]
    found, _ = found_in(when=texts)
    utc = pd.to_datetime(texts, utc=True).tz_localize(None)
    assert found.values.tolist() == utc.to_numpy().astype("M8[us]").tolist()
    assert found.notes[0].endswith("the next times are written with the last one")


def test_zones_by_name_are_those_of_pandas():
    when = pd.date_range("2024-03-30", periods=60, freq="h", tz="America/New_York")
    texts = [f"{time:%Y-%m-%d %H:%M} America/New_York" for time in when]
    found, _ = found_in(x=texts)
    assert found.values.tolist() == when.tz_convert("UTC").tz_localize(None).to_numpy().astype(
        "M8[us]").tolist()  # fmt: skip


@pytest.mark.parametrize(("zone", "start"), [("Europe/Berlin", "2024-03-29"),
                         ("Europe/Berlin", "2024-10-25"), ("America/New_York", "2024-11-01"),
                         ("America/New_York", "2024-03-08")])  # fmt: skip
def test_local_times_without_a_zone_go_through_summer_time(zone, start):
    when = pd.date_range(start, periods=120, freq="h", tz=zone)
    texts = when.strftime("%Y-%m-%d %H:%M").tolist()
    found, _ = found_in(x=texts)
    assert (np.diff(found.values) == np.timedelta64(1, "h")).all()
    assert f"x: local time with summer time as in {zone}" in found.notes


def test_an_hour_that_is_absent_at_another_time_is_no_summer_time():
    when = pd.date_range("2024-05-01", periods=120, freq="h").delete([50])
    found, _ = found_in(x=when.strftime("%Y-%m-%d %H:%M").tolist())
    assert not found.notes and found.values.tolist() == when.to_numpy().astype("M8[us]").tolist()


WRITTEN = [written for written, (_, freq) in FORMATS if freq == "D"]


@settings(max_examples=60, deadline=None)
@given(
    written=st.sampled_from(WRITTEN),
    start=st.dates(min_value=pd.Timestamp("1970-01-01").date(),
                   max_value=pd.Timestamp("2060-01-01").date()),
    count=st.integers(40, 90), step=st.integers(1, 9),
)  # fmt: skip
def test_any_regular_days_are_read_back_and_continued(written, start, count, step):
    when = pd.date_range(start, periods=count + 3, freq=f"{step}D")
    texts = when.strftime(written).tolist()
    found, _ = found_in(x=texts[:count])
    assert found.values.tolist() == when[:count].to_numpy().astype("M8[us]").tolist()
    assert following_texts(found, np.arange(count), 3).tolist() == texts[count:]


CLOCKED = [written for written, times in FORMATS if times == HOURS]


@settings(max_examples=60, deadline=None)
@given(
    written=st.sampled_from(CLOCKED),
    start=st.datetimes(min_value=pd.Timestamp("1975-01-01").to_pydatetime(),
                       max_value=pd.Timestamp("2060-01-01").to_pydatetime()),
    hours=st.integers(1, 30),
)  # fmt: skip
def test_any_regular_hours_are_read_back_and_continued(written, start, hours):
    when = pd.date_range(pd.Timestamp(start).floor("h"), periods=62, freq=f"{hours}h")
    texts = when.strftime(written).tolist()
    found, _ = found_in(x=texts[:60])
    assert found.values.tolist() == expected_times(texts[:60], written)
    assert following_texts(found, np.arange(60), 2).tolist() == texts[60:]


@given(st.text(string.printable, max_size=20))
def test_any_text_has_a_pattern_that_can_be_read_or_none(text):
    pattern = pattern_of(text)
    assert pattern is None or directives(pattern)


def test_a_file_has_times_only_if_a_column_tells_them():
    assert found_in(T=["21.5", "20.5", "22"], y=["1", "2", "3"]) == (None, ())
    assert isinstance(found_in(t=["0", "1", "2"], y=["1", "2", "3"])[0], FileTimes)
    assert found_in(amount=["1577836800", "1577999999", "1577844000"]) == (None, ())
    assert found_in(a=["x", "y"], code=["A-1", "B-2"]) == (None, ())
    assert found_in(weekday=["Mon", "Tue"], y=["1", "2"]) == (None, ())
