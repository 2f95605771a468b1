"""What is learned from a CSV file, and everything that can be wrong with it."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._series import Asked, follow, prepare
from lstm_bench.data._table import DataError
from lstm_bench.errors import UserError
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


ASKED = {
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
        "rows 7 and 9 have gaps; set missing=drop",
    ),
    "infinite": (
        {"target": "sales"},
        rows_with(r7=("5", "-inf", "1")),
        "up to 1e.30, but row 7 holds an infinite or a larger one",
    ),
    "constant": (
        {"target": "sales"},
        HEAD + "\n".join(f"{n},5,{n % 3}" for n in range(ROWS)),
        "'sales' is constant .5 in the part to learn from., so nothing can be learnt",
    ),
    "a constant input": (
        {"target": "sales", "columns": ("price",)},
        HEAD + "\n".join(f"{n},{n % 5},1" for n in range(ROWS)),
        "'price' is constant .* leave it out of columns",
    ),
    "a time twice": (
        {"target": "sales"},
        rows_with(r7=("4", "1", "1")),
        "row 7 repeats the time of the row before",
    ),
    "times twice": (
        {"target": "sales"},
        rows_with(r7=("4", "1", "1"), r9=("6", "1", "1")),
        "rows 7 and 9 repeat the time of the row before",
    ),
    "several infinite ones": (
        {"target": "sales"},
        rows_with(r7=("5", "-inf", "1"), r8=("6", "1e40", "1")),
        "rows 7 and 8 hold an infinite or a larger one",
    ),
    "one gap": (
        {"target": "sales"},
        rows_with(r7=("5", "", "1")),
        "row 7 has a gap; ",
    ),
    "no times at all": (
        {"target": "sales", "time": "day"},
        rows_with(r7=("soon", "1", "1"), r8=("later", "1", "1")),
        "rows 7 and 8 have text like 'soon'",
    ),
    "one series of which the whole is kept back": (
        {"target": "sales", "split": "group"},
        HEAD + RISING,
        "at least 3, but there is 1; use split=time",
    ),
    "times out of order": (
        {"target": "sales"},
        rows_with(r7=("1", "1", "1")),
        "must be in order of 'day', but the time of row 7",
    ),
    "a time missing": (
        {"target": "sales"},
        rows_with(r7=("", "1", "1")),
        "must not be missing: row 7",
    ),
    "no time at all": (
        {"target": "sales", "time": "day"},
        rows_with(r7=("soon", "1", "1")),
        "numbers or dates like .* row 7 has 'soon'",
    ),
    "mixed time zones": (
        {"target": "sales"},
        HEAD + "\n".join(f"2024-01-{n + 1:02}T00:00{'Z' if n % 2 else '+02:00'},{n % 7},{n % 5}"
                         for n in range(30)),
        "of one time zone, but have .02:00, Z",
    ),
    "time zones here and there": (
        {"target": "sales"},
        HEAD + "\n".join(f"2024-01-{n + 1:02}T00:00{'Z' if n == 3 else ''},{n % 7},{n % 5}"
                         for n in range(30)),
        "must all have a time zone or none, but row 5 differs",
    ),
    "no such day": (
        {"target": "sales"},
        HEAD + "\n".join(f"2024-02-{n + 1:02},{n % 7},{n % 5}" for n in range(31)),
        "must be in the calendar, but rows 31 and 32 have days like '2024-02-30'; correct these",
    ),
    "no such day, with dots": (
        {"target": "sales"},
        HEAD + "\n".join(f"{n + 1}.4.2024,{n % 7},{n % 5}" for n in range(31)),
        "in the calendar, but row 32 has '31.4.2024'; correct these",
    ),
    "a horizon too far": (
        {"target": "sales", "horizon": 30},
        HEAD + RISING,
        "5 or more steps to learn from before the validation part, but at most 0 steps are left",
    ),
    "nothing to tell it from": (
        {"target": "sales", "horizon": 0, "columns": ()},
        HEAD + RISING,
        "there are none of numbers; use horizon=1",
    ),
    "the target among the inputs": (
        {"target": "sales", "columns": ("sales",)},
        HEAD + RISING,
        "columns must name others",
    ),
    "symbols without end": (
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
    "thousands separators": (
        {"target": "sales"},
        HEAD + "\n".join(f'{n},"{n % 5 + 1},100.5",1' for n in range(ROWS)),
        "has no numbers, in rows 2, 3, .*: '1,100.5'; write numbers without thousands separators",
    ),
    "thousands separators here and there": (
        {"target": "sales"},
        "day;sales;price\n" + "\n".join(f"{n};{'1.' * (n > 35)}100,{n};1" for n in range(ROWS)),
        "text among its numbers, in rows 38, 39, 40 and 41: '1.100,36'; write numbers",
    ),
    "text among decimal commas": (
        {"target": "sales"},
        "day;sales;price\n" + "\n".join(f"{n};{n},5;1" if n else "0;many;1" for n in range(ROWS)),
        "text among its numbers, in row 2: 'many'",
    ),
    "thousands separators in symbols": (
        {"target": "sales", "kind": "symbols"},
        HEAD + "\n".join(f'{n},"{n + 1},100",1' for n in range(ROWS)),
        "'sales' has 40 in 40 rows, like '1,100'; write numbers without thousands separators",
    ),
    "no yes and no": (
        {"target": "sales", "kind": "binary"},
        HEAD + RISING,
        "kind=binary needs .* has '0.5' in row",
    ),
    "symbols with gaps": (
        {"target": "sales", "kind": "symbols", "missing": "interpolate"},
        rows_with(r7=("5", "", "1")),
        "missing=interpolate is for numbers, but the target is symbols",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "text", "said"), ASKED.values(), ids=ASKED)
def test_what_cannot_be_learnt_from_is_refused_in_words(file, asked, text, said):
    with pytest.raises(DataError, match=said):
        prepare(Asked(file(text), **asked))


def test_a_column_may_be_called_seed_and_words_are_symbols(file):
    text = "seed,word\n" + "\n".join(f"{n * n % 13},{'abc'[n % 3]}" for n in range(ROWS))
    found = prepare(Asked(file(text), target="word"))
    assert (found.kind, found.labels, found.inputs) == ("symbols", ("a", "b", "c"), ())
    found = prepare(Asked(file(text), target="seed"))
    assert (found.kind, found.inputs) == ("real", ())


@pytest.mark.parametrize(("words", "kind"), [("yes no", "binary"), ("0 1", "binary"),
                                             ("1 2", "real"), ("up down", "symbols")])  # fmt: skip
def test_the_kind_of_a_target_is_found(file, words, kind):
    words = words.split()
    text = "a\n" + "\n".join(words[n * n % 5 % 2] for n in range(ROWS))
    assert prepare(Asked(file(text))).kind == kind


def test_gaps_are_dropped_or_filled_without_a_look_ahead(file):
    # 40 rows: rows 0 to 23 are to learn from, 24 to 31 to choose on, 32 to 39 to be scored on.
    values = np.arange(ROWS, dtype=float) ** 2
    holes = [5, 6, 28, 35, 39]
    text = "x\n" + "\n".join("" if n in holes else f"{v:g}" for n, v in enumerate(values))
    dropped = prepare(Asked(file(text + "\n"), missing="drop")).series[0]
    assert dropped.target.tolist() == np.delete(values, [5, 6, 28, 35]).tolist()[:-1]
    filled = prepare(Asked(file('x\n"' + text[2:].replace("\n", '"\n"') + '"\n'),
                           missing="interpolate")).series[0]  # fmt: skip
    latest = [max(k for k in range(n + 1) if k not in holes) for n in range(ROWS)]
    assert filled.target.tolist() == values[latest].tolist()
    assert filled.known.tolist() == [n not in holes for n in range(ROWS)]


def test_a_part_without_anything_to_score_is_refused(file):
    empty = "x\n" + "\n".join(f"{n % 7}" if n < 78 else '""' for n in range(100))
    with pytest.raises(DataError, match="test part has none with a known 'x'"):
        prepare(Asked(file(empty), missing="interpolate"))

    def groups(short):
        lines = [f"{k},{n * k % 5}" for k in range(20) for n in range(3 if str(k) in short else 6)]
        return Asked(file("g,x\n" + "\n".join(lines)), target="x", group="g", split="group",
                     horizon=3)  # fmt: skip

    back = [each.name for each in prepare(groups([])).series if each.test == 0]
    with pytest.raises(DataError, match="test part has none with a known 'x', with horizon=3"):
        prepare(groups(back))


FOLLOWED = {
    "several series": (
        "\n".join(f"{n // 2},{'ab'[n % 2]},{n % 5}" for n in range(20)),
        "rows 3, 5, .* repeat the time of the row before; keep one of them, or give a file for "
        "each series, or train a run on a file with a column of their names",
    ),
    "one series after the other": (
        "\n".join(f"{n % 10},{'ab'[n // 10]},{n % 5}" for n in range(20)),
        "the time of row 12 is before that of the row before; sort the file, or give a file for",
    ),
    "a gap": (
        "\n".join(f"{n},a,{'' if n == 5 else n % 5}" for n in range(20)),
        "row 7 has a gap; fill or leave out these rows, or train a run with missing=drop",
    ),
}


@pytest.mark.parametrize(("text", "said"), FOLLOWED.values(), ids=FOLLOWED)
def test_what_cannot_be_set_for_another_file_is_not_asked_for(file, text, said):
    found = prepare(Asked(file("day,sales\n" + "\n".join(f"{n},{n % 5}" for n in range(ROWS)))))
    other = file("day,shop,sales\n" + text, name="other.csv")
    with pytest.raises(DataError, match=said) as caught:
        follow(found, other)
    assert "as group" not in str(caught.value) and "set missing" not in str(caught.value)


def test_what_became_of_gaps_is_told(file):
    cells = {0: ",1", 9: ",", 30: "3,"}  # one value of row 2 is not there, two of row 11
    lines = [f"{n},{cells.get(n, f'{n % 7},{n % 3}')}" for n in range(ROWS)]
    path = file("day,x,y\n" + "\n".join(lines))
    told = {how: prepare(Asked(path, target="x", missing=how)).notes[1]
            for how in ("drop", "interpolate")}  # fmt: skip
    assert told["drop"] == ("37 rows (3 with gaps dropped) in the order of day, every 1, 1 to 39")
    assert told["interpolate"] == (
        "39 rows (1 with gaps dropped, 3 values filled) in the order of day, every 1, 1 to 39"
    )


def test_what_does_not_go_in_is_told_with_the_reason(file):
    lines = [f"{n},{n % 7},{n % 5},5,{'ab'[n % 2]},x" for n in range(ROWS)]
    text = "day,sales,price,level,shop,note\n" + "\n".join(lines)
    found = prepare(Asked(file(text), target="sales"))
    assert found.inputs == ("price",)
    gone = "(left out, no numbers: shop, note) (left out, constant: level)"
    assert f"inputs: sales, price {gone}" in found.notes
    assert "inputs: a" in prepare(Asked(file("a\n" + "\n".join("123" * 10)))).notes


def test_series_in_one_file_are_told_apart_by_a_column_of_names(file):
    lines = [f"{n},{name},{n + k}" for n in range(30) for k, name in enumerate(("north", "south"))]
    found = prepare(Asked(file("day,place,sales\n" + "\n".join(lines)), target="sales"))
    assert [each.name for each in found.series] == ["north", "south"]
    assert [each.target.tolist() for each in found.series] == [
        list(range(30)), list(range(1, 31))
    ]  # fmt: skip
    assert all((each.validation, each.test) == (18, 24) for each in found.series)


def test_series_without_times_are_kept_back_whole(file):
    lines = [f"s{k},{np.sin(n + k):.3f}" for k in range(10) for n in range(6)]
    found = prepare(Asked(file("id,value\n" + "\n".join(lines)), target="value", group="id"))
    cuts = sorted((each.validation, each.test) for each in found.series)
    assert cuts == [(0, 0)] * 2 + [(0, 6)] * 2 + [(6, 6)] * 6


def test_a_file_that_changes_is_read_again_and_makes_another_recipe(file, tmp_path):
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
    asked=st.fixed_dictionaries(
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
def test_whatever_is_in_a_file_there_is_a_series_or_a_message(
    tmp_path_factory, names, cells, repeat, mark, bom, asked
):
    text = "\n".join(mark.join(line) for line in [names, *cells * repeat])
    path = tmp_path_factory.mktemp("fuzz") / "data.csv"
    path.write_bytes(text.encode("utf-8-sig" if bom else "utf-8"))
    kind = {"target_kind": asked["kind"]} if "kind" in asked else {}
    own = {key: value for key, value in asked.items() if key != "kind"} | kind
    try:
        task = CsvTask.suited({"file": str(path), **own})(file=str(path), **own)
    except UserError as error:
        assert str(error)
        return
    except ValueError:
        return  # pydantic's, which `recipe` tells as it tells all of them
    problem = task.problem(0)
    assert problem.train and problem.unseen
    for sequence in problem.sequences:
        assert np.isfinite(sequence.inputs).all() and np.isfinite(sequence.targets).all()


def test_pydantic_is_told_apart():
    with pytest.raises(UserError, match="horizon"):
        recipe("csv", horizon="soon")
