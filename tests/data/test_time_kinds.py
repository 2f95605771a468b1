"""Kinds of times that are easily misread: each is read as pandas does, or refused."""

import warnings

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._series import prepare, read_new_file
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


@ORDERS
@pytest.mark.parametrize(("written", "start", "freq"), [
    ("%b-%y", "1966-01-01", "MS"), ("%d.%m.%y", "1967-11-02", "B"), ("%m/%d/%y", "1968-11-20", "D"),
    ("%d-%b-%y", "1960-12-31", "YE"), ("%d/%m/%y", "1962-04-23", "67D"),
    ("%qQ%y", "1957-01-01", "QS"),
])  # fmt: skip
def test_years_of_two_digits_around_1969_stay_together(file, rows, written, start, freq):
    when = pd.date_range(start, periods=COUNT + 1, freq=freq)
    texts = [t.strftime(written.replace("%q", str(t.quarter))) for t in when]
    found = Read(file, {"when": texts[:-1]}, rows)
    assert found.series.times.tolist() == texts[:-1] and found.next == texts[-1:]
    if when[0].year < 1969 < when[-2].year:
        years = f"{when[0].year} to {when[-2].year}"
        assert f"when: years of two digits are {years}" in found.notes


def test_years_of_two_digits_of_a_whole_century_are_refused(file):
    texts = [f"31.12.{year % 100:02}" for year in range(1925, 2025)]
    with pytest.raises(DataError, match=r"must show their century, .* such as '31.12.00' may be"):
        Read(file, {"when": texts})


@ORDERS
@pytest.mark.parametrize("written", ["%d-%b", "%b %d", "%d %b", "%a %d %b", "%d %b %H:%M"])
@pytest.mark.parametrize(("start", "freq"), [("2024-01-01", "D"), ("2023-09-04", "B"),
                                             ("2023-01-02", "6D")])  # fmt: skip
def test_days_without_a_year_are_refused(file, rows, written, start, freq):
    texts = pd.date_range(start, periods=COUNT, freq=freq).strftime(written).tolist()
    with pytest.raises(DataError, match="must have a year, but the number in"):
        Read(file, {"when": texts}, rows)


@ORDERS
@pytest.mark.parametrize("written", ["%b-%y", "%y-%b", "%b %y"])
@pytest.mark.parametrize(("start", "freq"), [("2009-01-01", "MS"), ("2003-01-01", "QS"),
                                             ("2001-03-01", "2MS")])  # fmt: skip
def test_months_with_years_of_two_digits_are_read(file, rows, written, start, freq):
    texts = pd.date_range(start, periods=COUNT + 1, freq=freq).strftime(written).tolist()
    found = Read(file, {"when": texts[:-1]}, rows)
    assert found.series.times.tolist() == texts[:-1] and found.next == texts[-1:]


def test_what_may_be_days_or_years_of_one_month_needs_a_word_of_the_user(file):
    texts = [f"Dec-{day:02}" for day in range(1, 25)]
    with pytest.raises(DataError, match=r"set date_format=%b-%y \(--date-format\) if it is a year"):
        Read(file, {"when": texts})
    assert Read(file, {"when": texts}, date_format="%b-%y").next == ["Dec-25"]


