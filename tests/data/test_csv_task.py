"""The task `csv`, from a file to a report and to what is forecast of another file."""

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

from lstm_bench.cli._commands import main
from lstm_bench.cli._show import next_step
from lstm_bench.data._csv_task import EXAMPLE, CsvTask
from lstm_bench.errors import RecipeError, SweepError, UserError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.report._writing import write_report
from lstm_bench.search._study import SearchStudy
from lstm_bench.statistics._skill import BASELINE_PREFIX
from lstm_bench.sweeps._sweep import load_sweep, sweep_over_file
from lstm_bench.tracking import _listing as listing
from lstm_bench.tracking._store import Store
from lstm_bench.training._forecast import forecast_file, later
from lstm_bench.training._run import run

ROWS = 120
QUICK = {"epochs": 20, "units": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("own")


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


def by_hand(error, naive):
    """Returns the skill: above 0 for the smaller error, below it for the larger one."""
    return 1 - error / naive if error < naive else naive / error - 1


def units(task, sequence, number):
    """Returns what is due at the steps of a sequence, in the data's units."""
    steps = np.arange(len(sequence))
    return task.in_units(np.full(len(steps), number), steps, sequence.targets)[:, 0]


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_every_step_is_due_what_the_file_says_some_rows_later(file, difference, horizon, part):
    task = CsvTask(file=file, target="sales", horizon=horizon, difference=difference, part=part)
    sales = pd.read_csv(file)["sales"].to_numpy()
    (train,), (unseen,) = task.problem(0).train, task.problem(0).unseen
    first, cut = int(difference), 96 if part == "test" else 72
    end = cut + 24
    assert units(task, train, 0) == pytest.approx(sales[first + horizon : cut])
    assert units(task, unseen, 1)[unseen.scored] == pytest.approx(sales[cut:end])
    assert len(train.inputs) == cut - horizon - first
    scale = (sales if not difference else np.diff(sales, prepend=np.nan))[first : cut - horizon]
    own = train.inputs[:, 0] * scale.std() + scale.mean()
    assert own == pytest.approx(scale)  # by what is learnt from alone


def test_nothing_that_comes_later_reaches_what_is_learnt_or_forecast(file, folder):
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
        for name, before in task.naive().items():
            assert np.array_equal(before[1][:shown], changed.naive()[name][1][:shown]), name
    # What a search sees does not change with the part that is kept from it.
    other = frame.copy()
    other.loc[96:, "sales"] *= 3
    other.to_csv(late, index=False)
    kept = [
        CsvTask(file=f, target="sales", part="validation").problem(0) for f in (file, str(late))
    ]
    for one, two in zip(kept[0].sequences, kept[1].sequences, strict=True):
        assert np.array_equal(one.inputs, two.inputs) and np.array_equal(one.targets, two.targets)


def test_the_naive_answers_of_the_sunspots_are_those_of_pandas_and_the_normal_equations():
    series = pd.read_csv(EXAMPLE)["sunspots"]
    outcome = run(recipe("csv", epochs=2, units=2), seeds=[0])
    told = outcome.predictions
    due = told["expected"].astype(float)
    assert due.tolist() == series[-62:].tolist()

    def error(name):
        return (told[BASELINE_PREFIX + name].astype(float) - due).abs().mean()

    assert error("last value") == pytest.approx(series.diff().abs()[-62:].mean())
    assert error("value 11 rows before") == pytest.approx(series.diff(11).abs()[-62:].mean())
    assert error("median") == pytest.approx((series[-62:] - series[1:247].median()).abs().mean())
    lags = pd.concat([series.shift(k) for k in range(1, 13)], axis=1)
    design = np.column_stack([np.ones(len(lags)), lags])
    learnt = slice(12, 247)
    found = np.linalg.solve(design[learnt].T @ design[learnt], design[learnt].T @ series[learnt])
    assert error("linear, 12 rows") == pytest.approx(
        np.abs(design[-62:] @ found - series[-62:]).mean()
    )
    best = min(error(name) for name in ("last value", "value 11 rows before", "linear, 12 rows"))
    row = outcome.seeds.iloc[0]
    assert row["mae"] == pytest.approx(
        (told["predicted"].astype(float) - due).abs().mean(), rel=1e-4
    )
    assert row["skill"] == pytest.approx(by_hand(row["mae"], best), abs=1e-4)
    assert row["solved"] == (row["skill"] > 0)


@pytest.mark.parametrize(("target", "more", "kind"), [
    ("rained", {}, "binary"),
    pytest.param("level", {}, "categorical", marks=pytest.mark.slow),
    pytest.param("level", {"columns": ["price"]}, "categorical", marks=pytest.mark.slow),
    ("level", {"columns": ["price", "sales"], "horizon": 0}, "categorical"),
    pytest.param("sales", {"horizon": 0, "columns": ["price"]}, "regression",
                 marks=pytest.mark.slow),
])  # fmt: skip
def test_every_kind_of_target_trains_beside_its_naive_answers(file, target, more, kind):
    asked = recipe("csv", file=file, target=target, **more, **QUICK)
    assert asked.task.kind == kind
    outcome = run(asked, seeds=[0, 1])
    assert any(str(column).startswith(BASELINE_PREFIX) for column in outcome.predictions)
    assert outcome.seeds["skill"].between(-1, 1).all()
    assert len(outcome.predictions) == 2 * 24


@pytest.mark.parametrize("settings", [
    {"difference": True},
    {"framing": "pairs", "stateful": True, "batch_size": 1},
    {"target": "level"},
    {"framing": "whole", "batch_size": 1},
    *(pytest.param(asked, marks=pytest.mark.slow) for asked in (
        {},
        {"target": "rained", "network": "gru"},
        {"target": "level", "columns": ["price"], "framing": "feature_window", "window": 4},
    )),
])  # fmt: skip
def test_what_is_forecast_of_the_same_file_is_what_the_run_answered(file, settings):
    asked = recipe("csv", **{"file": file, "target": "sales", **QUICK, **settings})
    outcome = run(asked, seeds=[0])
    if asked.framing.every_step:  # it was shown 119 rows at most: a longer past has no room
        with pytest.raises(UserError, match="feeds the whole past in 119 time steps"):
            forecast_file(outcome, file)
        return
    told = forecast_file(outcome, file)
    assert told["month"].iloc[-1] == "2010-01-01"  # what comes after the file's last row
    assert told["origin"].iloc[-1] == "2009-12-01"
    known = outcome.predictions["predicted"].to_numpy()
    assert told["month"].tolist()[-len(known) - 1 : -1] == outcome.predictions["input"].tolist()
    again = told["predicted"].to_numpy()[-len(known) - 1 : -1]
    if asked.task.kind != "categorical":
        assert again.astype(float) == pytest.approx(known.astype(float), rel=1e-4)
    else:
        assert [f"{v:.6g}" if isinstance(v, float) else str(v) for v in again] == list(
            map(str, known)
        )


@pytest.mark.parametrize(("when", "then"), [
    (["2020-11-30", "2020-12-31", "2021-01-31"], ["2021-02-28", "2021-03-31"]),
    (["2020-11-15", "2020-12-15", "2021-01-15"], ["", ""]),
    (["1990", "1991", "1992"], ["1993", "1994"]),
    (["0.5", "1", "1.5"], ["2", "2.5"]),
    (["2020-01", "2020-04", "2020-07", "2020-10"], ["2021-01", "2021-04"]),
    (["30.12.2020", "31.12.2020", "01.01.2021"], ["02.01.2021", "03.01.2021"]),
    (["2021-01-01 22:00", "2021-01-01 23:00", "2021-01-02 00:00"],
     ["2021-01-02 01:00", "2021-01-02 02:00"]),
    (["2020-01-01", "2020-01-02", "2020-01-05"], ["", ""]),
    (["2020-01-01"], ["", ""]),
])  # fmt: skip
def test_times_go_on_as_they_did(when, then):
    assert later(np.array(when, object), 2).tolist() == then


def test_the_model_file_and_the_scaling_are_all_that_plain_keras_needs(file, folder):
    import keras

    asked = recipe("csv", file=file, target="sales", columns=["price"], window=4, **QUICK)
    outcome = run(asked, seeds=[0])
    (folder / "sales.keras").write_bytes(outcome.model)
    told, known = forecast_file(outcome, file), outcome.data
    names, centre, spread = zip(*known["inputs"], strict=True)
    assert names == ("sales", "price")
    frame = pd.read_csv(file)[list(names)]
    rows = ((frame.to_numpy() - centre) / spread)[-4:]
    out = keras.models.load_model(folder / "sales.keras").predict(rows[None], verbose=0)
    value = out[0, 0] * known["scale"] + known["shift"]
    assert value == pytest.approx(told["predicted"].iloc[-1], rel=1e-5)


def test_what_is_forecast_does_not_depend_on_what_became_of_the_file(file, folder):
    own = folder / "growing.csv"
    frame = pd.read_csv(file)
    frame[:80].to_csv(own, index=False)
    asked = recipe("csv", file=str(own), target="level", columns=["sales"], **QUICK)
    outcome = run(asked, seeds=[0])
    before = forecast_file(outcome, file)
    frame.assign(level="sideways", sales=frame["sales"] * 100).to_csv(own, index=False)
    pd.testing.assert_frame_equal(forecast_file(outcome, file), before)
    own.unlink()
    pd.testing.assert_frame_equal(forecast_file(outcome, file), before)


def test_at_horizon_0_the_target_of_a_file_may_be_empty(file, folder):
    asked = recipe("csv", file=file, target="level", columns=["price"], horizon=0, **QUICK)
    outcome = run(asked, seeds=[0])
    blank = folder / "blank.csv"
    pd.read_csv(file).assign(level="").to_csv(blank, index=False)
    pd.testing.assert_frame_equal(forecast_file(outcome, str(blank)), forecast_file(outcome, file))


def test_the_naive_answers_of_yes_and_no_err_by_shares_counted_by_hand(file):
    asked = recipe("csv", file=file, target="rained", **QUICK)
    outcome = run(asked, seeds=[0])
    rained = (pd.read_csv(file)["rained"] == "yes").to_numpy()
    told, off = outcome.predictions, (rained[96:] != rained[95:-1]).mean()
    due = told["expected"].to_numpy()
    assert due.tolist() == rained[96:].tolist()
    assert asked.task.prepared.notes[0] == "target rained: binary, 1: yes, 0: no"
    assert (told[BASELINE_PREFIX + "last value"].to_numpy() != due).mean() == pytest.approx(off)
    usual = rained[1:96].mean() >= 0.5
    assert (told[BASELINE_PREFIX + "most frequent"].to_numpy() != due).mean() == (
        rained[96:] != usual
    ).mean()
    best = min(
        (told[BASELINE_PREFIX + name].to_numpy() != due).mean() for name in asked.task.naive()
    )
    wrong = (told["predicted"].to_numpy() != due).mean()
    assert outcome.seeds["skill"].iloc[0] == pytest.approx(by_hand(wrong, best))


def test_many_symbols_for_the_rows_are_answered_without_a_library_s_warning(folder):
    path = folder / "words.csv"
    path.write_text("word\n" + "\n".join(f"w{n % 20}" for n in range(40)) + "\n")
    task = recipe("csv", file=str(path)).task
    due = [f"w{n % 20}" for n in range(40)][1:32]  # what is learnt from; warnings are errors here
    told = task.naive(lags=1)["logistic, 1 rows"][0]
    assert [task.labels[int(n)] for n in told] == due


def test_a_finalist_is_legal_where_it_is_judged_or_is_not_proposed(folder):
    lines = [f"{day},{name},{math.sin(day + k):.3f}" for day in range(60) for k, name in
             enumerate("ab")]  # fmt: skip
    lines += [f"{day},c,{math.cos(day):.3f}" for day in range(45, 60)]
    path = folder / "shops.csv"
    path.write_text("day,shop,sales\n" + "\n".join(lines) + "\n")
    found = sweep_over_file({"file": str(path), "target": "sales"})
    study = SearchStudy(found.search, found.settings)
    for batch in study.batches():
        for _, proposed in batch:
            assert proposed.judged.task.part == "test"
        break


def test_what_cannot_be_forecast_is_refused(file, folder):
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
    with pytest.raises(UserError, match="window forecasts from 6 rows on"):
        forecast_file(outcome, str(other))
    with pytest.raises(UserError, match="not of a file"):
        forecast_file(run(recipe("memory", epochs=1), seeds=[0]), file)


SEARCH = ["seeds=3", "search.trials=3", "search.startup=2", "search.confirm=1",
          "search.space.epochs=[5,20]", "search.space.window=[4]", "search.space.network=[lstm]",
          "search.space.batch_size=[16]", "search.space.framing=[window]"]  # fmt: skip


@pytest.fixture(scope="module")
def done(file, tmp_path_factory):
    """The working folder, and what the command answered in it."""
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


def test_a_search_never_sees_what_its_finalists_are_judged_by(done, again):
    result, page = again, done[0] / "reports" / "my shop-sales" / "index.html"
    store = Store("sqlite:///mlflow.db", done[0] / "mlartifacts")
    (parent,) = store.parents(store.experiment(result.name))
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
    assert "## Better than a naive answer?" in text and "figures/forecast.svg" in text
    assert (page.parent / "figures" / "forecast.svg").stat().st_size > 5000
    table = pd.read_csv(page.parent / "naive.csv")
    assert set(table["verdict"].dropna()) <= {"better", "worse", "cannot tell"}


def test_the_next_step_forecasts_by_the_recipe_that_the_report_calls_best(done, again, command):
    line = next_step(again, "my shop.csv")
    words = shlex.split(line)
    report = (done[0] / "reports" / "my shop-sales" / "report.md").read_text()
    (named,) = re.findall(r"The best recipe is (\S+)", report)
    assert words[1:] == ["predict", f"my shop-sales:{named}", "--csv", "my shop.csv",
                         "--output", "forecast.csv"]  # fmt: skip
    assert command(*words[1:])[0] == 0
    (done[0] / "forecast.csv").unlink()
    nobody = dataclasses.replace(again, rows=again.trials)
    assert next_step(nobody, "my shop.csv") == ""


def test_a_report_of_data_is_rebuilt_from_the_store_alone(done, again, tmp_path):
    before = (done[0] / "reports" / "my shop-sales" / "report.md").read_bytes()
    assert (write_report(again, tmp_path / "again").parent / "report.md").read_bytes() == before


def test_a_sweep_file_may_name_data_and_nothing_else(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(file, tmp_path / "shop.csv")
    (tmp_path / "shop.yaml").write_text("task: csv\nfile: shop.csv\ntarget: sales\n")
    found = load_sweep(tmp_path / "shop.yaml")
    assert found.search.objective == "skill" and 8 in found.search.space["window"]
    for astray in ("../shop.csv", "/etc/passwd", str(tmp_path.parent / "x.csv")):
        (tmp_path / "shop.yaml").write_text(f"task: csv\nfile: {astray}\ntarget: sales\n")
        with pytest.raises(SweepError, match="must lie in the working folder, but got"):
            load_sweep(tmp_path / "shop.yaml")


@pytest.mark.parametrize(("settings", "said"), [
    ({"file": "none.csv"}, "file: none.csv: there is no such file"),
    ({"target": "spots"}, "did you mean 'sunspots'"),
    ({"horizon": 0, "difference": True}, "horizon is 0"),
    ({"window": 300}, "must fit into every sequence"),
    ({"evaluation": "free_running"}, "asks for symbols"),
    ({"columns": [3]}, "columns"),
])  # fmt: skip
def test_wrong_settings_of_a_file_are_told_with_their_key(settings, said):
    with pytest.raises(RecipeError, match=said):
        recipe("csv", **settings)


@pytest.mark.parametrize(("words", "said"), [
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
     "error: search.space.units.lg: there is no such key, but got True\n"),
    (["sweep", "--csv", str(EXAMPLE), "search.space.units={int: [4]}"],
     "error: search.space.units.int.1: must be given, but got nothing\n"),
    (["sweep", "--csv", str(EXAMPLE), "--horizon", "400"], "steps are left to learn from"),
    (["predict", "x:y"], "give either symbols"),
    (["predict", "x:y", "1 2", "--output", "o.csv"], "--output"),
    (["predict", "x:y", "--csv", "f.csv", "--generate", "6"], "train with a larger horizon"),
])  # fmt: skip
def test_wrong_words_end_with_one_message(command, words, said):
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert said in err and "Traceback" not in err


def test_a_file_on_the_command_line_from_search_to_forecast(done, command, monkeypatch):
    folder, told = done
    monkeypatch.chdir(folder)
    (first, *_) = told["naive"]
    assert told["naive"][first]["verdict"] in ("better", "worse", "cannot tell")
    code, out, err = command("predict", f"my shop-sales:{first}", "--csv", "my shop.csv",
                             "--output", "told.csv")  # fmt: skip
    assert (code, out.strip()) == (0, "told.csv"), err
    assert list(pd.read_csv("told.csv").columns) == ["month", "origin", "predicted"]
    code, _, err = command("predict", f"my shop-sales:{first}", "--csv", "my shop.csv",
                           "--output", "told.csv")  # fmt: skip
    assert code == 2 and "--force" in err
    code, out, err = command("export", f"my shop-sales:{first}", "--model", "shop.keras")
    assert (code, out.strip()) == (0, "shop.keras"), err
    assert command("export", f"my shop-sales:{first}", "--model", "shop.h5")[0] == 2


def test_a_file_that_changed_under_its_sweep_is_told_in_words(file, folder):
    path = folder / "grows.csv"
    shutil.copy(file, path)
    before = sweep_over_file({"file": str(path), "target": "sales"})
    known = listing.definition(before)
    pd.concat([pd.read_csv(file)] * 2).drop(columns="month").to_csv(path, index=False)
    for overrides, said in (([], []), (["units=3"], ["units was not there, but is 3"])):
        now = sweep_over_file({"file": str(path), "target": "sales"}, overrides)
        found = listing.changed(now, known, listing.definition(now))
        assert found[0] == f"{path} has changed since it began"
        assert [line for line in found[1:] if not line.startswith("search.space.units")] == said
        assert listing.data_file(now) == str(path)
    assert listing.changed(before, known, known) == []
