"""Verdicts on recipes of which one fails rarely and badly: error rates, power, and conditions."""

import math

import numpy as np
import pytest
from scipy import stats

from lstm_bench.statistics import _paired as paired
from lstm_bench.statistics import _unpaired as unpaired
from lstm_bench.statistics._comparison_question import DEFAULT_MARGIN
from lstm_bench.statistics._looks import FIRST_LEVEL
from lstm_bench.statistics._multiplicity import holm_correction
from lstm_bench.statistics._paired import (
    difference_verdict,
    paired_mean_difference,
    verdict_proviso,
)
from lstm_bench.statistics._rare_seeds import unseen_share
from lstm_bench.statistics._superiority import paired_superiority, unpaired_superiority
from lstm_bench.statistics._unpaired import unpaired_mean_difference


def failing(rng, n, often, fall, level=0.9, noise=0.002):
    """Returns scores of which a share `often` falls by `fall`."""
    return np.where(rng.random(n) < often, level - fall, level) + noise * rng.normal(size=n)


def verdicts(pairs, compare=paired_mean_difference):
    """Returns the verdict on each pair, and whether it is said to rest on a condition."""
    found = []
    for of, to in pairs:
        difference = compare(of, to)
        word = difference_verdict(difference, difference.p, DEFAULT_MARGIN)
        found.append((word, verdict_proviso(difference, word, DEFAULT_MARGIN) is not None))
    return found


def equal_means(rng, n, count):
    """Yields two recipes of equal mean, of which the first falls by 80 points in 1 seed of 20."""
    for _ in range(count):
        yield failing(rng, n, 0.05, 0.8), 0.86 + 0.002 * rng.normal(size=n)


def lost_points(rng, n, count):
    """Yields two recipes of which the first loses 5 points: 1 seed in 10 falls by 50."""
    for _ in range(count):
        yield failing(rng, n, 0.1, 0.5), 0.9 + 0.002 * rng.normal(size=n)


def rate(found, word, conditional=False):
    return np.mean([(w, c) == (word, conditional) for w, c in found])


def at_most(share, count, level=0.05):
    """Returns whether a share of `count` samples is consistent with a rate of at most `level`."""
    return stats.binom.sf(round(share * count) - 1, count, level) > 0.01


def check_rare_failures(n, count):
    rng = np.random.default_rng(n)
    found = verdicts(equal_means(rng, n, count))
    said, alone = np.mean([word == "real" for word, _ in found]), rate(found, "real")
    print(f"equal means, {n} seeds: real {said:.1%}, of these without a condition {alone:.1%}")
    assert at_most(alone, count)
    found = verdicts(lost_points(rng, n, count))
    lost = np.mean([word == "not real" for word, _ in found])
    print(f"5 points lost, {n} seeds: not real {lost:.1%}")
    assert at_most(lost, count)