DIGITS = {  # how they are written, the start, the step and the name of the column
    "day first": ("%d%m%Y", "2024-01-01", "D", "date"),
    "month first": ("%m%d%Y", "2024-01-05", "D", "date"),
    "day first, without a name": ("%d%m%Y", "2024-01-01", "D", "x"),
    "day first, zeros lost": ("%-d%m%Y", "2024-01-01", "D", "date"),
    "month first, zeros lost": ("%-m%d%Y", "2024-08-05", "D", "date"),
    "short years first": ("%y%m%d", "2013-12-05", "D", "yymmdd"),
    "short years last": ("%d%m%y", "1999-12-05", "D", "date"),
    "short years, zeros lost": ("%-d%m%y", "1999-12-05", "D", "date"),
    "with a point": ("%Y%m%d.0", "2024-01-01", "D", "date"),
    "months with a point": ("%Y%m.0", "2015-01-01", "MS", "month"),
    "weeks": ("%G%V", "2018-12-31", "W-MON", "week"),
    "weeks of three years": ("%G%V", "2018-12-31", "W-MON", "yearweek"),
    "quarters": ("%Y%q", "1959-01-01", "QS", "quarter"),
    "quarters after a point": ("%Y.%q", "1959-01-01", "QS", "date"),
    "months after a point": ("%Y.%m", "2015-01-01", "MS", "date"),
    "months without zeros after a point": ("%Y.%-m", "2015-01-01", "MS", "date"),
    "months after a point, as numbers are written": ("%Y.%O", "2015-06-01", "MS", "date"),
}


def written_as(when, pattern):
    """What strftime of the pattern writes, and quarters, and October without its zero."""
    october = f"{when.month:02}".rstrip("0")
    return when.strftime(pattern.replace("%q", str(when.quarter)).replace("%O", october))


@ORDERS
@pytest.mark.parametrize(("written", "start", "freq", "name"), DIGITS.values(), ids=DIGITS)
def test_dates_of_digits_are_put_in_order_and_continued(file, rows, written, start, freq, name):
    when = pd.date_range(start, periods=COUNT + 1, freq=freq)
    texts = [written_as(time, written) for time in when]
    found = Read(file, {name: texts[:-1]}, rows)
    assert found.series.times.tolist() == texts[:-1] and found.next == texts[-1:]
    np.testing.assert_array_equal(found.series.target, wave())
    assert found.prepared.inputs == ()


def test_dates_of_digits_with_one_that_is_in_no_calendar_are_refused(file):
    for written, wrong in (("%d%m%Y", "31022024"), ("%Y%m%d", "20240231"), ("%G%V", "202154")):
        freq, name = ("W-MON", "week") if "%V" in written else ("D", "date")
        texts = pd.date_range("2024-01-01", periods=COUNT, freq=freq).strftime(written).tolist()
        texts[30] = wrong
        with pytest.raises(DataError, match=f"must be in the calendar, but row 32 has '{wrong}'"):
            Read(file, {name: texts})


def test_dates_of_digits_that_may_start_with_the_day_or_the_month_need_a_word_of_the_user(file):
    texts = [f"0102{year}" for year in range(1960, 2020)]
    with pytest.raises(DataError, match=r"day, month, year .* or month, day, year"):
        Read(file, {"date": texts})
    for first, order in ((True, "dmy"), (False, "mdy")):
        found = Read(file, {"date": texts}, day_first=first)
        assert found.next == ["01022020"] and found.prepared.time_format is not None
        assert found.prepared.time_format.order == order


def test_numbers_that_are_no_dates_are_inputs_as_before(file):
    rng = np.random.default_rng(1)
    for low, high in ((10000, 99999), (100000, 999999), (10**7, 10**8 - 1)):
        found = Read(file, {"amount": rng.integers(low, high, COUNT).astype(str)})
        assert found.prepared.time is None and found.prepared.inputs == ("amount",)


