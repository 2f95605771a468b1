"""Cells that stand for a gap and cells that do not, in columns of text and of numbers."""

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._new_file import file_notes
from lstm_bench.data._series import prepare, read_new_file
from lstm_bench.data._table import Reading
from lstm_bench.errors import DataError

ROWS = 60
DAYS = pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d").tolist()
EVENTS = [("xmas", "easter")[n % 2] if n % 7 == 3 else None for n in range(ROWS)]


def table(cells, numbers=None, head=("day", "hol", "sales")):
    """Returns a file with these cells in its second column."""
    numbers = [n * n % 17 for n in range(ROWS)] if numbers is None else numbers
    rows = zip(DAYS, cells, numbers, strict=False)
    return "\n".join(",".join(map(str, row)) for row in (head, *rows)) + "\n"


@pytest.mark.parametrize("missing", ["refuse", "drop", "interpolate"])
@pytest.mark.parametrize("word", ["none", "None", "-", "?", "", '" "'])
@pytest.mark.parametrize("role", ["known", "columns"])
def test_no_event_is_not_a_gap_in_a_column_of_text(file, role, word, missing):
    path = file(table([event or word for event in EVENTS]))
    prepared = prepare(FileOptions(path, "sales", missing=missing, **{role: ("hol",)}))
    (series,) = prepared.series
    text = pd.read_csv(path, keep_default_na=False)["hol"].str.strip().replace("", np.nan)
    dummies = pd.get_dummies(text, dtype=float)
    np.testing.assert_array_equal(series.known if role == "known" else series.inputs, dummies)
    assert prepared.categories == (("hol", tuple(dummies.columns)),)
    note = f"empty cells of text are 0 in all features: {EVENTS.count(None)} of hol"
    assert (note in prepared.notes) == (not word.strip('" '))


@pytest.mark.parametrize(("word", "na"), [("NA", None), ("nan", None), ("none", ("hol=none",))])
def test_a_gap_in_a_column_of_text_is_filled_or_dropped(file, word, na):
    cells = [word if n % 9 == 4 else ("sun", "rain")[n % 2] for n in range(ROWS)]
    path = file(table(cells))
    options = {"target": "sales", "columns": ("hol",), "reading": Reading(na=na)}
    with pytest.raises(DataError, match="row"):
        prepare(FileOptions(path, **options))
    frame = pd.read_csv(path, na_values=["none"])
    for missing, text in (("drop", frame["hol"].dropna()), ("interpolate", frame["hol"].ffill())):
        (series,) = prepare(FileOptions(path, missing=missing, **options)).series
        np.testing.assert_array_equal(series.inputs, pd.get_dummies(text, dtype=float))


def test_the_rows_ahead_may_have_no_event(file):
    path = file(table([event or "" for event in EVENTS]))
    options = FileOptions(path, "sales", known=("hol",))
    prepared = prepare(options)
    ahead = "2024-03-01,,\n2024-03-02,xmas,\n"
    (series,) = read_new_file(prepared, file(table([e or "" for e in EVENTS]) + ahead, "new.csv"))
    assert series.known[-2:].tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert len(series) == ROWS and len(series.ahead) == 2


SYMBOLS = [("up", "down", "NA", "up", "-")[n % 5] for n in range(ROWS)]


def test_na_is_a_gap_among_symbols_and_other_words_are_told(file):
    path = file(table(SYMBOLS))
    with pytest.raises(DataError, match=r"no value may be missing, but rows 4, 9"):
        prepare(FileOptions(path, "hol"))
    prepared = prepare(FileOptions(path, "hol", missing="drop"))
    assert prepared.labels == ("-", "down", "up")
    assert "target hol: symbols, 3 different (if '-' stands for a gap, set na)" in prepared.notes
    expected = [symbol for symbol in SYMBOLS if symbol != "NA"]
    (series,) = prepared.series
    assert [prepared.labels[int(place)] for place in series.target] == expected
    told = prepare(FileOptions(path, "hol", missing="drop", reading=Reading(na=("-",))))
    assert told.labels == ("down", "up")


def test_names_that_look_like_gaps_stay_symbols(file):
    prepared = prepare(FileOptions(file(table([("Na", "Cl", "na")[n % 3] for n in range(ROWS)]))
                                   , "hol"))  # fmt: skip
    assert prepared.labels == ("Cl", "Na", "na")
    letters = prepare(FileOptions(file(table(list("a-b?") * 15)), "hol"))
    assert letters.labels == ("-", "?", "a", "b")
    assert "target hol: symbols, 4 different" in letters.notes


