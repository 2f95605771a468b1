"""Which columns of a file are its times, absent moments, rows out of order, and other files."""

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._series import Columns, prepare, read_new_file
from lstm_bench.errors import DataError

COUNT = 96


def wave(count=COUNT):
    n = np.arange(count)
    return np.round(10 + 3 * np.sin(2 * np.pi * n / 12) + n % 5 / 10, 2)


def read(file, frame, **options):
    return prepare(FileOptions(file(frame.to_csv(index=False)), **{"target": "y", **options}))


def following(prepared, file, frame):
    path = file(frame.to_csv(index=False), name="new.csv")
    return [s.following.tolist() for s in read_new_file(prepared, path)]


HOURLY = pd.date_range("2024-02-27", periods=COUNT, freq="h")
JOINED = {
    "date and time": (("Date", "Time"), {"Date": HOURLY.strftime("%Y-%m-%d"),
                                         "Time": HOURLY.strftime("%H:%M:%S")}),
    "date and time with AM and PM": (("d", "at"), {"d": HOURLY.strftime("%m/%d/%Y"),
                                                   "at": HOURLY.strftime("%I:%M %p")}),
    "time before date": (("date", "clock"), {"clock": HOURLY.strftime("%H:%M"),
                                             "date": HOURLY.strftime("%d.%m.%Y")}),
    "date and hour": (("date", "hour"), {"date": HOURLY.strftime("%Y%m%d"), "hour": HOURLY.hour}),
    "date and hour to 24": (("day", "Hr"), {
        "day": (HOURLY - pd.Timedelta(hours=1)).strftime("%Y-%m-%d"),
        "Hr": (HOURLY.hour - 1) % 24 + 1}),
    "date and hhmm": (("date", "time"), {"date": HOURLY.strftime("%b %d %Y"),
                                         "time": 100 * HOURLY.hour}),
    "parts": (("year", "month", "day", "hour"), {
        "No": np.arange(COUNT), "year": HOURLY.year, "month": HOURLY.month, "day": HOURLY.day,
        "hour": HOURLY.hour}),
    "parts in another order": (("Year", "Mo", "DD", "HH"), {
        "HH": HOURLY.hour, "DD": HOURLY.day, "Mo": HOURLY.month, "Year": HOURLY.year}),
    "day of the year": (("year", "doy", "hour"), {
        "year": HOURLY.year, "doy": HOURLY.day_of_year, "hour": HOURLY.hour}),
    "day that is one of the year": (("year", "day", "hour"), {
        "year": HOURLY.year, "day": HOURLY.day_of_year, "hour": HOURLY.hour}),
}  # fmt: skip


@pytest.mark.parametrize(("names", "columns"), JOINED.values(), ids=JOINED)
def test_times_in_several_columns_are_joined_and_that_is_noted(file, names, columns):
    frame = pd.DataFrame({**columns, "y": wave()})
    options = {"columns": ()} if "No" in columns else {}
    found = read(file, frame, **options)
    assert (len(found.series), found.inputs, found.time) == (1, (), " ".join(names))
    if "doy" not in names and names[:2] != ("year", "day"):
        assert f"{', '.join(names[:-1])} and {names[-1]} joined" in found.notes
    texts = HOURLY.strftime("%Y-%m-%d %H:%M").tolist()
    assert found.series[0].times.tolist() == texts and "every hour" in found.notes[1]
    assert following(found, file, frame) == [["2024-03-02 00:00"]]
    asked = read(file, frame, time=",".join(names), **options)
    assert asked.series[0].times.tolist() == texts


@pytest.mark.parametrize(("names", "columns", "freq", "written"), [
    (("year", "month"), lambda w: {"year": w.year, "month": w.month}, "MS", "%Y-%m"),
    (("Year", "Month"), lambda w: {"Year": w.year, "Month": w.strftime("%b")}, "MS", "%Y-%m"),
    (("Year", "Month"), lambda w: {"Year": w.year, "Month": w.strftime("%B")}, "MS", "%Y-%m"),
    (("year", "quarter"), lambda w: {"year": w.year, "quarter": w.quarter}, "QS", None),
    (("year", "qtr"), lambda w: {"year": w.year, "qtr": [f"Q{q}" for q in w.quarter]}, "QS", None),
    (("year", "week"), lambda w: {"year": w.isocalendar().year, "week": w.isocalendar().week},
     "W-MON", "%G-W%V"),
])  # fmt: skip
def test_years_with_months_quarters_or_weeks_are_joined(file, names, columns, freq, written):
    when = pd.date_range("1990-01-01", periods=COUNT + 1, freq=freq)
    texts = [f"{t.year}-Q{t.quarter}" if written is None else t.strftime(written) for t in when]
    frame = pd.DataFrame(columns(when[:-1])).assign(y=wave())
    found = read(file, frame)
    assert found.series[0].times.tolist() == texts[:-1] and found.inputs == ()
    assert following(found, file, frame) == [[texts[-1]]]


