"""Series of a CSV file: what is inferred, gaps and splits, and the errors for wrong files."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._series import prepare, read_new_file
from lstm_bench.errors import DataError, UserError
from lstm_bench.recipes._recipe import recipe

ROWS = 40
RISING = "\n".join(f"{n},{n % 7}.5,{(n * 5) % 11}" for n in range(ROWS))
HEAD = "day,sales,price\n"


def rows_with(**changed):
    """Returns the file of `HEAD` and `RISING` with the cells of some rows changed."""
    lines = [line.split(",") for line in RISING.splitlines()]
    for place, cells in changed.items():
        lines[int(place[1:]) - 2] = list(cells)
    return HEAD + "\n".join(",".join(line) for line in lines)


WRONG = {
    "an unknown column": ({"target": "sale"}, HEAD + RISING, "did you mean 'sales'"),
    "no target": ({}, HEAD + RISING, "target must name the column .*; it has sales, price"),
    "one row": ({"target": "sales"}, HEAD + "0,1,2\n", "at least 20 rows"),
    "text among numbers": (
        {"target": "sales"},
        rows_with(r7=("5", "many", "1")),
        "column 'sales' has text among its numbers, in row 7: 'many'",
    ),
    "a formula": (
        {"target": "sales"},
        rows_with(r7=("5", "=A1+2", "1")),
        "row 7: '=A1.2'; save the file with values in place of formulas",
    ),
    "not a number": (
        {"target": "sales"},
        rows_with(r7=("5", "NaN", "1"), r9=("7", "", "1")),
        "rows 7 and 9 have gaps in 'sales'; set missing=drop",
    ),
    "infinite": (
        {"target": "sales"},
        rows_with(r7=("5", "-inf", "1")),
        "up to 1e.30, but row 7 holds an infinite or a larger one",
    ),
    "constant": (
        {"target": "sales"},
        HEAD + "\n".join(f"{n},5,{n % 3}" for n in range(ROWS)),
        "'sales' is constant .5 in the training set., so nothing can be learnt",
    ),
    "a constant input": (
        {"target": "sales", "columns": ("price",)},
        HEAD + "\n".join(f"{n},{n % 5},1" for n in range(ROWS)),
        "'price' is constant .* leave it out of columns",
    ),
    "a time twice": (
        {"target": "sales"},
        rows_with(r7=("4", "1", "1")),
        "row 7 repeats the time of another row .4.; keep one of them, set aggregate=mean",
    ),
    "times twice": (
        {"target": "sales"},
        rows_with(r7=("4", "1", "1"), r9=("6", "1", "1")),
        "rows 7 and 9 repeat the time of another row",
    ),
    "several infinite numbers": (
        {"target": "sales"},
        rows_with(r7=("5", "-inf", "1"), r8=("6", "1e40", "1")),
        "rows 7 and 8 hold an infinite or a larger one",
    ),
    "one gap": (
        {"target": "sales"},
        rows_with(r7=("5", "", "1")),
        "row 7 has a gap in 'sales'; ",
    ),
    "several times that cannot be read": (
        {"target": "sales", "time": "day"},
        rows_with(r7=("soon", "1", "1"), r8=("later", "1", "1")),
        "rows 7 and 8 have text like 'soon'",
    ),
    "one series to be split by group": (
        {"target": "sales", "split": "group"},
        HEAD + RISING,
        "at least 3, but there is 1; use split=time",
    ),
    "absent times": (
        {"target": "sales"},
        HEAD + "\n".join(f"{n},{n % 7},{n % 5}" for n in range(ROWS) if n not in (5, 6, 9)),
        "no moment may be missing, but 3 of the calendar are absent, 5, 6, 9 after row 6; set "
        "missing=drop to go on without them, or missing=interpolate",
    ),
    "a hole longer than the file": (
        {"target": "sales", "missing": "interpolate"},
        HEAD + "\n".join(f"{n + 2000 * (n > 60)},{n % 7},{n % 5}" for n in range(80)),
        "2,000 of the calendar are absent, 61, 62, 63, ... after row 62, which is more than the "
        "file has rows; correct the times, or set missing=drop",
    ),
    "absent times among symbols": (
        {"target": "sales", "kind": "symbols", "missing": "interpolate"},
        HEAD + "\n".join(f"{n},{n % 7},{n % 5}" for n in range(ROWS) if n != 5),
        "missing=interpolate is for numbers, but the target is symbols; use missing=drop",
    ),
    "times that repeat among symbols": (
        {"target": "sales", "kind": "symbols", "aggregate": "mean"},
        HEAD + "\n".join(f"{n - (n == 9)},{n % 7},{n % 5}" for n in range(ROWS)),
        "aggregate=mean is for numbers, but the target is symbols; use aggregate=first",
    ),
    "a time missing": (
        {"target": "sales"},
        rows_with(r7=("", "1", "1")),
        "must not be missing: row 7",
    ),
    "a time that cannot be read": (
        {"target": "sales", "time": "day"},
        rows_with(r7=("soon", "1", "1")),
        "numbers or dates like .* row 7 has 'soon'",
    ),
    "some times with a time zone": (
        {"target": "sales"},
        HEAD + "\n".join(f"2024-01-{n + 1:02}T00:00{'Z' if n == 3 else ''},{n % 7},{n % 5}"
                         for n in range(30)),
        "must all have a time zone or none, but row 5 differs",
    ),
    "a day that is not in the calendar": (
        {"target": "sales"},
        HEAD + "\n".join(f"2024-02-{n + 1:02},{n % 7},{n % 5}" for n in range(31)),
        "must be in the calendar, but rows 31 and 32 have days like '2024-02-30'; correct these",
    ),
    "a day that is not in the calendar, with dots": (
        {"target": "sales"},
        HEAD + "\n".join(f"{n + 1}.4.2024,{n % 7},{n % 5}" for n in range(31)),
        "in the calendar, but row 32 has '31.4.2024'; correct these",
    ),
    "a horizon too far": (
        {"target": "sales", "horizon": 30},
        HEAD + RISING,
        "5 or more training steps before the validation set, but at most 0 steps are left",
    ),
    "horizon 0 without inputs": (
        {"target": "sales", "horizon": 0, "columns": ()},
        HEAD + RISING,
        "there are none of numbers; use horizon=1",
    ),
    "the target among the inputs": (
        {"target": "sales", "columns": ("sales",)},
        HEAD + RISING,
        "columns must name others",
    ),
    "too many symbols": (
        {"target": "sales", "kind": "symbols"},
        HEAD + "\n".join(f"{n},{n},1" for n in range(1200)),
        "2 to 1,000 different ones and twice as many rows, but 'sales' has 1,200 in 1,200 rows, "
        "like '0'; use target_kind=real",
    ),
    "numbers taken for symbols": (
        {"target": "sales", "kind": "symbols"},
        HEAD + "\n".join(f"{n},{n % 21}.5,1" for n in range(ROWS)),
        "twice as many rows, but 'sales' has 21 in 40 rows, like '0.5'; use target_kind=real",
    ),
    "times for a target": (
        {"target": "date"},
        "date,sales\n" + "\n".join(f"2020-01-{n + 1:02},{n % 7}" for n in range(30)),
        "'date' has 30 in 30 rows, like '2020-01-01'; choose another column",
    ),
    "text among decimal commas": (
        {"target": "sales"},
        "day;sales;price\n" + "\n".join(f"{n};{n},5;1" if n else "0;many;1" for n in range(ROWS)),
        "text among its numbers, in row 2: 'many'",
    ),
    "thousands separators in symbols": (
        {"target": "sales", "kind": "symbols"},
        HEAD + "\n".join(f'{n},"{n + 1},100",1' for n in range(ROWS)),
        "'sales' has 40 in 40 rows, like '1,100'; use target_kind=real",
    ),
    "a binary target of other values": (
        {"target": "sales", "kind": "binary"},
        HEAD + RISING,
        "kind=binary needs .* has '0.5' in row.*; use target_kind=real",
    ),
    "symbols with gaps": (
        {"target": "sales", "kind": "symbols", "missing": "interpolate"},
        rows_with(r7=("5", "", "1")),
        "missing=interpolate is for numbers, but the target is symbols",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_and_options_are_refused(file, options, text, message):
    with pytest.raises(DataError, match=message):
        prepare(FileOptions(file(text), **options))


def test_a_column_may_be_called_seed_and_words_are_symbols(file):
    text = "seed,word\n" + "\n".join(f"{n * n % 13},{'abc'[n % 3]}" for n in range(ROWS))
    prepared = prepare(FileOptions(file(text), target="word"))
    assert (prepared.kind, prepared.labels, prepared.inputs) == ("symbols", ("a", "b", "c"), ())
    prepared = prepare(FileOptions(file(text), target="seed"))
    assert (prepared.kind, prepared.inputs) == ("real", ())


@pytest.mark.parametrize(("words", "kind"), [("yes no", "binary"), ("0 1", "binary"),
                                             ("1 2", "real"), ("up down", "symbols")])  # fmt: skip
def test_the_kind_of_a_target_is_inferred(file, words, kind):
    words = words.split()
    text = "a\n" + "\n".join(words[n * n % 5 % 2] for n in range(ROWS))
    assert prepare(FileOptions(file(text))).kind == kind


def test_gaps_are_dropped_or_filled_without_looking_ahead(file):
    # 40 rows: 0 to 23 are the training set, 24 to 31 the validation set, 32 to 39 the test set.
    values = np.arange(ROWS, dtype=float) ** 2
    gaps = [5, 6, 28, 35, 39]
    text = "x\n" + "\n".join("" if n in gaps else f"{v:g}" for n, v in enumerate(values))
    dropped = prepare(FileOptions(file(text + "\n"), missing="drop")).series[0]
    assert dropped.target.tolist() == np.delete(values, [5, 6, 28, 35]).tolist()[:-1]
    filled = prepare(FileOptions(file('x\n"' + text[2:].replace("\n", '"\n"') + '"\n'),
                           missing="interpolate")).series[0]  # fmt: skip
    latest = [max(k for k in range(n + 1) if k not in gaps) for n in range(ROWS)]
    assert filled.target.tolist() == values[latest].tolist()
    assert filled.observed.tolist() == [n not in gaps for n in range(ROWS)]


def test_a_part_without_scored_steps_is_refused(file):
    empty = "x\n" + "\n".join(f"{n % 7}" if n < 78 else '""' for n in range(100))
    with pytest.raises(DataError, match="test set has none with a known 'x'"):
        prepare(FileOptions(file(empty), missing="interpolate"))

    def groups(short):
        lines = [f"{k},{n * k % 5}" for k in range(20) for n in range(3 if str(k) in short else 6)]
        return FileOptions(file("g,x\n" + "\n".join(lines)), target="x", group="g", split="group",
                     horizon=3)  # fmt: skip

    test = [series.name for series in prepare(groups([])).series if series.test_start == 0]
    with pytest.raises(DataError, match="test set has none with a known 'x', with horizon=3"):
        prepare(groups(test))


WRONG_NEW_FILES = {
    "several series": (
        "\n".join(f"{n // 2},{'ab'[n % 2]},{n % 5}" for n in range(20)),
        "rows 3, 5, .* repeat the time of another row .0.; keep one of them, give a file for "
        "each series, or train a run on a file with a column of their names",
    ),
    "one series after the other": (
        "\n".join(f"{n % 10},{'ab'[n // 10]},{n % 5}" for n in range(20)),
        "rows 12, 13, .* repeat the time of another row .0.; keep one of them, give a file for",
    ),
    "a gap": (
        "\n".join(f"{n},a,{'' if n == 5 else n % 5}" for n in range(20)),
        "row 7 has a gap in 'sales'; fill or leave out these rows, or train a run with missing=",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG_NEW_FILES.values(), ids=WRONG_NEW_FILES)
def test_errors_about_a_new_file_do_not_suggest_options(file, text, message):
    columns = prepare(
        FileOptions(file("day,sales\n" + "\n".join(f"{n},{n % 5}" for n in range(ROWS))))
    )
    other = file("day,shop,sales\n" + text, name="other.csv")
    with pytest.raises(DataError, match=message) as caught:
        read_new_file(columns, other)
    assert "as group" not in str(caught.value) and "set missing" not in str(caught.value)


def test_dropped_and_filled_gaps_are_noted(file):
    cells = {0: ",1", 9: ",", 30: "3,"}  # row 2 lacks one value, row 11 two
    lines = [f"{n},{cells.get(n, f'{n % 7},{n % 3}')}" for n in range(ROWS)]
    path = file("day,x,y\n" + "\n".join(lines))
    notes = {missing: prepare(FileOptions(path, target="x", missing=missing)).notes[1]
             for missing in ("drop", "interpolate")}  # fmt: skip
    assert notes["drop"] == (
        "37 rows (3 with gaps dropped) in the order of day, in steps of 1, 1 to 39"
    )
    assert notes["interpolate"] == (
        "39 rows (1 with gaps dropped, 3 values filled) in the order of day, in steps of 1, 1 to 39"
    )


def test_columns_that_are_left_out_are_noted_with_the_reason(file):
    lines = [f"{n},{n % 7},{n % 5},5,{'ab'[n % 2]},x" for n in range(ROWS)]
    text = "day,sales,price,level,shop,note\n" + "\n".join(lines)
    prepared = prepare(FileOptions(file(text), target="sales"))
    assert prepared.inputs == ("price",)
    left_out = "(left out, no numbers: shop, note) (left out, constant: level)"
    hint = "(text of at most 20 values, an input if columns names it: shop)"
    assert f"inputs: sales, price {left_out} {hint}" in prepared.notes
    assert "inputs: a" in prepare(FileOptions(file("a\n" + "\n".join("123" * 10)))).notes


def test_series_in_one_file_are_identified_by_a_column_of_names(file):
    lines = [f"{n},{name},{n + k}" for n in range(30) for k, name in enumerate(("north", "south"))]
    prepared = prepare(FileOptions(file("day,place,sales\n" + "\n".join(lines)), target="sales"))
    assert [series.name for series in prepared.series] == ["north", "south"]
    assert [series.target.tolist() for series in prepared.series] == [
        list(range(30)), list(range(1, 31))
    ]  # fmt: skip
    assert all(
        (series.validation_start, series.test_start) == (18, 24) for series in prepared.series
    )


def test_whole_series_without_times_are_held_out(file):
    lines = [f"s{k},{np.sin(n + k):.3f}" for k in range(10) for n in range(6)]
    prepared = prepare(
        FileOptions(file("id,value\n" + "\n".join(lines)), target="value", group="id")
    )
    starts = sorted((s.validation_start, s.test_start) for s in prepared.series)
    assert starts == [(0, 0)] * 2 + [(0, 6)] * 2 + [(6, 6)] * 6


def test_a_changed_file_is_read_again_and_changes_the_digest(file, tmp_path):
    path = file("x\n" + "\n".join(str(n % 9) for n in range(60)))
    first = recipe("csv", file=path).digest
    assert recipe("csv", file=path).digest == first
    file("x\n" + "\n".join(str(n % 8) for n in range(60)) + "\n")
    assert recipe("csv", file=path).digest != first


CELL = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.floats(width=32).map(str),
    st.integers(-5, 5).map(str),
    st.sampled_from(["", "NaN", "inf", "=1+1", "2024-01-01", "1,5", '"', "yes", "no"]),
)


NAME = st.text(string.ascii_lowercase + ' ,;"', max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(NAME, max_size=4),
    cells=st.lists(st.lists(CELL, min_size=1, max_size=4), max_size=45),
    repeat=st.integers(1, 20),
    mark=st.sampled_from(",;\t"),
    bom=st.booleans(),
    options=st.fixed_dictionaries(
        {}, optional={
            "target": NAME, "time": NAME, "group": NAME,
            "kind": st.sampled_from(["real", "binary", "symbols"]),
            "horizon": st.integers(0, 50),
            "missing": st.sampled_from(["refuse", "drop", "interpolate"]),
            "columns": st.lists(NAME, max_size=2).map(tuple),
            "split": st.sampled_from(["time", "group"]),
        },
    ),
)  # fmt: skip
def test_any_file_gives_a_problem_or_an_error_message(
    tmp_path_factory, names, cells, repeat, mark, bom, options
):
    text = "\n".join(mark.join(line) for line in [names, *cells * repeat])
    path = tmp_path_factory.mktemp("fuzz") / "data.csv"
    path.write_bytes(text.encode("utf-8-sig" if bom else "utf-8"))
    parameters = {"target_kind" if key == "kind" else key: value for key, value in options.items()}
    try:
        task = CsvTask.class_for({"file": str(path), **parameters})(file=str(path), **parameters)
    except UserError as error:
        assert str(error)
        return
    except ValueError:
        return  # from pydantic; `recipe` reports it as it does for every task
    problem = task.problem(0)
    assert problem.train and problem.unseen
    for sequence in problem.sequences:
        assert np.isfinite(sequence.inputs).all() and np.isfinite(sequence.targets).all()


def test_an_error_of_pydantic_names_the_setting():
    with pytest.raises(UserError, match="horizon"):
        recipe("csv", horizon="soon")
