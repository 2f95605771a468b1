"""A path of steps, and several targets: several outputs of one network."""

import subprocess
import sys
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from lstm_bench._api import keras_code
from lstm_bench.analysis._baselines import _baseline_result
from lstm_bench.analysis._output_errors import output_errors
from lstm_bench.cli._options import DataOptions
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.errors import RecipeError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.report._output_page import blocks, data_frame
from lstm_bench.results._sweep_data import Row
from lstm_bench.statistics._skill import BASELINE_PREFIX, absolute_errors
from lstm_bench.training._forecast import forecast_file
from lstm_bench.training._run import run

ROWS, CUT, VALIDATION = 120, 96, 72
SMALL = {"framing": "window", "window": 4, "units": 6, "epochs": 40}


@pytest.fixture(scope="module")
def frame():
    rng, n = np.random.default_rng(4), np.arange(ROWS)
    months = pd.date_range("2000-01-01", periods=ROWS, freq="MS").strftime("%Y-%m")
    sales = 50 + np.sin(n / 3) + 0.1 * rng.standard_normal(ROWS)
    visits = 9000 + 700 * np.cos(n / 3) + 30 * rng.standard_normal(ROWS)
    promo = (rng.random(ROWS) > 0.5).astype(int)
    return pd.DataFrame({"month": months, "sales": sales, "visits": visits, "promo": promo})


