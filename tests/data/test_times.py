"""Time columns: formats, order and missing steps; and the season of a series."""

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._inference import detect_season
from lstm_bench.data._series import prepare
from lstm_bench.data._table import read_table
from lstm_bench.data._time_columns import TimeOptions, read_column

ROWS = 40


def test_the_time_column_with_most_values_is_used_and_can_be_turned_off(file):
    lines = [f"{n % 12 + 1},2020-01-{n + 1:02},{n % 5}" for n in range(31)]
    text = "month,date,y\n" + "\n".join(lines)
    assert prepare(FileOptions(file(text), target="y")).time == "date"
    assert prepare(FileOptions(file(text), target="y", columns=("month",))).inputs == ("month",)
    assert prepare(FileOptions(file(text), target="month", time="none")).time is None


@pytest.mark.parametrize("written", ["%d.%m.%Y", "%d.%m.%Y %H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%MZ"])
def test_dates_are_parsed_in_several_formats_and_put_in_order(file, written):
    when = pd.date_range("2009-12-30", periods=ROWS)
    lines = [f"{day};{n % 7},5" for n, day in enumerate(when.strftime(written))]
    text = "date;sales\n" + "\n".join(lines)
    prepared = prepare(FileOptions(file(text), target="sales"))
    assert (prepared.time, prepared.inputs) == ("date", ())
    first, last = (when[n].strftime(written) for n in (0, -1))
    assert f"{ROWS} rows in the order of date, daily, {first} to {last}" in prepared.notes
    assert (
        read_column(read_table(file(text)), "date", TimeOptions()).values.tolist()
        == when.to_numpy().tolist()
    )
    lines[3:5] = lines[4], lines[3]
    moved = prepare(FileOptions(file("date;sales\n" + "\n".join(lines)), target="sales"))
    assert "(in the file: not in order)" in moved.notes[1]
    np.testing.assert_array_equal(moved.series[0].target, prepared.series[0].target)
    moved = prepare(FileOptions(file("date;sales\n" + "\n".join(lines[::-1])), target="sales"))
    np.testing.assert_array_equal(moved.series[0].target, prepared.series[0].target)


@pytest.mark.parametrize(("freq", "text"), [
    ("MS", "monthly, 3 months missing"),
    ("ME", "monthly, 3 months missing"),
    ("D", "daily, 3 days missing"),
    ("B", "every weekday, 3 weekdays missing"),
    ("W", "weekly, 3 weeks missing"),
    ("QS", "quarterly, 3 quarters missing"),
    ("YS", "yearly, 3 years missing"),
    ("h", "every hour, 3 steps missing"),
    ("15min", "every 15 minutes, 3 steps missing"),
    ("min", "every minute, 3 steps missing"),
    ("3D", "every 3 days, 3 steps missing"),
])  # fmt: skip
def test_missing_steps_are_counted(file, freq, text):
    when = pd.date_range("1999-01-01", periods=150, freq=freq)
    frame = pd.DataFrame({"date": when.strftime("%Y-%m-%d %H:%M"), "x": np.arange(150) % 7})
    note = prepare(FileOptions(file(frame.to_csv(index=False)), target="x")).notes[1]
    assert text.split(",")[0] + ", 1999" in note and "missing" not in note
    incomplete = frame.drop(index=[20, 70, 71]).to_csv(index=False)
    note = prepare(FileOptions(file(incomplete), target="x", missing="drop")).notes[1]
    assert note.startswith(f"147 rows in the order of date, {text}, 1999")


def test_missing_steps_are_counted_within_series_and_only_if_times_are_even(file):
    lines = [f"{n},{name},{n % 5}" for n in range(40) for name in "ab" if (n, name) != (7, "b")]
    text = "day,shop,x\n" + "\n".join(lines)
    note = prepare(FileOptions(file(text), target="x", missing="drop")).notes[1]
    assert "2 series by shop, 79 rows in the order of day, in steps of 1, 1 step missing, 0" in note
    lines = [f"{n + (n % 4 == 3) / 2},{n % 5}" for n in range(41)]
    note = prepare(FileOptions(file("day,x\n" + "\n".join(lines)), target="x")).notes[1]
    assert "41 rows in the order of day, irregular: mostly in steps of 1 (50% of steps), 0" in note
    lines = [*(f"{n}e-320,{n % 5}" for n in range(1, 41)), "1e30,3"]
    note = prepare(FileOptions(file("day,x\n" + "\n".join(lines)), target="x")).notes[1]
    assert "% of steps), 1e-320 to 1e30" in note


@pytest.mark.parametrize("season", [2, 3, 7, 12, 24, 52])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_season_is_detected(season, noise):
    n = np.arange(20 * season + 60)
    rng = np.random.default_rng(season)
    sine = np.sin(2 * np.pi * n / season)
    wave = rng.standard_normal(season)[n % season] if season < 10 else sine
    detected, note = detect_season([3 * wave + 0.02 * n + noise * rng.standard_normal(len(n))])
    assert detected == season and f"season of {season} rows" in note


@pytest.mark.parametrize("count", [30, 60, 100, 400])
def test_a_season_is_seldom_detected_in_noise_or_in_a_random_walk(count):
    noise = [np.random.default_rng(seed).standard_normal(count) for seed in range(200)]
    assert sum(detect_season([values])[0] is not None for values in noise) <= 20
    assert sum(detect_season([values.cumsum()])[0] is not None for values in noise) <= 20