@pytest.mark.parametrize("word", ["x", "nil", "*", "(null)", "\\N", "<0.5", "inf"])
@pytest.mark.parametrize("role", ["target", "input"])
def test_a_word_among_numbers_is_named_with_the_repair_which_holds(file, role, word):
    numbers = [word if n in (7, 19) else n * n % 19 + 0.5 for n in range(ROWS)]
    path = file(table(numbers))
    told = f"if '{word}' stands for a gap, set na='{word}' (--na)"
    if role == "target":
        with pytest.raises(DataError) as refused:
            prepare(FileOptions(path, "hol"))
        assert told in str(refused.value) and "rows 9 and 21" in str(refused.value)
    else:
        prepared = prepare(FileOptions(path, "sales"))
        assert prepared.inputs == ()
        assert f"{word.encode('unicode_escape').decode()}' in rows 9 and 21; {told}: hol" in str(
            prepared.notes[2]
        )
    reading = Reading(na=(word,))
    target = "hol" if role == "target" else "sales"
    (series,) = prepare(FileOptions(path, target, missing="drop", reading=reading)).series
    expected = pd.read_csv(path, na_values=[word])["hol"].replace(np.inf, np.nan).dropna()
    values = series.target if role == "target" else series.inputs[:, 0]
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(("words", "message"), [
    (["~5.5"], "'~5.5'; correct these, or choose"),
    (["M", "T"], "if 'M', 'T' stand for gaps, set na"),
])  # fmt: skip
def test_numbers_with_a_mark_are_not_offered_as_gaps(file, words, message):
    numbers = [*words, *range(ROWS - len(words))]
    with pytest.raises(DataError, match=message):
        prepare(FileOptions(file(table(numbers)), "hol"))


POSITIVE = [300 + n * n * 37 % 1801 for n in range(ROWS)]


@pytest.mark.parametrize("value", ["-999", "-999.0", "-200", "-99", "9999999", "1e20", "-32768"])
def test_a_number_that_often_stands_for_a_gap_is_told(file, value):
    numbers = [value if n % 19 == 4 else number for n, number in enumerate(POSITIVE)]
    path = file(table(DAYS, numbers))
    text = f"{float(value):g}"
    note = f"sales is {text} in 3 rows, far from its other values; if that stands for a gap, set"
    notes = prepare(FileOptions(path, "sales")).notes
    assert f"{note} na={text}" in notes
    reading = Reading(na=(text,))
    (series,) = prepare(FileOptions(path, "sales", missing="drop", reading=reading)).series
    expected = pd.read_csv(path, na_values=[text])["sales"].dropna()
    np.testing.assert_array_equal(series.target, expected)


@pytest.mark.parametrize("numbers", [
    [(1, -1)[n * n % 7 > 2] for n in range(ROWS)],  # two values
    [n * n % 3 - 1 for n in range(ROWS)],
    [-99 if n % 19 == 4 else 40 * (n * n % 7) - 120 for n in range(ROWS)],  # others are negative
    [1998 if n % 19 == 4 else 1900 + n for n in range(ROWS)],
])  # fmt: skip
def test_ordinary_numbers_are_not_told_to_be_gaps(file, numbers):
    assert "gap" not in str(prepare(FileOptions(file(table(DAYS, numbers)), "sales")).notes)


def test_a_forecast_from_a_row_without_a_value_or_without_times_is_noted(file):
    path = file("day,sales\n" + "\n".join(f"{d},{n * n % 17}" for n, d in enumerate(DAYS)))
    prepared = prepare(FileOptions(path, "sales", missing="interpolate"))
    assert file_notes(prepared, path, read_new_file(prepared, path)) == []
    lines = [f"{d},{'' if n > 57 else n * n % 17}" for n, d in enumerate(DAYS)]
    later = file("day,sales\n" + "\n".join(lines), "later.csv")
    (note,) = file_notes(prepared, later, read_new_file(prepared, later))
    assert note.startswith("2 rows have no value of sales, so forecasts with that origin start")
    assert note.endswith("2024-02-28, 2024-02-29")
    untimed = file("sales\n" + "\n".join(str(n * n % 17) for n in range(ROWS)), "untimed.csv")
    (note,) = file_notes(prepared, untimed, read_new_file(prepared, untimed))
    assert note.startswith("the file has no column 'day', which holds the times of the training")