PERIODS = {  # the first of 61 texts in order, and the next after them
    "seasons": [f"{y}/{(y + 1) % 100:02}" for y in range(1960, 2021)],
    "seasons that look like months": [f"{y}-{(y + 1) % 100:02}" for y in range(2000, 2012)],
    "seasons with both years": [f"{y}-{y + 1}" for y in range(1960, 2021)],
    "fiscal years": [f"FY{y}" for y in range(1960, 2021)],
    "quarters after a colon": [f"{y}:{q}" for y in range(1959, 1975) for q in range(1, 5)][:61],
    "months after a colon": [f"{y}:{m:02}" for y in range(1959, 1975) for m in range(1, 13)][:61],
    "months after a colon, no zeros": [
        f"{y}:{m}" for y in range(1959, 1975) for m in range(1, 13)][:61],
    "weeks": [t.strftime("Week %-V %G") for t in pd.date_range(
        "2019-01-28", periods=61, freq="W-MON")],
    "weeks in German": [t.strftime("KW%V/%G") for t in pd.date_range(
        "2019-01-28", periods=61, freq="W-MON")],
    "weeks after the year": [t.strftime("%G-KW%V") for t in pd.date_range(
        "2019-01-28", periods=61, freq="W-MON")],
    "offsets with a name": [f"{t:%Y-%m-%d %H:%M} UTC+1" for t in pd.date_range(
        "2019-01-28", periods=61, freq="h")],
    "offsets with a colon": [f"{t:%Y-%m-%d %H:%M} GMT-03:30" for t in pd.date_range(
        "2019-01-28", periods=61, freq="h")],
}  # fmt: skip


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("texts", PERIODS.values(), ids=PERIODS)
def test_seasons_weeks_and_quarters_are_put_in_order_and_continued(file, texts, backwards):
    groups = 1 if len(texts) > COUNT else 3
    cells = [text for text in texts[:-1] for _ in range(groups)]
    columns = {"when": cells[::-1] if backwards else cells}
    if groups > 1:
        columns["team"] = list("abc") * (len(texts) - 1)
    found = Read(file, columns)
    assert found.series.times.tolist() == texts[:-1] and found.next == texts[-1:]
    assert "missing" not in found.notes[1] and "irregular" not in found.notes[1]


def test_months_of_one_year_are_no_seasons(file):
    texts = pd.date_range("2001-01-01", periods=COUNT + 1, freq="MS").strftime("%Y-%m").tolist()
    assert Read(file, {"when": texts[:-1]}).next == texts[-1:]


MONTHS_OF_2015 = pd.date_range("2015-01-01", periods=COUNT, freq="MS")
UNREAD = {
    "mois": [f"{'jfmasondbcep'[t.month - 1]}é {t.year}" for t in MONTHS_OF_2015],
    "MTU (CET/CEST)": [f"{t:%d.%m.%Y %H:%M} - {t:%d.%m.%Y %H:59}" for t in MONTHS_OF_2015],
    "x": [f"{t:%Y} no. {t.month}" for t in MONTHS_OF_2015],
    "z": [f"in ({t:%B}) of {t.year}" for t in MONTHS_OF_2015],
}


@ORDERS
@pytest.mark.parametrize("name", UNREAD)
def test_texts_with_a_year_that_cannot_be_read_are_refused(file, rows, name):
    with pytest.raises(DataError, match=r"must be numbers or dates like 2024-03-31"):
        Read(file, {name: UNREAD[name]}, rows)
    found = Read(file, {name: UNREAD[name], "date": MONTHS_OF_2015}, rows)
    assert found.prepared.time == "date"
    assert any(note.startswith(f"{name} is not used as time: ") for note in found.notes)


def test_names_and_titles_with_a_year_are_no_times(file):
    words = ["".join(chr(97 + (7 * n + 11 * k) % 26) for k in range(5)) for n in range(COUNT)]
    found = Read(file, {"film": [f"The {word} ({1960 + n})" for n, word in enumerate(words)]})
    assert found.prepared.time is None and "(left out, no numbers: film)" in found.notes[2]


NUMBERS = {
    "Jahr": range(1960, 2020), "Survey Year": range(1960, 2020),
    "decimal_date": [f"{y + m / 12:.3f}" for y in range(2015, 2020) for m in range(12)],
    "JD": np.arange(COUNT) + 2460329.5, "datenum": np.arange(COUNT) + 739271,
    "period": np.arange(COUNT) + 24181,
    "when": [f"{1706702400 + 900 * n:.9e}" for n in range(COUNT)],
}  # fmt: skip


