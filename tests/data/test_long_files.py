"""Files that are too long for a default search, and baselines that forecast another file."""

import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_bench.cli._options import DataOptions
from lstm_bench.cli._show import next_step
from lstm_bench.data import _default_search as default
from lstm_bench.data._baseline_file import forecast_with_baseline
from lstm_bench.data._baselines import FITTED_BASELINES
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._latest_rows import MIN_SERIES_ROWS, latest_rows
from lstm_bench.data._rows import Rows
from lstm_bench.data._series import PREPARED_FILES, prepare
from lstm_bench.data._sharing import share_between_processes
from lstm_bench.errors import UserError
from lstm_bench.recipes._recipe import recipe
from lstm_bench.statistics import compute_metrics
from lstm_bench.sweeps._sweep import parse_sweep, sweep_over_file


def table(rows):
    n = np.arange(rows)
    noise = np.random.default_rng(3).standard_normal((2, rows))
    return pd.DataFrame({"t": n, "v": np.sin(n / 4) + 0.1 * noise[0], "x": noise[1]})


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.csv"
    table(400).to_csv(path, index=False)
    return str(path)


def test_the_latest_rows_are_those_that_pandas_has_at_the_end(long, tmp_path):
    end = tmp_path / "end.csv"
    pd.read_csv(long).tail(150).to_csv(end, index=False)
    whole, alone = prepare(FileOptions(long, "v", latest=150)), prepare(FileOptions(str(end), "v"))
    (series,), (expected,) = whole.series, alone.series
    for part in ("target", "inputs", "times", "validation_start", "test_start"):
        np.testing.assert_array_equal(getattr(series, part), getattr(expected, part))
    assert whole.season == alone.season
    assert whole.notes[1].startswith("the latest 150 rows of 400 rows in the order of t")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5), st.integers(20, 900), st.booleans())
def test_of_several_series_the_rows_from_one_time_on_are_kept(lengths, count, timed):
    ends = np.cumsum(lengths)
    rows = {
        str(i): np.arange(end - n, end)
        for i, (n, end) in enumerate(zip(lengths, ends, strict=True))
    }
    rng = np.random.default_rng(sum(lengths))
    times = np.concatenate([np.sort(rng.permutation(2000)[:n]) for n in lengths])
    arranged = Rows(times[:, None], times if timed else None, times, rows, {}, rows, 0, 0, "")
    kept = latest_rows(arranged, count).by_series
    assert list(kept) == list(rows)
    for name, indices in rows.items():
        np.testing.assert_array_equal(kept[name], indices[len(indices) - len(kept[name]) :])
        if len(rows) > 1:
            assert len(kept[name]) >= min(len(indices), MIN_SERIES_ROWS)
    if sum(lengths) <= count:
        assert sum(map(len, kept.values())) == sum(lengths)
    elif len(rows) == 1:
        assert len(kept["0"]) == count
    elif timed:  # by pandas: all rows that are as late as the latest `count`
        frame = pd.DataFrame({"time": times, "row": np.arange(len(times))})
        late = set(frame[frame["time"] >= frame["time"].nlargest(count).min()]["row"])
        assert late <= set(np.concatenate(list(kept.values())).tolist())


def test_a_default_search_over_a_longer_file_is_smaller_and_says_so(long, monkeypatch):
    document = {"task": "csv", "file": long, "target": "v"}
    before = sweep_over_file({"file": long, "target": "v"})
    assert "latest" not in before.settings and "latest" not in before.about
    monkeypatch.setattr(default, "MAX_SEARCH_ROWS", 200)
    for sweep in (
        sweep_over_file({"file": long, "target": "v"}),
        parse_sweep("long", document | {"search": {}}),
    ):
        assert sweep.settings["latest"] == 200
        assert "uses its latest 200 rows" in sweep.about and "latest=400 uses all" in sweep.about
        assert "training set: 120 rows, validation set: 40" in sweep.about
    whole = sweep_over_file({"file": long, "target": "v"}, ["latest=400"])
    assert whole.settings["latest"] == 400 and "default search" not in whole.about
    fixed = parse_sweep("long", document | {"recipes": {"A": {"units": 2}}})
    assert "latest" not in fixed.settings  # the recipes of a file stay as they are


def test_a_recipe_without_latest_has_the_digest_of_before(long):
    chosen = recipe("csv", file=long, target="v")
    assert "latest" not in chosen.settings
    assert recipe("csv", file=long, target="v", latest=150).digest != chosen.digest


