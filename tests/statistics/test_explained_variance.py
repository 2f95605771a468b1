"""What mattered: the test and the intervals of explained variance and of variance components."""

import math

import numpy as np
import pytest
from scipy import stats

from lstm_bench.statistics import _explained_variance as explained
from lstm_bench.statistics import (
    explained_variances,
    fraction_intervals,
    seed_fraction_interval,
    value_groups,
)


def settings_groups(rng, trials):
    """Returns the groups of five settings: three ranges, a switch and a choice of four."""
    ranges = [value_groups(rng.random(trials), categories=False) for _ in range(3)]
    choices = [value_groups(rng.integers(k, size=trials), categories=True) for k in (2, 4)]
    return [*ranges, *choices]


SCORES = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "two modes": lambda rng, n: np.where(rng.random(n) < 0.2, 1.0, 0.5) + 0.01 * rng.random(n),
    "skewed": lambda rng, n: 1 - rng.exponential(0.1, n),
}


def named_by_chance(kind, trials, searches):
    """Returns in how many searches in which nothing matters the best setting has p <= 5 %."""
    rng = np.random.default_rng(trials)
    named = 0
    for _ in range(searches):
        found = explained_variances(settings_groups(rng, trials), SCORES[kind](rng, trials))
        named += min(setting.p for setting in found) <= 0.05
    return named


def test_a_setting_is_rarely_named_by_chance(monkeypatch):
    monkeypatch.setattr(explained, "PERMUTATIONS", 199)
    named = named_by_chance("normal", 16, 60)
    assert stats.binom.sf(named - 1, 60, 0.05) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("trials", [8, 16, 40])
@pytest.mark.parametrize("kind", SCORES)
def test_a_setting_is_rarely_named_by_chance_in_many_searches(kind, trials, monkeypatch):
    monkeypatch.setattr(explained, "PERMUTATIONS", 199)
    named = named_by_chance(kind, trials, 1000)
    print(f"{kind}, {trials} random trials: named in {named / 1000:.1%}")
    assert stats.binom.sf(named - 1, 1000, 0.05) > 0.01


def test_a_setting_that_matters_is_named():
    rng = np.random.default_rng(1)
    position = rng.random(40)
    groups = [*settings_groups(rng, 40), value_groups(position, categories=False)]
    found = explained_variances(groups, position + 0.1 * rng.standard_normal(40))
    assert found[-1].p == 1 / 1000
    assert found[-1].low > 0.5
    assert sum(setting.p <= 0.05 for setting in found) == 1


def test_the_p_value_of_one_setting_is_that_of_scipy():
    rng = np.random.default_rng(2)
    groups, scores = np.repeat([0, 1, 2], 8), rng.random(24)
    scores[:8] += 0.25
    (found,) = explained_variances([groups], scores)
    parts = [scores[groups == group] for group in range(3)]
    by_f = stats.f_oneway(*parts).pvalue
    assert found.p == pytest.approx(by_f, abs=3 * math.sqrt(by_f / 999) + 0.003)


def covered_fraction(true, trials, samples):
    """Returns how often the interval of the explained fraction contains `true`."""
    rng = np.random.default_rng(trials)
    groups = np.repeat(range(4), trials // 4)
    effect = np.array([-1.0, -1, 1, 1])[groups] * math.sqrt(true / (1 - true))
    hits = 0
    for _ in range(samples):
        low, high = explained._interval(groups, effect + rng.standard_normal(trials))
        hits += low <= true <= high
    return hits


@pytest.mark.parametrize(("true", "trials"), [(0.0, 16), (0.3, 40)])
def test_the_interval_of_an_explained_fraction_covers_it(true, trials):
    hits = covered_fraction(true, trials, 100)
    assert stats.binom.cdf(hits, 100, 0.95) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("true", [0.0, 0.1, 0.3, 0.7])
@pytest.mark.parametrize("trials", [16, 40])
def test_the_interval_of_an_explained_fraction_covers_it_in_many_samples(true, trials):
    hits = covered_fraction(true, trials, 1000)
    print(f"explained {true:.0%}, {trials} trials: covered {hits / 1000:.1%}")
    assert stats.binom.cdf(hits, 1000, 0.95) > 0.01


def test_the_interval_of_a_fraction_near_one_is_finite_and_has_no_jump(monkeypatch):
    groups = np.repeat(range(4), 6)
    noise = np.random.default_rng(0).standard_normal(24)
    for size in (1e9, 1e5, 20.0):
        low, high = explained._interval(groups, groups * size + noise)
        assert 0.9 < low <= high <= 1
    monkeypatch.setattr(explained, "LARGE", 0.0)
    rough = explained._interval(groups, groups * 20.0 + noise)
    assert rough == pytest.approx((low, high), abs=2e-4)


def crossed_scores(rng, shape, data, init, order, together):
    """Returns scores with normal effects of these variances; all interactions are of all three."""
    parts = zip(range(3), (data, init, order), strict=True)
    scores = math.sqrt(together) * rng.standard_normal(shape)
    for axis, variance in parts:
        size = [1, 1, 1]
        size[axis] = shape[axis]
        scores = scores + math.sqrt(variance) * rng.standard_normal(size)
    return scores


def covered_components(variances, samples, shape=(4, 4, 4)):
    """Returns how often the intervals contain each true fraction."""
    rng = np.random.default_rng(samples)
    names = ("data", "init", "order", "together")
    hits = dict.fromkeys(names, 0)
    for _ in range(samples):
        intervals = fraction_intervals(crossed_scores(rng, shape, *variances))
        for name, variance in zip(names, variances, strict=True):
            low, high = intervals[name]
            hits[name] += low <= variance / sum(variances) <= high
    return hits


def test_intervals_of_variance_components_cover_them():
    hits = covered_components((0.27, 0.2, 0.1, 0.43), 60)
    assert all(stats.binom.cdf(count, 60, 0.93) > 0.01 for count in hits.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "variances", [(0.27, 0.2, 0.1, 0.43), (0.0, 0.3, 0.0, 0.7), (0.6, 0.1, 0.1, 0.2)]
)
def test_intervals_of_variance_components_cover_them_in_many_samples(variances):
    hits = covered_components(variances, 1000)
    print(variances, {name: f"{count / 1000:.1%}" for name, count in hits.items()})
    assert all(stats.binom.cdf(count, 1000, 0.93) > 0.01 for count in hits.values())


def covered_seed_fraction(true, recipes, seeds, samples):
    rng = np.random.default_rng(recipes)
    between = math.sqrt(1 - true) * rng.standard_normal((samples, recipes, 1))
    scores = between + math.sqrt(true) * rng.standard_normal((samples, recipes, seeds))
    ends = [seed_fraction_interval(groups) for groups in scores]
    return sum(low <= true <= high for low, high in ends)


@pytest.mark.parametrize("true", [0.2, 0.8, 1.0])
def test_the_interval_of_the_fraction_of_seeds_is_exact(true):
    hits = covered_seed_fraction(true, 10, 4, 1000)
    assert 0.925 < hits / 1000 < 0.985
    assert math.isnan(seed_fraction_interval(np.ones((5, 3)))[0])