@ORDERS
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_are_times_put_the_rows_in_order(file, rows, name):
    found = Read(file, {name: NUMBERS[name]}, rows)
    assert (found.prepared.time, found.prepared.inputs) == (name, ())
    np.testing.assert_array_equal(found.series.target, wave())


@ORDERS
def test_numbers_that_may_be_times_are_noted_unless_they_are_in_order(file, rows):
    found = Read(file, {"x": np.arange(COUNT) + 45292}, rows)
    assert (found.prepared.time, found.prepared.inputs) == (None, ("x",))
    notes = [note for note in found.notes if note.endswith("if they are times, set time=x")]
    assert len(notes) == (rows is not None)
    found = Read(file, {"x": np.arange(COUNT) + 45292}, rows, time="x")
    np.testing.assert_array_equal(found.series.target, wave())


@pytest.mark.parametrize("rows", [None, SHUFFLED], ids=["in order", "shuffled"])
def test_years_that_do_not_fall_put_the_rows_in_order_whatever_their_name(file, rows):
    found = Read(file, {"x": range(1960, 2020)}, rows)
    assert (found.prepared.time, found.prepared.inputs) == ("x", ())
    np.testing.assert_array_equal(found.series.target, wave())


@pytest.mark.parametrize("name", [
    "time_left", "hours to failure", "timeToEvent", "day_before_event", "year BP", "lead_time",
    "T_set", "T (C)", "T_amb", "Bending moment", "tag", "dt", "response time", "level",
])  # fmt: skip
@pytest.mark.parametrize("last", [0, 1961])
def test_a_number_that_falls_is_an_input_unless_its_name_is_that_of_dates(file, name, last):
    found = Read(file, {name: np.arange(COUNT)[::-1] + last})
    assert (found.prepared.time, found.prepared.inputs) == (None, (name,))
    np.testing.assert_array_equal(found.series.target, wave())
    assert any(note.endswith(f"if they are times, set time={name}") for note in found.notes)


@pytest.mark.parametrize("name", ["T_set", "lead_time", "response time", "seconds_remaining"])
def test_different_numbers_in_no_order_are_an_input_unless_their_name_is_that_of_dates(file, name):
    for numbers in (SHUFFLED / 4, SHUFFLED + 1900):
        found = Read(file, {name: numbers})
        assert (found.prepared.time, found.prepared.inputs) == (None, (name,))
        np.testing.assert_array_equal(found.series.target, wave())


NEW_YEAR = {
    "days": (("year", "day_of_year"), "%Y", "%-j", ("2023-10-01", "D")),
    "weeks": (("year", "week_of_year"), "%G", "%-V", ("2023-08-07", "W-MON")),
    "weeks in German": (("Jahr", "Woche"), "%G", "%-V", ("2023-08-07", "W-MON")),
    "weeks of any year": (("year", "week"), "%G", "%-V", ("2023-08-07", "W-MON")),
}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", NEW_YEAR)
def test_years_are_joined_with_their_days_and_weeks_within_one_cycle(file, kind, backwards):
    names, year, part, (start, freq) = NEW_YEAR[kind]
    count = 150 if freq == "D" else 40
    when = pd.date_range(start, periods=count + 1, freq=freq)
    columns = dict(zip(names, (when[:-1].strftime(year), when[:-1].strftime(part)), strict=True))
    found = Read(file, columns, np.arange(count)[::-1] if backwards else None, missing="drop")
    written = "%Y-%m-%d" if freq == "D" else "%G-W%V"
    assert found.prepared.time == " ".join(names) and found.prepared.inputs == ()
    assert found.next[0].removesuffix(" 00:00") == when[-1].strftime(written)
    np.testing.assert_array_equal(found.series.target, wave(count))


