"""Networks compared with baselines: closed forms, and verdicts on simulated errors."""

import math

import numpy as np
import pandas as pd
import pytest

from lstm_bench.analysis._baselines import BaselineResult, baseline_results, headline
from lstm_bench.data import _forecasts as naive
from lstm_bench.results import SweepData
from lstm_bench.statistics import _skill as skill
from lstm_bench.statistics._skill import (
    BASELINE_PREFIX,
    absolute_errors,
    best_baseline,
    compare_with_baseline,
)
from lstm_bench.statistics._stretch import block_means


def error_table(gain):
    """Returns errors of 1 - gain (S, T) for the network and of 1 for the baseline `n`."""
    seeds, steps = gain.shape
    index = {"seed": np.repeat(range(seeds), steps), "moment": np.tile(range(steps), seeds)}
    return pd.DataFrame({**index, "network": 1 - gain.ravel(), "n": 1.0})


def random_gains(rng, seeds, steps, correlation, seed_std=0.3, mean=0.0):
    """Returns gains (S, T): autoregressive over the steps, plus an effect of each seed on all."""
    shocks = rng.standard_normal(steps)
    shared = np.empty(steps)
    shared[0] = shocks[0] / math.sqrt(1 - correlation**2)
    for t in range(1, steps):
        shared[t] = correlation * shared[t - 1] + shocks[t]
    by_seed = rng.normal(0, seed_std, (seeds, 1)) + rng.normal(0, 0.5, (seeds, steps))
    return mean + shared + by_seed


@pytest.mark.long
@pytest.mark.parametrize(("seeds", "steps", "correlation", "most"), [
    (10, 60, 0.0, 0.05), (10, 60, 0.5, 0.06), (10, 105, 0.8, 0.07), (30, 300, 0.5, 0.05)
])  # fmt: skip
def test_equal_errors_are_rarely_called_different(seeds, steps, correlation, most):
    rng = np.random.default_rng(7)
    verdicts = [
        compare_with_baseline(
            error_table(random_gains(rng, seeds, steps, correlation)), "n"
        ).verdict
        for _ in range(300)
    ]
    # Three standard errors above the documented rate.
    wrong = sum(verdict != "cannot tell" for verdict in verdicts) / 300
    assert wrong <= most + 3 * math.sqrt(most * (1 - most) / 300)


@pytest.mark.parametrize("shared", [0.5, 1.0])
def test_series_that_share_their_days_are_not_independent(shared):
    rng = np.random.default_rng(2)
    verdicts = []
    for _ in range(200):  # 3 seeds, 30 series, 40 days
        gain = shared * rng.standard_normal(40) + rng.standard_normal((3, 30, 40))
        one = {"seed": np.repeat(range(3), 1200), "moment": np.tile(range(40), 90)}
        frame = pd.DataFrame({**one, "network": 1 - gain.ravel(), "n": 1.0})
        verdicts.append(compare_with_baseline(frame, "n").verdict)
    assert sum(verdict != "cannot tell" for verdict in verdicts) <= 200 * 0.05 + 3 * math.sqrt(
        200 * 0.05
    )


@pytest.mark.parametrize("horizon", [12, 24])
def test_overlapping_forecasts_are_not_called_different_more_often(horizon):
    rng = np.random.default_rng(4)
    verdicts = []
    for _ in range(300):
        shocks = rng.standard_normal(300 + horizon)
        sums = np.convolve(shocks, np.ones(horizon) / math.sqrt(horizon), "valid")[:300]
        errors = error_table(sums + rng.normal(0, 0.3, (5, 300)))
        verdicts.append(compare_with_baseline(errors, "n", horizon).verdict)
    assert sum(verdict != "cannot tell" for verdict in verdicts) <= 300 * 0.08 + 3 * math.sqrt(
        300 * 0.08
    )


def test_a_true_difference_is_detected():
    rng = np.random.default_rng(3)
    verdicts = [
        compare_with_baseline(error_table(random_gains(rng, 10, 100, 0.2, mean=0.8)), "n").verdict
        for _ in range(60)
    ]
    assert sum(verdict == "better" for verdict in verdicts) >= 50
    verdicts = [
        compare_with_baseline(error_table(random_gains(rng, 10, 100, 0.2, mean=-0.8)), "n").verdict
        for _ in range(60)
    ]
    assert sum(verdict == "worse" for verdict in verdicts) >= 50


def test_the_interval_is_students_over_blocks_without_seed_and_neighbour_effects():
    # Ten blocks of six; within one, steps alternate around its mean, so that their correlation is
    # below 0 and only the means of the blocks count.
    means = np.array([0.3, -0.2, 0.9, 0.1, 0.4, -0.5, 0.6, 0.2, 0.7, 0.0])
    gain = np.repeat(means, 6) + np.tile([5.0, -5.0], 30)
    comparison = compare_with_baseline(error_table(gain[None]), "n")
    assert block_means(gain) == pytest.approx(means)
    reach = 2.2621571628 * means.std(ddof=1) / math.sqrt(10)  # t of 9 degrees of freedom, 97.5 %
    independent = gain.var(ddof=1) / 60  # the variance of the mean if all steps are independent
    reach = max(reach, 2.2621571628 * math.sqrt(independent))
    assert comparison.difference == pytest.approx(means.mean())
    expected = means.mean() - reach, means.mean() + reach
    assert (comparison.low, comparison.high) == pytest.approx(expected)