def test_a_year_that_is_enough_is_not_joined(file):
    frame = pd.DataFrame(
        {"year": np.arange(1700, 1796), "month": wave() % 12 // 1 + 1, "y": wave()}
    )
    found = read(file, frame)
    assert (found.time, found.inputs) == ("year", ("month",))
    assert found.notes[1] == "96 rows in the order of year, in steps of 1, 1700 to 1795"


def test_a_month_without_a_year_orders_no_rows(file):
    found = read(file, pd.DataFrame({"month": np.arange(COUNT) % 12 + 1, "y": wave()}))
    assert found.time is None
    assert "month is not used as time: its numbers repeat, so they order no rows" in found.notes


@pytest.mark.parametrize("how", ["newest first", "not in order"])
@pytest.mark.parametrize("group", [False, True])
def test_rows_in_any_order_are_put_in_order_of_time(file, how, group):
    frame = pd.DataFrame({"when": HOURLY.strftime("%m/%d/%Y %H:%M"), "y": wave()})
    if group:
        both = [frame.assign(shop=name, y=frame["y"] + k) for k, name in enumerate("ab")]
        frame = pd.concat(both).sort_values("when", kind="stable")  # interleaved
    sorted_rows = read(file, frame)
    moved = frame[::-1] if how == "newest first" else frame.sample(frac=1, random_state=0)
    found = read(file, moved)
    assert f"in the order of when (in the file: {how}), every hour" in found.notes[1]
    by_name = {series.name: series for series in found.series}
    for series in sorted_rows.series:
        assert by_name[series.name].target.tolist() == series.target.tolist()
        assert by_name[series.name].times.tolist() == series.times.tolist()
    assert {tuple(f) for f in following(found, file, moved)} == {("03/02/2024 00:00",)}


def test_a_panel_with_a_calendar_of_its_own_for_each_series(file):
    months = pd.date_range("2000-01-01", periods=48, freq="MS")
    days = pd.date_range("1990-03-01", periods=48, freq="D")
    keep = np.delete(np.arange(48), [5, 6, 30])
    frame = pd.concat([
        pd.DataFrame({"id": "m", "when": months[keep], "y": wave(48)[keep]}),
        pd.DataFrame({"id": "d", "when": days, "y": wave(48)}),
    ])  # fmt: skip
    found = read(file, frame, missing="interpolate")
    assert [len(series) for series in found.series] == [48, 48]
    monthly = found.series[0]
    assert monthly.times.tolist() == months.strftime("%Y-%m-%d").tolist()
    assert np.flatnonzero(~monthly.observed).tolist() == [5, 6, 30]
    assert following(found, file, frame) == [["2004-01-01"], ["1990-04-18"]]


def test_summer_time_in_series_after_series(file):
    when = pd.date_range("2024-10-26", periods=COUNT, freq="h", tz="Europe/Berlin")
    local = when.strftime("%d.%m.%Y %H:%M").tolist()
    frame = pd.DataFrame({"when": local * 2, "id": ["a"] * COUNT + ["b"] * COUNT})
    found = read(file, frame.assign(y=[*wave(), *wave()]))
    assert [series.times.tolist() for series in found.series] == [local, local]
    assert "when: local time with summer time as in Europe/Berlin" in found.notes


@pytest.mark.parametrize(("freq", "written"), [
    ("D", "%Y-%m-%d"), ("W", "%d.%m.%Y"), ("MS", "%b %Y"), ("ME", "%Y-%m-%d"), ("QS", "%m/%d/%Y"),
    ("YS", "%Y-%m-%d"), ("h", "%Y-%m-%d %H:%M"), ("15min", "%Y-%m-%dT%H:%M:%SZ"), ("h", "epoch"),
    ("D", "number"),
])  # fmt: skip
def test_absent_moments_are_gaps_like_empty_cells(file, freq, written):
    when = pd.date_range("1999-01-01", periods=COUNT, freq=freq)
    texts = when.strftime(written)
    if written == "epoch":
        texts = when.astype("datetime64[s]").astype("int64")
    if written == "number":
        texts = np.arange(COUNT)
    whole = pd.DataFrame({"time": texts, "price": wave()[::-1], "y": wave()})
    gaps = [20, 50, 51]
    empty = whole.assign(
        **{k: whole[k].mask(np.isin(np.arange(COUNT), gaps)) for k in ("price", "y")}
    )
    absent = whole.drop(index=gaps)
    filled, expected = (read(file, f, missing="interpolate") for f in (absent, empty))
    for name in ("target", "inputs", "observed", "times", "time_ranks"):
        values = (getattr(read_as.series[0], name).tolist() for read_as in (filled, expected))
        assert next(values) == next(values), name
    assert (filled.season, filled.series[0].test_start) == (12, expected.series[0].test_start)
    assert "(3 absent from the file, filled and not scored)" in filled.notes[1]
    dropped = read(file, absent, missing="drop").series[0]
    assert dropped.target.tolist() == absent["y"].tolist()
    with pytest.raises(
        DataError, match=r"3 of the calendar are absent, .* after row 21; set missing"
    ):
        read(file, absent)


DAYS = pd.Series(pd.date_range("2020-01-01", periods=200))
QUARTER_HOURS = pd.Series(1, pd.date_range("2020-01-01", periods=2000, freq="15min"))
RNG = np.random.default_rng(0)
SESSIONS = {
    "weekdays": (
        pd.bdate_range("2020-01-01", periods=150).delete([40, 41, 90]),
        "every weekday, 3 weekdays missing",
    ),
    "six days": (DAYS[DAYS.dt.day_of_week != 6], "every day but Sunday"),
    "hours": (
        QUARTER_HOURS.between_time("9:00", "17:00").index,
        "every 15 minutes, at 33 times of the day",
    ),
    "hours on weekdays": (
        QUARTER_HOURS[QUARTER_HOURS.index.day_of_week < 5].between_time("9:00", "17:00").index,
        "every 15 minutes, at 33 times of the day, on weekdays",
    ),
    "some days": (
        pd.date_range("2020-01-01", periods=900)[np.sort(RNG.permutation(900)[:200])],
        "irregular: mostly ",
    ),
    "events": (
        pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(1, 10**6, 200).cumsum(), "s"),
        "irregular: mostly every",
    ),
}


