"""Rolling origins: each is the plain problem of a file that ends where its stretch ends."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcome_builder import build_outcome
from scipy import stats
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

import lstm_bench as lb
from lstm_bench.analysis._baselines import baseline_results
from lstm_bench.data import CsvTask
from lstm_bench.data._split import origin_starts
from lstm_bench.errors import RecipeError, UserError
from lstm_bench.recipes import estimated_seconds, recipe
from lstm_bench.report import _origin_page as origin_page
from lstm_bench.results import Row, SweepData
from lstm_bench.statistics import absolute_errors, compare_with_baseline, stretch_mean


def write_series(path, rows=100, seed=3):
    rng = np.random.default_rng(seed)
    values = 10 + 3 * np.sin(np.arange(rows) / 3) + rng.normal(0, 0.5, rows)
    days = pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"day": days, "sales": values.round(3)})
    frame.to_csv(path, index=False)
    return frame


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 40)), min_size=1, max_size=4),
    st.integers(2, 7),
)
def test_the_stretches_follow_one_another_and_cover_the_part_never_seen(sizes, origins):
    rng = np.random.default_rng(len(sizes))
    ranks = [np.sort(rng.choice(200, size=seen + unseen, replace=False)) for seen, unseen in sizes]
    starts = [seen for seen, _ in sizes]
    if sum(unseen for _, unseen in sizes) == 0:
        return
    edges = origin_starts(ranks, starts, origins, common=True)
    for series, first, rank in zip(edges, starts, ranks, strict=True):
        assert series[0] == first and series[-1] == len(rank) and (np.diff(series) >= 0).all()
    for k in range(1, origins):  # the same time cuts all series
        before = [r[e[k - 1] : e[k]] for r, e in zip(ranks, edges, strict=True)]
        after = [r[e[k] : e[k + 1]] for r, e in zip(ranks, edges, strict=True)]
        if len(np.concatenate(before)) and len(np.concatenate(after)):
            assert np.concatenate(before).max() < np.concatenate(after).min()


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("origin", [1, 2, 4])
def test_an_origin_is_the_plain_task_of_the_file_up_to_there(tmp_path, origin, horizon):
    frame = write_series(tmp_path / "all.csv")
    end = 80 + 5 * origin
    frame.iloc[:end].to_csv(tmp_path / "cut.csv", index=False)
    options = {"target": "sales", "season": 7, "horizon": horizon}
    whole = CsvTask(file=str(tmp_path / "all.csv"), origins=4, origin=origin, **options)
    cut = CsvTask(file=str(tmp_path / "cut.csv"), unseen=5 / end, **options)
    for mine, plain in zip(whole.problem(0).sequences, cut.problem(0).sequences, strict=True):
        np.testing.assert_array_equal(mine.inputs, plain.inputs)
        np.testing.assert_array_equal(mine.targets, plain.targets)
        np.testing.assert_array_equal(mine.scored, plain.scored)
    forecasts, names = cut.baselines(), whole.baseline_names
    assert len(names) == len(forecasts)
    for name, arrays in whole.baselines().items():
        for mine, plain in zip(arrays, forecasts[names[name]], strict=True):
            np.testing.assert_array_equal(mine, plain)


@pytest.mark.long
def test_a_run_at_origins_scores_every_row_once_and_pools_its_errors(tmp_path):
    frame = write_series(tmp_path / "sales.csv")
    settings = {"file": str(tmp_path / "sales.csv"), "target": "sales", "epochs": 3, "units": 4}
    outcome = lb.run("csv", seeds=2, origins=4, **settings)
    table = outcome.predictions[outcome.predictions["seed"] == 1]
    assert table["input"].tolist() == frame["day"].iloc[80:].tolist()
    np.testing.assert_allclose(table["expected"], frame["sales"].iloc[80:], rtol=1e-9)
    np.testing.assert_allclose(table["naive: last value"], frame["sales"].iloc[79:-1], rtol=1e-9)
    assert table["origin"].tolist() == [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    scores = outcome.seeds.set_index("seed").loc[1]
    pairs = table["expected"], table["predicted"]
    assert math.isclose(scores["mae"], mean_absolute_error(*pairs), rel_tol=1e-9)
    assert math.isclose(scores["rmse"], root_mean_squared_error(*pairs), rel_tol=1e-9)
    shared = CsvTask(file=settings["file"], target="sales", origins=4).baselines()
    best = min(mean_absolute_error(table["expected"], table[f"naive: {name}"]) for name in shared)
    error = scores["mae"]
    expected = 1 - error / best if error < best else best / error - 1
    assert math.isclose(scores["skill"], expected, rel_tol=1e-9)
    # The last origin alone: the same network, to the last bit.
    alone = lb.run("csv", seeds=2, origins=4, origin=4, **settings)
    last = outcome.predictions[outcome.predictions["origin"] == 4]["predicted"].to_numpy()
    np.testing.assert_array_equal(last, alone.predictions["predicted"].to_numpy())


@pytest.mark.long
def test_plain_keras_gives_the_same_errors_at_every_origin(tmp_path):
    write_series(tmp_path / "sales.csv", rows=60)
    settings = {"file": str(tmp_path / "sales.csv"), "target": "sales", "epochs": 2, "units": 3}
    outcomes = [
        lb.run("csv", seeds=1, origins=2, engine=engine, **settings)
        for engine in ("compiled", "keras")
    ]
    compiled, keras = (outcome.predictions["predicted"].to_numpy() for outcome in outcomes)
    np.testing.assert_allclose(compiled, keras, rtol=1e-4)


def test_one_origin_is_the_recipe_without_origins_and_five_cost_more():
    plain = recipe("csv")
    assert recipe("csv", origins=1).digest == plain.digest
    assert "origins" not in plain.settings
    several = recipe("csv", origins=5)
    assert several.digest != plain.digest
    assert len(several.at_origins) == 5
    # The last origin learns from about as much as the plain recipe, the first from less.
    assert 4 * estimated_seconds(plain) < estimated_seconds(several) < 7 * estimated_seconds(plain)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"origins": 5, "split": "group"}, "origins are stretches of time"),
        ({"origins": 3, "origin": 4}, "from 1 to 3, but is 4"),
        ({"origin": 2}, "from 1 to 1, but is 2"),
        ({"origins": 21}, "21"),
    ],
)
def test_settings_that_do_not_fit_are_refused(options, message):
    with pytest.raises(RecipeError, match=message):
        recipe("csv", **options)


def test_a_stretch_without_steps_is_refused_with_the_repair(tmp_path):
    write_series(tmp_path / "short.csv", rows=25)  # its last part has five rows
    with pytest.raises(UserError, match="use fewer origins, or a larger unseen"):
        recipe("csv", file=str(tmp_path / "short.csv"), target="sales", origins=12)


def test_the_interval_is_that_of_a_t_test_over_the_origins_or_wider():
    rng = np.random.default_rng(0)
    levels = np.array([1.0, -0.5, 2.0, 0.3, 1.4])
    interval = stats.ttest_1samp(levels, 0).confidence_interval(0.95)
    one_seed = [np.array([levels.mean()])]
    found = stretch_mean(levels, one_seed, origins=np.arange(5))
    np.testing.assert_allclose([found.low, found.high], list(interval))
    two = stretch_mean(levels[:2], [levels[:1]], origins=np.arange(2))
    expected = stats.ttest_1samp(levels[:2], 0).confidence_interval(0.95)
    np.testing.assert_allclose([two.low, two.high], list(expected))
    steps = np.repeat(levels, 12) + np.tile([0.1, -0.1], 30) * rng.normal()
    found = stretch_mean(steps, one_seed, origins=np.repeat(np.arange(5), 12))
    assert found.low <= interval.low and found.high >= interval.high


def simulated_gains(rng, origins, seeds, steps, correlation, luck):
    """Returns gains without a mean, with a part of their own at each origin, as a table."""
    total = origins * steps
    noise = rng.standard_normal(total)
    for t in range(1, total):
        noise[t] = correlation * noise[t - 1] + math.sqrt(1 - correlation**2) * noise[t]
    common = np.repeat(luck * rng.standard_normal(origins), steps)
    own = np.repeat(0.5 * rng.standard_normal((seeds, origins)), steps, axis=1)
    always = 0.2 * rng.standard_normal((seeds, 1))
    gains = noise + common + own + always + 0.5 * rng.standard_normal((seeds, total))
    return pd.DataFrame(
        {
            "seed": np.repeat(np.arange(seeds), total),
            "moment": np.tile(np.arange(total), seeds),
            "origin": np.tile(np.repeat(np.arange(1, origins + 1), steps), seeds),
            "network": 10 - gains.ravel(),
            "last value": 10.0,
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("origins", "seeds", "steps", "correlation", "luck"),
    [
        (5, 10, 12, 0.0, 0.5),
        (5, 10, 12, 0.8, 0.0),
        (5, 10, 40, 0.5, 0.5),
        (5, 20, 40, 0.8, 0.3),
        (10, 10, 20, 0.5, 1.0),
        (3, 10, 20, 0.5, 0.5),
    ],
)
def test_equal_errors_are_called_different_in_five_percent_at_most(
    origins, seeds, steps, correlation, luck
):
    rng = np.random.default_rng(1)
    verdicts, without = [], []
    for _ in range(1000):
        table = simulated_gains(rng, origins, seeds, steps, correlation, luck)
        verdicts.append(compare_with_baseline(table, "last value").verdict != "cannot tell")
        plain = table.drop(columns="origin")
        without.append(compare_with_baseline(plain, "last value").verdict != "cannot tell")
    print(
        f"\n{origins} origins, {seeds} seeds, {steps} steps, r {correlation}, luck {luck}: wrong "
        f"{100 * np.mean(verdicts):.1f} %, by blocks of steps {100 * np.mean(without):.1f} %"
    )
    assert np.mean(verdicts) <= 0.065  # 5 %, and two standard errors of 1000 reports


def outcome_at_origins():
    rng, seeds, steps = np.random.default_rng(5), 3, 40
    expected = np.arange(steps) + 10.0
    errors = rng.uniform(0.5, 1.5, (seeds, steps))
    table = pd.DataFrame(
        {
            "seed": np.repeat(range(seeds), steps),
            "sequence": 1,
            "step": np.tile(range(steps), seeds),
            "input": np.tile([f"day {n}" for n in range(steps)], seeds),
            "moment": np.tile(range(steps), seeds),
            "expected": np.tile(expected, seeds),
            "predicted": (expected + errors).ravel(),
            "correct": True,
            "naive: last value": np.tile(expected + 2, seeds),
            "naive: median": np.tile(expected - 4, seeds),
            "origin": np.tile(np.repeat([1, 2, 3, 4], 10), seeds),
        }
    )
    columns = {"skill": [0.5] * seeds, "mae": [1.0] * seeds}
    return build_outcome([1.0] * seeds, columns=columns, predictions=table)


def test_reports_have_the_errors_by_origin():
    outcome = outcome_at_origins()
    (result,) = baseline_results(SweepData("s", "", "", (Row("a", outcome),), None, {}))
    errors = absolute_errors(outcome.predictions)
    frame = origin_page.data_frame([result])
    assert list(frame["origin"]) == [1, 1, 2, 2, 3, 3, 4, 4]
    second = frame[(frame["origin"] == 2) & (frame["baseline"] == "median")].iloc[0]
    assert (second["first"], second["last"], second["steps"]) == ("day 10", "day 19", 10)
    assert second["baseline_error"] == 4
    by_hand = errors[errors["origin"] == 2]["network"].mean()
    assert math.isclose(second["network_error"], by_hand)
    assert result.document()["origins"] == frame.drop(columns="id").to_dict("records")
    (block,) = origin_page.blocks(result)
    assert [row[:4] for row in block.table.rows][1] == ("2", "day 10", "day 19", "10")
    assert "after 4 origins" in result.sentence


def test_a_baseline_that_one_origin_lacks_is_named_with_its_reason(tmp_path):
    """Shop b opens on day 88, after the first of three origins (day 80): it has no past there."""
    days = pd.date_range("2020-01-01", periods=100).strftime("%Y-%m-%d")
    values = np.random.default_rng(0).normal(10, 1, 112).round(3)
    rows = pd.DataFrame({"day": [*days, *days[88:]], "shop": ["a"] * 100 + ["b"] * 12})
    rows.assign(sales=values).to_csv(tmp_path / "shops.csv", index=False)
    task = CsvTask(
        file=str(tmp_path / "shops.csv"), target="sales", group="shop", split="time", origins=3
    )
    assert not any(name.startswith("exponential smoothing") for name in task.baselines())
    reasons = " ".join(task.preprocessing["baselines_left_out"])
    assert "some series have none before the scored part" in reasons  # at the first origin
    assert "no model could be fitted to the training set of shop b" in reasons  # at a later one