def test_too_few_steps_or_a_diverged_network_give_no_verdict():
    rng = np.random.default_rng(0)
    few = compare_with_baseline(error_table(rng.random((5, 12))), "n")
    assert (few.verdict, math.isnan(few.low), few.steps) == ("cannot tell", True, 12)
    broken = error_table(rng.random((5, 100)))
    broken.loc[3, "network"] = np.inf
    assert compare_with_baseline(broken, "n").verdict == "cannot tell"
    assert compare_with_baseline(error_table(np.zeros((3, 100))), "n").verdict == "cannot tell"


def test_errors_are_absolute_or_0_and_1_and_infinite_for_missing_answers():
    steps = {"seed": 0, "moment": range(3), "expected": [1.5, 2.0, -1.0]}
    real = pd.DataFrame({**steps, "predicted": [1.0, np.nan, -1.0], BASELINE_PREFIX + "last": 1.0})
    errors = absolute_errors(real)
    assert errors["network"].tolist() == [0.5, np.inf, 0.0]
    assert errors["last"].tolist() == [0.5, 1.0, 2.0]
    labels = real.assign(expected=list("aba"), predicted=list("abb")).drop(
        columns=BASELINE_PREFIX + "last"
    )
    assert absolute_errors(labels)["network"].tolist() == [0.0, 0.0, 1.0]
    yes = real.assign(expected=[1.0, 0.0, 1.0], predicted=[1.0, 1.0, 0.0])
    assert absolute_errors(yes)[["network", "last"]].to_numpy().T.tolist() == [[0, 1, 1], [0, 1, 0]]
    large = real.assign(expected=1_000_001.0, predicted=1_000_004.0)
    assert absolute_errors(large)["network"].tolist() == [3.0] * 3
    assert best_baseline(errors.assign(other=[0.1, 0.1, 0.1]), ["last", "other"]) == "other"


# Baselines, compared with closed forms.


def test_persistence_and_seasons_have_their_closed_forms():
    ramp = 3.0 * np.arange(50)
    for horizon in (1, 2, 5):
        assert (ramp[horizon:] - naive.last_value(ramp, horizon) == 3.0 * horizon).all()
    wave = np.sin(2 * np.pi * np.arange(60) / 12)
    for horizon in (1, 12, 13, 30):
        forecasts = naive.seasonal_value(wave, horizon, 12)
        known = np.arange(len(forecasts)) + horizon >= 12 * -(-horizon // 12)
        assert forecasts[known] == pytest.approx(wave[horizon:][known], abs=1e-12)


def test_the_linear_model_is_that_of_the_normal_equations_and_forecasts_a_sine_exactly():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((80, 3)), rng.standard_normal(80)
    design = np.column_stack([np.ones(80), x])
    by_hand = np.linalg.solve(design.T @ design, design.T @ y)
    assert naive.least_squares(x, y) == pytest.approx(by_hand)
    # sin(a + b) is 2 cos(b) sin(a) - sin(a - b): a linear model of two rows is exact.
    wave = np.sin(0.7 * np.arange(60)) + 2
    (forecasts,) = naive.linear_forecasts(
        [(wave[:30, None], wave[1:31])], [wave[:59, None]], lags=2
    )
    assert np.isnan(forecasts[0]) and forecasts[1:] == pytest.approx(wave[2:])


def test_what_a_logistic_model_has_only_seen_once_it_repeats():
    inputs = np.eye(2)[[0, 1] * 20]
    (forecasts,) = naive.logistic_forecasts([(inputs, np.array([1.0, 0.0] * 20))], [inputs], lags=1)
    assert forecasts.tolist() == [1.0, 0.0] * 20
    (same,) = naive.logistic_forecasts([(inputs, np.ones(40))], [inputs], lags=2)
    assert set(same.tolist()) == {1.0}


@pytest.mark.parametrize(("error", "baseline", "expected"), [
    (1.0, math.inf, 1.0), (math.inf, 1.0, -1.0), (math.inf, math.inf, -1.0), (math.nan, 1.0, -1.0),
    (0.0, 0.0, 0.0), (0.1, 0.0, -1.0), (0.0, 0.1, 1.0), (4.0, 1.0, -0.75), (1.0, 4.0, 0.75),
])  # fmt: skip
def test_skill_is_finite_for_all_errors(error, baseline, expected):
    assert skill.skill_score(error, baseline) == pytest.approx(expected)


def test_the_headline_is_the_best_recipe_of_the_page():
    a, b = (compare_with_baseline(error_table(np.full((2, 40), gain)), "n") for gain in (0.1, 0.2))
    rows = [type("Row", (), {"id": name})() for name in ("one", "two")]
    results = [BaselineResult(row, True, (c,)) for row, c in zip(rows, (a, b), strict=True)]
    assert headline(results, "one").row.id == "one"
    assert headline(results, None).row.id == "two"
    assert headline([], None) is None
    assert "cannot be distinguished from the best baseline (n)" in results[0].sentence


def test_a_sweep_without_baselines_has_no_comparison_with_one():
    assert baseline_results(SweepData("x", "", "", (), None, {})) == ()
    assert skill.baseline_names(pd.DataFrame({"expected": [1]})) == []