@pytest.mark.parametrize(("when", "name"), SESSIONS.values(), ids=SESSIONS)
def test_weekends_nights_and_irregular_times_are_no_gaps(file, when, name):
    frame = pd.DataFrame({"when": np.asarray(when), "y": wave(len(when))})
    found = read(file, frame)
    assert f"in the order of when, {name}" in found.notes[1]
    assert found.series[0].target.tolist() == frame["y"].tolist()


def test_the_next_time_skips_nights_and_weekends(file):
    when = (
        pd.date_range("2020-01-01", periods=2000, freq="h")
        .to_series()
        .between_time("9:00", "17:00")
    )
    when = when.loc[lambda s: s.dt.day_of_week < 5].index
    frame = pd.DataFrame({"when": when.strftime("%Y-%m-%d %H:%M"), "y": wave(len(when))})
    last = int(np.flatnonzero((when.day_of_week == 4) & (when.hour == 17))[-1]) + 1
    found = read(file, frame[:last], horizon=2)
    assert following(found, file, frame[:last]) == [frame["when"][last : last + 2].tolist()]


@pytest.mark.parametrize(("how", "expected"), [("mean", 4.0), ("sum", 8.0), ("first", 7.0),
                                               ("last", 1.0)])  # fmt: skip
def test_rows_of_one_time_are_refused_or_merged(file, how, expected):
    frame = pd.DataFrame({"when": HOURLY, "y": wave()})
    frame.loc[3, "y"] = 7.0
    again = pd.DataFrame({"when": [HOURLY[3], HOURLY[9]], "y": [1.0, np.nan]})
    frame = pd.concat([frame, again])
    with pytest.raises(DataError, match=r"rows 98 and 99 repeat .* aggregate=mean.* as group"):
        read(file, frame, missing="drop")
    found = read(file, frame, aggregate=how)
    assert len(found.series[0]) == COUNT and found.series[0].target[3] == expected
    assert found.series[0].target[9] == frame["y"].iloc[9]
    assert f"(2 merged by aggregate={how})" in found.notes[1]


