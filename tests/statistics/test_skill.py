"""Networks beside naive answers: closed forms, and verdicts on simulated errors."""

import math

import numpy as np
import pandas as pd
import pytest

from lstm_bench.analysis._baselines import BaselineResult, baseline_results, headline
from lstm_bench.data import _forecasts as naive
from lstm_bench.statistics import _skill as skill
from lstm_bench.statistics._skill import (
    BASELINE_PREFIX,
    absolute_errors,
    best_baseline,
    compare_with_baseline,
    stretches,
)


def table(gain):
    """Returns a table of errors in which the network errs by 1 - gain (S, T), and `n` by 1."""
    seeds, steps = gain.shape
    place = {"seed": np.repeat(range(seeds), steps), "moment": np.tile(range(steps), seeds)}
    return pd.DataFrame({**place, "network": 1 - gain.ravel(), "n": 1.0})


def drawn(rng, seeds, steps, tied, of_seed=0.3, mean=0.0):
    """Returns gains (S, T): steps in an autoregression, and an effect of each seed on all steps."""
    shocks = rng.standard_normal(steps)
    shared = np.empty(steps)
    shared[0] = shocks[0] / math.sqrt(1 - tied**2)
    for t in range(1, steps):
        shared[t] = tied * shared[t - 1] + shocks[t]
    own = rng.normal(0, of_seed, (seeds, 1)) + rng.normal(0, 0.5, (seeds, steps))
    return mean + shared + own


@pytest.mark.parametrize(("seeds", "steps", "tied", "most"), [
    (10, 60, 0.0, 0.05), (10, 60, 0.5, 0.06), (10, 105, 0.8, 0.11), (30, 300, 0.5, 0.05)
])  # fmt: skip
def test_equal_errors_are_seldom_told_apart(seeds, steps, tied, most):
    rng = np.random.default_rng(7)
    words = [
        compare_with_baseline(table(drawn(rng, seeds, steps, tied)), "n").word for _ in range(300)
    ]
    # Three standard errors above what is claimed.
    wrong = sum(word != "cannot tell" for word in words) / 300
    assert wrong <= most + 3 * math.sqrt(most * (1 - most) / 300)


@pytest.mark.parametrize("shared", [0.5, 1.0])
def test_series_that_share_their_days_are_no_independent_evidence(shared):
    rng = np.random.default_rng(2)
    words = []
    for _ in range(200):  # 3 seeds, 30 series, 40 days
        gain = shared * rng.standard_normal(40) + rng.standard_normal((3, 30, 40))
        one = {"seed": np.repeat(range(3), 1200), "moment": np.tile(range(40), 90)}
        frame = pd.DataFrame({**one, "network": 1 - gain.ravel(), "n": 1.0})
        words.append(compare_with_baseline(frame, "n").word)
    assert sum(word != "cannot tell" for word in words) <= 200 * 0.05 + 3 * math.sqrt(200 * 0.05)


@pytest.mark.parametrize("horizon", [12, 24])
def test_forecasts_that_overlap_are_not_told_apart_more_often(horizon):
    rng = np.random.default_rng(4)
    words = []
    for _ in range(300):
        shocks = rng.standard_normal(300 + horizon)
        sums = np.convolve(shocks, np.ones(horizon) / math.sqrt(horizon), "valid")[:300]
        words.append(
            compare_with_baseline(table(sums + rng.normal(0, 0.3, (5, 300))), "n", horizon).word
        )
    assert sum(word != "cannot tell" for word in words) <= 300 * 0.08 + 3 * math.sqrt(300 * 0.08)


def test_a_difference_that_is_there_is_told():
    rng = np.random.default_rng(3)
    words = [
        compare_with_baseline(table(drawn(rng, 10, 100, 0.2, mean=0.8)), "n").word
        for _ in range(60)
    ]
    assert sum(word == "better" for word in words) >= 50
    words = [
        compare_with_baseline(table(drawn(rng, 10, 100, 0.2, mean=-0.8)), "n").word
        for _ in range(60)
    ]
    assert sum(word == "worse" for word in words) >= 50


def test_the_interval_is_students_over_stretches_where_neither_seeds_nor_neighbours_matter():
    # Ten stretches of six; within one, steps go up and down around its mean: they are tied by less
    # than 0, and so only the means of the stretches count.
    means = np.array([0.3, -0.2, 0.9, 0.1, 0.4, -0.5, 0.6, 0.2, 0.7, 0.0])
    gain = np.repeat(means, 6) + np.tile([5.0, -5.0], 30)
    found = compare_with_baseline(table(gain[None]), "n")
    assert stretches(gain) == pytest.approx(means)
    reach = 2.2621571628 * means.std(ddof=1) / math.sqrt(10)  # t of 9 degrees of freedom, 97.5 %
    drift = gain.var(ddof=1) / 60  # were all steps independent
    reach = max(reach, 2.2621571628 * math.sqrt(drift))
    assert found.difference == pytest.approx(means.mean())
    assert (found.low, found.high) == pytest.approx((means.mean() - reach, means.mean() + reach))


