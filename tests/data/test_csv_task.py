"""The task `csv`, from a file to a report and to the forecasts from another file."""

import contextlib
import dataclasses
import io
import json
import math
import re
import shlex
import shutil

import numpy as np
import pandas as pd
import pytest

from lstm_bench.cli._app import main
from lstm_bench.cli._show import next_step
from lstm_bench.data._csv_task import EXAMPLE, CsvTask
from lstm_bench.errors import RecipeError, SweepError, UserError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.report._write import write_report
from lstm_bench.search._study import SearchStudy
from lstm_bench.statistics._skill import BASELINE_PREFIX
from lstm_bench.sweeps._sweep import load_sweep, sweep_over_file
from lstm_bench.tracking._definition import data_file, describe_changes, search_definition
from lstm_bench.tracking._store import Store
from lstm_bench.training._forecast import forecast_file
from lstm_bench.training._run import run

ROWS = 120
QUICK = {"epochs": 20, "units": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("csv")


def wave(n, noise=0.2):
    rng = np.random.default_rng(5)
    return 10 + 0.05 * n + 2 * np.sin(2 * np.pi * n / 8) + noise * rng.standard_normal(len(n))


@pytest.fixture(scope="module")
def file(folder):
    n = np.arange(ROWS)
    frame = pd.DataFrame({"month": pd.date_range("2000-01-01", periods=ROWS, freq="MS")})
    frame["sales"], frame["price"] = wave(n), np.cos(n)
    frame["level"] = np.where(frame["sales"] > frame["sales"].shift(1, fill_value=0), "up", "down")
    frame["rained"] = np.where(np.random.default_rng(8).random(ROWS) > 0.4, "yes", "no")
    frame.to_csv(folder / "shop.csv", index=False)
    return str(folder / "shop.csv")


def skill_by_hand(error, baseline):
    """Returns the skill: above 0 if the error is smaller than the baseline's, else at most 0."""
    return 1 - error / baseline if error < baseline else baseline / error - 1


def test_a_name_shows_what_a_recipe_reads_and_forecasts(file):
    """Recipes on one file that differ in these alone had one name."""
    same = {"file": file, "target": "sales", "window": 3}
    changes = {
        "columns price": {"columns": ["price"]},
        "columns none": {"columns": []},
        "known price": {"known": ["price"]},
        "latest 100": {"latest": 100},
        "origins 2": {"origins": 2},
        "horizon 3, all steps True": {"horizon": "1..3"},
    }
    for words, settings in changes.items():
        assert words in recipe("csv", **same, **settings).name
    assert not re.search("columns|known|latest|origins|horizon", recipe("csv", **same).name)


def targets_in_units(task, sequence, number):
    """Returns the target of each step of a sequence in the data's units."""
    steps = np.arange(len(sequence))
    return task.in_units(np.full(len(steps), number), steps, sequence.targets)[:, 0]


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_targets_are_the_values_of_the_file_some_rows_later(file, difference, horizon, part):
    task = CsvTask(file=file, target="sales", horizon=horizon, difference=difference, part=part)
    sales = pd.read_csv(file)["sales"].to_numpy()
    (train,), (unseen,) = task.problem(0).train, task.problem(0).unseen
    first, cut = int(difference), 96 if part == "test" else 72
    end = cut + 24
    assert targets_in_units(task, train, 0) == pytest.approx(sales[first + horizon : cut])
    assert targets_in_units(task, unseen, 1)[unseen.scored] == pytest.approx(sales[cut:end])
    assert len(train.inputs) == cut - horizon - first
    values = (sales if not difference else np.diff(sales, prepend=np.nan))[first : cut - horizon]
    unscaled = train.inputs[:, 0] * values.std() + values.mean()
    assert unscaled == pytest.approx(values)  # scaled by the training set alone


def test_later_rows_change_neither_training_data_nor_earlier_forecasts(file, folder):
    frame = pd.read_csv(file)
    task = CsvTask(file=file, target="sales")
    late = folder / "late.csv"
    for boundary in (96, 110):  # from the scored part on, and within it
        other = frame.copy()
        other.loc[boundary:, ["sales", "price"]] += 100.0
        other.to_csv(late, index=False)
        changed = CsvTask(file=str(late), target="sales")
        one, two = task.problem(0), changed.problem(0)
        assert np.array_equal(one.train[0].inputs, two.train[0].inputs)
        assert np.array_equal(one.train[0].targets, two.train[0].targets)
        shown = boundary - (96 - 1 - min(96 - 1, 256))  # rows of the unseen sequence before it
        assert np.array_equal(one.unseen[0].inputs[:shown], two.unseen[0].inputs[:shown])
        for name, before in task.baselines().items():
            assert np.array_equal(before[1][:shown], changed.baselines()[name][1][:shown]), name
    # The data of a search do not change with the part that is held back from it.
    other = frame.copy()
    other.loc[96:, "sales"] *= 3
    other.to_csv(late, index=False)
    searches = [
        CsvTask(file=f, target="sales", part="validation").problem(0) for f in (file, str(late))
    ]
    for one, two in zip(searches[0].sequences, searches[1].sequences, strict=True):
        assert np.array_equal(one.inputs, two.inputs) and np.array_equal(one.targets, two.targets)


def test_the_baselines_of_the_sunspots_are_those_of_pandas_and_the_normal_equations():
    series = pd.read_csv(EXAMPLE)["sunspots"]
    outcome = run(recipe("csv", epochs=2, units=2), seeds=[0])
    predictions = outcome.predictions
    expected = predictions["expected"].astype(float)
    assert expected.tolist() == series[-62:].tolist()

    def error(name):
        return (predictions[BASELINE_PREFIX + name].astype(float) - expected).abs().mean()

    assert error("last value") == pytest.approx(series.diff().abs()[-62:].mean())
    assert error("value 11 rows before") == pytest.approx(series.diff(11).abs()[-62:].mean())
    assert error("median") == pytest.approx((series[-62:] - series[1:247].median()).abs().mean())
    lags = pd.concat([series.shift(k) for k in range(1, 13)], axis=1)
    design = np.column_stack([np.ones(len(lags)), lags])
    train = slice(12, 247)
    coefficients = np.linalg.solve(design[train].T @ design[train], design[train].T @ series[train])
    assert error("linear, 12 rows") == pytest.approx(
        np.abs(design[-62:] @ coefficients - series[-62:]).mean()
    )
    best = min(error(name) for name in ("last value", "value 11 rows before", "linear, 12 rows"))
    row = outcome.seeds.iloc[0]
    assert row["mae"] == pytest.approx(
        (predictions["predicted"].astype(float) - expected).abs().mean(), rel=1e-4
    )
    assert row["skill"] == pytest.approx(skill_by_hand(row["mae"], best), abs=1e-4)
    assert row["solved"] == (row["skill"] > 0)


@pytest.mark.parametrize(("target", "more", "kind"), [
    ("rained", {}, "binary"),
    pytest.param("level", {}, "categorical", marks=pytest.mark.slow),
    pytest.param("level", {"columns": ["price"]}, "categorical", marks=pytest.mark.slow),
    ("level", {"columns": ["price", "sales"], "horizon": 0}, "categorical"),
    pytest.param("sales", {"horizon": 0, "columns": ["price"]}, "regression",
                 marks=pytest.mark.slow),
])  # fmt: skip
def test_every_kind_of_target_trains_and_has_baselines(file, target, more, kind):
    csv_recipe = recipe("csv", file=file, target=target, **more, **QUICK)
    assert csv_recipe.task.kind == kind
    outcome = run(csv_recipe, seeds=[0, 1])
    assert any(str(column).startswith(BASELINE_PREFIX) for column in outcome.predictions)
    assert outcome.seeds["skill"].between(-1, 1).all()
    assert len(outcome.predictions) == 2 * 24


def test_a_recipe_made_from_another_one_fits_the_kind_of_its_own_target(tmp_path):
    table = pd.DataFrame({"sky": ["sun", "rain"] * 30, "mm": np.arange(60) * 1.5 % 7})
    path = str(tmp_path / "weather.csv")
    table.to_csv(path, index=False)
    symbols = recipe("csv", file=path, target="sky", columns=[])
    numbers = recipe("csv", file=path, target="mm", columns=[])
    assert (symbols.task.kind, numbers.task.kind) == ("categorical", "regression")
    made = symbols.with_settings({"file": path, "target": "mm", "columns": []})
    assert made == numbers and type(made.task) is type(numbers.task)
    assert numbers.with_settings(symbols.settings) == symbols
    with pytest.raises(RecipeError, match="encoding: csv needs raw, but got onehot"):
        symbols.with_settings({**symbols.settings, "target": "mm"})


@pytest.mark.parametrize("settings", [
    {"difference": True},
    {"framing": "pairs", "stateful": True, "batch_size": 1},
    {"target": "level"},
    {"framing": "whole", "batch_size": 1},
    *(pytest.param(settings, marks=pytest.mark.slow) for settings in (
        {},
        {"target": "rained", "network": "gru"},
        {"target": "level", "columns": ["price"], "framing": "feature_window", "window": 4},
    )),
])  # fmt: skip
def test_forecasts_from_the_same_file_are_the_predictions_of_the_run(file, settings):
    csv_recipe = recipe("csv", **{"file": file, "target": "sales", **QUICK, **settings})
    outcome = run(csv_recipe, seeds=[0])
    if csv_recipe.framing.every_step:  # the network takes 119 rows at most
        with pytest.raises(UserError, match="feeds the whole past in 119 time steps"):
            forecast_file(outcome, file)
        return
    forecast = forecast_file(outcome, file)
    assert forecast["month"].iloc[-1] == "2010-01-01"  # the row after the last one of the file
    assert forecast["origin"].iloc[-1] == "2009-12-01"
    predictions = outcome.predictions["predicted"].to_numpy()
    same = forecast.iloc[-len(predictions) - 1 : -1]
    assert same["month"].tolist() == outcome.predictions["input"].tolist()
    repeated = same["predicted"].to_numpy()
    if csv_recipe.task.kind != "categorical":
        assert repeated.astype(float) == pytest.approx(predictions.astype(float), rel=1e-4)
    else:
        assert [f"{v:.6g}" if isinstance(v, float) else str(v) for v in repeated] == list(
            map(str, predictions)
        )


def test_plain_keras_needs_only_the_model_file_and_the_scaling(file, folder):
    import keras

    csv_recipe = recipe("csv", file=file, target="sales", columns=["price"], window=4, **QUICK)
    outcome = run(csv_recipe, seeds=[0])
    (folder / "sales.keras").write_bytes(outcome.model)
    forecast, preprocessing = forecast_file(outcome, file), outcome.data
    names, centre, spread = zip(*preprocessing["inputs"], strict=True)
    assert names == ("sales", "price")
    frame = pd.read_csv(file)[list(names)]
    rows = ((frame.to_numpy() - centre) / spread)[-4:]
    out = keras.models.load_model(folder / "sales.keras").predict(rows[None], verbose=0)
    value = out[0, 0] * preprocessing["scale"] + preprocessing["shift"]
    assert value == pytest.approx(forecast["predicted"].iloc[-1], rel=1e-5)


def test_forecasts_do_not_depend_on_later_changes_of_the_training_file(file, folder):
    growing = folder / "growing.csv"
    frame = pd.read_csv(file)
    frame[:80].to_csv(growing, index=False)
    csv_recipe = recipe("csv", file=str(growing), target="level", columns=["sales"], **QUICK)
    outcome = run(csv_recipe, seeds=[0])
    before = forecast_file(outcome, file)
    frame.assign(level="sideways", sales=frame["sales"] * 100).to_csv(growing, index=False)
    pd.testing.assert_frame_equal(forecast_file(outcome, file), before)
    growing.unlink()
    pd.testing.assert_frame_equal(forecast_file(outcome, file), before)


def test_at_horizon_0_the_target_of_a_file_may_be_empty(file, folder):
    csv_recipe = recipe("csv", file=file, target="level", columns=["price"], horizon=0, **QUICK)
    outcome = run(csv_recipe, seeds=[0])
    blank = folder / "blank.csv"
    pd.read_csv(file).assign(level="").to_csv(blank, index=False)
    pd.testing.assert_frame_equal(forecast_file(outcome, str(blank)), forecast_file(outcome, file))


def test_the_errors_of_binary_baselines_are_shares_counted_by_hand(file):
    csv_recipe = recipe("csv", file=file, target="rained", **QUICK)
    outcome = run(csv_recipe, seeds=[0])
    rained = (pd.read_csv(file)["rained"] == "yes").to_numpy()
    predictions, change_rate = outcome.predictions, (rained[96:] != rained[95:-1]).mean()
    expected = predictions["expected"].to_numpy()
    assert expected.tolist() == rained[96:].tolist()
    assert csv_recipe.task.prepared.notes[0] == "target rained: binary, 1: yes, 0: no"

    def error(name):
        return (predictions[BASELINE_PREFIX + name].to_numpy() != expected).mean()

    assert error("last value") == pytest.approx(change_rate)
    most_frequent = rained[1:96].mean() >= 0.5
    assert error("most frequent") == (rained[96:] != most_frequent).mean()
    best = min(error(name) for name in csv_recipe.task.baselines())
    wrong = (predictions["predicted"].to_numpy() != expected).mean()
    assert outcome.seeds["skill"].iloc[0] == pytest.approx(skill_by_hand(wrong, best))


def test_many_symbols_for_the_rows_are_predicted_without_a_warning(folder):
    path = folder / "words.csv"
    path.write_text("word\n" + "\n".join(f"w{n % 20}" for n in range(40)) + "\n")
    task = recipe("csv", file=str(path)).task
    expected = [f"w{n % 20}" for n in range(1, 32)]  # the training set
    predicted = task.baselines(lags=1)["logistic, 1 rows"][0]  # warnings are errors in tests
    assert [task.labels[int(n)] for n in predicted] == expected


def test_only_recipes_that_are_legal_on_the_test_part_are_proposed(folder):
    lines = [f"{day},{name},{math.sin(day + k):.3f}" for day in range(60) for k, name in
             enumerate("ab")]  # fmt: skip
    lines += [f"{day},c,{math.cos(day):.3f}" for day in range(45, 60)]
    path = folder / "shops.csv"
    path.write_text("day,shop,sales\n" + "\n".join(lines) + "\n")
    sweep = sweep_over_file({"file": str(path), "target": "sales"})
    study = SearchStudy(sweep.search, sweep.settings)
    for batch in study.batches():
        for _, proposed in batch:
            assert proposed.outside_search.task.part == "test"
        break


def test_files_that_do_not_fit_the_run_are_refused(file, folder):
    outcome = run(recipe("csv", file=file, target="level", **QUICK), seeds=[0])
    other = folder / "other.csv"
    frame = pd.read_csv(file)
    frame.drop(columns="level").to_csv(other, index=False)
    with pytest.raises(UserError, match="there is no column 'level'"):
        forecast_file(outcome, str(other))
    frame.assign(level=frame["level"].replace("up", "high")).to_csv(other, index=False)
    with pytest.raises(UserError, match="trained on, down, up, but has 'high' in rows 2"):
        forecast_file(outcome, str(other))
    frame[:3].to_csv(other, index=False)
    with pytest.raises(UserError, match="window needs 6 rows for a forecast"):
        forecast_file(outcome, str(other))
    frame.assign(level=None).to_csv(other, index=False)
    data = {**outcome.data, "columns": {**outcome.data["columns"], "missing": "drop"}}
    filled = dataclasses.replace(outcome, data=data)
    with pytest.raises(UserError, match=r"with a value of level.*, but no row has .*; fill"):
        forecast_file(filled, str(other))
    with pytest.raises(UserError, match="not of a file"):
        forecast_file(run(recipe("memory", epochs=1), seeds=[0]), file)


SEARCH = ["seeds=3", "search.trials=3", "search.startup=2", "search.confirm=1",
          "search.space.epochs=[5,20]", "search.space.window=[4]", "search.space.network=[lstm]",
          "search.space.batch_size=[16]", "search.space.framing=[window]"]  # fmt: skip


@pytest.fixture(scope="module")
def done(file, tmp_path_factory):
    """The working folder of a finished sweep, and the JSON document that the command printed."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(file, folder / "my shop.csv")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        patch.chdir(folder)
        words = ["sweep", "--csv", "my shop.csv", "--target", "sales", *SEARCH, "--json"]
        patch.setattr("sys.argv", ["lstm-bench", *words])
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 0
    return folder, json.loads(out.getvalue())


@pytest.fixture
def again(done, monkeypatch):
    """The results, from the store; the test is in the working folder."""
    monkeypatch.chdir(done[0])
    return Store("sqlite:///mlflow.db", done[0] / "mlartifacts").load("my shop-sales")


def test_a_search_never_sees_the_rows_on_which_finalists_are_scored(done, again):
    result, page = again, done[0] / "reports" / "my shop-sales" / "index.html"
    store = Store("sqlite:///mlflow.db", done[0] / "mlartifacts")
    (parent,) = store.sweep_runs(store.ensure_experiment(result.name))
    assert parent.data.metrics["best_skill"] == result.best.outcome.seeds["skill"].mean()
    for row in result.trials:
        assert row.outcome.settings["part"] == "validation"
        assert set(row.outcome.predictions["input"]) <= {f"{y}-{m:02}-01" for y in (2006, 2007)
                                                         for m in range(1, 13)}  # fmt: skip
    for row in result.having("confirmed"):
        assert row.outcome.settings["part"] == "test"
        assert row.outcome.predictions["input"].min() == "2008-01-01"
    assert result.search["objective"] == "skill"
    assert "season of 8 rows" in result.about
    text = (page.parent / "report.md").read_text()
    assert "## Better than a baseline?" in text and "figures/forecast.svg" in text
    assert (page.parent / "figures" / "forecast.svg").stat().st_size > 5000
    table = pd.read_csv(page.parent / "naive.csv")
    assert set(table["verdict"].dropna()) <= {"better", "worse", "cannot tell"}


def test_the_next_step_uses_the_recipe_that_the_report_calls_best(done, again, command):
    line = next_step(again, "my shop.csv")
    words = shlex.split(line)
    report = (done[0] / "reports" / "my shop-sales" / "report.md").read_text()
    (named,) = re.findall(r"^\*\*\D.*?\(([a-z]+-\d+)\)", report, re.M)
    assert words[1:] == ["predict", f"my shop-sales:{named}", "--csv", "my shop.csv",
                         "--output", "forecast.csv"]  # fmt: skip
    assert command(*words[1:])[0] == 0
    (done[0] / "forecast.csv").unlink()
    nobody = dataclasses.replace(again, rows=again.trials)
    assert next_step(nobody, "my shop.csv") == ""


@pytest.mark.long
def test_a_report_of_data_is_rebuilt_from_the_store_alone(done, again, tmp_path):
    before = (done[0] / "reports" / "my shop-sales" / "report.md").read_bytes()
    assert (write_report(again, tmp_path / "again").parent / "report.md").read_bytes() == before


def test_a_sweep_file_needs_only_the_data(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(file, tmp_path / "shop.csv")
    (tmp_path / "shop.yaml").write_text("task: csv\nfile: shop.csv\ntarget: sales\n")
    sweep = load_sweep(tmp_path / "shop.yaml")
    assert sweep.search.objective == "skill" and 8 in sweep.search.space["window"]
    for outside in ("../shop.csv", "/etc/passwd", str(tmp_path.parent / "x.csv")):
        (tmp_path / "shop.yaml").write_text(f"task: csv\nfile: {outside}\ntarget: sales\n")
        with pytest.raises(SweepError, match="must lie in the working folder, but got"):
            load_sweep(tmp_path / "shop.yaml")


@pytest.mark.parametrize(("settings", "message"), [
    ({"file": "none.csv"}, "file: none.csv: there is no such file"),
    ({"target": "spots"}, "did you mean 'sunspots'"),
    ({"horizon": 0, "difference": True}, "horizon is 0"),
    ({"window": 300}, "must fit into every sequence"),
    ({"evaluation": "free_running"}, "needs symbols"),
    ({"columns": [3]}, "columns"),
])  # fmt: skip
def test_errors_in_the_settings_of_a_file_name_their_key(settings, message):
    with pytest.raises(RecipeError, match=message):
        recipe("csv", **settings)


@pytest.mark.parametrize(("words", "message"), [
    (["sweep", "--csv", "none.csv"], "there is no such file"),
    (["sweep", "--target", "x"], "--target: says something about a file"),
    (["sweep"], "give the name of a sweep"),
    (["sweep", "--csv", str(EXAMPLE), "--kind", "colour"], "target_kind"),
    (["sweep", "--csv", str(EXAMPLE), "search.trails=3"],
     "error: search.trails: there is no key 'trails'; did you mean 'trials'? (known: ablate, "),
    (["sweep", "--csv", str(EXAMPLE), "search.foo=3"], "sampler, seed, space, split, startup, "),
    (["sweep", "--csv", str(EXAMPLE), "seeds=x"],
     "error: seeds: must be a whole number, but got 'x'"),
    (["sweep", "--csv", str(EXAMPLE), "search.trials=-3"],
     "error: search.trials: must be at least 1, but got -3"),
    (["sweep", "--csv", str(EXAMPLE), "search.sampler=best"],
     "search.sampler: must be 'tpe', 'random', 'grid', 'qmc' or 'nsga2', but got 'best'"),
    (["sweep", "--csv", str(EXAMPLE), "search.space.units={int: [4, 8], lg: true}"],
     "error: search.space.units: takes a range with the keys int or float, and log, as in {int: "),
    (["sweep", "--csv", str(EXAMPLE), "search.space.units={int: [4]}"],
     "error: search.space.units.int: needs the two ends of a range, [low, high], but got [4]\n"),
    (["sweep", "--csv", str(EXAMPLE), "--horizon", "400"], "steps are left"),
    (["predict", "x:y"], "give either symbols"),
    (["predict", "x:y", "1 2", "--output", "o.csv"], "--output"),
    (["predict", "x:y", "--csv", "f.csv", "--generate", "6"], "train with a larger horizon"),
])  # fmt: skip
def test_wrong_options_end_with_one_message(command, words, message):
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert message in err and "Traceback" not in err


def test_a_file_on_the_command_line_from_search_to_forecast(done, command, monkeypatch):
    folder, document = done
    monkeypatch.chdir(folder)
    (first, *_) = document["naive"]
    assert document["naive"][first]["verdict"] in ("better", "worse", "cannot tell")
    code, out, err = command("predict", f"my shop-sales:{first}", "--csv", "my shop.csv",
                             "--output", "predicted.csv")  # fmt: skip
    assert (code, out.strip()) == (0, "predicted.csv"), err
    table = pd.read_csv("predicted.csv")
    ends = ["lower_80", "upper_80", "lower_95", "upper_95"]
    assert list(table.columns) == ["month", "origin", "predicted", *ends]
    code, _, err = command("predict", f"my shop-sales:{first}", "--csv", "my shop.csv",
                           "--output", "predicted.csv")  # fmt: skip
    assert code == 2 and "--force" in err
    code, out, err = command("export", f"my shop-sales:{first}", "--model", "shop.keras")
    assert (code, out.strip()) == (0, "shop.keras"), err
    assert command("export", f"my shop-sales:{first}", "--model", "shop.h5")[0] == 2


def test_a_changed_file_is_reported_when_its_sweep_is_resumed(file, folder):
    path = folder / "grows.csv"
    shutil.copy(file, path)
    before = sweep_over_file({"file": str(path), "target": "sales"})
    definition = search_definition(before)
    pd.concat([pd.read_csv(file)] * 2).drop(columns="month").to_csv(path, index=False)
    for overrides, changes in (([], []), (["units=3"], ["units was not there, but is 3"])):
        now = sweep_over_file({"file": str(path), "target": "sales"}, overrides)
        described = describe_changes(now, definition, search_definition(now))
        assert described[0] == f"{path} has changed since it began"
        others = [line for line in described[1:] if not line.startswith("search.space.units")]
        assert others == changes
        assert data_file(now) == str(path)
    assert describe_changes(before, definition, definition) == []
