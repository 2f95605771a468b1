"""Shapes of files: formats, names in several rows, wide files, series without times, notes."""

import gzip
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from lstm_bench.data import _file_formats
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._default_search import complete_sweep, default_search, default_settings
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._frames import write_frame
from lstm_bench.data._series import prepare
from lstm_bench.data._table import Reading, read_table
from lstm_bench.errors import DataError
from lstm_bench.recipes._recipe import recipe

ROWS = 40
FRAME = pd.DataFrame({
    "day": pd.date_range("2024-01-01", periods=ROWS),
    "sales": np.round(np.sin(np.arange(ROWS)) * 1000 + 1100, 3),
    "count": [996, 1002] * (ROWS // 2),
    "promo": [n % 3 == 0 for n in range(ROWS)],
})  # fmt: skip


def excel(frame, sheets=("Data",)):
    content = io.BytesIO()
    with pd.ExcelWriter(content, engine="openpyxl") as writer:
        for sheet in sheets:
            frame.to_excel(writer, sheet_name=sheet, index=False)
    return content.getvalue()


def parquet(frame):
    content = io.BytesIO()
    frame.to_parquet(content)
    return content.getvalue()


def zipped(*names, text=None):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, text or FRAME.to_csv(index=False))
    return content.getvalue()


FORMATS = {
    "Parquet": lambda: parquet(FRAME),
    "an indexed Parquet file": lambda: parquet(FRAME.set_index("day")),
    "Excel": lambda: excel(FRAME),
    "gzip": lambda: gzip.compress(FRAME.to_csv(index=False).encode()),
    "zip": lambda: zipped("a/data.csv"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_files_of_other_formats_hold_what_pandas_wrote(file, form):
    path = file(FORMATS[form]())
    prepared = prepare(FileOptions(path, target="sales"))
    assert prepared.series[0].target.tolist() == FRAME["sales"].tolist()
    assert prepared.time == "day" and "daily, 2024-01-01" in prepared.notes[1]
    assert read_table(path).numbers("count").tolist() == FRAME["count"].tolist()


def test_a_sheet_is_chosen_by_its_name_and_the_others_are_noted(file):
    path = file(excel(FRAME, ("First", "Second")))
    assert read_table(path).notes == ("sheet First of 2; set sheet for another",)
    assert read_table(path, Reading(sheet="Second")).notes[0].startswith("sheet Second")
    with pytest.raises(DataError, match="no sheet 'Secnd'; did you mean 'Second'"):
        read_table(path, Reading(sheet="Secnd"))


def test_archives_of_several_files_and_of_too_much_are_refused(file, monkeypatch):
    with pytest.raises(DataError, match="must hold one file, but holds 2"):
        read_table(file(zipped("a.csv", "b.csv")))
    monkeypatch.setattr(_file_formats, "MAX_UNPACKED", 2**20)
    many = "x\n" + "1\n" * 2**20
    for content in (zipped("a.csv", text=many), gzip.compress(many.encode())):
        with pytest.raises(DataError, match="up to 1 MB, but this one holds more"):
            read_table(file(content))
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_table(file(gzip.compress(b"x\n1\n2\n")[:-6]))


REFUSED = {
    "a comma that may be either mark": (
        "t\tsales\n" + "\n".join(f"{n}\t{n % 9 + 1},{n + 100}" for n in range(ROWS)),
        "comma in '1,100' may be a decimal mark or a thousands separator; use --decimal , or",
    ),
    "points beside integers, with semicolons": (
        "t;sales\n" + "\n".join(f"{n};{'996' if n % 2 else '1.002'}" for n in range(ROWS)),
        "point in '1.002' may be a decimal mark or a thousands separator; use --decimal . or",
    ),
    "units below the names": (
        "t,sales\ns,kWh\n" + "\n".join(f"{n},{n % 7}" for n in range(ROWS)),
        "row 1 must be the only one above the data, but row 2 has no numbers either .s, kWh.",
    ),
    "names in three rows": (
        ",a,a\n,x,y\nt,,\n" + "\n".join(f"{n},{n % 7},{n % 5}" for n in range(ROWS)),
        "row 3 has no numbers either .* join the names or units into row 1",
    ),
    "no names": ("\n".join(f"{n},{n % 7}" for n in range(ROWS)), "put a row of names above it"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_files_with_two_readings_are_refused_with_the_repair(file, text, message):
    with pytest.raises(DataError, match=message):
        prepare(FileOptions(file(text), target="sales"))


def test_the_marks_of_numbers_may_be_given(file):
    path = file(REFUSED["a comma that may be either mark"][0])
    marks = {"decimal": Reading(decimal=","), "thousands": Reading(thousands=",")}
    for key, factor in (("decimal", 1000), ("thousands", 1)):
        frame = pd.read_csv(path, sep="\t", **{key: ","})
        values = read_table(path, marks[key]).numbers("sales")
        assert values.tolist() == frame["sales"].tolist()
        assert values[0] == 1100 / factor


def test_gaps_may_be_numbers_of_one_column(file):
    lines = [f"{n},{-200.0 if n == 9 else n % 5},{-200 if n % 9 == 4 else n}" for n in range(ROWS)]
    path = file("t,CO,NO\n" + "\n".join(lines))
    frame = pd.read_csv(path, na_values={"CO": [-200]})
    table = CsvTask(file=path, target="CO", na={"CO": -200}, missing="drop")
    assert table.prepared.series[0].target.tolist() == frame["CO"].dropna().tolist()
    notes = CsvTask(file=path, target="NO", columns=["CO"]).prepared.notes
    assert "NO is -200 in 4 rows, far from its other values; if that stands for a gap, set" in str(
        notes
    )
    with pytest.raises(DataError, match="na: there is no column 'XO'"):
        read_table(path, Reading(na=("XO=-200",)))


def test_a_quoted_blank_is_a_symbol_and_another_one_a_gap(file):
    words = "the cat sat on the mat " * 5
    path = file("char\n" + "\n".join(f'"{letter}"' for letter in words))
    assert prepare(FileOptions(path)).labels == tuple(sorted(set(words)))
    path = file("char\n" + "\n".join(words).replace(" ", "  "))
    assert " " not in prepare(FileOptions(path, missing="drop")).labels
    path = file("t,x\n" + "\n".join(f'{n},{n % 7 if n != 9 else chr(34) + " " + chr(34)}'
                                    for n in range(ROWS)))  # fmt: skip
    assert np.isnan(read_table(path).numbers("x")[9])


def test_footers_and_comments_are_left_out_with_a_note(file):
    rows = "\n".join(f"2024-01-{n:02},{n % 7}" for n in range(1, 29))
    table = read_table(file(f"# by hand\nday,sales\n{rows}\n# so far\nTotal,84\nSource: us,\n"))
    assert len(table) == 28 and table.columns["day"][-1] == "2024-01-28"
    assert "rows 32 to 33 below the data left out ('Total', 'Source: us')" in table.notes
    assert table.describe_rows([0]) == "row 3"


WIDE = pd.DataFrame({"day": range(ROWS), "north": np.arange(ROWS) ** 2 % 17, "south": 3.5})
WIDE.loc[:9, "south"] = np.nan


def test_wide_files_have_a_series_in_each_column_or_row(file):
    expected = WIDE.melt("day", var_name="series", value_name="value").dropna()
    by_column = read_table(file(WIDE.to_csv(index=False)), Reading(wide="auto"))
    turned = WIDE.set_index("day").T.rename_axis("shop")
    by_row = read_table(file(turned.to_csv(), "rows.csv"), Reading(wide="auto"))
    for table, time in ((by_column, "day"), (by_row, "time")):
        assert table.numbers("value").tolist() == expected["value"].tolist()
        assert table.columns["series"].tolist() == expected["series"].tolist()
        assert table.numbers(time).tolist() == expected["day"].tolist()
    frame = WIDE.assign(south=np.arange(ROWS) % 5)
    prepared = prepare(FileOptions(file(frame.to_csv(index=False)), reading=Reading(wide="auto")))
    assert [s.name for s in prepared.series] == ["north", "south"]
    assert prepared.target == "value" and prepared.group == "series"


def test_series_without_times_are_recognized_by_a_column_that_starts_again(file):
    lines = [f"{unit},{n},{n * unit % 7}" for unit in (1, 2, 5) for n in range(1, 25)]
    prepared = prepare(FileOptions(file("engine,cycle,wear\n" + "\n".join(lines)), target="wear"))
    assert [(s.name, len(s)) for s in prepared.series] == [("1", 24), ("2", 24), ("5", 24)]
    assert "inputs: wear (left out, it counts the rows of each engine: cycle)" in prepared.notes
    one = prepare(FileOptions(file("engine,cycle,wear\n" + "\n".join(lines)), target="wear",
                              group="none"))  # fmt: skip
    assert len(one.series) == 1 and one.inputs == ("engine", "cycle")
    blocks = [f"{'a' if n < 25 else 'b'},{n * 5 % 11}" for n in range(60)]
    noted = prepare(FileOptions(file("state,x\n" + "\n".join(blocks)), target="x"))
    assert "the values of state come in blocks; if they are series, set group=state" in noted.notes


def test_inputs_that_are_constant_at_first_or_copies_are_left_out(file):
    lines = [f"{n},{n % 7},{n > 30:d},,{n % 7},{n % 5}" for n in range(ROWS)]
    path = file("day,x,flag,empty,copy,y\n" + "\n".join(lines))
    prepared = prepare(FileOptions(path, target="x"))
    assert prepared.inputs == ("y",) and prepared.series[0].inputs.shape == (ROWS, 1)
    assert (
        "inputs: x, y (left out, no values: empty) (left out, the same as x: copy)"
        " (left out, constant in the training set: flag)"
    ) in prepared.notes


def test_a_short_series_among_long_ones_is_left_out_of_the_default_search(file):
    lines = [f"{shop},2024-01-{n + 1:02},{n * k % 7 + n}" for k, shop in enumerate("ab", 2)
             for n in range(28)] + [f"c,2024-01-0{n},{n}" for n in (1, 2, 3)]  # fmt: skip
    settings = {"file": file("shop,day,x\n" + "\n".join(lines)), "target": "x", "task": "csv"}
    assert default_settings(settings) == {"shortest": 3}
    sweep = complete_sweep(settings)
    assert sweep["shortest"] == 3 and sweep["search"]["space"]["window"] == [3]
    assert "series too short for 3 steps in each part left out: c" in sweep["about"]
    recipe("csv", **{k: v for k, v in settings.items() if k != "task"}, shortest=3, window=3)
    kept = default_search({**settings, "shortest": 1})["space"]
    assert "window" not in kept and kept["framing"] == ["pairs"]


def test_a_frame_is_a_file_named_after_its_content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = FRAME.set_index("day").assign(letter=[" ", "a"] * (ROWS // 2), gap=np.nan)
    path = write_frame(frame)
    assert path == write_frame(frame.copy()) != write_frame(frame.iloc[1:])
    table = read_table(path)
    assert table.numbers("sales").tolist() == FRAME["sales"].tolist()
    assert table.numbers("count").tolist() == FRAME["count"].tolist()
    assert table.columns["day"][0] == "2024-01-01" and table.columns["letter"][0] == " "
    assert [p.name for p in (tmp_path / "frames").glob(".*")] == []
    for wrong in (3, {"a": [1]}, FRAME.set_axis([list("aabb"), list("xyxy")], axis=1)):
        with pytest.raises(DataError, match=r"^data: must"):
            write_frame(wrong)


def test_months_beside_years_are_one_monthly_series(file):
    """As in statsmodels' sea surface temperatures."""
    names = ["YEAR", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV",
             "DEC"]  # fmt: skip
    values = 20 + np.sin(np.arange(120) / 2).round(3)
    frame = pd.DataFrame(values.reshape(10, 12), columns=names[1:])
    frame.insert(0, "YEAR", range(1950, 1960))
    path = file(frame.to_csv(index=False))
    prepared = prepare(FileOptions(path, reading=Reading(wide="auto")))
    (series,) = prepared.series
    np.testing.assert_array_equal(series.target, values)
    months = pd.period_range("1950-01", periods=120, freq="M").astype(str)
    assert series.times.tolist() == months.tolist()
    assert any("12 columns as the months of each YEAR" in note for note in prepared.notes)
    assert any("monthly, 1950-01 to 1959-12" in note for note in prepared.notes)
    assert len(prepare(FileOptions(path, reading=Reading(wide="columns"))).series) == 12