@pytest.fixture(scope="module")
def file(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("outputs") / "shop.csv"
    frame.to_csv(path, index=False)
    return str(path)


def in_units(task, number):
    """Returns the targets of all steps of a sequence in units, (T, K)."""
    sequence = task.problem(0).sequences[number]
    steps = np.arange(len(sequence))
    return task.in_units(np.full(len(steps), number), steps, sequence.targets)


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("part", ["test", "validation"])
def test_the_targets_of_a_path_are_the_next_values_and_never_cross_a_part(
    frame, file, difference, part
):
    task = CsvTask(file=file, target="sales", columns=(), horizon="1..5", part=part,
                   difference=difference)  # fmt: skip
    ahead = np.column_stack([frame["sales"].shift(-step) for step in range(1, 6)])
    cut, first = (CUT if part == "test" else VALIDATION), int(difference)
    end = ROWS if part == "test" else CUT
    assert in_units(task, 0) == pytest.approx(ahead[first : cut - 5])  # the last one is of cut - 1
    unseen = task.problem(0).unseen[0]
    assert in_units(task, 1)[unseen.scored] == pytest.approx(ahead[cut - 1 : end - 5])
    assert unseen.scored.sum() == end - cut - 5 + 1


def test_a_path_is_a_horizon_of_1_to_the_last_step(file):
    chosen = recipe("csv", file=file, target="sales", horizon="1..3")
    assert (chosen.settings["horizon"], chosen.settings["all_steps"]) == (3, True)
    again = recipe("csv", **{k: v for k, v in chosen.settings.items() if k != "task"})
    assert again.digest == chosen.digest
    plain = recipe("csv", file=file, target="sales", horizon=3)
    assert plain.digest != chosen.digest and "all_steps" not in plain.settings
    assert recipe("csv", file=file, target="sales", horizon="1..1").digest == (
        recipe("csv", file=file, target="sales", horizon=1).digest
    )
    assert "path: the next 3 rows, each an output of one network" in chosen.task.summary()


@pytest.mark.parametrize(("options", "message"), [
    ({"horizon": "2..5"}, "horizon must be a whole number, or 1 and the number of steps"),
    ({"horizon": "soon"}, "horizon must be a whole number"),
    ({"horizon": 1, "all_steps": True}, "all_steps needs a horizon of at least 2"),
    ({"horizon": "1..99999"}, "horizon: must be at most 10000"),
    ({"target": "sales,sales"}, "target must name each column once"),
    ({"target": "sales,prices"}, "no column 'prices'"),
    ({"target": "sales,month"}, "several targets must all be numbers, but 'month' is symbols"),
    ({"target": "sales,promo"}, "several targets must all be numbers, but 'promo' is binary"),
    ({"target": "promo", "horizon": "1..3"}, "a path of steps must be of numbers"),
    ({"target": "promo,sales"}, "several targets must be of numbers, but 'promo' is binary"),
    ({"target": "sales,visits", "group": "visits"}, "is both target and group"),
    ({"target": "sales,visits", "columns": ["visits"]}, "columns must name others than target"),
    ({"horizon": "1..90"}, "steps are left"),
])  # fmt: skip
def test_wrong_paths_and_targets_are_refused(file, options, message):
    with pytest.raises(RecipeError, match=message):
        recipe("csv", **{"file": file, "target": "sales", "time": "none", **options})


def test_more_outputs_than_a_network_has_are_refused(tmp_path):
    pd.DataFrame({"y": np.arange(5000) % 7}).to_csv(tmp_path / "y.csv", index=False)
    with pytest.raises(RecipeError, match="at most 1,000 values can be forecast at one time"):
        recipe("csv", file=str(tmp_path / "y.csv"), horizon="1..1001")


def test_known_values_of_all_steps_of_a_path_are_features(frame, file):
    task = CsvTask(file=file, target="sales", columns=(), known=("promo",), horizon="1..3")
    names = [name for name, *_ in task.preprocessing["inputs"]]
    assert names == ["sales", "promo+1", "promo+2", "promo+3"]
    train = task.problem(0).train[0].inputs
    for step in (1, 2, 3):
        known = frame["promo"].shift(-step)[: CUT - 3].to_numpy()
        assert train[:, step] == pytest.approx((known - known.mean()) / known.std())


def test_the_baselines_of_a_path_are_those_of_each_step(frame, file):
    task = CsvTask(file=file, target="sales", columns=(), horizon="1..3", season=12)
    forecasts = task.baselines(2)
    sales = frame["sales"]
    scored = np.arange(CUT - 1, ROWS - 3)  # the rows from which the scored steps are forecast
    for step in (1, 2, 3):

        def of(name, step=step):
            return forecasts[name][1][-len(scored) :, step - 1]

        assert of("last value") == pytest.approx(sales[scored])
        assert of("value 12 rows before") == pytest.approx(sales.shift(12 - step)[scored])
        assert of("median") == pytest.approx(np.median(sales[step : CUT - 3 + step]))
        x = np.column_stack([sales.shift(1), sales])
        rows = np.arange(1, CUT - 3)
        model = LinearRegression().fit(x[rows], sales[rows + step])
        assert of("linear, 2 rows") == pytest.approx(model.predict(x[scored]))
    assert "linear, chosen for each output" in task.baselines()


@pytest.fixture(scope="module")
def path_outcome(file):
    return run(
        recipe("csv", file=file, target="sales", columns=[], horizon="1..4", **SMALL), [0, 1]
    )


def test_the_verdict_on_a_path_is_on_its_mean_error(path_outcome, frame):
    table = path_outcome.predictions
    assert table["output"].tolist()[:5] == ["1", "2", "3", "4", "1"]
    assert table["input"].tolist()[:4] == frame["month"][CUT : CUT + 4].tolist()
    one = table[table["seed"] == 0]
    expected = np.column_stack([frame["sales"].shift(-k) for k in (1, 2, 3, 4)])[CUT - 1 : ROWS - 4]
    assert one["expected"].to_numpy().reshape(-1, 4) == pytest.approx(expected)
    errors = np.abs(one["predicted"].to_numpy().reshape(-1, 4) - expected)
    means = absolute_errors(table)
    assert means[means["seed"] == 0]["network"].to_numpy() == pytest.approx(errors.mean(axis=1))
    assert path_outcome.seeds["mae"][0] == pytest.approx(errors.mean())
    naive = np.abs(one[BASELINE_PREFIX + "last value"].to_numpy().reshape(-1, 4) - expected)
    assert means[means["seed"] == 0]["last value"].to_numpy() == pytest.approx(naive.mean(axis=1))
    by_step = output_errors(table[table["seed"] == 0])
    assert [part.mae for part in by_step] == pytest.approx(errors.mean(axis=0))
    assert [part.rmse for part in by_step] == pytest.approx(np.sqrt((errors**2).mean(axis=0)))


def test_a_page_shows_the_errors_of_each_step(path_outcome):
    result = _baseline_result(Row("A", path_outcome))
    (block,) = blocks(result)
    table = path_outcome.predictions
    errors = np.abs(table["predicted"] - table["expected"]).to_numpy().reshape(-1, 4).mean(axis=0)
    assert [row[:2] for row in block.table.rows] == [
        (str(step), f"{error:.4g}") for step, error in enumerate(errors, 1)
    ]
    network, baseline = block.picture.figure.axes[0].lines
    assert network.get_xdata().tolist() == [1, 2, 3, 4]
    assert network.get_ydata() == pytest.approx(errors)
    frame = data_frame([result])
    assert frame["baseline_mae"].tolist() == pytest.approx(baseline.get_ydata())
    assert result.document()["outputs"][3]["mae"] == pytest.approx(errors[3])
    assert result.best.steps == ROWS - CUT - 3


def test_the_whole_path_after_the_last_row_is_forecast(path_outcome, file):
    table = forecast_file(path_outcome, file)
    assert list(table.columns) == ["month", "origin", "ahead", "predicted"]
    last = table.tail(4)
    assert last["month"].tolist() == ["2010-01", "2010-02", "2010-03", "2010-04"]
    assert last["origin"].unique().tolist() == ["2009-12"] and last["ahead"].tolist() == [
        1,
        2,
        3,
        4,
    ]
    best = path_outcome.predictions
    best = best[best["seed"] == path_outcome.best_seed]
    given = table.set_index(["month", "ahead"])["predicted"]
    keys = list(zip(best["input"], best["output"].astype(int), strict=True))
    assert given.loc[keys].to_numpy() == pytest.approx(best["predicted"].to_numpy(), rel=1e-5)


def test_several_targets_are_outputs_in_their_own_units(frame, file):
    task = CsvTask(file=file, target="sales, visits", columns=(), horizon=2, difference=True)
    assert task.labels == () and task.output_names == ("sales", "visits")
    ahead = frame[["sales", "visits"]].shift(-2).to_numpy()
    assert in_units(task, 0) == pytest.approx(ahead[1 : CUT - 2])
    changes = frame[["sales", "visits"]].diff().to_numpy()[1 : CUT - 2]
    scaled = (changes - changes.mean(0)) / changes.std(0)
    assert task.problem(0).train[0].inputs == pytest.approx(scaled)
    assert task.output_units == pytest.approx(frame[["sales", "visits"]][:CUT].std(ddof=0))


def test_errors_of_several_targets_are_averaged_in_their_standard_deviations(frame, file):
    outcome = run(recipe("csv", file=file, target=["sales", "visits"], columns=[], **SMALL), [0])
    assert outcome.settings["target"] == "sales,visits"
    deviations = frame[["sales", "visits"]][:CUT].std(ddof=0).to_numpy()
    table = outcome.predictions
    expected = frame[["sales", "visits"]][CUT:].to_numpy()
    assert table["expected"].to_numpy().reshape(-1, 2) == pytest.approx(expected)
    errors = np.abs(table["predicted"].to_numpy().reshape(-1, 2) - expected)
    network = absolute_errors(table)["network"]
    assert network.to_numpy() == pytest.approx((errors / deviations).mean(axis=1))
    assert outcome.seeds["mae"][0] == pytest.approx((errors / deviations).mean())
    by_target = output_errors(table)
    assert [part.output for part in by_target] == ["sales", "visits"]
    assert [part.mae for part in by_target] == pytest.approx(errors.mean(axis=0))
    names = [column for column in table if column.startswith(BASELINE_PREFIX)]
    last = table[BASELINE_PREFIX + "last value"].to_numpy().reshape(-1, 2)
    assert last == pytest.approx(frame[["sales", "visits"]][CUT - 1 : -1].to_numpy())
    assert len(names) >= 4
    forecast = forecast_file(outcome, file)
    assert list(forecast.columns) == ["month", "origin", "target", "predicted"]
    assert forecast["target"].tolist()[-2:] == ["sales", "visits"]
    assert forecast["month"].tolist()[-2:] == ["2010-01"] * 2


def test_a_file_without_one_of_several_values_does_not_score_that_step(frame, tmp_path):
    gap = frame.copy()
    gap.loc[100, "visits"] = np.nan
    gap.to_csv(tmp_path / "gap.csv", index=False)
    task = CsvTask(file=str(tmp_path / "gap.csv"), target="sales,visits", missing="interpolate",
                   horizon="1..2")  # fmt: skip
    scored = task.problem(0).unseen[0].scored[-(ROWS - CUT - 1) :]  # the first is row 96
    assert np.flatnonzero(~scored).tolist() == [3, 4]  # the origins 98 and 99
    assert task.output_names == ("sales, 1", "sales, 2", "visits, 1", "visits, 2")


def test_a_column_whose_name_has_a_comma_is_one_target(frame, tmp_path):
    frame.rename(columns={"sales": "a,b"}).to_csv(tmp_path / "comma.csv", index=False)
    task = CsvTask(file=str(tmp_path / "comma.csv"), target="a,b")
    assert task.prepared.targets == ("a,b",)


@settings(max_examples=30)
@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=6),
       st.lists(st.floats(0.5, 50), min_size=3, max_size=3))  # fmt: skip