@pytest.mark.parametrize(("column", "message"), [
    ([f"day {'abc'[n % 3]}" for n in range(COUNT)], None),
    ([f"{n // 12 + 1}-{n % 12 + 1:02}" for n in range(COUNT)], "rows 2, .* text like '1-01'"),
    ([f"{n % 28 + 1} janvier {1900 + n}" for n in range(COUNT)], "like '1 janvier 1900'"),
    ([f"2024-01-{n % 28 + 1:02}" if n % 4 else "unknown" for n in range(COUNT)], "rows 2, 6"),
    ([str(n) if n != 5 else "soon" for n in range(COUNT)], "row 7 has 'soon'"),
])  # fmt: skip
def test_what_looks_like_times_and_cannot_be_read_is_not_dropped_silently(file, column, message):
    frame = pd.DataFrame({"day": column, "y": wave()})
    if message is None:
        assert "(left out, no numbers: day)" in read(file, frame).notes[2]
        return
    with pytest.raises(DataError, match=f"times in 'day' must be .* {message}"):
        read(file, frame)
    found = read(file, frame.assign(date=HOURLY.strftime("%Y-%m-%d %H:%M")))
    assert found.time == "date"
    assert any(
        note.startswith("day is not used as time: times in 'day' must be") for note in found.notes
    )
    assert read(file, frame, time="none").time is None


def test_times_of_day_alone_are_noted(file):
    found = read(file, pd.DataFrame({"at": HOURLY.strftime("%H:%M"), "y": wave()}))
    assert found.time is None
    assert "at is not used as time: times of day, with no column of dates" in found.notes


def test_another_file_is_read_in_the_same_way(file):
    when = pd.date_range("2024-01-01", periods=COUNT)
    found = read(file, pd.DataFrame({"when": when.strftime("%m/%d/%Y"), "y": wave()}))
    few = pd.date_range("2025-02-03", periods=8)  # could be read as days of several months
    frame = pd.DataFrame({"when": few.strftime("%m/%d/%Y"), "y": wave(8)})
    assert following(found, file, frame) == [["02/11/2025"]]
    asked = read(file, pd.DataFrame({"when": when.strftime("%d|%m|%Y"), "y": wave()}),
                 date_format="%d|%m|%Y")  # fmt: skip
    frame = pd.DataFrame({"when": few.strftime("%d|%m|%Y"), "y": wave(8)})
    assert following(asked, file, frame) == [["11|02|2025"]]
    frame["when"] = few.strftime("%Y-%m-%d")
    with pytest.raises(DataError, match=r"written like %d\|%m\|%Y"):
        following(asked, file, frame)
    assert following(asked, file, frame.drop(columns="when")) == [["row 10"]]


def test_columns_that_were_stored_before_are_read(file):
    columns = Columns("real", "y", (), (), "when", None, 1, "refuse")
    frame = pd.DataFrame({"when": HOURLY.strftime("%Y-%m-%d %H:%M"), "y": wave()})
    assert following(columns, file, frame) == [["2024-03-02 00:00"]]


def test_the_season_is_that_of_the_calendar_with_its_gaps(file):
    when = pd.date_range("1962-01-01", periods=120, freq="MS").strftime("%Y-%m")
    frame = pd.DataFrame({"Month": when, "y": np.round(wave(120), 1)})
    holes = frame.drop(index=[7, 8, 21, 33, 34, 35, 50, 61, 62, 63, 77, 90, 101])
    assert read(file, frame).season == 12
    assert read(file, holes, missing="interpolate").season == 12


def test_what_is_needed_to_read_times_is_plain_values_and_not_part_of_the_digest(file):
    import json

    path = file(pd.DataFrame({"when": HOURLY, "y": wave()}).to_csv(index=False))
    task = CsvTask(file=path, target="y")
    stored = json.loads(json.dumps(task.preprocessing))["columns"]["time_format"]
    assert (stored["columns"], stored["pattern"]) == (["when"], "%Y-%m-%d %H:%M:%S")
    new = {"date_format", "day_first", "aggregate"}
    assert not new & task.model_dump(exclude_none=True).keys()
