"""Recipes that share no seeds: published intervals, brute force, and SciPy's tests."""

import math

import numpy as np
import pytest
from scipy import stats

from lstm_bench.statistics import _paired as paired
from lstm_bench.statistics import _unpaired as unpaired
from lstm_bench.statistics._unpaired import (
    newcombe_interval,
    unpaired_mean_difference,
    unpaired_rate_difference,
)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 10), -0.2775, 0.2775),
    ],
)
def test_newcombes_intervals_equal_the_published_ones(table, low, high):
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10.
    assert newcombe_interval(*table) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("k", "n", "j", "m"), [(18, 18, 14, 18), (9, 10, 3, 12), (4, 9, 5, 9)])
def test_boschloos_p_value_is_the_largest_under_a_common_rate(k, n, j, m):
    # Boschloo (1970): order the outcomes by Fisher's p value; twice the smaller tail.
    one, other = np.arange(n + 1)[:, None], np.arange(m + 1)[None, :]
    tails = []
    for sign in (1, -1):
        hyper = stats.hypergeom(n + m, one + other, n)
        fisher = hyper.sf(one - 1) if sign > 0 else hyper.cdf(one)
        extreme = fisher <= fisher[k, j] + 1e-12
        rates = np.linspace(0.001, 0.999, 800)[:, None]
        mass = np.einsum("ra,rb->rab", stats.binom.pmf(one.T, n, rates),
                         stats.binom.pmf(other, m, rates))  # fmt: skip
        tails.append((mass * extreme).sum(axis=(1, 2)).max())
    of = [True] * k + [False] * (n - k)
    to = [True] * j + [False] * (m - j)
    assert unpaired_rate_difference(of, to).p == pytest.approx(min(1.0, 2 * min(tails)), abs=2e-3)


def test_the_p_value_of_means_is_the_larger_one_of_two_tests():
    rng = np.random.default_rng(1)
    of, to = rng.normal(0.8, 0.1, 9), rng.normal(0.7, 0.02, 20)
    welch = stats.ttest_ind(of, to, equal_var=False)
    difference = unpaired_mean_difference(of, to)
    assert (difference.n, difference.n_to, difference.min_seeds) == (9, 20, 9)
    expected = welch.confidence_interval(0.95)
    assert (difference.low, difference.high) == pytest.approx((expected.low, expected.high))
    assert difference.p >= welch.pvalue - 1e-12
    # 2 of the 20 ways to split six values: the smallest p value of a permutation test.
    assert unpaired_mean_difference([1, 2, 3], [11, 12, 13]).p == pytest.approx(0.1)


def test_constant_values():
    same = unpaired_mean_difference([0.5] * 5, [0.5] * 4)
    assert same.constant and same.n_differing == 0 and same.p == 1
    other = unpaired_mean_difference([1.0] * 5, [0.5] * 5)
    assert other.constant and other.n_differing == 5
    assert other.p == pytest.approx(2 / math.comb(10, 5))
    assert math.isnan(other.low)


def test_too_few_seeds_and_diverged_ones_have_no_p_value():
    assert math.isnan(unpaired_mean_difference([1.0], [0.5, 0.6]).p)
    assert math.isnan(unpaired_mean_difference([1.0, math.nan], [0.5, 0.6]).p)
    assert math.isnan(unpaired_rate_difference([], [True]).p)
    assert unpaired_rate_difference([True] * 3, [True] * 9).p == 1


@pytest.mark.long
@pytest.mark.parametrize("kind", ["smooth", "bimodal", "rates"])
def test_equal_recipes_are_rarely_called_different(kind, monkeypatch):
    monkeypatch.setattr(unpaired, "RESAMPLES", 499)
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(200):
        if kind == "smooth":
            difference = unpaired_mean_difference(rng.normal(size=8), rng.normal(size=12))
        else:
            of, to = (rng.random(8) < 0.8).astype(float), (rng.random(12) < 0.8).astype(float)
            compare = unpaired_rate_difference if kind == "rates" else unpaired_mean_difference
            difference = compare(of, to)
        wrong += difference.p <= paired.ALPHA
    assert wrong / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