def test_errors_of_outputs_are_means_of_their_scaled_absolute_values(errors, units):
    values = np.array(errors)
    count = len(values)
    table = pd.DataFrame({
        "seed": 0, "sequence": 0, "step": np.repeat(np.arange(count), 3),
        "moment": np.repeat(np.arange(count), 3), "expected": 0.0, "predicted": values.ravel(),
        "output": np.tile(["a", "b", "c"], count), "unit": np.tile(units, count),
    })  # fmt: skip
    means = absolute_errors(table)["network"].to_numpy()
    assert means == pytest.approx((np.abs(values) / np.array(units)).mean(axis=1))


@pytest.mark.slow
def test_an_exported_script_trains_all_outputs(file, tmp_path):
    chosen = recipe("csv", file=file, target="sales,visits", horizon="1..2", units=4, epochs=5)
    script = tmp_path / "outputs.py"
    script.write_text(keras_code(chosen, 0))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    accuracy = run(chosen, [0], "keras").seeds["unseen_accuracy"][0]
    assert f"{accuracy:.2%} of the new answers are right" in done.stdout


def test_options_of_the_command_line_become_settings():
    given = dict.fromkeys(field.name for field in fields(DataOptions))
    options = {"target": "sales,visits", "known": "promo, holiday", "horizon": "1..12"}
    assert DataOptions(**given | options).settings() == options | {"known": ["promo", "holiday"]}
    assert DataOptions(**given | {"horizon": "3"}).settings() == {"horizon": 3}
    assert DataOptions(**given | {"horizon": "soon"}).settings() == {"horizon": "soon"}