def test_too_few_steps_or_a_network_that_diverged_give_no_verdict():
    rng = np.random.default_rng(0)
    few = compare_with_baseline(table(rng.random((5, 12))), "n")
    assert (few.word, math.isnan(few.low), few.steps) == ("cannot tell", True, 12)
    broken = table(rng.random((5, 100)))
    broken.loc[3, "network"] = np.inf
    assert compare_with_baseline(broken, "n").word == "cannot tell"
    assert compare_with_baseline(table(np.zeros((3, 100))), "n").word == "cannot tell"


def test_errors_are_absolute_or_wrong_and_what_is_no_answer_is_the_worst():
    asked = {"seed": 0, "moment": range(3), "expected": [1.5, 2.0, -1.0]}
    real = pd.DataFrame({**asked, "predicted": [1.0, np.nan, -1.0], BASELINE_PREFIX + "last": 1.0})
    found = absolute_errors(real)
    assert found["network"].tolist() == [0.5, np.inf, 0.0]
    assert found["last"].tolist() == [0.5, 1.0, 2.0]
    words = real.assign(expected=list("aba"), predicted=list("abb")).drop(
        columns=BASELINE_PREFIX + "last"
    )
    assert absolute_errors(words)["network"].tolist() == [0.0, 0.0, 1.0]
    yes = real.assign(expected=[1.0, 0.0, 1.0], predicted=[1.0, 1.0, 0.0])
    assert absolute_errors(yes)[["network", "last"]].to_numpy().T.tolist() == [[0, 1, 1], [0, 1, 0]]
    large = real.assign(expected=1_000_001.0, predicted=1_000_004.0)
    assert absolute_errors(large)["network"].tolist() == [3.0] * 3
    assert best_baseline(found.assign(other=[0.1, 0.1, 0.1]), ["last", "other"]) == "other"


# Naive answers against closed forms.


def test_persistence_and_seasons_have_their_closed_forms():
    ramp = 3.0 * np.arange(50)
    for horizon in (1, 2, 5):
        assert (ramp[horizon:] - naive.last_value(ramp, horizon) == 3.0 * horizon).all()
    wave = np.sin(2 * np.pi * np.arange(60) / 12)
    for horizon in (1, 12, 13, 30):
        told = naive.seasonal(wave, horizon, 12)
        known = np.arange(len(told)) + horizon >= 12 * -(-horizon // 12)
        assert told[known] == pytest.approx(wave[horizon:][known], abs=1e-12)


def test_the_linear_model_is_that_of_the_normal_equations_and_forecasts_a_sine_exactly():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((80, 3)), rng.standard_normal(80)
    design = np.column_stack([np.ones(80), x])
    by_hand = np.linalg.solve(design.T @ design, design.T @ y)
    assert naive.least_squares(x, y) == pytest.approx(by_hand)
    # sin(a + b) is 2 cos(b) sin(a) - sin(a - b): a linear model of two rows is exact.
    wave = np.sin(0.7 * np.arange(60)) + 2
    (told,) = naive.linear([(wave[:30, None], wave[1:31])], [wave[:59, None]], lags=2)
    assert np.isnan(told[0]) and told[1:] == pytest.approx(wave[2:])


def test_what_a_logistic_model_has_only_seen_once_it_repeats():
    inputs = np.eye(2)[[0, 1] * 20]
    (told,) = naive.logistic([(inputs, np.array([1.0, 0.0] * 20))], [inputs], lags=1)
    assert told.tolist() == [1.0, 0.0] * 20
    (same,) = naive.logistic([(inputs, np.ones(40))], [inputs], lags=2)
    assert set(same.tolist()) == {1.0}


@pytest.mark.parametrize(("error", "naive", "expected"), [
    (1.0, math.inf, 1.0), (math.inf, 1.0, -1.0), (math.inf, math.inf, -1.0), (math.nan, 1.0, -1.0),
    (0.0, 0.0, 0.0), (0.1, 0.0, -1.0), (0.0, 0.1, 1.0), (4.0, 1.0, -0.75), (1.0, 4.0, 0.75),
])  # fmt: skip
def test_skill_is_a_number_whatever_the_errors_are(error, naive, expected):
    assert skill.skill_score(error, naive) == pytest.approx(expected)


def test_the_headline_is_the_best_recipe_of_the_page():
    a, b = (compare_with_baseline(table(np.full((2, 40), gain)), "n") for gain in (0.1, 0.2))
    rows = [type("Row", (), {"id": name})() for name in ("one", "two")]
    found = [BaselineResult(row, True, (each,)) for row, each in zip(rows, (a, b), strict=True)]
    assert headline(found, "one").row.id == "one"
    assert headline(found, None).row.id == "two"
    assert headline([], None) is None
    assert "cannot be told from the best naive answer (n)" in found[0].sentence


def test_a_sweep_without_naive_answers_has_none_beside_it():
    from lstm_bench.results._outcome import SweepResult

    assert baseline_results(SweepResult("x", "", "", (), None, {})) == ()
    assert skill.baseline_names(pd.DataFrame({"expected": [1]})) == []