@pytest.mark.long
@pytest.mark.parametrize("n", [5, 10, 20, 30])
def test_rare_failures_give_few_wrong_verdicts(n, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 199)
    check_rare_failures(n, 150)


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10, 20, 29, 30, 60])
def test_rare_failures_give_few_wrong_verdicts_in_many_samples(n, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 499)
    check_rare_failures(n, 3000)


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 20, 30])
@pytest.mark.parametrize("often", [0.02, 0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("fall", [0.3, 0.5, 0.8])
def test_failures_of_any_rate_give_few_wrong_verdicts(n, often, fall, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 499)
    rng = np.random.default_rng(n)
    pairs = (
        (failing(rng, n, often, fall), 0.9 - often * fall + 0.002 * rng.normal(size=n))
        for _ in range(1000)
    )
    alone = rate(verdicts(pairs), "real")
    print(f"{n} seeds, {often:.0%} fall by {fall}: real without a condition {alone:.1%}")
    assert at_most(alone, 1000)


def test_recipes_without_shared_seeds_say_what_they_rest_on_too(monkeypatch):
    monkeypatch.setattr(unpaired, "RESAMPLES", 199)
    found = verdicts(equal_means(np.random.default_rng(1), 20, 100), unpaired_mean_difference)
    assert at_most(rate(found, "real"), 100)
    assert rate(found, "real", conditional=True) > 0.2


def powers(n, size, spread, count, comparisons=4):
    """Returns how often the first of four comparisons is real: ours, and the t test's, with Holm.

    The other three recipes do not differ from the one that all are compared with.
    """
    rng = np.random.default_rng(round(1000 * size + n))
    ours = t_tests = 0
    for _ in range(count):
        differences = spread * rng.normal(size=(comparisons, n))
        differences[0] += size
        to = 0.7 * np.ones(n)
        found = [paired_mean_difference(to + row, to).p for row in differences]
        ours += holm_correction(found)[0] <= FIRST_LEVEL
        t_tests += holm_correction(stats.ttest_1samp(differences, 0, axis=1).pvalue)[0] <= 0.05
    return ours / count, t_tests / count


@pytest.mark.long
@pytest.mark.parametrize(("n", "size", "spread"), [(10, 0.1, 0.07), (30, 0.05, 0.07)])
def test_smooth_differences_are_seen_as_often_as_by_a_t_test(n, size, spread, monkeypatch):
    monkeypatch.setattr(paired, "RESAMPLES", 999)
    ours, t_test = powers(n, size, spread, 120)
    assert ours >= 0.85 * t_test  # 120 samples; see the slow test


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("size", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("spread", [0.07, 0.14])
def test_smooth_differences_are_seen_as_often_as_by_a_t_test_in_many_samples(
    n, size, spread, monkeypatch
):
    monkeypatch.setattr(paired, "RESAMPLES", 1999)
    ours, t_test = powers(n, size, spread, 1000)
    print(f"{size:.0%} of sd {spread:.0%}, {n} seeds: power {ours:.3f}, t test {t_test:.3f}")
    # The sign-flip test of ten seeds knows 512 p values; where the power is low that costs more.
    assert ours >= 0.95 * t_test - 0.05


@pytest.mark.parametrize("n", [5, 10, 30, 100])
def test_the_share_that_seeds_cannot_exclude_is_that_of_clopper_and_pearson(n):
    assert unseen_share(n) == pytest.approx(1 - 0.05 ** (1 / n))
    upper = stats.binomtest(2, n, alternative="less").proportion_ci(0.95, method="exact").high
    assert unseen_share(n, 2) == pytest.approx(upper)


def test_a_large_difference_over_many_seeds_rests_on_nothing():
    rng = np.random.default_rng(3)
    pairs = [
        (0.9 + 0.02 * rng.normal(size=n), 0.9 - d + 0.02 * rng.normal(size=n))
        for n, d in ((60, 0.1), (30, 0.1), (10, 0.1), (10, 0.3))
    ]
    # 0.1 / 0.9 = 0.11 of the seeds would have to fail; 60, 30 and 10 leave 0.05, 0.095, 0.26.
    assert verdicts(pairs) == [("real", False), ("real", False), ("real", True), ("real", False)]
    equal = [(np.full(n, 1.0), np.full(n, 1.0)) for n in (29, 148, 149)]
    words = verdicts(equal)  # 2 points are lost if 2 in 100 fail: 1 - 0.05^(1/149) < 0.02
    assert words == [("not real", True), ("not real", True), ("not real", False)]


@pytest.mark.parametrize("n", [5, 10, 30])
@pytest.mark.parametrize("often", [0.5, 0.9, 0.97])
def test_the_probability_of_being_higher_is_covered_for_rare_failures_too(n, often):
    rng = np.random.default_rng(n)
    hits = []
    for _ in range(400):
        of = np.where(rng.random(n) < often, 0.9, 0.1)
        to = rng.choice([0.5, 0.9], n)  # a tie half of the time that `of` does not fail
        found = paired_superiority(of - to)
        hits.append(found.low <= 0.75 * often <= found.high)
    assert at_most(1 - np.mean(hits), 400)


def test_the_probability_of_being_higher_is_covered_without_shared_seeds():
    rng = np.random.default_rng(4)
    truth = stats.norm.cdf(1 / math.sqrt(2))  # of two normal scores, one higher by their deviation
    found = [unpaired_superiority(rng.normal(1, 1, 12), rng.normal(0, 1, 20)) for _ in range(400)]
    assert at_most(1 - np.mean([one.low <= truth <= one.high for one in found]), 400)
    of, to = rng.normal(1, 1, 12), rng.normal(0, 1, 20)
    u = stats.mannwhitneyu(of, to).statistic / (12 * 20)
    assert unpaired_superiority(of, to).probability == pytest.approx(u)
