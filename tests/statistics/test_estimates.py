"""Estimates and their uncertainty, against closed forms, published tables and SciPy."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lstm_bench.statistics._estimates import MAX_SKEWNESS, mean_interval, median_epochs, solve_rate

FINITE = st.floats(-100, 100).map(lambda value: round(value, 6))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_equal_the_published_ones(k, n, low, high):
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3 (Wilson without correction).
    rate = solve_rate([True] * k + [False] * (n - k))
    assert (rate.k, rate.n) == (k, n)
    assert rate.rate == k / n
    assert (round(rate.low, 4), round(rate.high, 4)) == (low, high)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_wilson_intervals_solve_their_equation(solved):
    # Wilson (1927): the interval's ends are the p with (k/n - p)^2 = z^2 p (1 - p) / n.
    n, k, z = len(solved), sum(solved), stats.norm.isf(0.025)
    root = z * math.sqrt(k * (n - k) / n + z * z / 4)
    low, high = ((k + z * z / 2 + sign * root) / (n + z * z) for sign in (-1, 1))
    rate = solve_rate(solved)
    assert rate.low == pytest.approx(max(0, low), abs=1e-9)
    assert rate.high == pytest.approx(min(1, high), abs=1e-9)
    assert 0 <= rate.low <= rate.rate <= rate.high <= 1


def test_no_seeds_have_no_solve_rate():
    rate = solve_rate([])
    assert (rate.k, rate.n) == (0, 0)
    assert np.isnan([rate.rate, rate.low, rate.high]).all()


def test_the_mean_interval_uses_the_published_t():
    # Student's t at 97.5 % with 9 degrees of freedom is 2.262 in every table.
    values = np.arange(10.0)
    mean = mean_interval(values)
    half = 2.262 * math.sqrt(sum((v - 4.5) ** 2 for v in range(10)) / 9) / math.sqrt(10)
    assert (mean.n, mean.mean) == (10, 4.5)
    assert mean.low == pytest.approx(4.5 - half, abs=1e-3)
    assert mean.high == pytest.approx(4.5 + half, abs=1e-3)


@given(st.lists(FINITE, min_size=1, max_size=15).filter(lambda v: np.std(v) > 1e-3))
def test_without_skewness_the_mean_interval_is_that_of_the_t_test(values):
    values = [*values, *(1 - value for value in values)]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    mean = mean_interval(values)
    assert mean.mean == pytest.approx(sum(values) / len(values), abs=1e-9)
    assert mean.std == pytest.approx(np.std(values, ddof=1), abs=1e-9)
    assert (mean.low, mean.high) == pytest.approx((expected.low, expected.high), abs=1e-7)


@given(st.lists(FINITE, min_size=3, max_size=30).filter(lambda v: np.std(v) > 1e-3))
def test_the_mean_interval_solves_halls_equation(values):
    # Hall (1992): W + g W^2 / 3 + g^2 W^3 / 27 + g / 6n, with W = (mean - truth) / std, is t's.
    n, mean = len(values), mean_interval(values)
    reach = stats.t.ppf(0.975, n - 1) / math.sqrt(n)
    skew = np.clip(stats.skew(values, bias=False), -MAX_SKEWNESS / reach, MAX_SKEWNESS / reach)
    for end, expected in ((mean.high, -reach), (mean.low, reach)):
        w = (mean.mean - end) / mean.std
        solved = w + skew * w**2 / 3 + skew**2 * w**3 / 27 + skew / (6 * n)
        assert solved == pytest.approx(expected, abs=1e-5)
    assert mean.low < mean.mean < mean.high


def test_the_mean_interval_covers_the_true_mean_in_about_95_percent():
    rng = np.random.default_rng(1)
    intervals = [mean_interval(rng.normal(3, 2, size=8)) for _ in range(2000)]
    covered = sum(i.low <= 3 <= i.high for i in intervals)
    assert 0.93 < covered / 2000 < 0.97  # 4 standard errors around 0.95


def test_the_mean_interval_stays_within_the_bounds_of_a_score():
    mean = mean_interval([0.7, 1.0, 1.0, 1.0], low=0.0, high=1.0)
    assert mean.high == 1.0 and 0 <= mean.low < 0.925
    assert mean_interval([0.0, 0.0, 0.9], low=0.0, high=1.0).low == 0.0


def test_equal_values_have_no_spread_and_a_single_value_no_interval():
    equal = mean_interval([0.1] * 7)
    assert (equal.mean, equal.std) == (0.1, 0.0)
    assert np.isnan([equal.low, equal.high]).all()
    single = mean_interval([0.25])
    assert (single.n, single.mean) == (1, 0.25)
    assert np.isnan([single.std, single.low, single.high]).all()
    assert np.isnan(mean_interval([]).mean)


def test_few_seeds_near_a_bound_have_no_interval():
    near = [0.95, 0.97, 0.99]
    assert np.isnan(mean_interval(near, 0.0, 1.0).low)
    assert (
        mean_interval(near * 10, 0.0, 1.0).low > 0.95
    )  # 30 seeds would have shown a failure of one in ten
    assert mean_interval([*near, 0.5], 0.0, 1.0).low < 0.9
    assert mean_interval(near).low < 0.95  # without bounds no score is near one
    assert np.isnan(mean_interval([0.05, 0.02, 0.0], 0.0, 1.0).high)


def test_a_diverged_seed_makes_the_mean_nan():
    mean = mean_interval([0.5, math.nan, 0.7], low=0.0, high=1.0)
    assert mean.n == 3
    assert np.isnan([mean.mean, mean.std, mean.low, mean.high]).all()


def kaplan_meier(epochs):
    """Returns the product-limit curve as (time, survival) after each distinct time, by hand."""
    survival, curve = 1.0, []
    for time in sorted({e for e in epochs if e is not None}):
        at_risk = sum(e is None or e >= time for e in epochs)
        survival *= 1 - sum(e == time for e in epochs) / at_risk
        curve.append((time, survival))
    return curve


def median_by_hand(epochs):
    """Returns where the curve crosses 1/2: the middle of the part that equals it."""
    curve = kaplan_meier(epochs)
    for (time, survival), after in itertools.zip_longest(curve, curve[1:]):
        if abs(survival - 0.5) < 1e-9:
            return None if after is None else (time + after[0]) / 2
        if survival < 0.5:
            return float(time)
    return None


@given(st.lists(st.none() | st.integers(1, 12), max_size=9))
def test_the_median_epoch_is_where_kaplan_meier_crosses_one_half(epochs):
    assert median_epochs(epochs) == (median_by_hand(epochs) if epochs else None)


def test_the_hand_written_kaplan_meier_curve_is_scipys():
    epochs = [3, 5, 5, None, 9, None, 2]
    solved = [e for e in epochs if e is not None]
    data = stats.CensoredData(uncensored=solved, right=[20] * 2)
    survival = stats.ecdf(data).sf
    assert [s for _, s in kaplan_meier(epochs)] == pytest.approx(survival.evaluate([2, 3, 5, 9]))


def test_unsolved_seeds_may_be_none_or_nan():
    assert median_epochs([10, 30, math.nan]) == median_epochs([10, 30, None]) == 30
    assert median_epochs([None, math.nan]) is None
    assert median_epochs([]) is None
