"""Rankings over tasks, against closed forms, SciPy, published tables and simulated coverage."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lstm_bench.statistics._ranking import (
    critical_difference,
    fewest_tasks,
    friedman_test,
    improvement_intervals,
    interquartile_mean,
    interquartile_mean_interval,
    performance_profile,
    probability_of_improvement,
    profile_band,
    task_ranks,
)

# Few values, so that there are ties.
SCORES = arrays(float, (3, 4), elements=st.sampled_from([-0.25, 0.0, 0.5, 0.75, 1.0]))

DEMSAR_TABLE_5 = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031,
                  9: 3.102, 10: 3.164}  # fmt: skip
"""Demšar (2006), table 5 (a): q at the 5 % level, by the number of recipes."""


def improvement_interval(of, to, resamples=2000):
    """Returns the one interval of a pair of recipes."""
    (part,) = improvement_intervals(np.array([of, to]), resamples)
    return part


# ---- Performance profiles


def test_a_profile_is_the_share_of_runs_strictly_above_each_threshold():
    scores = np.array([[0.0, 0.5, 1.0], [0.25, 0.5, -0.5]])
    profile = performance_profile(scores, np.array([-1.0, 0.0, 0.25, 0.5, 0.99, 1.0]))
    assert profile.tolist() == pytest.approx([1, 4 / 6, 3 / 6, 1 / 6, 1 / 6, 0])


def test_rounding_errors_do_not_count_as_above_a_threshold():
    assert performance_profile(np.array([[0.1 + 0.2]]), np.array([0.3])).tolist() == [0]


def test_the_band_of_a_profile_is_the_binomial_quantile_of_one_task():
    scores = np.array([[1.0] * 12 + [0.0] * 8])
    low, high = profile_band(scores, np.array([0.5]), resamples=20_000)
    expected = stats.binom.ppf([0.025, 0.975], 20, 0.6) / 20
    assert [low[0], high[0]] == pytest.approx(expected.tolist(), abs=0.0501)
    assert np.isnan(profile_band(scores[:, :1], np.array([0.5]))).all()


# ---- Interquartile means


@given(SCORES)
def test_the_interquartile_mean_is_the_trimmed_mean_of_all_runs(scores):
    expected = stats.trim_mean(scores, 0.25, axis=None)
    assert float(interquartile_mean(scores)) == pytest.approx(expected)


def test_the_interval_is_that_of_all_equally_likely_resamples():
    # One task with two seeds: the mean is 0, 1/2 or 1 with probabilities 1/4, 1/2 and 1/4.
    part = interquartile_mean_interval(np.array([[0.0, 1.0]]))
    assert (part.estimate, part.low, part.high) == (0.5, 0, 1)


def test_seeds_are_resampled_within_their_task_alone():
    # Seeds of a task agree: resampled within it nothing changes, so that there is no interval.
    part = interquartile_mean_interval(np.array([[0.0] * 5, [0.4] * 5, [0.6] * 5, [1.0] * 5]))
    assert part.estimate == 0.5
    assert math.isnan(part.low) and math.isnan(part.high)


def test_one_seed_gives_an_estimate_without_an_interval():
    part = interquartile_mean_interval(np.array([[0.0], [0.5], [1.0], [0.7]]))
    assert part.estimate == pytest.approx(0.6)
    assert math.isnan(part.low)
    part = improvement_interval(np.array([[1.0]]), np.array([[0.0]]))
    assert part.estimate == 1 and math.isnan(part.high)


# ---- Probability of improvement


@given(SCORES, SCORES)
def test_the_probability_of_improvement_is_the_statistic_of_mann_and_whitney(of, to):
    expected = [
        stats.mannwhitneyu(*pair, method="asymptotic").statistic / 16
        for pair in zip(of, to, strict=True)
    ]
    assert probability_of_improvement(of, to) == pytest.approx(np.mean(expected))
    assert probability_of_improvement(to, of) == pytest.approx(1 - np.mean(expected))


def test_the_interval_of_an_improvement_follows_from_counting_resamples():
    # 1 beats the one and ties with the other of two seeds: 1, 3/4 or 1/2 in 1/4, 1/2 and 1/4.
    part = improvement_interval(np.array([[1.0, 1.0]]), np.array([[0.0, 1.0]]))
    assert (part.estimate, part.low, part.high) == (0.75, 0.5, 1)
    same = improvement_interval(np.array([[1.0, 1.0]]), np.array([[0.0, 0.0]]))
    assert same.estimate == 1 and math.isnan(same.low)


def test_pairs_are_in_order_and_have_the_probabilities_of_each_pair():
    scores = np.random.default_rng(0).random((4, 3, 5))
    parts = improvement_intervals(scores)
    pairs = list(itertools.combinations(range(4), 2))
    expected = [probability_of_improvement(scores[of], scores[to]) for of, to in pairs]
    assert [part.estimate for part in parts] == expected
    assert all(part.low < part.estimate < part.high for part in parts)


# ---- Ranks


def test_ranks_start_at_the_best_mean_and_ties_share_theirs():
    scores = np.array(
        [[[0.9, 0.7], [0.5, 0.5]], [[0.8, 0.8], [0.1, 0.1]], [[0.1, 0.1], [0.4, 0.6]]]
    )
    assert task_ranks(scores).tolist() == [[1.5, 1.5], [1.5, 3], [3, 1.5]]


@given(arrays(float, (4, 6, 1), elements=st.sampled_from([0.0, 0.5, 0.75, 1.0])))
def test_friedmans_test_is_that_of_scipy(scores):
    ranks = task_ranks(scores)
    statistic, p = friedman_test(ranks)
    if (ranks == 2.5).all():
        assert math.isnan(statistic) and math.isnan(p)
        return
    expected = stats.friedmanchisquare(*scores[:, :, 0])
    assert statistic == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue)


def test_friedmans_statistic_without_ties_is_the_textbook_formula():
    ranks = np.array([[1, 1, 2, 1], [2, 3, 1, 2], [3, 2, 3, 3]], float)
    k, n = ranks.shape
    sums = (ranks.mean(axis=1) ** 2).sum()
    expected = 12 * n / (k * (k + 1)) * (sums - k * (k + 1) ** 2 / 4)
    assert friedman_test(ranks)[0] == pytest.approx(expected)


@pytest.mark.parametrize("recipes", DEMSAR_TABLE_5)
def test_the_critical_difference_has_the_quantiles_of_demsar(recipes):
    difference = critical_difference(recipes, 12)
    quantile = difference / math.sqrt(recipes * (recipes + 1) / 72)
    assert quantile == pytest.approx(DEMSAR_TABLE_5[recipes], abs=0.001)


def test_the_critical_difference_is_that_of_the_example_of_demsar():
    # Section 3.2.4: four classifiers on 14 data sets.
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


@pytest.mark.parametrize("recipes", range(2, 12))
def test_with_fewer_tasks_even_the_largest_difference_of_mean_ranks_is_too_small(recipes):
    fewest = fewest_tasks(recipes)
    assert critical_difference(recipes, fewest) <= recipes - 1
    assert critical_difference(recipes, fewest - 1) > recipes - 1


# ---- Coverage of the bootstrap intervals


def normal(rng, seeds):
    """Five tasks of different difficulty with normal scores."""
    return rng.normal(np.linspace(0.3, 0.9, 5)[:, None], 0.08, (5, seeds))


def two_modes(rng, seeds):
    """Five tasks that 20 to 90 % of the seeds solve."""
    solved = rng.random((5, seeds)) < np.linspace(0.2, 0.9, 5)[:, None]
    return np.where(solved, 1.0, 0.3) + rng.normal(0, 0.01, (5, seeds))


def coverage(draw, seeds, repetitions=200):
    """Returns the share of intervals with the true value: interquartile mean, improvement."""
    rng = np.random.default_rng(seeds)
    mean = float(interquartile_mean(draw(np.random.default_rng(1), 100_000)))
    large = draw(np.random.default_rng(2), 2000), draw(np.random.default_rng(3), 2000) - 0.03
    improvement = probability_of_improvement(*large)
    hits = np.zeros(2)
    for _ in range(repetitions):
        of, to = draw(rng, seeds), draw(rng, seeds) - 0.03
        parts = interquartile_mean_interval(of, 400), improvement_interval(of, to, 400)
        truth = mean, improvement
        hits += [part.low <= true <= part.high for part, true in zip(parts, truth, strict=True)]
    return hits / repetitions


@pytest.mark.parametrize("draw", [normal, two_modes])
@pytest.mark.parametrize(("seeds", "least", "most"), [(3, 0.76, 0.93), (10, 0.88, 0.98)])
def test_intervals_contain_the_true_value_about_as_often_as_they_claim(draw, seeds, least, most):
    """With 600 repetitions: 0.82 to 0.91 with 3 seeds, 0.92 to 0.95 with 10."""
    shares = coverage(draw, seeds)
    assert (least <= shares).all() and (shares <= most).all()


def test_shared_seeds_make_the_interval_of_an_improvement_too_wide_and_not_too_narrow():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        shared = rng.normal(0, 0.1, (5, 10))
        of, to = (shared + rng.normal(0, 0.03, (5, 10)) for _ in range(2))
        part = improvement_interval(of, to, 400)
        hits += part.low <= 0.5 <= part.high
    assert hits / 200 > 0.98
