"""Exponential smoothing and gradient boosting, held to statsmodels and scikit-learn by hand."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from threadpoolctl import threadpool_limits

from lstm_bench.data._baselines import baseline_forecasts
from lstm_bench.data._csv_task import CsvTask
from lstm_bench.data._exponential_smoothing import (
    SmoothingModel,
    best_form,
    fit_smoothing,
    smoothing_forecasts,
)
from lstm_bench.recipes._recipe import recipe

ROWS, CUT = 150, 120  # the test set begins at 120


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):  # as in the package: several would wait for one another
        yield


def wave(rows=ROWS, seed=3):
    rng, n = np.random.default_rng(seed), np.arange(rows)
    return 30 + 0.1 * n + np.cumsum(rng.normal(0, 0.3, rows)) + (3 + n / 50) * np.sin(n * np.pi / 3)


def written(path, **columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


def named(task, beginning):
    ((name, arrays),) = [pair for pair in task.baselines().items() if pair[0].startswith(beginning)]
    return name, arrays


def forms():
    for trend, damped in ((None, False), ("add", False), ("add", True)):
        for season in (None, "add", "mul"):
            yield trend, damped, season


def by_hand(values, trend, damped, season, period=6, **states):
    how = {"initialization_method": "known", **states} if states else {}
    return ETSModel(
        values, error="add", trend=trend, damped_trend=damped, seasonal=season,
        seasonal_periods=period if season else None,
        **(how or {"initialization_method": "heuristic"}),
    )  # fmt: skip


def states_of(fitted, trend, season):
    states = {"initial_level": fitted.initial_level}
    states |= {"initial_trend": fitted.initial_trend} if trend else {}
    return states | ({"initial_seasonal": fitted.initial_seasonal} if season else {})


@pytest.mark.parametrize("horizon", [1, 3])
def test_exponential_smoothing_is_the_model_of_least_aicc_in_statsmodels(tmp_path, horizon):
    values = wave().round(6)
    task = CsvTask(
        file=written(tmp_path / "wave.csv", y=values), target="y", horizon=horizon, season=6
    )
    name, (_, unseen) = named(task, "exponential smoothing")
    scored = []
    for trend, damped, season in forms():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = by_hand(values[:CUT], trend, damped, season).fit(disp=False)
        parameters = len(fitted.params) + 1 + 1 + bool(trend) + 5 * bool(season)
        aicc = 2 * parameters - 2 * fitted.llf
        aicc += 2 * parameters * (parameters + 1) / (CUT - parameters - 1)
        scored.append((aicc, trend, damped, season, fitted))
    _, trend, damped, season, fitted = min(scored, key=lambda each: each[0])
    letters = {None: "N", "add": "A", "mul": "M"}
    assert name.endswith(f"(A,{letters[trend]}{'d' * damped},{letters[season]})")
    first = task.file_sequences.segments[1].first
    for row in (CUT - horizon, CUT + 7, ROWS - 1 - horizon):
        model = by_hand(
            values[: row + 1], trend, damped, season, **states_of(fitted, trend, season)
        )
        assert unseen[row - first] == pytest.approx(
            model.smooth(fitted.params).forecast(horizon)[-1], rel=1e-9
        )


@pytest.mark.parametrize(("trend", "damped", "season"), list(forms()))
def test_every_form_is_filtered_as_in_statsmodels(trend, damped, season):
    values = wave()
    letters = {None: "N", "add": "A", "mul": "M"}
    form = (letters[trend] + "d" * damped, letters[season])
    model = fit_smoothing(values[:CUT], 6, form)
    assert model.form == f"A,{form[0]},{form[1]}"
    parameters = [model.alpha, *[model.beta] * bool(trend), *[model.gamma] * bool(season)]
    parameters += [model.phi] * damped
    forecasts = smoothing_forecasts(model, values, np.ones(ROWS, bool), 8)
    states = {"initial_level": model.level} | ({"initial_trend": model.slope} if trend else {})
    states |= {"initial_seasonal": np.array(model.seasonal)} if season else {}
    for row in (CUT, ROWS - 1):
        result = by_hand(values[: row + 1], trend, damped, season, **states).smooth(parameters)
        assert forecasts[row] == pytest.approx(result.forecast(8)[-1], rel=1e-9)
    # Started from the undamped fit too, a fit is at least as good as the one of statsmodels.
    reference = by_hand(values[:CUT], trend, damped, season).fit(disp=False)
    mine = by_hand(values[:CUT], trend, damped, season).smooth(parameters)
    assert mine.llf >= reference.llf - 1e-6


def test_a_row_that_was_not_observed_leaves_the_level_as_it_is():
    model = SmoothingModel("N", "N", 0.5, 0, 0, 1, 10.0, 0, (), 0, 0.0)
    values, observed = np.array([12.0, 99.0, 13.0]), np.array([True, False, True])
    assert smoothing_forecasts(model, values, observed, 2).tolist() == [11.0, 11.0, 12.0]
    seasonal = SmoothingModel("N", "M", 0.5, 0, 0.1, 1, 10.0, 0, (1.0, 2.0), 0, 0.0)
    assert smoothing_forecasts(seasonal, values, ~observed, 1)[0] == 20.0  # 10 x the next season


def test_one_form_for_many_series_has_the_least_sum_of_aicc():
    series = [wave(60, seed) for seed in range(2)]
    sums = {}
    for trend in ("N", "A", "Ad"):
        for season in ("N", "A", "M"):
            fits = [fit_smoothing(values, 6, (trend, season)) for values in series]
            sums[trend, season] = sum(fit.aicc for fit in fits)
    assert best_form(series, 6) == min(sums, key=sums.get)


@pytest.mark.parametrize("horizon", [1, 3])
def test_gradient_boosting_is_that_of_scikit_learn_on_a_lag_matrix_by_hand(tmp_path, horizon):
    values, price = wave(), np.cos(np.arange(ROWS)).round(4)
    file = written(tmp_path / "both.csv", y=values.round(6), price=price)
    task = CsvTask(file=file, target="y", horizon=horizon, season=6)
    name, (_, unseen) = named(task, "gradient boosting")
    linear, _ = named(task, "linear")
    lags = int(name.split()[-2])
    assert lags == int(linear.split()[-2])
    y = values.round(6)
    first = task.file_sequences.segments[1].first

    def windows(rows, changes):
        table = []
        for row in rows:
            past = y[row - lags + 1 : row + 1]
            seen = np.append(past[:-1] - past[-1], past[-1]) if changes else past
            table.append(np.column_stack([seen, price[row - lags + 1 : row + 1]]).ravel())
        return np.array(table)

    def forecast(train, rows, changes):
        origins = np.arange(lags - 1, train - horizon)
        targets = y[origins + horizon] - changes * y[origins]
        model = HistGradientBoostingRegressor(random_state=0, early_stopping=False)
        model.fit(windows(origins, changes), targets)
        return model.predict(windows(rows, changes)) + changes * y[rows]

    steps = CUT - horizon
    early = steps - steps // 5
    late = np.arange(early, steps)
    errors = [
        np.abs(forecast(early + horizon, late, changes) - y[late + horizon]).mean()
        for changes in (False, True)
    ]
    rows = np.arange(CUT - horizon, ROWS - horizon)
    expected = forecast(CUT, rows, int(np.argmin(errors)))
    assert unseen[rows - first] == pytest.approx(expected, rel=1e-9)


def test_gradient_boosting_of_symbols_takes_them_as_categories(tmp_path):
    rng = np.random.default_rng(4)
    numbers = [0, 1]
    for _ in range(198):  # the next depends on the last two, and not on their order in size
        right = (numbers[-1] * 2 + numbers[-2]) % 4
        numbers.append(right if rng.random() < 0.8 else int(rng.integers(4)))
    words = np.array(["north", "east", "south", "west"])[numbers]
    task = recipe("csv", file=written(tmp_path / "wind.csv", wind=words)).task
    name, (_, unseen) = named(task, "gradient boosting")
    lags, symbol = int(name.split()[-2]), np.array([task.labels.index(word) for word in words])
    windows = np.lib.stride_tricks.sliding_window_view(symbol, lags).astype(float)
    model = HistGradientBoostingClassifier(
        random_state=0, early_stopping=False, categorical_features=list(range(lags))
    )
    model.fit(windows[: 160 - lags], symbol[lags:160])
    first = task.file_sequences.segments[1].first
    assert (unseen[159 - first :] == model.predict(windows[160 - lags : -1])).all()


@pytest.mark.parametrize("horizon", [1, 3])
def test_what_comes_later_changes_no_earlier_forecast_of_several_series(tmp_path, horizon):
    rows, late = 80, 72  # the test set begins at 64
    table = {"shop": ["a"] * rows + ["b"] * rows, "t": [*range(rows)] * 2}
    table["y"] = np.concatenate([wave(rows, 1), wave(rows, 2) * 10])
    table["word"] = np.where(np.random.default_rng(1).random(2 * rows) > 0.5, "up", "down")
    for target in ("y", "word"):
        before = recipe("csv", file=written(tmp_path / "a.csv", **table), target=target,
                        columns=[], horizon=horizon, time="t", group="shop")  # fmt: skip
        changed = {key: np.array(column, object) for key, column in table.items()}
        for end in (slice(late, rows), slice(rows + late, None)):
            changed[target][end] = 1e4 if target == "y" else "up"
        after = recipe("csv", file=written(tmp_path / "b.csv", **changed), target=target,
                       columns=[], horizon=horizon, time="t", group="shop")  # fmt: skip
        expected, got = before.task.baselines(), after.task.baselines()
        assert list(expected) == list(got)
        for name, arrays in expected.items():
            for one, two, segment in zip(
                arrays, got[name], before.task.file_sequences.segments, strict=True
            ):
                known = late - segment.first
                assert np.array_equal(one[:known], two[:known]), name


@pytest.mark.parametrize(("columns", "settings", "reason"), [
    ({"y": wave(30)}, {"unseen": 0.4, "part": "validation"}, "no model could be fitted"),
    ({"y": wave(60), "g": [*"abcdef"] * 10}, {"split": "group", "group": "g"},
     "some series have none before the scored part"),
])  # fmt: skip
def test_a_baseline_that_cannot_be_fitted_is_left_out_with_its_reason(
    tmp_path, columns, settings, reason
):
    task = CsvTask(file=written(tmp_path / "few.csv", **columns), target="y", **settings)
    assert not [name for name in task.baselines() if name.startswith("exponential")]
    (left_out,) = task.preprocessing["baselines_left_out"]
    assert left_out.startswith("exponential smoothing: ") and reason in left_out


def test_only_the_linear_model_depends_on_the_window_of_a_recipe(tmp_path):
    task = CsvTask(file=written(tmp_path / "wave.csv", y=wave()), target="y", season=6)
    assert "baselines_left_out" not in task.preprocessing
    more = set(task.baselines(4)) - set(task.baselines())
    assert more <= {"linear, 4 rows"}
    assert not [name for name in task.baselines(4) if "boosting" in name or "smoothing" in name]


def test_baselines_of_changes_are_those_of_values_from_the_second_row_on():
    plain, changes = CsvTask(), CsvTask(difference=True)
    kind, lags = changes.kind, None
    direct = baseline_forecasts(changes.prepared, changes.file_sequences, kind, lags).forecasts
    found = changes.baselines()
    assert list(found) == list(direct) == list(plain.baselines())
    for name, arrays in found.items():
        for mine, own in zip(arrays, direct[name], strict=True):
            np.testing.assert_array_equal(mine, own)