@pytest.mark.parametrize(("name", "first"), [("time_idx", 1), ("day_index", 1), ("id", 1601)])
def test_a_number_of_rows_beside_dates_is_no_time(file, name, first):
    dates = np.repeat(pd.date_range("2024-01-01", periods=COUNT // 2).strftime("%Y-%m-%d"), 2)
    columns = {name: np.arange(COUNT) + first, "date": dates, "store": ["a", "b"] * (COUNT // 2)}
    found = Read(file, columns)
    assert found.prepared.time == "date" and len(found.prepared.series) == 2
    assert found.next == ["2024-01-31"]
    np.testing.assert_array_equal(found.series.target, wave()[::2])


@ORDERS
def test_years_and_decimal_dates_order_the_rows_beside_other_numbers_of_times(file, rows):
    when = [f"{y + m / 12:.3f}" for y in range(2015, 2020) for m in range(12)]
    found = Read(file, {"year": [text[:4] for text in when], "decimal_date": when}, rows)
    assert found.prepared.time == "decimal_date"
    np.testing.assert_array_equal(found.series.target, wave())
    months = np.arange(COUNT) * 7 % 12 + 1
    found = Read(file, {"Survey Year": range(1960, 2020), "month": months}, rows)
    assert found.prepared.time == "Survey Year"
    np.testing.assert_array_equal(found.series.target, wave())


IDS = {
    "part": [f"ORD-{n}" for n in range(1600, 1660)],
    "patient": [f"P{n}" for n in range(1801, 1861)],
    "car": [f"Golf {n}" for n in range(1960, 2020)],
    "invoice": [f"INV-{2020 + n // 30}-{n % 30 + 1}" for n in range(COUNT)],
    "file": [f"IMG_{n}.jpg" for n in range(1960, 2020)],
}


@pytest.mark.parametrize("name", IDS)
def test_ids_with_numbers_like_years_are_no_times(file, name):
    found = Read(file, {name: IDS[name]})
    assert found.prepared.time is None
    note = f"the texts of {name} hold numbers like years; if they are times, write them like"
    assert any(note in text for text in found.notes)
    found = Read(file, {name: IDS[name], "date": MONTHS_OF_2015.strftime("%Y-%m-%d")})
    assert found.prepared.time == "date" and not any("years" in text for text in found.notes)


def test_half_hours_of_a_day_are_no_minutes(file):
    when = pd.date_range("2024-01-01", periods=240, freq="30min")
    half_hour = when.hour * 2 + when.minute // 30 + 1
    for name in ("interval", "time"):
        with pytest.raises(DataError, match=r"times in '(date|time)' must differ, but"):
            Read(file, {"date": when.strftime("%Y-%m-%d"), name: half_hour})
    found = Read(file, {"date": when.strftime("%Y-%m-%d"), "interval": when.strftime("%-H%M")})
    assert found.next == ["2024-01-06 00:00"]


@pytest.mark.parametrize("stores", [("a", "b", "c"), ("1", "2", "3")])
def test_an_interval_that_is_measured_is_no_hour(file, stores):
    dates = np.repeat(pd.date_range("2024-01-01", periods=COUNT), 3).strftime("%Y-%m-%d")
    interval = np.random.default_rng(3).permutation(3 * COUNT) % 24
    columns = {"date": dates, "store": [*stores] * COUNT, "interval": interval}
    found = Read(file, columns)
    assert found.prepared.time == "date" and len(found.prepared.series) == 3
    assert found.prepared.inputs == ("interval",) and found.next == ["2024-03-01"]


def test_an_interval_of_each_day_of_each_series_is_an_hour(file):
    when = np.repeat(pd.date_range("2024-01-01", periods=24 * 5, freq="h"), 2)
    columns = {"date": when.strftime("%Y-%m-%d"), "store": ["a", "b"] * 120, "interval": when.hour}
    found = Read(file, columns)
    assert len(found.prepared.series) == 2 and found.next == ["2024-01-06 00:00"]


def test_a_date_format_is_for_times_alone(file):
    when = pd.date_range("2024-01-01", periods=COUNT).strftime("%d/%m/%Y").tolist()
    prices = wave()[::-1] + np.arange(COUNT) % 7
    found = Read(file, {"date": when, "p": prices}, date_format="%d/%m/%Y")
    assert (found.prepared.time, found.prepared.inputs) == ("date", ("p",))
    assert not any("p is not used" in note for note in found.notes)
    with pytest.raises(DataError, match="a column must have times like %H:%M, as date_format says"):
        Read(file, {"p": prices}, date_format="%H:%M")


HOURS = pd.date_range("2024-01-30", periods=COUNT + 1, freq="h")
CLOCKS = {
    "points": ("Time", [f"{t:%H.%M.%S}" for t in HOURS]),
    "points without seconds": ("Time", [f"{t:%H.%M}" for t in HOURS]),
    "stretches": ("hour", [f"{t:%H:00-%H:59}" for t in HOURS]),
    "stretches to the next hour": ("interval", [f"{t:%H:00} - {t.hour + 1:02}:00" for t in HOURS]),
    "hours in words": ("Uhrzeit", [f"{t.hour} Uhr" for t in HOURS]),
    "hours after a letter": ("hour", [f"H{t.hour:02}" for t in HOURS]),
}


@ORDERS
@pytest.mark.parametrize(("name", "clocks"), CLOCKS.values(), ids=CLOCKS)
def test_dates_are_joined_with_times_of_day_however_they_are_written(file, rows, name, clocks):
    found = Read(file, {"Date": HOURS[:-1].strftime("%d/%m/%Y"), name: clocks[:-1]}, rows)
    assert found.series.times.tolist() == HOURS[:-1].strftime("%Y-%m-%d %H:%M").tolist()
    assert found.next == ["2024-02-01 12:00"]
    assert f"Date and {name} joined" in found.notes


@ORDERS
def test_hours_that_end_are_joined_up_to_24(file, rows):
    ends = [f"HE{t.hour + 1:02}" for t in HOURS[:-1]]
    found = Read(file, {"date": HOURS[:-1].strftime("%Y-%m-%d"), "hour": ends}, rows)
    assert found.series.times[0] == "2024-01-30 01:00" and found.next == ["2024-02-01 13:00"]
    np.testing.assert_array_equal(found.series.target, wave())


@ORDERS
@pytest.mark.parametrize("names", [("Jahr", "Monat"), ("Annee", "mois"), ("anno", "mese")])
def test_years_and_months_are_joined_by_their_names_in_other_languages(file, rows, names):
    numbers = (MONTHS_OF_2015.year, MONTHS_OF_2015.month)
    found = Read(file, dict(zip(names, numbers, strict=True)), rows)
    np.testing.assert_array_equal(found.series.target, wave())
    assert found.next == ["2020-01"]


@ORDERS
@pytest.mark.parametrize(("letter", "freq", "following"), [("M", "MS", "2020-01"),
                                                           ("Q", "QS", "2030-Q1")])  # fmt: skip
def test_years_are_joined_with_periods(file, rows, letter, freq, following):
    when = pd.date_range("2015-01-01", periods=COUNT, freq=freq)
    numbers = when.month if letter == "M" else when.quarter
    columns = {"Year": when.year, "Period": [f"{letter}{n:02}" for n in numbers]}
    found = Read(file, columns, rows)
    np.testing.assert_array_equal(found.series.target, wave())
    assert found.next == [following] and found.prepared.time == "Year Period"
    assert Read(file, columns, rows, time="Year,Period").next == [following]


def test_times_of_day_that_cannot_be_read_are_no_names_of_series(file):
    when = pd.date_range("2024-01-01", periods=240, freq="h")
    columns = {"date": when.strftime("%Y-%m-%d"), "hour": [f"{t.hour}?" for t in when]}
    with pytest.raises(DataError, match=r"'hour' looks like a part of them .* set group=hour"):
        Read(file, columns)
    assert len(Read(file, columns, group="hour").prepared.series) == 24
    columns["hour"] = ["night" if t.hour < 6 else "day" for t in when]
    kept = [n for n, t in enumerate(when) if t.hour in (3, 12)]
    assert len(Read(file, columns, kept).prepared.series) == 2


@pytest.mark.parametrize("written", ["%Y-%m-%d %Hh", "%d/%m/%Y %H", "%d/%m/%Y\u00a0%H:%M"])
def test_other_libraries_do_not_warn_about_times(file, written):
    texts = pd.date_range("2024-01-20", periods=COUNT + 1, freq="h").strftime(written).tolist()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Read(file, {"when": texts[:-1]}).next == texts[-1:]


def test_the_option_by_which_dates_can_be_read_is_named(file):
    when = pd.date_range("2024-01-01", periods=COUNT)
    for written, options, repair in (
        ("%m.%d.%Y", {}, r"set day_first=false \(--month-first\)"),
        ("%d/%m/%Y", {"day_first": False}, r"set day_first=true \(--day-first\)"),
    ):
        texts = when.strftime(written).tolist()
        with pytest.raises(DataError, match=f"must be in the calendar, .*; {repair}, by which all"):
            Read(file, {"when": texts}, **options)


@pytest.mark.parametrize(("start", "freq", "written"), [
    ("2015-01-01", "BME", "%Y-%m-%d"), ("2015-01-01", "BMS", "%Y-%m-%d"),
    ("2015-01-01", "BQE-DEC", "%d.%m.%Y"), ("2010-01-01", "MS", "%m.%d.%Y"),
])  # fmt: skip
def test_the_next_moment_is_that_of_workdays_and_of_the_order_that_is_even(
    file, start, freq, written
):
    texts = pd.date_range(start, periods=COUNT + 1, freq=freq).strftime(written).tolist()
    found = Read(file, {"when": texts[:-1]})
    assert found.series.times.tolist() == texts[:-1] and found.next == texts[-1:]


@pytest.mark.parametrize(("days", "following"), [
    ((1, 11, 21), "2022-01-01"), ((15, 31), "2022-07-15"), ((1, 16), "2022-07-01"),
    ((10, 20, 31), "2021-09-10"),
])  # fmt: skip
def test_the_next_moment_after_days_of_each_month_is_the_next_of_these_days(file, days, following):
    count = 72 if days == (1, 11, 21) else 60
    months = pd.period_range("2020-01", periods=count, freq="M")
    texts = [f"{month}-{min(day, month.days_in_month):02}" for month in months for day in days]
    assert Read(file, {"when": texts[:count]}).next == [following]


def test_days_that_are_not_evenly_spaced_are_followed_by_no_time(file):
    months = [f"{2015 + n // 12}-{n % 12 + 1:02}-{25 + (n * n) % 3}" for n in range(COUNT)]
    found = Read(file, {"when": months})
    assert found.next == [""] and "monthly, 2015" in found.notes[1]


GERMAN = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September",
          "Oktober", "November", "Dezember")  # fmt: skip


@pytest.mark.parametrize(("names", "texts"), [
    (("Jahr", "Monat"), GERMAN), (("annee", "mois"), ["janv", "fév", "mars", "avr"]),
    (("year", "quarter"), ["first", "second", "third", "fourth"]),
])  # fmt: skip
def test_names_of_months_that_cannot_be_read_are_no_names_of_series(file, names, texts):
    parts = [texts[n % len(texts)] for n in range(240)]
    columns = {names[0]: [2000 + n // len(texts) for n in range(240)], names[1]: parts}
    with pytest.raises(DataError, match=rf"'{names[1]}' looks like a part .* group={names[1]}"):
        Read(file, columns)
    found = Read(file, columns, group=names[1])
    assert len(found.prepared.series) == len(set(texts))
