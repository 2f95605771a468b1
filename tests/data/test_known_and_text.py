"""Columns that are known in advance, and columns of text, as inputs."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lstm_bench as lb
from lstm_bench.data._columns import Columns, Series
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._future_rows import future_rows
from lstm_bench.data._series import leave_out_constant, prepare
from lstm_bench.errors import DataError, RecipeError, UserError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.training._forecast import forecast_file
from lstm_bench.training._run import run

ROWS, CUT = 100, 80
WEATHER = ("fog", "rain", "sun")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d")})
    table["promo"] = (rng.random(ROWS) > 0.5).astype(int)
    table["weather"] = rng.choice(WEATHER, ROWS)
    table["price"] = rng.normal(size=ROWS)
    noise = rng.normal(0, 0.05, ROWS)
    table["sales"] = 10 + 4 * table["promo"] + 2 * (table["weather"] == "sun") + noise
    return table


@pytest.fixture(scope="module")
def file(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("known") / "shop.csv"
    frame.to_csv(path, index=False)
    return str(path)


def test_constant_inputs_are_left_out_by_column_where_text_is_several_features():
    """The features are fog, sun (of weather), flag, here (of place) and price."""
    columns = Columns(
        *("real", "sales", ("weather", "flag", "place", "price"), (), None, None, 1, "refuse"),
        categories=(("weather", ("fog", "sun")), ("place", ("here",))),
    )
    inputs = np.array([[1, 0, 7, 1, 0.5], [0, 1, 7, 1, 0.6], [1, 0, 7, 1, 0.7]])
    text, none = np.array(["1", "2", "3"], object), np.empty(0, object)
    series = Series("", np.zeros(3), inputs, np.ones(3, bool), text, np.arange(3), 2, 3, none)
    left, (kept,), note = leave_out_constant(columns, (series,))
    assert left.inputs == ("weather", "price")
    assert kept.inputs.tolist() == inputs[:, [0, 1, 4]].tolist()
    assert "flag" in note
    assert "place" in note


def test_ambiguous_numbers_that_look_like_text_are_refused_with_the_way_out(tmp_path):
    days = pd.date_range("2020-01-01", periods=60).strftime("%Y-%m-%d")
    rows = [f'"{day}"|"{11 + i},40{i % 10}"|"{"yn"[i % 3 == 0]}"' for i, day in enumerate(days)]
    (tmp_path / "data.csv").write_text("\n".join(['"day"|"sales"|"rained"', *rows]))
    with pytest.raises(DataError, match="decimal"):
        CsvTask(file=str(tmp_path / "data.csv"), target="rained").prepared  # noqa: B018


def standardized(columns, rows):
    """Returns columns scaled as the training rows are, which begin at row 0 of `rows`."""
    train = columns[: CUT - HORIZON]
    return ((columns - train.mean(0)) / train.std(0))[rows]


HORIZON = 3


@pytest.mark.parametrize("name", ["known", "columns"])
def test_features_are_those_of_pandas_at_the_right_rows(frame, file, name):
    chosen = {name: ["promo", "weather"], **({"columns": []} if name == "known" else {})}
    task = CsvTask(file=file, target="sales", horizon=HORIZON, **chosen)
    dummies = pd.get_dummies(frame["weather"], dtype=float)[list(WEATHER)]
    others = pd.concat([frame["promo"], dummies], axis=1)
    if name == "known":  # those of the row that is forecast, beside the target's own past
        others = others.shift(-HORIZON)
    features = pd.concat([frame["sales"], others], axis=1).to_numpy(float)[: ROWS - HORIZON]
    train, unseen = task.problem(0).train[0].inputs, task.problem(0).unseen[0].inputs
    assert train == pytest.approx(standardized(features, slice(0, CUT - HORIZON)))
    assert unseen == pytest.approx(standardized(features, slice(0, ROWS - HORIZON)))
    names = [feature for feature, *_ in task.preprocessing["inputs"]]
    end = "+3" if name == "known" else ""
    assert names == ["sales", *(n + end for n in ("promo", *(f"weather={w}" for w in WEATHER)))]


def test_later_values_of_other_columns_and_of_known_ones_beyond_the_horizon_are_not_seen(
    frame, tmp_path
):
    def inputs(table):
        table.to_csv(tmp_path / "shop.csv", index=False)
        task = CsvTask(file=str(tmp_path / "shop.csv"), target="sales", known=("promo",), horizon=2)
        return task.problem(0).unseen[0].inputs

    before, row = inputs(frame), 90
    changed = frame.copy()
    changed.loc[row:, ["sales", "price"]] += 50.0
    changed.loc[row:, "promo"] = 1 - changed.loc[row:, "promo"]
    after = inputs(changed)
    assert np.array_equal(before[: row - 2], after[: row - 2])  # up to promo of row 89
    assert (before[row - 2] != after[row - 2]).tolist() == [False, False, True]
    assert (before[row] != after[row]).all()


def test_known_inputs_are_learnt_and_forecast_new_rows(frame, file, tmp_path):
    outcome = run(
        recipe("csv", file=file, target="sales", known=["promo", "weather"], columns=[],
               framing="window", window=2, units=8, epochs=150, learning_rate=0.03), [0]
    )  # fmt: skip
    assert outcome.seeds["mae"][0] < 0.4  # without promo and weather, about 2
    last = forecast_file(outcome, file)
    assert last["day"].tolist()[-1] == frame["day"].iloc[-1]  # nothing beyond: promo is not known
    assert last.attrs["notes"][0].startswith("the last row is not followed by a forecast")
    used = last.set_index("day")["predicted"].loc[outcome.predictions["input"]].to_numpy()
    assert used == pytest.approx(outcome.predictions["predicted"].to_numpy(), abs=1e-5)
    day = {"day": ["2024-04-10", "2024-04-11"], "promo": [1, 0], "weather": ["sun", "hail"]}
    path = tmp_path / "new.csv"
    pd.concat([frame, pd.DataFrame(day)]).to_csv(path, index=False)
    new = forecast_file(outcome, str(path))
    assert new["day"].iloc[-1] == "2024-04-10" and new["origin"].iloc[-1] == "2024-04-09"
    assert new["predicted"].iloc[-1] == pytest.approx(16, abs=1)  # 10 + 4 + 2
    assert new["predicted"].iloc[:-1].to_numpy() == pytest.approx(last["predicted"].to_numpy())
    notes = "; ".join(new.attrs["notes"])
    assert "weather also has hail" in notes and "the last row is not forecast" in notes
    assert "the network forecasts 1 row ahead" in notes
    frame.drop(columns="promo").to_csv(path, index=False)
    with pytest.raises(UserError, match="no column 'promo'"):
        forecast_file(outcome, str(path))
    frame.tail(1).to_csv(path, index=False)
    with pytest.raises(UserError, match="promo, weather of the rows to be forecast"):
        forecast_file(outcome, str(path))


def test_rows_with_known_values_alone_end_a_file_that_is_trained_on(frame, file, tmp_path):
    path = tmp_path / "longer.csv"
    ahead = pd.DataFrame({"day": ["2024-04-10"], "promo": [1]})
    pd.concat([frame, ahead]).to_csv(path, index=False)
    options = {"target": "sales", "known": ("promo",)}
    longer, plain = (
        prepare(FileOptions(str(path), **options)),
        prepare(FileOptions(file, **options)),
    )
    assert "100 rows (row 102 holds known values alone)" in longer.notes[1]
    assert longer.series[0].known.ravel().tolist() == [*frame["promo"], 1.0]
    assert np.array_equal(longer.series[0].target, plain.series[0].target)
    with pytest.raises(DataError, match="no value may be missing, but row 102 has a gap"):
        prepare(FileOptions(str(path), target="sales"))


def test_values_of_text_that_only_later_rows_have_are_zeros_and_are_named(frame, tmp_path):
    late = frame.copy()
    late.loc[95, "weather"] = "hail"
    late.to_csv(tmp_path / "late.csv", index=False)
    data = prepare(FileOptions(str(tmp_path / "late.csv"), target="sales", columns=("weather",)))
    assert data.categories == (("weather", WEATHER),)
    assert data.series[0].inputs[95].tolist() == [0, 0, 0]
    note = "not in the training set, so 0 in all features: weather also has hail"
    assert note in data.notes


def test_text_with_many_values_is_left_out_with_the_reason(frame, tmp_path):
    many = frame.assign(code=[f"c{n % 21}" for n in range(ROWS)])
    many.to_csv(tmp_path / "many.csv", index=False)
    path = str(tmp_path / "many.csv")
    data = prepare(FileOptions(path, target="sales", columns=("price", "code")))
    assert data.inputs == ("price",)
    left_out = "(left out, text with more than 20 different values: code with 21)"
    assert any(note.startswith(f"inputs: sales, price {left_out}") for note in data.notes)
    inferred = prepare(FileOptions(path, target="sales"))  # text is used only where it is named
    assert inferred.inputs == ("promo", "price")
    assert any("(text of at most 20 values, an input if columns names it: weather)" in note
               for note in inferred.notes)  # fmt: skip
    data = prepare(FileOptions(path, target="sales", known=("code", "promo")))
    assert f"known ahead, those of the next row: promo {left_out}" in data.notes


@pytest.mark.parametrize(("options", "message"), [
    ({"known": ("promo",), "horizon": 0, "columns": ("price",)}, "known needs a horizon of"),
    ({"known": ("promo",), "columns": ("promo",)}, "known must name each column once"),
    ({"known": ("sales",)}, "known must name each column once, and others than target"),
    ({"known": ("promo", "promo")}, "known must name each column once"),
    ({"known": ("prices",)}, "no column 'prices'; did you mean 'price'"),
])  # fmt: skip
def test_wrong_known_columns_are_refused(file, options, message):
    with pytest.raises(DataError, match=message):
        prepare(FileOptions(file, target="sales", **options))


def test_a_constant_known_column_is_refused(frame, tmp_path):
    frame.assign(promo=1, weather="sun").to_csv(tmp_path / "same.csv", index=False)
    for name in ("promo", "weather"):
        with pytest.raises(DataError, match=r"is constant .* leave it out of known"):
            prepare(FileOptions(str(tmp_path / "same.csv"), target="sales", known=(name,)))


def test_the_linear_baseline_sees_known_values_too(frame, file):
    task = CsvTask(file=file, target="sales", known=("promo", "weather"), columns=())
    forecasts = task.baselines(1)["linear, 1 rows"][1][-20:]
    dummies = pd.get_dummies(frame["weather"], dtype=float).to_numpy()[:, 1:]
    known = np.column_stack([frame["promo"], dummies])
    x = np.column_stack([np.ones(ROWS - 1), frame["sales"][:-1], known[1:]])
    weights = np.linalg.lstsq(x[: CUT - 1], frame["sales"][1:CUT], rcond=None)[0]
    assert forecasts == pytest.approx(x[CUT - 1 :] @ weights)


def test_recipes_without_known_columns_keep_their_settings_and_stored_data(file):
    chosen = recipe("csv", file=file, target="sales")
    assert "known" not in chosen.settings
    assert set(chosen.task.preprocessing["columns"]) == {
        "kind", "target", "inputs", "labels", "time", "group", "horizon", "missing", "time_format",
        "aggregate",
    }  # fmt: skip
    with pytest.raises(RecipeError, match="known"):
        recipe("csv", file=file, target="sales", known=[])


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_rows_with_known_values_alone_are_only_at_the_end(given_cells):
    values = np.where(np.array(given_cells, bool), 1.0, np.nan)
    mask = future_rows(values, 1, [np.arange(len(values))])
    expected = []
    for target, known in reversed(given_cells):
        if target or not known:
            break
        expected.append(True)
    assert mask.tolist() == [False] * (len(values) - len(expected)) + expected


def test_columns_are_restored_from_what_is_stored():
    columns = Columns("real", "y", ("a", "w"), (), "t", None, 2, "drop", known=("p",),
                      categories=(("w", ("x", "z")),))  # fmt: skip
    assert Columns.restored(columns.stored) == columns
    assert columns.feature_names == ("a", "w=x", "w=z", "p+2")


@pytest.mark.slow
def test_a_note_about_a_forecast_is_a_warning_in_python_and_a_line_on_the_terminal(
    frame, tmp_path, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    frame.to_csv("shop.csv", index=False)
    outcome = lb.run("csv", 1, file="shop.csv", target="sales", known=["promo"], units=2, epochs=2,
                     log=True)  # fmt: skip
    with pytest.warns(UserWarning, match="the last row is not followed by a forecast"):
        table = lb.forecast(outcome.digest, "shop.csv")
    assert len(table) == ROWS - 6  # windows of 6 rows, and nothing after the last row
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        code, out, err = command("predict", outcome.digest, "--csv", "shop.csv")
    assert code == 0 and "note: the last row is not followed by a forecast" in err
    assert len(out.splitlines()) == 1 + len(table)
    code, out, _ = command("predict", outcome.digest, "--csv", "shop.csv", "--json")
    assert json.loads(out)["notes"][0].startswith("the last row is not followed")


def test_rows_of_one_time_cannot_be_averaged_over_text(frame, tmp_path):
    twice = pd.concat([frame, frame.tail(3)])
    twice.to_csv(tmp_path / "twice.csv", index=False)
    options = {"target": "sales", "columns": ("weather",)}
    with pytest.raises(DataError, match="aggregate=mean is for numbers, but 'weather' is text"):
        prepare(FileOptions(str(tmp_path / "twice.csv"), aggregate="mean", **options))
    data = prepare(FileOptions(str(tmp_path / "twice.csv"), aggregate="last", **options))
    assert len(data.series[0]) == ROWS