def test_a_file_is_read_and_its_baselines_are_fitted_once_for_processes_that_share_a_folder(
    long, tmp_path, monkeypatch
):
    """A second process, which may neither read nor fit, has the same values."""
    for cache in (PREPARED_FILES, FITTED_BASELINES):
        monkeypatch.setattr(cache, "_folder", None)
    task = CsvTask(file=long, target="v", horizon=2)
    share_between_processes(tmp_path)
    expected = task.baselines()
    script = f"""
import pickle, sys
from pathlib import Path
import lstm_bench.data._csv_task as csv_task, lstm_bench.data._series as series
def never(*_):
    raise AssertionError("it was done again")
series.read_data = csv_task.baseline_forecasts = never
task = csv_task.CsvTask(file={str(long)!r}, target="v", horizon=2)
from lstm_bench.data import share_between_processes
share_between_processes(Path({str(tmp_path)!r}))
sys.stdout.buffer.write(pickle.dumps((task.prepared.notes, dict(task.baselines()))))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    notes, found = pickle.loads(done.stdout)
    assert notes == task.prepared.notes
    assert list(found) == list(expected)
    for name, forecasts in expected.items():
        for ours, theirs in zip(forecasts, found[name], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_short_part_of_a_long_file_keeps_no_rows_of_the_rest(long):
    """An array of its own: a view would keep the text of all rows in memory."""
    (series,) = prepare(FileOptions(long, "v", latest=100)).series
    arrays = [value for value in vars(series).values() if isinstance(value, np.ndarray)]
    assert max(len(array if array.base is None else array.base) for array in arrays) <= 100


# ---- Baselines


def test_baselines_forecast_another_file_to_its_last_row(long, tmp_path):
    task = CsvTask(file=long, target="v", columns=(), horizon=2, season=25)
    new = tmp_path / "new.csv"
    table(480).tail(60).to_csv(new, index=False)
    values = pd.read_csv(new)["v"].to_numpy()
    learned = pd.read_csv(long)["v"].to_numpy()[: 400 - 80]
    last = forecast_with_baseline(task, "last value", str(new))
    assert last.columns.tolist() == ["t", "origin", "predicted"]
    assert last["t"].tolist() == [str(n) for n in range(422, 482)]
    np.testing.assert_array_equal(last["predicted"], values)
    season = forecast_with_baseline(task, "value 25 rows before", str(new))["predicted"]
    np.testing.assert_array_equal(season[23:], values[: 60 - 23])
    median = forecast_with_baseline(task, "median", str(new))["predicted"].to_numpy()
    np.testing.assert_allclose(median, np.median(learned[2:]))
    windows = np.column_stack([np.ones(317), learned[:317], learned[1:318]])
    weights = np.linalg.lstsq(windows, learned[3:], rcond=None)[0]
    linear = forecast_with_baseline(task, "linear, 2 rows", str(new))["predicted"].to_numpy()
    expected = np.column_stack([np.ones(59), values[:-1], values[1:]]) @ weights
    np.testing.assert_allclose(linear[1:], expected, rtol=1e-9)


@pytest.mark.long
def test_the_forecasts_of_a_baseline_are_those_of_the_report(long):
    """On the rows that a report scores, from the very same file."""
    task = CsvTask(file=long, target="v")
    for name, parts in task.baselines().items():
        frame = forecast_with_baseline(task, name, long)
        by_time = dict(zip(frame["t"], frame["predicted"], strict=True))
        scored = task.problem(0).unseen[0].scored
        data = task.file_sequences
        times = data.times[data.starts[1] :, 0][: len(scored)][scored]
        np.testing.assert_allclose([by_time[t] for t in times], parts[1][scored], rtol=1e-9)


def test_the_next_step_after_networks_that_lose_is_the_baseline():
    lost = SimpleNamespace(baseline="value 12 rows before", network_error=2.0, baseline_error=1.0)
    won = SimpleNamespace(baseline="last value", network_error=0.5, baseline_error=1.0)
    best = SimpleNamespace(
        id="confirm-1", role="confirmed", outcome=SimpleNamespace(settings={"task": "csv"})
    )
    data = SimpleNamespace(name="sales", best=best)
    line = next_step(data, "my shop.csv", [SimpleNamespace(best=lost, outputs=())])
    assert line.startswith("lstm-bench predict 'sales:value 12 rows before' --csv 'my shop.csv'")
    path = [SimpleNamespace(best=lost, outputs=("1", "2"))]  # which baselines do not forecast
    assert next_step(data, "my shop.csv", path).startswith("lstm-bench predict sales:confirm-1 ")
    both = [SimpleNamespace(best=each, outputs=()) for each in (lost, won)]
    line = next_step(data, "my shop.csv", both)
    assert line.startswith("lstm-bench predict sales:confirm-1 ")


# ---- Messages


def test_no_columns_on_the_command_line_are_no_inputs():
    def given(columns):
        return DataOptions(None, None, None, columns, None, None, None, None).settings()["columns"]

    assert (given(""), given("a, b")) == ([], ["a", "b"])


def test_time_none_is_the_order_of_the_rows(long):
    task = CsvTask(file=long, target="v", columns=("x",), time="none")
    assert "400 rows in the order of the file" in task.summary()[1]


@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_one_class_alone_has_metrics_without_a_warning(kind):
    """pytest turns a warning into an error; scikit-learn documents 0 for this coefficient."""
    outputs = np.array([[0.1], [0.2]]) if kind == "binary" else np.array([[0.9, 0.1]] * 2)
    targets = np.zeros((2, 1)) if kind == "binary" else np.array([[1.0, 0.0]] * 2)
    metrics = compute_metrics(outputs, targets, kind)
    assert (metrics["matthews"], metrics["balanced_accuracy"]) == (0, 1)


def test_a_default_in_a_message_is_called_one(file):
    path = file("v\n" + "\n".join(map(str, range(25))))
    with pytest.raises(Exception, match=r"unseen=0.2 \(a share of the rows, the default for"):
        prepare(FileOptions(path, "v", horizon=14))


def smoothing_of(task):
    return next(name for name in task.baselines() if name.startswith("exponential smoothing"))


def test_exponential_smoothing_goes_on_from_its_first_row_or_refuses(long, tmp_path):
    task = CsvTask(file=long, target="v", columns=(), latest=300)
    name = smoothing_of(task)
    table(400).tail(350).to_csv(tmp_path / "longer.csv", index=False)  # 50 rows more
    same = forecast_with_baseline(task, name, long)
    other = forecast_with_baseline(task, name, str(tmp_path / "longer.csv"))
    assert same["t"].tolist() == other["t"].tolist()
    assert len(same) == 300
    np.testing.assert_array_equal(same["predicted"], other["predicted"])
    table(400).tail(100).to_csv(tmp_path / "late.csv", index=False)
    with pytest.raises(UserError, match="goes on from the first row"):
        forecast_with_baseline(task, name, str(tmp_path / "late.csv"))


def test_exponential_smoothing_of_a_series_that_it_was_not_fitted_to_is_refused(tmp_path):
    north = table(60).assign(shop="north")
    north.to_csv(tmp_path / "north.csv", index=False)
    file = tmp_path / "east.csv"
    pd.concat([north, table(60).assign(shop="east")]).to_csv(file, index=False)
    task = CsvTask(file=str(tmp_path / "north.csv"), target="v", columns=(), group="shop")
    message = rf"it was not fitted to the series of shop 'east', which {file} has; give the file"
    with pytest.raises(UserError, match=message):
        forecast_with_baseline(task, smoothing_of(task), str(file))


def test_a_baseline_forecasts_the_rows_of_which_known_values_are_there(tmp_path):
    frame = table(120).rename(columns={"x": "promo"})
    frame["v"] = 2 * frame["promo"].shift(0) + 5
    frame.to_csv(tmp_path / "shop.csv", index=False)
    later = pd.concat([frame, pd.DataFrame({"t": [120, 121], "promo": [0.5, -0.5]})])
    later.to_csv(tmp_path / "later.csv", index=False)
    task = CsvTask(file=str(tmp_path / "shop.csv"), target="v", known=("promo",))
    linear = next(name for name in task.baselines() if name.startswith("linear"))
    new = forecast_with_baseline(task, linear, str(tmp_path / "later.csv"))
    assert new["t"].tolist()[-1] == "120" and new["origin"].tolist()[-1] == "119"
    np.testing.assert_allclose(new["predicted"].iloc[-1], 2 * 0.5 + 5, atol=1e-6)
    boosted = next(name for name in task.baselines() if name.startswith("gradient"))
    errors = forecast_with_baseline(task, boosted, str(tmp_path / "shop.csv"))
    spread = np.abs(frame["v"] - frame["v"].median()).mean()
    known = errors.merge(frame.astype({"t": str}), on="t")
    assert np.abs(known["predicted"] - known["v"]).mean() < spread / 2  # it sees promo
